//! Tests of decisions. That they take effect is tested in the crates that inject them.

use std::time::Duration;

use pdb_model::SystemClock;
use proptest::prelude::*;

use super::*;

fn call(operation: Operation, table: &str) -> Call {
    let tables = table.split_whitespace().map(|name| name.parse().unwrap()).collect();
    Call { operation, tables, request_id: None, has_connection: true }
}

fn faults() -> Faults {
    Faults::new(Arc::new(SystemClock))
}

/// What is injected into some calls in turn: a letter for each, `.` if nothing.
fn decided(faults: &Faults, calls: &[Call]) -> String {
    let letter = |call: &Call| {
        let injection = faults.decide(call);
        match (injection.delay(), injection.refusal(), injection.drops()) {
            (None, None, None) => '.',
            (Some(_), None, None) => 'w',
            (None, Some(_), None) => 'e',
            (Some(_), Some(_), None) => 'W',
            (_, _, Some(_)) => 'd',
        }
    };
    calls.iter().map(letter).collect()
}

#[track_caller]
fn check(fault: Fault, calls: &[Call], expected: &str) {
    let faults = faults();
    faults.add(fault.clone()).unwrap();
    assert_eq!(decided(&faults, calls), expected, "{fault:?}");
}

fn puts(count: usize) -> Vec<Call> {
    vec![call(Operation::PutItem, "Orders"); count]
}

#[test]
fn faults_are_injected_where_and_as_often_as_they_say() {
    let fault = || Fault::new(FaultKind::InternalError);
    check(fault(), &puts(3), "eee");
    check(fault().times(2), &puts(4), "ee..");
    check(fault().skip(2), &puts(4), "..ee");
    check(fault().skip(1).times(2), &puts(5), ".ee..");
    let mixed = [
        call(Operation::PutItem, "Orders"),
        call(Operation::GetItem, "Orders"),
        call(Operation::Query, "Others"),
        call(Operation::GetRecords, "Orders"),
        call(Operation::ListTables, ""),
        call(Operation::TransactWriteItems, "Others Orders"),
    ];
    check(fault(), &mixed, "eeeeee");
    check(fault().on(Operation::Query), &mixed, "..e...");
    check(fault().on(Operation::Query).on(Operation::GetItem), &mixed, ".ee...");
    check(fault().on(OperationGroup::Writes), &mixed, "e....e");
    check(fault().on(OperationGroup::Streams).on(OperationGroup::Tables), &mixed, "...ee.");
    check(fault().table("Orders".parse().unwrap()), &mixed, "ee.e.e");
    check(fault().table("Others".parse().unwrap()).on(OperationGroup::Items), &mixed, "..e..e");
    // Only calls that it is meant for are counted.
    check(fault().on(OperationGroup::Writes).skip(1), &mixed, ".....e");
    check(Fault::new(FaultKind::ProvisionedThroughputExceeded), &mixed, "eee..e");
    check(Fault::new(FaultKind::DropAfter).on(OperationGroup::Reads), &mixed, ".dd...");
    let searches = [call(Operation::SearchVectors, "Orders"), call(Operation::CreateTable, "Orders")];
    check(fault().on(OperationGroup::Reads), &searches, "e.");
    check(fault().on(OperationGroup::Tables), &searches, ".e");
    check(Fault::new(FaultKind::RequestLimitExceeded), &searches, "e.");
    check(Fault::new(FaultKind::ProvisionedThroughputExceeded), &searches, "..");
    let typed = Call { has_connection: false, ..call(Operation::PutItem, "Orders") };
    check(Fault::new(FaultKind::DropBefore).times(1), &[typed, call(Operation::PutItem, "Orders")], ".d");
}

