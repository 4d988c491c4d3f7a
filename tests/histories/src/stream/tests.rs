//! Every check of streams accepts what is sound, and refuses what is planted.

use crate::history::{Item, KEYS, Op, Outcome, Part, Seen};

use super::{Chain, Facts, Listing, Poll, Record, Shard, Start, Whole, check, shown_changes};

/// A stream of two shards, what clients and readers saw, and the items afterwards.
#[derive(Clone)]
struct Scene {
    whole: Whole,
    ops: Vec<Op>,
    last: Vec<Option<Item>>,
    chains: Vec<Chain>,
    listings: Vec<Listing>,
}

fn item(v: u32) -> Option<Item> {
    Some(Item { v, n: 0, b: 1 })
}

fn record(number: u128, key: usize, old: Option<Item>, new: Option<Item>) -> Record {
    let event = match (old, new) {
        (None, _) => "INSERT",
        (_, Some(_)) => "MODIFY",
        (_, None) => "REMOVE",
    };
    Record { id: format!("event {number}"), event: event.to_owned(), key, old, new, sequence_number: number }
}

fn op(call: i64, returned: i64, part: Part) -> Op {
    Op {
        client: 0,
        call,
        returned: Some(returned),
        name: "PutItem".to_owned(),
        parts: vec![part],
        read: None,
        token: 0,
        outcome: Outcome::Done,
    }
}

fn put(call: i64, returned: i64, key: usize, v: u32) -> Op {
    op(call, returned, Part { key, put: item(v), ..Part::default() })
}

fn poll(call: i64, records: &[Record], end: bool) -> Poll {
    Poll { call, returned: call + 1, records: records.to_vec(), limit: 1000, end }
}

fn chain(shard: &str, start: Start, call: i64, polls: Vec<Poll>) -> Chain {
    Chain { table: 0, shard: shard.to_owned(), start, call, returned: call + 1, polls }
}

/// Three writes at the times 10, 20 and 30 in the first shard; at 40 the second shard takes a put, and at 50 a deletion.
fn sound() -> Scene {
    let first =
        vec![record(1, 0, None, item(1)), record(2, 1, None, item(2)), record(3, 0, item(1), item(3))];
    let second = vec![record(4, 1, item(2), item(4)), record(5, 0, item(3), None)];
    let gone = Seen { v: Some(3), n: Some(0), b: Some(1), gone: false };
    let chains = vec![
        chain(
            "a",
            Start::TrimHorizon,
            5,
            vec![
                poll(6, &[], false),
                poll(15, &first[..1], false),
                poll(26, &first[1..2], false),
                poll(37, &first[2..], true),
            ],
        ),
        chain("a", Start::Latest, 16, vec![poll(18, &[], false), poll(60, &first[1..], true)]),
        chain("a", Start::At(2), 60, vec![poll(61, &first[1..], true)]),
        chain("a", Start::After(2), 60, vec![poll(61, &first[2..], true)]),
        chain("b", Start::TrimHorizon, 60, vec![poll(61, &second, false)]),
    ];
    let shard = |id: &str, parent, records, closed| Shard { id: id.to_owned(), parent, records, closed };
    let listing = |call, shards: &[&str]| Listing {
        table: 0,
        call,
        shards: shards.iter().map(|id| (*id).to_owned()).collect(),
    };
    let mut last = vec![None; KEYS];
    last[1] = item(4);
    Scene {
        whole: Whole { shards: vec![shard("a", None, first, true), shard("b", Some(0), second, false)] },
        ops: vec![
            put(10, 12, 0, 1),
            put(20, 22, 1, 2),
            put(30, 32, 0, 3),
            put(40, 42, 1, 4),
            op(50, 52, Part { key: 0, delete: true, before: Some(gone), ..Part::default() }),
        ],
        last,
        chains,
        listings: vec![listing(14, &["a"]), listing(45, &["a", "b"])],
    }
}

fn findings(scene: &Scene) -> Vec<String> {
    let facts = Facts::of(&scene.ops, |_| true);
    let chains: Vec<_> = scene.chains.iter().collect();
    let listings: Vec<_> = scene.listings.iter().collect();
    check(&scene.whole, &facts, &scene.last, &chains, &listings)
}

/// Plants something, and expects a finding with this text.
#[track_caller]
fn refused(expected: &str, plant: impl FnOnce(&mut Scene)) {
    let mut scene = sound();
    plant(&mut scene);
    let found = findings(&scene);
    assert!(found.iter().any(|text| text.contains(expected)), "{expected}: {found:#?}");
}

#[test]
fn what_is_sound_is_accepted() {
    assert_eq!(findings(&sound()), Vec::<String>::new());
}

