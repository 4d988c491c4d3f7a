//! Seeds that always run, seeds that have found bugs, and bugs that are planted to be found.

use simulation::generate::{Config, Place};
use simulation::planted::Bug;
use simulation::run::run;
use simulation::shrink::shrink;

/// A few seeds of every kind of run. A failure names the command that repeats it.
#[test]
fn seeds_hold_and_repeat_bit_by_bit() {
    for seed in 1..=6 {
        let config = Config::of(seed);
        let history = config.history(1_500);
        let outcome = run(&config, &history, Bug::None);
        assert_eq!(outcome.failure, None, "cargo xtask simulate --seed {seed} --steps 1500");
        assert_eq!(run(&config, &history, Bug::None), outcome, "seed {seed} is not repeatable");
    }
}

/// Seeds that have found bugs of pretender: in consumers whose database goes back, in those that were down for more than a day, and in the
/// numbers of streams that are gone.
#[test]
fn seeds_that_have_found_bugs_hold() {
    for (seed, steps) in [
        (1_796_071_103_310, 1_000),
        (1_796_070_546_355, 3_000),
        (1_796_072_302_691, 3_000),
        (1_796_077_729_372, 5_000),
        (1_796_085_364_687, 5_000),
        (1_796_086_203_985, 5_000),
        (1_796_130_282_715, 5_000),
        (1_796_133_444_765, 1_000),
    ] {
        let config = Config::of(seed);
        let outcome = run(&config, &config.history(steps), Bug::None);
        assert_eq!(outcome.failure, None, "cargo xtask simulate --seed {seed} --steps {steps}");
    }
}

/// A database file is closed and opened between the steps, and still everything repeats.
#[test]
fn files_hold_and_repeat_bit_by_bit() {
    let of_file = |seed: &u64| Config::of(*seed).place == Place::File;
    for seed in (1..).filter(of_file).take(2) {
        let config = Config::of(seed);
        let history = config.history(800);
        let outcome = run(&config, &history, Bug::None);
        assert_eq!(outcome.failure, None, "cargo xtask simulate --seed {seed} --steps 800");
        assert_eq!(run(&config, &history, Bug::None), outcome, "seed {seed} is not repeatable");
    }
}

#[test]
fn different_seeds_are_different_histories() {
    let digests = [11, 12].map(|seed| {
        let config = Config::of(seed);
        run(&config, &config.history(200), Bug::None).digest
    });
    assert_ne!(digests[0], digests[1]);
}

/// Plants a bug, and checks that a run finds it and that shrinking leaves a history of a few steps.
#[track_caller]
fn assert_found(bug: Bug, most: usize, text: &str) {
    for seed in 1..20 {
        let config = Config::of(seed);
        let history = config.history(1_500);
        if run(&config, &history, bug).failure.is_none() {
            continue;
        }
        let small = shrink(&config, &history, bug, 400);
        let (_, violation) = run(&config, &small, bug).failure.expect("the small history fails");
        assert!(small.len() <= most, "{} steps are left: {small:?}", small.len());
        assert!(violation.0.contains(text), "{violation}");
        assert_eq!(run(&config, &small, Bug::None).failure, None, "without the bug it holds");
        return;
    }
    panic!("no seed finds {bug:?}");
}

#[test]
fn a_lost_record_is_found() {
    assert_found(Bug::LostRecord, 8, "lost");
}

#[test]
fn a_record_that_comes_twice_is_found() {
    assert_found(Bug::DoubleDelivery, 8, "was given out before");
}

#[test]
fn an_index_entry_that_stays_is_found() {
    assert_found(Bug::StaleIndexEntry, 8, "the entries of index");
}

#[test]
fn a_restore_that_lacks_an_item_is_found() {
    assert_found(Bug::IncompleteRestore, 8, "the items of table");
}
