//! Kinesis streaming destinations: the setting is stored, but no records are sent.
//!
//! Evidence: `dynamodb.md` 15, `kinesis-destination.md` 2 and 3.

use pdb_model::{KinesisDestination, TableDefinition, TableName, TimePrecision};

use super::manager::TableManager;
use super::rules::refused;
use crate::ItemsError;

impl TableManager {
    /// Notes that a table should send its changes to a Kinesis stream.
    ///
    /// # Errors
    ///
    /// [`ItemsError::ResourceNotFound`]; [`ItemsError::Validation`] if it, or another one, is enabled already.
    pub fn enable_kinesis_streaming_destination(
        &self,
        table_name: &TableName,
        stream_arn: &str,
        precision: Option<TimePrecision>,
    ) -> Result<(), ItemsError> {
        let stream_arn = stream_arn.to_owned();
        self.change(table_name, move |_, _, definition| {
            // A table has one destination at a time.
            if definition.kinesis_destinations.iter().any(|known| known.active) {
                return Err(invalid_state(
                    "EnableKinesisStreamingDestination must be DISABLED or ENABLE_FAILED to perform ENABLE operation.",
                ));
            }
            let enabled = KinesisDestination { stream_arn: stream_arn.clone(), active: true, precision };
            match destination(definition, &stream_arn) {
                Some(known) => *known = enabled,
                None => definition.kinesis_destinations.push(enabled),
            }
            Ok(())
        })
    }

    /// Notes that a table should no longer send its changes to a Kinesis stream; the destination stays listed.
    ///
    /// # Errors
    ///
    /// [`ItemsError::ResourceNotFound`]; [`ItemsError::Validation`] if it is not enabled.
    pub fn disable_kinesis_streaming_destination(
        &self,
        table_name: &TableName,
        stream_arn: &str,
    ) -> Result<(), ItemsError> {
        let stream_arn = stream_arn.to_owned();
        self.change(table_name, move |_, _, definition| {
            let active =
                destination(definition, &stream_arn).filter(|known| known.active).ok_or_else(|| {
                    invalid_state("KinesisStreamingDestination must be ACTIVE to perform DISABLE operation.")
                })?;
            active.active = false;
            Ok(())
        })
    }

    /// Changes the precision of creation times sent to a Kinesis stream.
    ///
    /// # Errors
    ///
    /// [`ItemsError::ResourceNotFound`]; [`ItemsError::Validation`] if nothing is to change, or the destination is
    /// unknown or not enabled.
    pub fn update_kinesis_streaming_destination(
        &self,
        table_name: &TableName,
        stream_arn: &str,
        precision: Option<TimePrecision>,
    ) -> Result<TimePrecision, ItemsError> {
        let precision = precision.ok_or_else(|| {
            refused(
                "Streaming destination cannot be updated with given parameters: UpdateKinesisStreamingConfiguration \
                 cannot be null or contain only null values",
            )
        })?;
        let stream_arn = stream_arn.to_owned();
        self.change(table_name, move |_, _, definition| {
            let (table_id, table_name) = (definition.table_id.clone(), definition.name.clone());
            let known = destination(definition, &stream_arn).ok_or_else(|| {
                invalid_state(&format!(
                    "No streaming destination with streamArn: {stream_arn} found for table with tableName: {table_name}"
                ))
            })?;
            let active = Some(known).filter(|known| known.active).ok_or_else(|| {
                invalid_state(&format!(
                    "Kinesis streaming is not in ACTIVE state. Updates are only allowed in ACTIVE state. TableName: \
                     {table_name}, kdsArn: {stream_arn}"
                ))
            })?;
            if active.precision.unwrap_or(TimePrecision::Millisecond) == precision {
                return Err(refused(format!(
                    "Invalid Request: Precision is already set to the desired value of {} for tableId: {table_id}, \
                     kdsArn: {stream_arn}",
                    precision.as_str()
                )));
            }
            active.precision = Some(precision);
            Ok(precision)
        })
    }

    /// Lists the Kinesis streams a table was ever told to send its changes to.
    ///
    /// # Errors
    ///
    /// [`ItemsError::ResourceNotFound`].
    pub fn describe_kinesis_streaming_destination(
        &self,
        table_name: &TableName,
    ) -> Result<Vec<KinesisDestination>, ItemsError> {
        self.read(|tx| Ok(self.table(tx, table_name)?.definition.kinesis_destinations.clone()))
    }
}

fn destination<'a>(
    definition: &'a mut TableDefinition,
    stream_arn: &str,
) -> Option<&'a mut KinesisDestination> {
    definition.kinesis_destinations.iter_mut().find(|known| known.stream_arn == stream_arn)
}

/// The refusal of a call that does not fit the state. AWS says `enable` in all of them.
fn invalid_state(why: &str) -> ItemsError {
    refused(format!("Table is not in a valid state to enable Kinesis Streaming Destination: {why}"))
}
