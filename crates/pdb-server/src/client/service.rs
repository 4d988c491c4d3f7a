//! The two services of a DynamoDB endpoint.

/// The two APIs. On AWS, they have different hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// Tables and items.
    DynamoDb,
    /// Streams.
    Streams,
}

impl Service {
    /// Returns the other of the two.
    pub(super) fn other(self) -> Self {
        match self {
            Self::DynamoDb => Self::Streams,
            Self::Streams => Self::DynamoDb,
        }
    }

    /// Returns the variable in which AWS's SDKs look for the endpoint of this service.
    pub(super) fn endpoint_variable(self) -> &'static str {
        match self {
            Self::DynamoDb => "AWS_ENDPOINT_URL_DYNAMODB",
            Self::Streams => "AWS_ENDPOINT_URL_DYNAMODB_STREAMS",
        }
    }

    /// Returns the `X-Amz-Target` of an operation.
    pub(super) fn target(self, operation: &str) -> String {
        match self {
            Self::DynamoDb => format!("DynamoDB_20120810.{operation}"),
            Self::Streams => format!("DynamoDBStreams_20120810.{operation}"),
        }
    }

    /// Returns what the service is called in messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::DynamoDb => "DynamoDB API",
            Self::Streams => "Streams API",
        }
    }
}
