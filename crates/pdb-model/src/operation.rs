//! The operations, and their names in requests.

/// On which kind of thread an operation can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationClass {
    /// Reads a few rows by key, which takes less time than moving to another thread.
    PointRead,
    /// Submits a job and waits for the commit, without blocking the thread.
    Write,
    /// May read much or block, so it needs a thread that may be blocked.
    Blocking,
}

macro_rules! operations {
    ($($prefix:literal, of streams: $is_of_streams:literal { $($class:ident: $($name:ident),* ;)* })*) => {
        /// An operation of DynamoDB or of DynamoDB Streams.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Operation {
            $($($(
                #[doc = concat!("`", $prefix, ".", stringify!($name), "`.")]
                $name,
            )*)*)*
        }

        impl Operation {
            /// All operations.
            pub const ALL: &[Self] = &[$($($(Self::$name,)*)*)*];

            /// Returns the operation with this name, such as `PutItem`.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($($(stringify!($name) => Some(Self::$name),)*)*)*
                    _ => None,
                }
            }

            /// Returns the operation that an `X-Amz-Target` header names, such as `DynamoDB_20120810.PutItem`.
            #[must_use]
            pub fn from_target(target: &str) -> Option<Self> {
                match target {
                    $($($(concat!($prefix, ".", stringify!($name)) => Some(Self::$name),)*)*)*
                    _ => None,
                }
            }

            /// Returns the name, such as `PutItem`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $($($(Self::$name => stringify!($name),)*)*)*
                }
            }

            /// Returns whether this is an operation of DynamoDB Streams.
            #[must_use]
            pub fn is_of_streams(self) -> bool {
                match self {
                    $($($(Self::$name => $is_of_streams,)*)*)*
                }
            }

            /// Returns on which kind of thread the operation can run.
            #[must_use]
            pub fn class(self) -> OperationClass {
                match self {
                    $($($(Self::$name => OperationClass::$class,)*)*)*
                }
            }
        }
    };
}

operations! {
    "DynamoDB_20120810", of streams: false {
        PointRead: GetItem;
        Write: PutItem, UpdateItem, DeleteItem, BatchWriteItem, TransactWriteItems;
        Blocking: Query, Scan, SearchVectors, BatchGetItem, TransactGetItems,
            ExecuteStatement, BatchExecuteStatement, ExecuteTransaction,
            CreateTable, DescribeTable, UpdateTable, DeleteTable, ListTables,
            UpdateTimeToLive, DescribeTimeToLive, TagResource, UntagResource, ListTagsOfResource,
            DescribeLimits, DescribeEndpoints,
            CreateBackup, DescribeBackup, DeleteBackup, ListBackups,
            RestoreTableFromBackup, RestoreTableToPointInTime, DescribeContinuousBackups, UpdateContinuousBackups,
            PutResourcePolicy, GetResourcePolicy, DeleteResourcePolicy,
            EnableKinesisStreamingDestination, DisableKinesisStreamingDestination,
            UpdateKinesisStreamingDestination, DescribeKinesisStreamingDestination,
            DescribeContributorInsights, UpdateContributorInsights, ListContributorInsights,
            CreateGlobalTable, UpdateGlobalTable, DescribeGlobalTable, ListGlobalTables,
            DescribeGlobalTableSettings, UpdateGlobalTableSettings,
            DescribeTableReplicaAutoScaling, UpdateTableReplicaAutoScaling,
            ImportTable, DescribeImport, ListImports, ExportTableToPointInTime, DescribeExport, ListExports,
            StartBulkPutItems, DescribeBulkOperation, ListBulkOperations, CancelBulkOperation;
    }
    "DynamoDBStreams_20120810", of streams: true {
        PointRead: DescribeStream, GetShardIterator;
        Blocking: ListStreams, GetRecords;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_name_operations_of_their_own_service() {
        assert_eq!(Operation::from_target("DynamoDB_20120810.PutItem"), Some(Operation::PutItem));
        assert_eq!(
            Operation::from_target("DynamoDBStreams_20120810.GetRecords"),
            Some(Operation::GetRecords)
        );
        for unknown in [
            "",
            "PutItem",
            "DynamoDB_20120810.ListStreams",
            "DynamoDB_20120810.putitem",
            "DynamoDB_20111205.PutItem",
        ] {
            assert_eq!(Operation::from_target(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn names_are_found_again() {
        for operation in Operation::ALL {
            assert_eq!(Operation::from_name(operation.name()), Some(*operation));
        }
        assert_eq!(Operation::from_name("getitem"), None);
        let of_streams = Operation::ALL.iter().filter(|operation| operation.is_of_streams());
        assert_eq!(of_streams.count(), 4);
    }
}
