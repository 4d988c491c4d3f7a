//! Requests meant to do harm to tables and what belongs to them.

use pdb_wire::Operation;

use super::Cases;

/// Operations that read or write no items. Each is named, so that a new one does not compile without a case.
pub(super) fn of_tables(of: &mut Cases) {
    match of.operation {
        Operation::CreateTable | Operation::UpdateTable => {
            of.lists(r#"{"TableName":"abc","AttributeDefinitions":$}"#)
                .lists(r#"{"TableName":"abc","KeySchema":$,"GlobalSecondaryIndexUpdates":$}"#)
                .lists(r#"{"TableName":"abc","GlobalSecondaryIndexes":$,"GlobalTableWitnessUpdates":$}"#)
                .lists(r#"{"TableName":"abc","LocalSecondaryIndexes":$,"ReplicaUpdates":$}"#)
                .lists(
                    r#"{"TableName":"abc","GlobalSecondaryIndexes":[{"Projection":{"NonKeyAttributes":$}}]}"#,
                )
                .lists(r#"{"TableName":"abc","VectorIndexes":$,"VectorIndexUpdates":$}"#)
                .lists(r#"{"TableName":"abc","VectorIndexes":[{"SearchSchema":$}]}"#)
                .lists(r#"{"TableName":"abc","Tags":$}"#)
                .texts(r#"{"TableName":$}"#)
                .texts(r#"{"TableName":"abc","ResourcePolicy":$}"#)
                .texts(r#"{"TableName":"abc","BillingMode":$}"#);
        }
        Operation::RestoreTableFromBackup | Operation::RestoreTableToPointInTime => {
            of.lists(r#"{"TargetTableName":"abc","GlobalSecondaryIndexOverride":$}"#)
                .lists(r#"{"TargetTableName":"abc","VectorIndexOverride":$}"#)
                .lists(r#"{"TargetTableName":"abc","LocalSecondaryIndexOverride":$}"#)
                .texts(r#"{"TargetTableName":$}"#)
                .texts(r#"{"TargetTableName":"abc","BackupArn":$,"SourceTableName":"abc"}"#);
        }
        Operation::TagResource | Operation::UntagResource => {
            of.lists(r#"{"ResourceArn":"arn:aws:dynamodb:us-east-1:000000000000:table/tab","Tags":$}"#)
                .lists(r#"{"ResourceArn":"arn:aws:dynamodb:us-east-1:000000000000:table/tab","TagKeys":$}"#)
                .texts(r#"{"ResourceArn":$}"#);
        }
        Operation::DescribeTable
        | Operation::DeleteTable
        | Operation::UpdateTimeToLive
        | Operation::DescribeTimeToLive
        | Operation::DescribeContinuousBackups
        | Operation::UpdateContinuousBackups
        | Operation::DescribeContributorInsights
        | Operation::UpdateContributorInsights
        | Operation::ListContributorInsights
        | Operation::EnableKinesisStreamingDestination
        | Operation::DisableKinesisStreamingDestination
        | Operation::UpdateKinesisStreamingDestination
        | Operation::DescribeKinesisStreamingDestination
        | Operation::CreateBackup
        | Operation::ListBackups
        | Operation::DescribeTableReplicaAutoScaling
        | Operation::UpdateTableReplicaAutoScaling
        | Operation::ListStreams => {
            of.texts(r#"{"TableName":$}"#);
        }
        Operation::DescribeBackup | Operation::DeleteBackup => {
            of.texts(r#"{"BackupArn":$}"#);
        }
        Operation::PutResourcePolicy | Operation::GetResourcePolicy | Operation::DeleteResourcePolicy => {
            of.texts(r#"{"ResourceArn":$}"#).texts(
                r#"{"ResourceArn":"arn:aws:dynamodb:us-east-1:000000000000:table/tab","Policy":$,"ExpectedRevisionId":"a"}"#,
            );
        }
        Operation::ListTagsOfResource => {
            of.texts(r#"{"ResourceArn":$}"#);
        }
        Operation::ListTables => {
            of.texts(r#"{"ExclusiveStartTableName":$}"#);
        }
        Operation::CreateGlobalTable
        | Operation::UpdateGlobalTable
        | Operation::DescribeGlobalTable
        | Operation::ListGlobalTables
        | Operation::DescribeGlobalTableSettings
        | Operation::UpdateGlobalTableSettings => {
            of.texts(r#"{"GlobalTableName":$}"#);
        }
        Operation::ImportTable => {
            of.texts(r#"{"ClientToken":$}"#)
                .texts(r#"{"InputFormatOptions":{"Csv":{"Delimiter":$}}}"#)
                .texts(r#"{"S3BucketSource":{"S3Bucket":"b1","S3KeyPrefix":$},"InputFormat":"ION","TableCreationParameters":{"TableName":"imported","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST"}}"#);
        }
        Operation::StartBulkPutItems
        | Operation::DescribeBulkOperation
        | Operation::ListBulkOperations
        | Operation::CancelBulkOperation => {
            of.texts(r#"{"BulkOperationArn":$}"#)
                .texts(r#"{"TableName":$,"InputS3Configuration":{"S3Bucket":"b1","InputFormat":"ION"},"OutputS3Configuration":{"S3Bucket":"b1","OutputType":["ERROR"]}}"#)
                .texts(r#"{"NextToken":$}"#);
        }
        Operation::ExportTableToPointInTime => {
            of.texts(r#"{"TableArn":"arn:aws:dynamodb:us-east-1:000000000000:table/tab","S3Bucket":"b1","ClientToken":$}"#)
                .texts(r##"{"TableArn":"arn:aws:dynamodb:us-east-1:000000000000:table/tab","S3Bucket":"b1","FilterSpecification":{"FilterExpression":$,"ExpressionAttributeNames":{"#a":$}}}"##)
                .texts(r#"{"TableArn":$,"S3Bucket":"b1"}"#);
        }
        Operation::DescribeImport
        | Operation::ListImports
        | Operation::DescribeExport
        | Operation::ListExports => {
            of.texts(r#"{"TableArn":$}"#).texts(r#"{"ImportArn":$}"#).texts(r#"{"ExportArn":$}"#);
        }
        Operation::DescribeStream | Operation::GetShardIterator => {
            of.texts(r#"{"StreamArn":$,"ShardId":"shardId-00000001772356542017-00000000"}"#)
                .texts(r#"{"StreamArn":"arn:aws:dynamodb:us-east-1:000000000000:table/tab/stream/2026-03-01T09:15:42.017","ShardId":$}"#);
        }
        Operation::DescribeLimits | Operation::DescribeEndpoints => {
            of.texts(r#"{"Anything":$}"#);
        }
        Operation::PutItem
        | Operation::UpdateItem
        | Operation::DeleteItem
        | Operation::GetItem
        | Operation::Query
        | Operation::Scan
        | Operation::SearchVectors
        | Operation::BatchGetItem
        | Operation::BatchWriteItem
        | Operation::TransactGetItems
        | Operation::TransactWriteItems
        | Operation::ExecuteStatement
        | Operation::BatchExecuteStatement
        | Operation::ExecuteTransaction
        | Operation::GetRecords => unreachable!("these have cases of their own"),
    }
}
