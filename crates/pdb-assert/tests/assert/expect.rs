//! Expected changes, and the report if the stream has others.

use std::time::Duration;

use expect_test::{Expect, expect};
use pdb_model::StreamViewType;
use pretender::model::Item;
use pretender::streams::StreamReader;
use pretender::testing::{ExpectChanges, ExpectError};

use crate::harness::{Orders, item, key, status};

fn of(orders: &Orders) -> ExpectChanges<StreamReader> {
    orders.db.expect_changes("Orders")
}

/// Checks the text of a failure.
fn fails(expected: ExpectChanges<StreamReader>, text: &Expect) {
    let error = expected.check().unwrap_err();
    text.assert_eq(&error.to_string());
    // What `unwrap` shows in a test.
    text.assert_eq(&format!("{error:?}"));
}

#[test]
fn expected_changes_pass() {
    let orders = Orders::with_history();
    let history = |expected: ExpectChanges<StreamReader>| {
        expected
            .of_key(key("o1"))
            .insert(item("new", 10))
            .exact_images()
            .modify(status("paid"))
            .without("by")
            .modify_from(status("paid"), Item::new().with("by", "train"))
            .remove_with(status("sent"))
    };
    history(of(&orders)).assert();
    history(of(&orders)).of_key(key("o2")).insert(Item::new()).and_no_other_keys().assert();
    // By ARN as well, and of a key that never changed.
    orders.db.expect_changes(&orders.arn.to_string()).of_key(key("o3")).assert();
    of(&orders)
        .of_key(key("o2"))
        .insert(Item::new().with("pk", "o2"))
        .within(Duration::from_secs(60))
        .assert();
}

