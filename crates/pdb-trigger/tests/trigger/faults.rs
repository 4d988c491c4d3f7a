//! A stream that is hard to read.

use pdb_trigger::{Settings, Trigger};
use pretender::faults::{Fault, FaultKind, OperationGroup};

use crate::harness::{PATIENCE, Recorder, Streamed};

/// Writes while the stream fails like this, and returns all deliveries of a key, in order.
fn deliveries(kinds: &[FaultKind]) -> Vec<i64> {
    let streamed = Streamed::new();
    let function = Recorder::new();
    let settings = Settings { batch_size: 3, ..Settings::default() };
    let trigger = Trigger::start(&streamed.db, "Orders", settings, function.clone()).unwrap();
    let faults = streamed.db.faults();
    for (seed, kind) in (0..).zip(kinds) {
        faults.add(Fault::new(*kind).on(OperationGroup::Streams).probability(0.3).seed(seed)).unwrap();
    }
    for n in 1..=30 {
        streamed.put("a", n);
        streamed.put("b", n);
        if n == 15 {
            streamed.split();
        }
    }
    assert!(trigger.wait_until_caught_up(PATIENCE));
    assert!(!faults.report().injected.is_empty());
    faults.clear();
    assert!(trigger.wait_until_caught_up(PATIENCE));
    assert_eq!(trigger.stop().problem, None);
    let all = function.batches().join(" ");
    all.split(' ').filter_map(|shown| shown.strip_prefix('a')).map(|n| n.parse().unwrap()).collect()
}

#[test]
fn what_only_delays_neither_loses_nor_repeats() {
    use FaultKind::*;
    let once: Vec<i64> = (1..=30).collect();
    assert_eq!(deliveries(&[Throttling, LimitExceeded, ExpiredIterator, EmptyPage]), once);
    assert_eq!(deliveries(&[InternalError, Unavailable, EmptyPage]), once);
}

#[test]
fn what_repeats_repeats_in_order() {
    let mut delivered = deliveries(&[FaultKind::Duplicate, FaultKind::EmptyPage]);
    assert!(delivered.is_sorted(), "{delivered:?}");
    delivered.dedup();
    assert_eq!(delivered, (1..=30).collect::<Vec<_>>());
}
