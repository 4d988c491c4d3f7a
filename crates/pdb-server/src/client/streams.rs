//! Listing and describing streams, page by page.

use serde_json::{Value, json};

use super::{Api, ApiFailure, Service};

impl Api {
    /// Returns the ARNs of the streams of a table, latest first.
    ///
    /// # Errors
    ///
    /// The [`ApiFailure`] of the first page that fails.
    pub(crate) fn list_streams(&self, table_name: &str) -> Result<Vec<String>, ApiFailure> {
        let mut arns: Vec<String> = Vec::new();
        let mut input = json!({ "TableName": table_name });
        loop {
            let page = self.call(Service::Streams, "ListStreams", &input)?;
            let listed = page["Streams"].as_array().into_iter().flatten();
            arns.extend(listed.filter_map(|stream| stream["StreamArn"].as_str().map(str::to_owned)));
            match page["LastEvaluatedStreamArn"].as_str() {
                Some(last) => input["ExclusiveStartStreamArn"] = last.into(),
                None => break,
            }
        }
        // The API does not define an order. The ARNs of one table differ only in their labels, which are times.
        arns.sort_by(|a, b| b.cmp(a));
        Ok(arns)
    }

    /// Returns the description of a stream, with all its shards.
    ///
    /// # Errors
    ///
    /// The [`ApiFailure`] of the first page that fails.
    pub(crate) fn describe_stream(&self, arn: &str) -> Result<Value, ApiFailure> {
        let mut input = json!({ "StreamArn": arn });
        let mut shards = Vec::new();
        loop {
            let mut described =
                self.call(Service::Streams, "DescribeStream", &input)?["StreamDescription"].take();
            if let Value::Array(page) = described["Shards"].take() {
                shards.extend(page);
            }
            match described["LastEvaluatedShardId"].as_str() {
                Some(last) => input["ExclusiveStartShardId"] = last.into(),
                None => {
                    described["Shards"] = shards.into();
                    return Ok(described);
                }
            }
        }
    }
}
