//! What clients hand back: shard iterators and the names within them, and the checkpoints of consumers.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use pdb_model::{
    EpochMillis, EventId, IteratorKey, IteratorPosition, SequenceNumber, ShardId, ShardIterator, StreamArn,
    StreamLabel, TableArn,
};
use pdb_streams::Checkpoint;

use crate::Source;

/// The longest iterator that AWS's API takes.
const MAX_ITERATOR: usize = 2_048;

pub(crate) fn run(input: &[u8]) {
    let mut source = Source::new(input);
    match source.below(3) {
        0 => check_iterator(&mut source),
        1 => check_forged(&mut source),
        _ => check_texts(&String::from_utf8_lossy(source.rest())),
    }
}

fn position(source: &mut Source<'_>) -> IteratorPosition {
    let number = SequenceNumber { counter: source.number(), shard: source.number() };
    match source.below(3) {
        0 => IteratorPosition::TrimHorizon,
        1 => IteratorPosition::At(number),
        _ => IteratorPosition::After(number),
    }
}

fn iterator(source: &mut Source<'_>) -> ShardIterator {
    let table = source.pick(&["Orders", "a.b", "x_-y"]);
    let arn = format!("arn:aws:dynamodb:us-east-1:000000000000:table/{table}/stream/2026-03-01T09:15:42.017");
    ShardIterator {
        stream_arn: arn.parse().unwrap(),
        shard_id: ShardId::at(EpochMillis(1_772_356_542_017), source.byte().into()),
        position: position(source),
        issued: EpochMillis(source.number() as i64),
        nonce: source.number() as u32,
    }
}

/// An iterator is read as it was written, with the key of its database and no other.
fn check_iterator(source: &mut Source<'_>) {
    let key = IteratorKey([source.byte(); 16]);
    let iterator = iterator(source);
    let text = iterator.encode(&key);
    assert!(text.len() <= MAX_ITERATOR, "{text}");
    assert_eq!(ShardIterator::decode(&text, &key).unwrap(), iterator);
    let other = IteratorKey([key.0[0].wrapping_add(1); 16]);
    assert!(ShardIterator::decode(&text, &other).is_err(), "{text} is good for another database");
    // A change of any byte is noticed.
    let mut bytes = text.clone().into_bytes();
    let at = source.below(bytes.len());
    bytes[at] = source.byte();
    let changed = String::from_utf8_lossy(&bytes);
    assert_eq!(ShardIterator::decode(&changed, &key).is_ok(), changed == text, "{changed}");
}

/// Nothing that was made without the key is accepted.
fn check_forged(source: &mut Source<'_>) {
    // The key is made from the input last, so that it does not depend on what is forged.
    let arn = source.pick(&[
        "",
        "arn:aws:dynamodb:us-east-1:000000000000:table/Orders/stream/2026-03-01T09:15:42.017|1|",
    ]);
    let text = format!("{arn}{}", source.text(200));
    assert!(ShardIterator::decode(&text, &IteratorKey([42; 16])).is_err(), "{text}");
}

/// What a text is read as is printed so that it is read again.
fn check_texts(text: &str) {
    check_text::<SequenceNumber>(text);
    check_text::<ShardId>(text);
    check_text::<StreamArn>(text);
    check_text::<StreamLabel>(text);
    check_text::<TableArn>(text);
    check_text::<EventId>(text);
    if let Ok(checkpoint) = text.parse::<Checkpoint>() {
        let printed = checkpoint.to_string();
        assert_eq!(printed.parse::<Checkpoint>().unwrap().to_string(), printed, "{text}");
    }
}

fn check_text<T: FromStr + Display + PartialEq + Debug>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        let printed = value.to_string();
        assert_eq!(printed.parse::<T>().ok().as_ref(), Some(&value), "{text} was printed as {printed}");
    }
}
