//! AWS JSON 1.0 for DynamoDB and DynamoDB Streams: bytes in, bytes out.
