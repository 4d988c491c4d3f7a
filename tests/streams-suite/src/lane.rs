//! A stream for one case, with a few records in a known shard.

use serde_json::{Value, json};

use crate::context::{Context, Keys, Table};
use crate::outcome::Outcome;
use crate::record::{Record, Shard, View, n, s};
use crate::{check_eq, fail};

/// A table of its own, one shard of its stream, and the records in it.
#[derive(Clone, Debug)]
pub struct Lane {
    /// The table.
    pub table: Table,
    /// The shard in which all its records are.
    pub shard_id: String,
    /// The records, in the order of the shard.
    pub records: Vec<Record>,
}

impl Lane {
    /// Makes a table and puts `count` items, which share a partition key and so a shard.
    pub fn new(cx: &Context<'_>, count: usize) -> Outcome<Lane> {
        let table = cx.table(View::Both, Keys::HashAndRange)?;
        let mut lane = Lane { table, shard_id: String::new(), records: Vec::new() };
        for number in 0..count {
            cx.put(&lane.table.name, item(number))?;
        }
        lane.shard_id = match count {
            0 => cx.shards(&lane.table.stream_arn)?[0].id().to_owned(),
            _ => cx.shard_of(&lane.table.stream_arn, &key(0))?,
        };
        let horizon = lane.iterator(cx, "TRIM_HORIZON")?;
        lane.records = if count == 0 { Vec::new() } else { cx.read_from(&horizon, count)? };
        check_eq!(lane.records.len(), count, "records in the one shard {}", lane.shard_id);
        Ok(lane)
    }

    /// Puts further items, numbered on; their records are not in [`Lane::records`].
    pub fn put(&self, cx: &Context<'_>, numbers: std::ops::Range<usize>) -> Outcome {
        numbers.into_iter().try_for_each(|number| cx.put(&self.table.name, item(number)))
    }

    /// Returns the stream's ARN.
    pub fn arn(&self) -> &str {
        &self.table.stream_arn
    }

    /// Returns the sequence number of a record.
    pub fn number(&self, index: usize) -> &str {
        self.records[index].number()
    }

    /// Returns the shard as it is described now.
    pub fn shard(&self, cx: &Context<'_>) -> Outcome<Shard> {
        match cx.shards(self.arn())?.into_iter().find(|shard| shard.id() == self.shard_id) {
            Some(shard) => Ok(shard),
            None => fail!("shard {} is not listed any more", self.shard_id),
        }
    }

    /// Returns an iterator of a type without sequence number.
    pub fn iterator(&self, cx: &Context<'_>, kind: &str) -> Outcome<String> {
        cx.iterator(self.arn(), &self.shard_id, kind)
    }

    /// Returns an iterator of a type with sequence number.
    pub fn iterator_at(&self, cx: &Context<'_>, kind: &str, number: &str) -> Outcome<String> {
        cx.iterator_at(self.arn(), &self.shard_id, kind, number)
    }

    /// Fails unless an iterator yields exactly these records.
    pub fn check_yields(&self, cx: &Context<'_>, iterator: &str, expected: &[Record], what: &str) -> Outcome {
        let records = cx.read_from(iterator, expected.len()).map_err(|stop| stop.during(what))?;
        check_eq!(numbers(&records), numbers(expected), "sequence numbers {what}");
        Ok(())
    }

    /// Fails unless iterators at each of these records yield it and the later ones.
    pub fn check_at(&self, cx: &Context<'_>, indexes: std::ops::Range<usize>) -> Outcome {
        for index in indexes {
            let iterator = self.iterator_at(cx, "AT_SEQUENCE_NUMBER", self.number(index))?;
            self.check_yields(cx, &iterator, &self.records[index..], &format!("from AT record {index}"))?;
        }
        Ok(())
    }

    /// Fails unless iterators after each of these records yield the later ones.
    pub fn check_after(&self, cx: &Context<'_>, indexes: std::ops::Range<usize>) -> Outcome {
        for index in indexes {
            let iterator = self.iterator_at(cx, "AFTER_SEQUENCE_NUMBER", self.number(index))?;
            self.check_yields(
                cx,
                &iterator,
                &self.records[index + 1..],
                &format!("from AFTER record {index}"),
            )?;
        }
        Ok(())
    }

    /// Disables the stream, so that its shards are closed.
    pub fn close(&self, cx: &Context<'_>) -> Outcome {
        cx.disable(&self.table)
    }
}

/// Returns the key of a lane's item.
pub(crate) fn key(number: usize) -> Value {
    json!({"pk": s("lane"), "sk": s(format!("{number:05}"))})
}

/// Returns a lane's item.
pub(crate) fn item(number: usize) -> Value {
    json!({"pk": s("lane"), "sk": s(format!("{number:05}")), "n": n(number)})
}

/// Returns the sequence numbers of records.
pub(crate) fn numbers(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| record.number().to_owned()).collect()
}