#[test]
fn of_several_faults_the_first_is_injected_and_delays_add_up() {
    let faults = faults();
    let ms = Duration::from_millis;
    faults.add(Fault::latency(ms(10))).unwrap();
    faults.add(Fault::new(FaultKind::Throttling).times(1)).unwrap();
    faults.add(Fault::new(FaultKind::InternalError).times(2)).unwrap();
    faults.add(Fault::latency(ms(5)).skip(1)).unwrap();
    let met: Vec<_> = puts(4)
        .iter()
        .map(|call| {
            let injection = faults.decide(call);
            (
                injection.delay().unwrap().as_millis(),
                injection.refusal().map_or("", |error| error.code.name()),
            )
        })
        .collect();
    let expected =
        [(10, "ThrottlingException"), (15, "InternalServerError"), (15, "InternalServerError"), (15, "")];
    assert_eq!(met, expected);
    let report = faults.report();
    let counts: Vec<_> = report.faults.iter().map(|fault| (fault.matched, fault.injected)).collect();
    // A call into which a fault was injected is not counted by those behind it.
    assert_eq!(counts, [(4, 4), (1, 1), (2, 2), (4, 3)]);
    assert_eq!(report.injected.len(), 10);
}

#[test]
fn contradictory_faults_are_refused() {
    let refused = |fault: Fault| faults().add(fault).unwrap_err().to_string();
    let on = |kind, operation: Operation| refused(Fault::new(kind).on(operation));
    let ms = Duration::from_millis;
    for (said, expected) in [
        (
            on(FaultKind::ExpiredIterator, Operation::PutItem),
            "`expired-iterator` does not apply to PutItem, only to GetRecords",
        ),
        (
            on(FaultKind::Unprocessed, Operation::PutItem),
            "`unprocessed` does not apply to PutItem, only to BatchWriteItem, BatchGetItem",
        ),
        (
            on(FaultKind::ProvisionedThroughputExceeded, Operation::ListStreams),
            "`throughput-exceeded` does not apply to ListStreams, only to items but SearchVectors",
        ),
        (
            refused(Fault::new(FaultKind::TrimmedData).on(OperationGroup::Writes)),
            "`trimmed-data` does not apply to writes, only to GetShardIterator, GetRecords",
        ),
        (refused(Fault::new(FaultKind::Latency)), "`latency` needs a delay"),
        (refused(Fault::latency(ms(0))), "a delay must be longer than zero"),
        (refused(Fault::latency_between(ms(2), ms(1))), "its minimum must not exceed its maximum"),
        (
            refused(Fault { delay: Some((ms(1), ms(1))), ..Fault::new(FaultKind::Conflict) }),
            "`conflict` has no delay",
        ),
        (refused(Fault::new(FaultKind::Conflict).items(3)), "`conflict` has no number of items"),
        (refused(Fault::new(FaultKind::Unprocessed).items(0)), "at least one item"),
        (refused(Fault::new(FaultKind::Conflict).times(0)), "at least once"),
        (refused(Fault::new(FaultKind::Conflict).probability(0.0)), "greater than 0 and at most 1, not 0"),
        (refused(Fault::new(FaultKind::Conflict).probability(1.5)), "not 1.5"),
        (refused(Fault::new(FaultKind::Conflict).probability(f64::NAN)), "not NaN"),
    ] {
        assert!(said.contains(expected), "{said}");
    }
    // Of a group, the operations to which the kind applies are affected.
    let partly = faults();
    partly.add(Fault::new(FaultKind::Conflict).on(OperationGroup::Writes)).unwrap();
    let calls = [call(Operation::PutItem, "Orders"), call(Operation::BatchWriteItem, "Orders Orders")];
    assert_eq!(decided(&partly, &calls), "e.");
}

