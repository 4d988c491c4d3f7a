//! Values of the DynamoDB API: attribute values, keys, tables, streams, iterators; pure.
