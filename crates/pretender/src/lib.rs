//! A DynamoDB you can hold in your hand, whose streams are as real as its tables.
