//! The operations and the names by which requests call them.

/// What an operation asks of the thread that runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationClass {
    /// Reads a few rows by key: cheaper than a change of threads.
    PointRead,
    /// Waits for a commit; does not block while it waits.
    Write,
    /// May read much, or blocks: belongs on a thread that may be blocked.
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

            /// Finds the operation with this name, which is without the service.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($($(stringify!($name) => Some(Self::$name),)*)*)*
                    _ => None,
                }
            }

            /// Finds the operation that an `X-Amz-Target` header names.
            #[must_use]
            pub fn from_target(target: &str) -> Option<Self> {
                match target {
                    $($($(concat!($prefix, ".", stringify!($name)) => Some(Self::$name),)*)*)*
                    _ => None,
                }
            }

            /// Returns the name without the service.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $($($(Self::$name => stringify!($name),)*)*)*
                }
            }

            /// Tells whether the operation is one of DynamoDB Streams.
            #[must_use]
            pub fn is_of_streams(self) -> bool {
                match self {
                    $($($(Self::$name => $is_of_streams,)*)*)*
                }
            }

            /// Returns how the operation is to be run.
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
        Blocking: Query, Scan, BatchGetItem, TransactGetItems,
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
            ImportTable, DescribeImport, ListImports, ExportTableToPointInTime, DescribeExport, ListExports;
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
