//! The requests that create a table.

use pdb_model::Operation;
use serde_json::{Value, json};

use super::shapes::{Request, put};
use crate::error::Fault;

/// A table to create.
#[derive(Debug)]
pub(crate) struct TablePlan {
    /// Its place in the file.
    pub(crate) place: String,
    /// The input of `CreateTable`.
    pub(crate) create: Request,
    /// The requests after that.
    pub(crate) then: Vec<(Operation, Value)>,
    /// Properties that are ignored because they have no effect here.
    pub(crate) notes: Vec<Fault>,
}

impl TablePlan {
    pub(crate) fn new(place: &str, name: &str) -> Self {
        let mut create = Request::new();
        create.insert("TableName".to_owned(), name.into());
        Self { place: place.to_owned(), create, then: Vec::new(), notes: Vec::new() }
    }

    /// Returns the name of the table.
    pub(crate) fn name(&self) -> &str {
        self.create.get("TableName").and_then(Value::as_str).unwrap_or_default()
    }

    /// Sets a member of the request, if it has a value.
    pub(crate) fn put(&mut self, name: &str, value: Option<Value>) {
        put(&mut self.create, name, value);
    }

    pub(crate) fn set_time_to_live(&mut self, specification: Option<Value>) {
        self.then_with(Operation::UpdateTimeToLive, "TimeToLiveSpecification", specification);
    }

    pub(crate) fn set_point_in_time_recovery(&mut self, specification: Option<Value>) {
        self.then_with(Operation::UpdateContinuousBackups, "PointInTimeRecoverySpecification", specification);
    }

    fn then_with(&mut self, operation: Operation, member: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.then.push((operation, json!({ "TableName": self.name(), member: value })));
        }
    }

    /// Enables contributor insights for the table or an index.
    pub(crate) fn enable_insights(&mut self, index: Option<&str>) {
        let mut request = Request::new();
        put(&mut request, "TableName", Some(self.name().into()));
        put(&mut request, "IndexName", index.map(Value::from));
        put(&mut request, "ContributorInsightsAction", Some("ENABLE".into()));
        self.then.push((Operation::UpdateContributorInsights, request.into()));
    }

    /// Adds a Kinesis stream as a destination.
    pub(crate) fn set_kinesis(&mut self, stream_arn: &str, precision: Option<&str>) {
        let mut request = Request::new();
        put(&mut request, "TableName", Some(self.name().into()));
        put(&mut request, "StreamArn", Some(stream_arn.into()));
        let configuration =
            precision.map(|precision| json!({ "ApproximateCreationDateTimePrecision": precision }));
        put(&mut request, "EnableKinesisStreamingConfiguration", configuration);
        self.then.push((Operation::EnableKinesisStreamingDestination, request.into()));
    }

    /// Sets the global indexes.
    pub(crate) fn set_global_indexes(&mut self, indexes: Vec<super::shapes::GlobalIndex>) {
        let mut requests = Vec::new();
        for index in indexes {
            if index.has_insights {
                let name =
                    index.request.get("IndexName").and_then(Value::as_str).unwrap_or_default().to_owned();
                self.enable_insights(Some(&name));
            }
            requests.push(Value::Object(index.request));
        }
        self.put("GlobalSecondaryIndexes", (!requests.is_empty()).then_some(Value::Array(requests)));
    }
}