#[test]
fn a_different_change_is_shown_with_its_differences() {
    let orders = Orders::with_history();
    let expected = of(&orders)
        .of_key(key("o1"))
        .insert(item("new", 10))
        .modify_from(status("new"), item("paid", 11).with("note", "x"))
        .without("status")
        .modify(status("sent"))
        .exact_images()
        .remove_with(item("sent", 10));
    fails(
        expected,
        &expect![[r#"
        changes of pk="o1" are not as expected: 3 different
              expected                                                      found
           1  INSERT status="new" total=10                                  INSERT status="new" total=10
        >  2  MODIFY status="new" -> note="x" status="paid" total=11 -sta…  MODIFY status="new"->"paid"                            note is missing, expected "x"; total is 10, expected 11; status is "paid", expected none
        >  3  MODIFY status="sent" (exact)                                  MODIFY +by="train" status="paid"->"sent" total=10->12  by is "train", expected none; total is 12, expected none
        >  4  REMOVE status="sent" total=10                                 REMOVE by="train" status="sent" total=12               old total is 12, expected 10
    "#]],
    );
}

#[test]
fn missing_and_unexpected_changes_stand_at_their_positions() {
    let orders = Orders::with_history();
    let missing = of(&orders)
        .of_key(key("o1"))
        .insert(status("new"))
        .modify(status("packed"))
        .modify(status("paid"))
        .modify(status("sent"))
        .remove()
        .insert(status("new"));
    fails(
        missing,
        &expect![[r#"
        changes of pk="o1" are not as expected: 2 missing
              expected                found
           1  INSERT status="new"     INSERT status="new" total=10
        >  2  MODIFY status="packed"  -                                                      missing
           3  MODIFY status="paid"    MODIFY status="new"->"paid"
           4  MODIFY status="sent"    MODIFY +by="train" status="paid"->"sent" total=10->12
           5  REMOVE                  REMOVE by="train" status="sent" total=12
        >  6  INSERT status="new"     -                                                      missing
    "#]],
    );
    let too_much = of(&orders).of_key(key("o1")).insert(status("new")).remove().of_key(key("o2"));
    fails(
        too_much,
        &expect![[r#"
        changes of pk="o1" are not as expected: 2 not expected
              expected             found
           1  INSERT status="new"  INSERT status="new" total=10
        >  -  -                    MODIFY status="new"->"paid"                            not expected
        >  -  -                    MODIFY +by="train" status="paid"->"sent" total=10->12  not expected
           2  REMOVE               REMOVE by="train" status="sent" total=12

        changes of pk="o2" are not as expected: 1 not expected
              expected  found
        >  -  -         INSERT status="new" total=20  not expected
    "#]],
    );
}

#[test]
fn changes_of_other_keys_are_listed_if_none_are_expected() {
    let orders = Orders::with_history();
    fails(
        of(&orders).of_key(key("o2")).insert(status("new")).and_no_other_keys(),
        &expect![[r#"
        4 changes of other keys, expected none
        >  pk="o1"  INSERT status="new" total=10
        >  pk="o1"  MODIFY status="new"->"paid"
        >  pk="o1"  MODIFY +by="train" status="paid"->"sent" total=10->12
        >  pk="o1"  REMOVE by="train" status="sent" total=12
    "#]],
    );
    for n in 0..10 {
        orders.put(&format!("more {n}"), Item::new().with("text", "x".repeat(100)));
    }
    let expected = of(&orders).of_key(key("o1")).and_no_other_keys();
    fails(
        expected,
        &expect![[r#"
        changes of pk="o1" are not as expected: 4 not expected
              expected  found
        >  -  -         INSERT status="new" total=10                           not expected
        >  -  -         MODIFY status="new"->"paid"                            not expected
        >  -  -         MODIFY +by="train" status="paid"->"sent" total=10->12  not expected
        >  -  -         REMOVE by="train" status="sent" total=12               not expected

        11 changes of other keys, expected none
        >  pk="o2"      INSERT status="new" total=20
        >  pk="more 0"  INSERT text="xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
        >  pk="more 1"  INSERT text="xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
        >  pk="more 2"  INSERT text="xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
        >  pk="more 3"  INSERT text="xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
        >  pk="more 4"  INSERT text="xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
        >  pk="more 5"  INSERT text="xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
        >  pk="more 6"  INSERT text="xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
        >  pk="more 7"  INSERT text="xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
        >  pk="more 8"  INSERT text="xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
          and 1 more
    "#]],
    );
}

#[test]
fn a_stream_without_images_says_so() {
    let orders = Orders::with(StreamViewType::KeysOnly);
    orders.put("o1", item("new", 1));
    orders.put("o1", item("paid", 1));
    orders.delete("o1");
    of(&orders).of_key(key("o1")).insert(Item::new()).modify(Item::new()).remove().assert();
    let expected = of(&orders)
        .of_key(key("o1"))
        .insert(status("new"))
        .modify_from(status("new"), Item::new())
        .remove()
        .without("note");
    fails(
        expected,
        &expect![[r#"
        changes of pk="o1" are not as expected: 3 different
              expected                found
        >  1  INSERT status="new"     INSERT  the stream has no new image
        >  2  MODIFY status="new" ->  MODIFY  the stream has no old image
        >  3  REMOVE -note            REMOVE  the stream has no image
    "#]],
    );
}

#[test]
fn later_changes_are_waited_for() {
    let orders = Orders::new();
    orders.put("o1", status("new"));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            orders.put("o1", status("paid"));
            orders.delete("o1");
        });
        of(&orders)
            .of_key(key("o1"))
            .insert(status("new"))
            .modify(status("paid"))
            .remove()
            .within(Duration::from_secs(60))
            .assert();
    });
    // What does not come is missing in the end.
    let expected = of(&orders)
        .of_key(key("o1"))
        .insert(Item::new())
        .modify(Item::new())
        .remove()
        .insert(status("new"))
        .within(Duration::from_millis(30));
    fails(
        expected,
        &expect![[r#"
        changes of pk="o1" are not as expected: 1 missing (waited 30ms)
              expected             found
           1  INSERT               INSERT status="new"
           2  MODIFY               MODIFY status="new"->"paid"
           3  REMOVE               REMOVE status="paid"
        >  4  INSERT status="new"  -                            missing
    "#]],
    );
}

#[test]
fn a_wrong_change_ends_the_waiting() {
    let orders = Orders::with_history();
    // A deadline that would be felt.
    let long = Duration::from_secs(24 * 3600);
    let wrong = of(&orders).of_key(key("o2")).insert(status("paid")).modify(status("sent")).within(long);
    assert!(matches!(wrong.check(), Err(ExpectError::Different(_))));
    let others = of(&orders).of_key(key("o9")).insert(status("new")).and_no_other_keys().within(long);
    assert!(matches!(others.check(), Err(ExpectError::Different(_))));
}

#[test]
fn a_missing_stream_and_a_missing_key_are_errors() {
    let orders = Orders::new();
    fails(
        of(&orders).insert(Item::new()),
        &expect!["call `of_key` with a key before the changes that are expected of it"],
    );
    fails(
        orders.db.expect_changes("Missing").of_key(key("o1")),
        &expect!["the stream cannot be read: table `Missing` has no stream"],
    );
    let arn = orders.arn.to_string().replace("Orders", "Others");
    fails(
        orders.db.expect_changes(&arn).of_key(key("o1")),
        &expect!["the stream cannot be read: stream source failed: stream or shard does not exist"],
    );
}

#[test]
#[should_panic(expected = "changes of pk=\"o1\" are not as expected: 1 missing")]
fn an_assertion_panics_with_the_text() {
    of(&Orders::new()).of_key(key("o1")).insert(Item::new()).assert();
}
