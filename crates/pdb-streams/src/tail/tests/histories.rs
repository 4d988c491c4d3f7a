//! Random histories: no loss, no repeat, order per key.

use super::fake::{Change, FakeSource};
use crate::tail::*;
use proptest::prelude::*;
use std::time::Duration;

#[derive(Clone, Debug)]
enum Step {
    Write(u8),
    Replace {
        nth: usize,
        children: u16,
    },
    Read(usize),
    /// Throws the subscription away and resumes from its checkpoint, as text.
    Restart,
    Expire,
    EmptyPages(u32),
    Throttle(u32),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0u8..=255).prop_map(Step::Write),
        2 => (0usize..4, 1u16..3).prop_map(|(nth, children)| Step::Replace { nth, children }),
        4 => (0usize..5).prop_map(Step::Read),
        1 => Just(Step::Restart),
        1 => Just(Step::Expire),
        1 => (0u32..3).prop_map(Step::EmptyPages),
        1 => (0u32..3).prop_map(Step::Throttle),
    ]
}

fn begin<'s>(
    source: &'s FakeSource,
    arn: &str,
    limit: u32,
    checkpoint: Checkpoint,
) -> Subscription<&'s FakeSource> {
    let builder = Subscription::builder(source).stream(arn).page_limit(limit).poll_interval(Duration::ZERO);
    builder.caught_up_after(8).resume(checkpoint).start().unwrap()
}

proptest! {
    #[test]
    fn every_change_once_and_in_order(steps in prop::collection::vec(any_step(), 0..60), limit in 1u32..5) {
        let source = FakeSource::default();
        let arn = source.enable("T");
        let mut subscription = begin(&source, &arn, limit, Checkpoint::default());
        let mut seen: Vec<Change> = Vec::new();
        for step in steps {
            match step {
                Step::Write(key) => source.write(&arn, key),
                Step::Replace { nth, children } => source.replace(&arn, nth, children),
                Step::Read(count) => seen.extend(subscription.by_ref().take(count).map(|e| e.unwrap().record)),
                Step::Restart => {
                    let checkpoint = subscription.checkpoint().to_string().parse().unwrap();
                    subscription = begin(&source, &arn, limit, checkpoint);
                }
                Step::Expire => source.expire_iterators(),
                Step::EmptyPages(count) => source.faults.borrow_mut().empty_pages = count,
                Step::Throttle(count) => source.faults.borrow_mut().throttled = count,
            }
        }
        source.disable(&arn);
        seen.extend(subscription.map(|event| event.unwrap().record));
        let written = source.changes(&arn);
        prop_assert_eq!(seen.len(), written.len());
        for key in 0u8..=255 {
            let numbers: Vec<u64> = seen.iter().filter(|change| change.key == key).map(|change| change.n).collect();
            prop_assert_eq!(numbers.clone(), (0..numbers.len() as u64).collect::<Vec<_>>());
        }
    }
}
