//! Consumption of DynamoDB Streams: list, describe, iterate, read.