#[test]
fn pages_with_gaps_repetitions_and_delays_are_refused() {
    refused("missed 1 records", |scene| {
        scene.chains[0].polls.remove(2);
    });
    refused("was shown 1 again", |scene| {
        let page = scene.chains[0].polls[1].clone();
        scene.chains[0].polls.insert(2, page);
    });
    refused("lacks the record with number 1", |scene| scene.chains[0].polls[2].records.clear());
    refused("lacks the record with number 0", |scene| scene.chains[0].polls[0].call = 13);
    refused("before that was written", |scene| scene.chains[0].polls[1].returned = 9);
    refused("and not the records", |scene| scene.chains[4].polls[0].records[1].old = item(9));
    refused("missed 1 records before 5", |scene| scene.chains[4].polls[0].records.swap(0, 1));
    refused("is not there any more", |scene| scene.chains[0].polls[1].records[0].sequence_number = 77);
    refused("is not there any more", |scene| scene.chains[4].shard = "c".to_owned());
}

#[test]
fn iterators_that_begin_elsewhere_are_refused() {
    let all = |scene: &Scene| scene.whole.shards[0].records.clone();
    refused("missed 1 records", |scene| scene.chains[2].polls[0].records.remove(0).key = 0);
    refused("was shown 2 again", |scene| scene.chains[3].polls[0].records = all(scene)[1..].to_vec());
    refused("was shown 1 again", |scene| scene.chains[1].polls[1].records = all(scene));
    refused("missed 1 records", |scene| {
        scene.chains[1].polls.remove(0);
        scene.chains[1].polls[0].records = all(scene)[2..].to_vec();
    });
    refused("missed 1 records", |scene| scene.chains[4].polls[0].records.remove(0).key = 0);
}

#[test]
fn shards_that_end_too_early_or_are_not_listed_are_refused() {
    refused("lacks the record", |scene| {
        scene.chains[0].polls.truncate(3);
        scene.chains[0].polls[2].end = true;
    });
    refused("and it is open", |scene| scene.chains[4].polls[0].end = true);
    refused("was not listed", |scene| scene.listings[1].shards.truncate(1));
}

#[test]
fn images_that_do_not_follow_are_refused() {
    refused("key 0: after", |scene| scene.whole.shards[0].records[2].old = item(2));
    refused("key 0: after", |scene| scene.whole.shards[0].records[2].old = None);
    refused("not MODIFY", |scene| scene.whole.shards[0].records[2].event = "INSERT".to_owned());
    refused("and its last record says", |scene| scene.last[1] = item(2));
    refused("and its last record says", |scene| scene.last[0] = item(3));
    refused("does not descend", |scene| scene.whole.shards[1].parent = None);
    refused("event id", |scene| scene.whole.shards[1].records[0].id = "event 3".to_owned());
    refused("4 follows 4", |scene| scene.whole.shards[1].records[1].sequence_number = 4);
    refused("2 follows 9", |scene| scene.whole.shards[0].records[0].sequence_number = 9);
}

#[test]
fn changes_without_record_and_records_without_change_are_refused() {
    refused("write 9 of key 2 has 0 records", |scene| scene.ops.push(put(60, 62, 2, 9)));
    refused("write 4 of key 1 has 2 records", |scene| scene.whole.shards[1].records[1].new = item(4));
    refused("nobody has made", |scene| drop(scene.ops.remove(1)));
    refused("nobody has made", |scene| scene.ops[1].outcome = Outcome::Refused);
    refused("nobody has made", |scene| scene.ops[1].parts[0].key = 2);
    refused("the deletion of 3", |scene| drop(scene.whole.shards[1].records.pop()));
    // Nobody knows whether a write without an answer was carried out.
    let mut scene = sound();
    scene.ops.push(put(60, 62, 2, 9));
    for at in [1, 5] {
        scene.ops[at].outcome = Outcome::Unknown;
        scene.ops[at].returned = None;
    }
    assert_eq!(findings(&scene), Vec::<String>::new());
}

#[test]
fn an_order_against_real_time_is_refused() {
    refused("was acknowledged before", |scene| (scene.ops[0].call, scene.ops[0].returned) = (23, Some(24)));
    // From the parent to the child.
    refused("was acknowledged before", |scene| (scene.ops[2].call, scene.ops[2].returned) = (43, Some(44)));
    // A deletion.
    refused("was acknowledged before", |scene| (scene.ops[4].call, scene.ops[4].returned) = (1, Some(2)));
}

#[test]
fn the_checker_gets_the_order_of_shards() {
    let shown = shown_changes(&[&sound().whole]).unwrap();
    let before: Vec<_> = shown[0].iter().map(|change| change.before.clone()).collect();
    assert_eq!(before, [[0, 0, 0, 0, 0], [1, 1, 0, 0, 0], [2, 2, 0, 0, 0]]);
    assert_eq!(shown[0].iter().map(|change| change.item).collect::<Vec<_>>(), [item(1), item(3), None]);
    assert_eq!(shown[1].len(), 2);
}
