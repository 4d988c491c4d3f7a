use std::cell::Cell;

use pdb_store::StoreOptions;

use super::*;

fn store() -> Store {
    Store::open(&StoreOptions::memory()).unwrap()
}

#[test]
fn steps_grow_while_they_are_quick_and_shrink_when_they_are_slow() {
    let check = |throttle: Throttle, took: &[u64], expected: &[u32]| {
        let mut limits = Vec::new();
        let mut took = took.iter().copied().map(Duration::from_micros);
        let all = throttle.repeat(&store(), |limit| {
            limits.push(limit);
            Ok::<_, ()>(took.next().map_or((0, Duration::ZERO), |took| (limit.into(), took)))
        });
        assert_eq!(limits, expected);
        assert_eq!(all, Ok(limits[..limits.len() - 1].iter().map(|limit| u64::from(*limit)).sum()));
    };
    check(
        Throttle::new(100),
        &[0, 0, 0, 0, 300, 600, 600, 600, 600, 600, 600, 600, 600, 0],
        &[16, 32, 64, 100, 100, 100, 50, 25, 12, 6, 3, 1, 1, 1, 2],
    );
    check(Throttle::new(3), &[0], &[3, 3]);
    check(Throttle::new(100).gentle(), &[10, 100, 160, 20, 20], &[16, 32, 32, 16, 32, 64]);
}

#[test]
fn a_failed_step_ends_the_work() {
    assert_eq!(Throttle::default().repeat(&store(), |_| Err("bad")), Err("bad"));
}

#[test]
fn a_stop_ends_the_work_after_its_step_and_ends_a_rest() {
    let throttle = Throttle::new(1).gentle();
    let mut steps = 0;
    let done = throttle.repeat(&store(), |_| {
        steps += 1;
        throttle.stop();
        Ok::<_, ()>((1, Duration::ZERO))
    });
    assert_eq!((done, steps), (Ok(1), 1));
    // Returns at once, because the throttle is stopped.
    throttle.wait(Duration::from_secs(1_000_000));
}

#[test]
fn rests_are_long_while_there_are_writers_and_short_otherwise() {
    let store = store();
    let commits = Cell::new(store.commits());
    let (mut rests, step) = (Rests::new(&store, None), Duration::from_micros(70));
    let mut rest = |others: u64, earlier: Duration| {
        // As if that much time had passed.
        rests.began -= earlier;
        rests.last_write -= earlier;
        commits.set(commits.get() + 1 + others);
        let mut rested = Duration::ZERO;
        rests.rest(Mode::Gentle, step, |time| rested = time, || commits.get());
        rested
    };
    // At the beginning it is not known whether there are writers.
    assert_eq!(rest(0, Duration::ZERO), Throttle::REST);
    assert_eq!(rest(0, Throttle::IDLE), step);
    assert_eq!(rest(1, Duration::ZERO), Throttle::REST);
    assert_eq!(rest(0, Duration::ZERO), Throttle::REST);
    assert_eq!(rest(0, Throttle::IDLE), step);
    assert_eq!(rest(7, Throttle::REST_HALVES_EVERY), Throttle::REST / 2);
    assert_eq!(rest(7, Throttle::REST_HALVES_EVERY), Throttle::REST / 4);
    assert_eq!(rest(7, Throttle::REST_HALVES_EVERY * 1000), Duration::ZERO);
}

#[test]
fn prompt_work_leaves_half_of_the_time_to_others_that_write() {
    let store = store();
    let (mut rests, step) = (Rests::new(&store, None), Duration::from_micros(400));
    let commits = Cell::new(store.commits());
    let mut rest = |others: u64| {
        commits.set(commits.get() + 1 + others);
        let mut rested = None;
        rests.rest(Mode::Prompt, step, |time| rested = Some(time), || commits.get());
        rested
    };
    assert_eq!([rest(0), rest(1), rest(0), rest(9)], [None, Some(step), None, Some(step)]);
}

#[test]
fn gentle_work_releases_the_store_between_its_steps() {
    let store = store();
    let throttle = Throttle::new(1);
    let other = |work: &dyn Fn()| {
        // Another thread's maintenance, which would wait for ever if this thread held the store.
        std::thread::scope(|scope| scope.spawn(|| store.maintain(|| ())).join()).unwrap();
        work();
    };
    throttle
        .clone()
        .gentle()
        .maintain(&store, || other(&|| throttle.clone().gentle().maintain_step(&store, || ())));
    throttle.maintain(&store, || throttle.maintain_step(&store, || ()));
}