#[test]
fn faults_are_removed_one_by_one_or_all() {
    let faults = faults();
    assert!(!faults.is_armed());
    let first = faults.add(Fault::new(FaultKind::InternalError).times(1)).unwrap();
    let second = faults.add(Fault::new(FaultKind::Unavailable)).unwrap();
    assert!(faults.is_armed() && first != second);
    assert_eq!(decided(&faults, &puts(2)), "ee");
    assert!(faults.remove(second) && !faults.remove(second));
    // The fault that is left is over.
    assert!(!faults.is_armed());
    assert_eq!(decided(&faults, &puts(1)), ".");
    let report = faults.report();
    assert_eq!(report.faults.len(), 1);
    assert!(report.faults[0].is_over);
    assert_eq!(report.injected.iter().map(|one| one.fault).collect::<Vec<_>>(), [first, second]);
    assert_eq!(faults.clear(), 1);
    assert_eq!(faults.report(), FaultReport::default());
    assert!(faults.add(Fault::new(FaultKind::Unavailable)).unwrap() > second);
}

#[test]
fn the_report_forgets_the_oldest() {
    let faults = faults();
    faults.add(Fault::new(FaultKind::InternalError)).unwrap();
    decided(&faults, &puts(1_007));
    let report = faults.report();
    assert_eq!((report.injected.len(), report.forgotten, report.faults[0].injected), (1_000, 7, 1_007));
}

#[test]
fn threads_share_the_count() {
    let faults = faults();
    faults.add(Fault::new(FaultKind::InternalError).skip(30).times(50)).unwrap();
    let met: usize = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..4).map(|_| scope.spawn(|| decided(&faults, &puts(50)).matches('e').count())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!((met, faults.is_armed()), (50, false));
}

#[test]
fn names_are_found_again() {
    for kind in FaultKind::ALL {
        assert_eq!(FaultKind::from_name(kind.name()), Some(*kind));
        assert!(Operation::ALL.iter().any(|operation| kind.applies_to(*operation)));
    }
    for group in OperationGroup::ALL {
        assert_eq!(group.name().parse(), Ok(FaultTarget::Group(*group)));
    }
    assert_eq!("PutItem".parse(), Ok(FaultTarget::Operation(Operation::PutItem)));
    assert!("putitem".parse::<FaultTarget>().unwrap_err().to_string().contains("writes"));
}

fn any_call() -> impl Strategy<Value = Call> {
    let operation = prop::sample::select(Operation::ALL);
    (operation, prop::sample::select(vec!["Orders", "Others", "Orders Others Orders"]))
        .prop_map(|(operation, table)| call(operation, table))
}

fn any_fault() -> impl Strategy<Value = Fault> {
    (
        prop::sample::select(FaultKind::ALL),
        prop_oneof![Just(1.0), 0.01..1.0],
        prop::option::of(1_u64..5),
        0_u64..4,
        any::<u64>(),
        prop::option::of(Just("Orders")),
    )
        .prop_map(|(kind, probability, times, skip, seed, table)| Fault {
            probability,
            times,
            skip,
            table: table.map(|name| name.parse().unwrap()),
            delay: (kind == FaultKind::Latency).then(|| (Duration::from_millis(1), Duration::from_millis(9))),
            ..Fault::new(kind).seed(seed)
        })
}

proptest! {
    /// The same calls in the same order are affected by the same faults, as often as the faults say.
    #[test]
    fn decisions_are_repeatable(
        plan in prop::collection::vec(any_fault(), 1..5),
        calls in prop::collection::vec(any_call(), 0..60),
    ) {
        let run = || {
            let faults = faults();
            for fault in &plan {
                faults.add(fault.clone()).unwrap();
            }
            let met: Vec<_> = calls.iter().map(|call| (faults.decide(call), faults.decide_redelivery(call))).collect();
            (met, faults.report().faults)
        };
        let (met, states) = run();
        prop_assert_eq!(&(met, states.clone()), &run());
        for state in states {
            let could = state.matched.saturating_sub(state.fault.skip);
            prop_assert!(state.injected <= could.min(state.fault.times.unwrap_or(u64::MAX)));
            if state.fault.probability == 1.0 {
                prop_assert_eq!(state.injected, could.min(state.fault.times.unwrap_or(u64::MAX)));
            }
        }
    }
}
