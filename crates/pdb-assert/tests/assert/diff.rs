//! Differences between two streams.

use expect_test::{Expect, expect};
use pdb_model::Item;
use pretender::testing::{Change, StreamDiff};
use proptest::prelude::*;

use crate::harness::{Orders, item, status};

fn changes(orders: &Orders) -> Vec<Change> {
    orders.db.changes("Orders").unwrap()
}

fn check(first: &[Change], second: &[Change], text: &Expect) {
    text.assert_eq(&StreamDiff::between(first, second).to_string());
}

#[test]
fn streams_of_the_same_writes_do_not_differ() {
    let (first, second) = (Orders::with_history(), Orders::new());
    // Other keys in between: their numbers differ, and the order of keys does not count.
    second.put("o2", item("new", 20));
    second.put("o1", item("new", 10));
    second.put("o1", item("paid", 10));
    second.put("o1", item("sent", 12).with("by", "train"));
    second.delete("o1");
    let diff = StreamDiff::between(&changes(&first), &changes(&second));
    assert!(diff.is_empty());
    diff.assert_empty();
    check(
        &[],
        &[],
        &expect![[r#"
        no difference
    "#]],
    );
}

#[test]
fn missing_added_and_displaced_changes_have_signs() {
    let first = changes(&Orders::with_history());
    let mut second = first.clone();
    // Missing: the payment of o1. Out of order: its removal. Added: a change of o2, and a third order.
    second.remove(2);
    let removal = second.pop().unwrap();
    second.insert(0, removal);
    let other = Orders::new();
    other.put("o2", item("new", 20));
    other.put("o2", item("paid", 20));
    other.put("o3", status("new"));
    second.extend(changes(&other).into_iter().skip(1));
    check(
        &first,
        &second,
        &expect![[r#"
        3 of 3 keys differ: 1 change missing, 2 changes added, 1 change out of order

        pk="o1"
          ~ REMOVE by="train" status="sent" total=12               out of order: change 4 of the first
            INSERT status="new" total=10
          - MODIFY status="new"->"paid"                            missing
            MODIFY +by="train" status="paid"->"sent" total=10->12

        pk="o2"
            INSERT status="new" total=20
          + MODIFY status="new"->"paid"   added

        pk="o3"
          + INSERT status="new"  added
    "#]],
    );
    check(
        &second,
        &first,
        &expect![[r#"
        3 of 3 keys differ: 2 changes missing, 1 change added, 1 change out of order

        pk="o1"
            INSERT status="new" total=10
          + MODIFY status="new"->"paid"                            added
            MODIFY +by="train" status="paid"->"sent" total=10->12
          ~ REMOVE by="train" status="sent" total=12               out of order: change 1 of the first

        pk="o2"
            INSERT status="new" total=20
          - MODIFY status="new"->"paid"   missing

        pk="o3"
          - INSERT status="new"  missing
    "#]],
    );
    check(
        &first,
        &[],
        &expect![[r#"
        2 of 2 keys differ: 5 changes missing

        pk="o1"
          - INSERT status="new" total=10                           missing
          - MODIFY status="new"->"paid"                            missing
          - MODIFY +by="train" status="paid"->"sent" total=10->12  missing
          - REMOVE by="train" status="sent" total=12               missing

        pk="o2"
          - INSERT status="new" total=20  missing
    "#]],
    );
}

#[test]
fn long_runs_of_equal_changes_are_summed_up() {
    let orders = Orders::new();
    for n in 0..20 {
        orders.put("o1", item("new", n));
    }
    let first = changes(&orders);
    let mut second = first.clone();
    second.remove(10);
    check(
        &first,
        &second,
        &expect![[r#"
            1 of 1 key differs: 1 change missing

            pk="o1"
                (9 changes in both)
                MODIFY total=8->9
              - MODIFY total=9->10   missing
                (9 changes in both)
        "#]],
    );
}

#[test]
fn changes_that_look_alike_say_how_they_differ() {
    let long = |end: &str| item("new", 1).with("text", format!("{}{end}", "x".repeat(100)));
    let (first, second) = (Orders::new(), Orders::new());
    for (orders, end) in [(&first, "a"), (&second, "b")] {
        orders.put("o1", long(end));
        orders.put("o1", long(end).with("total", 2));
    }
    second.put("o2", status("new"));
    check(
        &changes(&first),
        &changes(&second),
        &expect![[r#"
        2 of 2 keys differ: 2 changes missing, 3 changes added

        pk="o1"
          - INSERT status="new" text="xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… total=1  missing
          - MODIFY total=1->2                                                          missing
          + INSERT status="new" text="xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… total=1  added: new text is …xxxxxxxxxxb", not …xxxxxxxxxxa"
          + MODIFY total=1->2                                                          added: old text is …xxxxxxxxxxb", not …xxxxxxxxxxa"; new text is …xxxxxxxxxxb", not …xxxxxxxxxxa"

        pk="o2"
          + INSERT status="new"  added
    "#]],
    );
    let keys_only = Orders::with(pdb_model::StreamViewType::KeysOnly);
    keys_only.put("o2", item("new", 1));
    let plain = Orders::new();
    plain.put("o2", Item::new());
    check(
        &changes(&keys_only),
        &changes(&plain),
        &expect![[r#"
            1 of 1 key differs: 1 change missing, 1 change added

            pk="o2"
              - INSERT  missing
              + INSERT  added: with new image
        "#]],
    );
}

#[test]
fn values_of_all_types_are_shown() {
    let orders = Orders::new();
    let json = r#"{"s": {"S": "a \"quoted\" text"}, "n": {"N": "1.50"}, "b": {"B": "AAEC"}, "t": {"BOOL": true},
        "z": {"NULL": true}, "ss": {"SS": ["b", "a"]}, "ns": {"NS": ["2", "1"]}, "bs": {"BS": ["AA=="]},
        "l": {"L": [{"N": "1"}, {"S": "x"}]}, "m": {"M": {"k": {"S": "v"}}}}"#;
    orders.put("ö", Item::from_json(json).unwrap());
    let change = changes(&orders).remove(0);
    expect![[r#"pk="ö" INSERT b=b64:AAEC bs={b64:AA==} l=[1, "x"] m={k: "v"} n=1.5 ns={1, 2} s="a \"quoted\" text" ss={"a", "b"} t=true z=null"#]].assert_eq(&change.to_string());
}

proptest! {
    /// A list differs from itself in nothing, and from a shorter one in exactly what was taken away.
    #[test]
    fn a_removed_change_is_missing(writes in prop::collection::vec((0..3_u8, 0..3_i64), 1..20), gone in any::<prop::sample::Index>()) {
        let orders = Orders::new();
        for (key, n) in writes {
            orders.put(&key.to_string(), item("new", n));
        }
        let all = changes(&orders);
        prop_assert!(StreamDiff::between(&all, &all).is_empty());
        let mut rest = all.clone();
        rest.remove(gone.index(all.len()));
        let diff = StreamDiff::between(&all, &rest).to_string();
        prop_assert!(diff.contains("differs: 1 change missing\n"), "{}", diff);
        let diff = StreamDiff::between(&rest, &all).to_string();
        prop_assert!(diff.contains("differs: 1 change added\n"), "{}", diff);
    }
}
