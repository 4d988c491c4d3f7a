//! Where an import writes to: a database that is opened, an endpoint, or a trial that changes nothing.

use std::error::Error;

use pdb_exchange::{Record, RecordCondition};
use pretender::bulk::{BulkChange, BulkCondition, BulkLoad, BulkReport, BulkWrite, RefusedWrite};

use super::endpoint_load::EndpointLoad;
use super::place::Place;
use super::refusals::Refusal;

/// Writes records into a table.
#[derive(Debug)]
pub(super) enum Load {
    Bulk(BulkLoad<Place>),
    Endpoint(EndpointLoad),
}

impl Load {
    /// Adds a record.
    pub(super) fn push(&mut self, place: Place, record: Record) -> Result<(), Box<dyn Error>> {
        match self {
            Self::Bulk(load) => Ok(load.push(place, write_of(record))?),
            Self::Endpoint(load) => load.push(place, write_of(record)),
        }
    }

    /// Writes what has been added.
    pub(super) fn finish(&mut self) -> Result<(), Box<dyn Error>> {
        match self {
            Self::Bulk(load) => {
                load.finish()?;
                Ok(())
            }
            Self::Endpoint(load) => load.finish(),
        }
    }

    /// Returns what has been written so far.
    pub(super) fn report(&self) -> BulkReport {
        match self {
            Self::Bulk(load) => load.report(),
            Self::Endpoint(load) => load.report(),
        }
    }

    /// Returns the records that were refused since the last call.
    pub(super) fn take_refused(&mut self) -> Vec<Refusal> {
        let refused = match self {
            Self::Bulk(load) => load.take_refused(),
            Self::Endpoint(load) => load.take_refused(),
        };
        // A condition that does not hold is no fault of the record.
        refused.into_iter().filter(|refused| !refused.is_condition).map(refusal).collect()
    }
}

fn refusal(refused: RefusedWrite<Place>) -> Refusal {
    let condition = refused.write.condition.map(|condition| {
        let BulkCondition { expression, names, values } = condition;
        Box::new(RecordCondition { expression, names, values })
    });
    let record = match refused.write.change {
        BulkChange::Put(item) => Record::Item { item, condition },
        BulkChange::Delete(keys) => Record::Change { keys, new_image: None, old_image: None },
    };
    Refusal { place: refused.tag, record: Some(record), reason: refused.reason }
}

/// Returns the write that a record stands for. A change of an incremental export without a new image is a deletion.
fn write_of(record: Record) -> BulkWrite {
    match record {
        Record::Item { item, condition } => {
            let condition = condition.map(|condition| {
                let RecordCondition { expression, names, values } = *condition;
                BulkCondition { expression, names, values }
            });
            BulkWrite { change: BulkChange::Put(item), condition }
        }
        Record::Change { new_image: Some(item), .. } => BulkWrite::put(item),
        Record::Change { keys, .. } => BulkWrite::delete(keys),
    }
}
