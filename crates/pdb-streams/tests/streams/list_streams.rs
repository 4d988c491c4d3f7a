//! `ListStreams`: what is listed, in which order, and paging.

use crate::harness::{DAY, Db, MILLISECOND};
use pdb_model::StreamArn;
use pdb_streams::{ListStreamsInput, StreamsError};
use pdb_testkit::{definition, string_key};

fn list(db: &Db, input: &ListStreamsInput) -> (Vec<StreamArn>, Option<StreamArn>) {
    let page = db.streams.list_streams(input).unwrap();
    for stream in &page.streams {
        assert_eq!(stream.stream_arn.label, stream.stream_label);
        assert_eq!(stream.stream_arn.table.name, stream.table_name);
    }
    (page.streams.into_iter().map(|stream| stream.stream_arn).collect(), page.last_evaluated_stream_arn)
}

fn of_table(name: &str) -> ListStreamsInput {
    ListStreamsInput { table_name: Some(name.parse().unwrap()), ..Default::default() }
}

#[test]
fn nothing_is_listed_where_nothing_is() {
    let db = Db::new();
    assert_eq!(list(&db, &ListStreamsInput::default()), (Vec::new(), None));
    assert_eq!(list(&db, &of_table("orders")), (Vec::new(), None));
    assert_eq!(list(&db, &of_table("unknown")), (Vec::new(), None));
}

#[test]
fn all_streams_are_listed_newest_first_until_purged() {
    let db = Db::new();
    db.test.create_table(&definition("Beta", string_key("pk")));
    db.test.create_table(&definition("Alpha", string_key("pk")));
    let first = db.enable();
    db.disable();
    db.advance(MILLISECOND);
    let (beta, alpha) = (db.enable_on("Beta", 1), db.enable_on("Alpha", 1));
    db.advance(MILLISECOND);
    let second = db.enable();
    // By label, newest first; then by table name.
    let all = vec![second.clone(), alpha, beta, first.clone()];
    assert_eq!(list(&db, &ListStreamsInput::default()), (all.clone(), None));
    assert_eq!(list(&db, &of_table("orders")).0, [second.clone(), first.clone()]);

    // A deleted table's streams stay listed, under its name too.
    let now = db.test.env.clock.now();
    db.test.write(move |tx| tx.drop_table(&"orders".parse().unwrap(), now));
    assert_eq!(list(&db, &ListStreamsInput::default()).0, all);
    assert_eq!(list(&db, &of_table("orders")).0, [second.clone(), first]);

    // Each goes a day after it was disabled, no sweep needed.
    db.advance(DAY - 2 * MILLISECOND);
    assert_eq!(list(&db, &of_table("orders")).0, std::slice::from_ref(&second));
    db.advance(MILLISECOND);
    assert_eq!(list(&db, &of_table("orders")).0, [second]);
    db.advance(MILLISECOND);
    assert_eq!(list(&db, &of_table("orders")).0, []);
}

#[test]
fn pages_of_every_size_list_each_stream_once() {
    let db = Db::new();
    for _ in 0..7 {
        db.enable();
        db.disable();
        db.advance(MILLISECOND);
    }
    let (all, _) = list(&db, &of_table("orders"));
    assert_eq!(all.len(), 7);
    for limit in 1..=8 {
        let mut seen = Vec::new();
        let mut input = ListStreamsInput { limit: Some(limit), ..Default::default() };
        loop {
            let (streams, last) = list(&db, &input);
            seen.extend(streams.clone());
            let Some(last) = last else { break };
            assert_eq!(streams.len(), limit as usize);
            assert_eq!(Some(&last), streams.last());
            assert!(seen.len() < all.len(), "a cursor behind which nothing is, with the limit {limit}");
            input.exclusive_start_stream_arn = Some(last);
        }
        assert_eq!(seen, all, "limit {limit}");
    }
}

#[test]
fn a_cursor_outlives_its_stream() {
    let db = Db::new();
    let streams: Vec<StreamArn> = (0..3)
        .map(|_| {
            let arn = db.enable();
            db.disable();
            db.advance(MILLISECOND);
            arn
        })
        .collect();
    let gone = streams[1].clone();
    db.test.write(move |tx| {
        let stream = tx.stream(&gone)?.unwrap();
        tx.delete_stream(&stream)
    });
    let input =
        ListStreamsInput { exclusive_start_stream_arn: Some(streams[1].clone()), ..Default::default() };
    assert_eq!(list(&db, &input).0, [streams[0].clone()]);
    let input =
        ListStreamsInput { exclusive_start_stream_arn: Some(streams[0].clone()), ..Default::default() };
    assert_eq!(list(&db, &input), (Vec::new(), None));
}

#[test]
fn limits_are_checked() {
    let db = Db::new();
    let with =
        |limit| db.streams.list_streams(&ListStreamsInput { limit: Some(limit), ..Default::default() });
    for limit in [1, 100] {
        with(limit).unwrap();
    }
    for (limit, text) in [
        (
            0,
            "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: \
             Member must have value greater than or equal to 1",
        ),
        (
            101,
            "One or more parameter values were invalid: Limit cannot be greater than the maximum allowed size: 100",
        ),
    ] {
        let error = with(limit).unwrap_err();
        assert!(matches!(error, StreamsError::Validation(_)));
        assert_eq!(error.to_string(), text);
    }
}
