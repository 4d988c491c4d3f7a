//! A table to be made: the requests that make it.

use pdb_model::Operation;
use serde_json::{Value, json};

use super::shapes::{Request, put};
use crate::error::Fault;

/// A table to be made.
#[derive(Debug)]
pub(crate) struct TablePlan {
    /// Where it stands in its file.
    pub(crate) place: String,
    /// What `CreateTable` is asked.
    pub(crate) create: Request,
    /// What is asked afterwards.
    pub(crate) then: Vec<(Operation, Value)>,
    /// What is not carried over, and does not matter here.
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

    /// Puts a member into the request, if there is one.
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

    /// Switches contributor insights on, for the table or an index.
    pub(crate) fn enable_insights(&mut self, index: Option<&str>) {
        let mut request = Request::new();
        put(&mut request, "TableName", Some(self.name().into()));
        put(&mut request, "IndexName", index.map(Value::from));
        put(&mut request, "ContributorInsightsAction", Some("ENABLE".into()));
        self.then.push((Operation::UpdateContributorInsights, request.into()));
    }

    /// Notes a Kinesis stream as destination.
    pub(crate) fn set_kinesis(&mut self, stream_arn: &str, precision: Option<&str>) {
        let mut request = Request::new();
        put(&mut request, "TableName", Some(self.name().into()));
        put(&mut request, "StreamArn", Some(stream_arn.into()));
        let configuration =
            precision.map(|precision| json!({ "ApproximateCreationDateTimePrecision": precision }));
        put(&mut request, "EnableKinesisStreamingConfiguration", configuration);
        self.then.push((Operation::EnableKinesisStreamingDestination, request.into()));
    }

    /// Puts the global indexes in.
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
