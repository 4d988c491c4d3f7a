//! Kinesis streaming destinations: only the setting is kept, nothing is sent, as there is no Kinesis here.
//!
//! Evidence: `dynamodb.md` 15.

use pdb_model::{KinesisDestination, TableName, TimePrecision};

use super::manager::TableManager;
use super::rules::refused;
use crate::ItemsError;

impl TableManager {
    /// Notes that a table should send its changes to a Kinesis stream.
    ///
    /// # Errors
    ///
    /// [`ItemsError::ResourceNotFound`]; [`ItemsError::Validation`] if it is enabled already.
    pub fn enable_kinesis_streaming_destination(
        &self,
        table_name: &TableName,
        stream_arn: &str,
        precision: Option<TimePrecision>,
    ) -> Result<(), ItemsError> {
        let stream_arn = stream_arn.to_owned();
        self.change(table_name, move |_, _, definition| {
            let known = definition.kinesis_destinations.iter_mut().find(|known| known.stream_arn == stream_arn);
            match known {
                Some(known) if known.active => Err(refused(
                    "Table is not in a valid state to enable Kinesis Streaming Destination: \
                     EnableKinesisStreamingDestination must be DISABLED or ENABLE_FAILED to perform ENABLE operation.",
                )),
                Some(known) => {
                    known.active = true;
                    known.precision = precision;
                    Ok(())
                }
                None => {
                    let stream_arn = stream_arn.clone();
                    definition.kinesis_destinations.push(KinesisDestination { stream_arn, active: true, precision });
                    Ok(())
                }
            }
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
            let active = definition
                .kinesis_destinations
                .iter_mut()
                .find(|known| known.stream_arn == stream_arn && known.active)
                .ok_or_else(|| not_active("disable", "DISABLE"))?;
            active.active = false;
            Ok(())
        })
    }

    /// Changes the precision of creation times sent to a Kinesis stream.
    ///
    /// # Errors
    ///
    /// [`ItemsError::ResourceNotFound`]; [`ItemsError::Validation`] if nothing is to change, or the destination is
    /// not enabled.
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
            let table_id = definition.table_id.clone();
            let active = definition
                .kinesis_destinations
                .iter_mut()
                .find(|known| known.stream_arn == stream_arn && known.active)
                .ok_or_else(|| not_active("update", "UPDATE"))?;
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

fn not_active(verb: &str, operation: &str) -> ItemsError {
    refused(format!(
        "Table is not in a valid state to {verb} Kinesis Streaming Destination: KinesisStreamingDestination must be \
         ACTIVE to perform {operation} operation."
    ))
}
