//! Item and table operations of DynamoDB.
