//! Requests meant to do harm, for each operation.

use pdb_wire::Operation;

use crate::bodies::{LARGEST_BODY, TEXTS, TOO_LARGE, Value, numbered, repeated};
use crate::{Case, STORED};

/// Makes a case when its turn comes; all bodies at once would take gigabytes.
pub(crate) type MakeCase = Box<dyn FnOnce() -> Case>;

/// What requests need of what is stored.
pub(crate) struct Stored {
    pub(crate) iterator: String,
}

/// Elements that become large structures: a few megabytes of these are far over the budget.
const MANY: usize = 3 * 1024 * 1024;
/// What is left of the largest body beside some members.
const FULL: usize = LARGEST_BODY - 2048;

/// The kinds of values that take the most memory, as texts, as lists and as maps.
const MOST_EXPENSIVE: [Value; 3] = [Value::Text, Value::SmallSets, Value::LargeMap];

/// The cases of one operation.
struct Cases {
    operation: Operation,
    cases: Vec<MakeCase>,
}

impl Cases {
    fn add(&mut self, name: impl Into<String>, body: impl FnOnce() -> String + 'static) -> &mut Self {
        self.push(name.into(), false, body)
    }

    /// Adds a request that must not succeed.
    fn refused(&mut self, name: String, body: impl FnOnce() -> String + 'static) -> &mut Self {
        self.push(name, true, body)
    }

    fn push(&mut self, name: String, is_refused: bool, body: impl FnOnce() -> String + 'static) -> &mut Self {
        let operation = self.operation;
        self.cases.push(Box::new(move || Case { operation, name, is_refused, body: body() }));
        self
    }

    /// What is done with a body of 16 MB in all operations alike is tried thoroughly in two of them.
    fn is_thorough(&self) -> bool {
        matches!(self.operation, Operation::PutItem | Operation::UpdateItem)
    }

    /// All of so many variants, or the first two.
    fn chosen(&self, count: usize) -> std::ops::Range<usize> {
        0..if self.is_thorough() { count } else { count.min(2) }
    }

    /// All kinds of values, or those that take the most memory.
    fn kinds(&self) -> &'static [Value] {
        if self.is_thorough() { &Value::ALL } else { &MOST_EXPENSIVE }
    }

    /// Fills the place of `$` in a body with long texts.
    fn texts(&mut self, body: &'static str) -> &mut Self {
        for (name, make) in &TEXTS[self.chosen(TEXTS.len())] {
            self.add(format!("{name} {}", member(body)), move || body.replace('$', &make(FULL)));
        }
        self
    }

    /// Fills the place of `$` in a body with lists of empty structures and of empty texts, whichever it takes.
    fn lists(&mut self, body: &'static str) -> &mut Self {
        for element in ["{}", "\"\""] {
            self.add(format!("many {element} {}", member(body)), move || {
                body.replace('$', &format!("[{}]", repeated(element, MANY)))
            });
        }
        self
    }

    /// Fills the place of `$` in a body with maps of many names, and of one name many times.
    fn maps(&mut self, body: &'static str) -> &mut Self {
        for element in ["{}", "\"a\""] {
            self.add(format!("a map of {element} {}", member(body)), move || {
                let entries = numbered(|n| format!("\"#{n}\":{element}"), MANY);
                body.replace('$', &format!("{{{entries}}}"))
            });
        }
        self.add(format!("a map of one name {}", member(body)), move || {
            body.replace('$', &format!("{{{}}}", repeated("\"#a\":\"a\"", MANY)))
        })
    }

    /// Fills the place of `$` in a body with values that are too large for an item.
    fn too_large_values(&mut self, body: &'static str) -> &mut Self {
        for (name, make) in &TOO_LARGE[self.chosen(TOO_LARGE.len())] {
            self.refused(format!("{name} {}", member(body)), move || body.replace('$', &make(FULL)));
        }
        self
    }

    /// Fills the place of `$` in a body with the largest values of all kinds.
    fn fitting_values(&mut self, body: &'static str) -> &mut Self {
        for &kind in self.kinds() {
            self.add(format!("{kind:?} {}", member(body)), move || body.replace('$', &kind.fitting()));
        }
        self
    }

    /// Fills the place of `$` in a body with as many elements, each with a value of one kind, as a body takes.
    fn many_values(
        &mut self,
        body: &'static str,
        most: usize,
        element: impl Fn(usize, &str) -> String + Clone + 'static,
    ) -> &mut Self {
        for kind in MOST_EXPENSIVE {
            let element = element.clone();
            self.add(format!("many {kind:?} {}", member(body)), move || {
                let value = kind.fitting();
                let count = most.min(FULL / (value.len() + 128));
                let elements: Vec<String> = (0..count).map(|n| element(n, &value)).collect();
                body.replace('$', &elements.join(","))
            });
        }
        self
    }
}

/// The name of the member in front of `$`.
fn member(body: &str) -> &str {
    let before = body.split('$').next().unwrap_or_default();
    before.split('"').rfind(|part| part.starts_with(char::is_alphabetic)).unwrap_or_default()
}

/// The cases of an operation.
pub(crate) fn of(operation: Operation, stored: &Stored) -> Vec<MakeCase> {
    let mut cases = Cases { operation, cases: Vec::new() };
    let of = &mut cases;
    if of.is_thorough() {
        of.add("many unknown members", || format!("{{{}}}", numbered(|n| format!("\"{n}\":[{{}}]"), MANY)));
    }
    match operation {
        Operation::PutItem => {
            of.fitting_values(r#"{"TableName":"tab","Item":{"pk":{"S":"new"},"v":$}}"#)
                .too_large_values(r#"{"TableName":"tab","Item":{"pk":{"S":"new"},"v":$}}"#)
                .maps(r#"{"TableName":"tab","ConditionExpression":"a=:a","ExpressionAttributeNames":$,"Item":{"pk":{"S":"k"}}}"#)
                .texts(r#"{"TableName":$,"Item":{"pk":{"S":"k"}}}"#)
                .texts(r#"{"TableName":"tab","ReturnValues":$,"Item":{"pk":{"S":"k"}}}"#)
                .texts(r#"{"TableName":"tab","ConditionExpression":$,"Item":{"pk":{"S":"k"}}}"#);
            conditions(of, "PutItem");
        }
        Operation::DeleteItem => {
            of.too_large_values(r#"{"TableName":"tab","Key":{"pk":$}}"#);
            conditions(of, "DeleteItem");
        }
        Operation::UpdateItem => update_item(of),
        Operation::GetItem => {
            of.add("a large item", || r#"{"TableName":"tab","Key":{"pk":{"S":"big0"}}}"#.to_owned())
                .add("a projected large item", || {
                    r#"{"TableName":"tab","Key":{"pk":{"S":"big0"}},"ProjectionExpression":"v"}"#.to_owned()
                })
                .add("long names many times", || {
                    let (names, paths) = long_names();
                    format!(
                        r#"{{"TableName":"tab","Key":{{"pk":{{"S":"k"}}}},"ProjectionExpression":"{}","ExpressionAttributeNames":{names}}}"#,
                        paths.join(",")
                    )
                })
                .too_large_values(r#"{"TableName":"tab","Key":{"pk":$}}"#)
                .lists(r#"{"TableName":"tab","Key":{"pk":{"S":"k"}},"AttributesToGet":$}"#)
                .texts(r#"{"TableName":"tab","Key":{"pk":{"S":"k"}},"ProjectionExpression":$}"#)
                .maps(r#"{"TableName":"tab","Key":{"pk":{"S":"k"}},"ProjectionExpression":"a","ExpressionAttributeNames":$}"#);
        }
        Operation::Query => {
            of.add("a large item", || {
                r#"{"TableName":"tab","KeyConditionExpression":"pk=:k","ExpressionAttributeValues":{":k":{"S":"big0"}}}"#.to_owned()
            })
            .too_large_values(r#"{"TableName":"tab","KeyConditionExpression":"pk=:k","ExpressionAttributeValues":{":k":$}}"#)
            .too_large_values(r#"{"TableName":"tab","ExclusiveStartKey":{"pk":$}}"#)
            .lists(r#"{"TableName":"tab","KeyConditions":{"pk":{"ComparisonOperator":"EQ","AttributeValueList":$}}}"#)
            .lists(r#"{"TableName":"tab","QueryFilter":{"pk":{"ComparisonOperator":"IN","AttributeValueList":$}}}"#)
            .maps(r#"{"TableName":"tab","QueryFilter":$}"#)
            .maps(r#"{"TableName":"tab","KeyConditions":$}"#)
            .texts(r#"{"TableName":"tab","IndexName":$}"#)
            .texts(r#"{"TableName":"tab","FilterExpression":$,"KeyConditionExpression":"pk=:k"}"#);
        }
        Operation::Scan => {
            of.add("all large items", || r#"{"TableName":"tab"}"#.to_owned())
                .add("a filter of all large items", || {
                    r#"{"TableName":"tab","FilterExpression":"v=:v","ExpressionAttributeValues":{":v":{"S":""}}}"#.to_owned()
                })
                .add("a filter that many texts pass", || {
                    let values = repeated(r#"{"S":"a"}"#, MANY);
                    format!(r#"{{"TableName":"tab","ScanFilter":{{"v":{{"ComparisonOperator":"IN","AttributeValueList":[{values}]}}}}}}"#)
                })
                .many_values(
                    r#"{"TableName":"tab","ConditionalOperator":"OR","ScanFilter":{$}}"#,
                    100,
                    |n, value| format!(r#""a{n}":{{"ComparisonOperator":"NE","AttributeValueList":[{value}]}}"#),
                )
                .maps(r#"{"TableName":"tab","ScanFilter":$}"#)
                .too_large_values(r#"{"TableName":"tab","ExclusiveStartKey":{"pk":$}}"#);
        }
        Operation::BatchGetItem => {
            of.add("large items", || {
                format!(r#"{{"RequestItems":{{"t":{{"Keys":[{}]}}}}}}"#, keys(8).join(","))
            })
            .too_large_values(r#"{"RequestItems":{"tab":{"Keys":[{"pk":$}]}}}"#)
            .lists(r#"{"RequestItems":{"tab":{"Keys":$}}}"#)
            .lists(r#"{"RequestItems":{"tab":{"AttributesToGet":$}}}"#)
            .maps(r#"{"RequestItems":$}"#);
        }
        Operation::BatchWriteItem => {
            of.many_values(r#"{"RequestItems":{"tab":[$]}}"#, 25, |n, value| {
                format!(r#"{{"PutRequest":{{"Item":{{"pk":{{"S":"w{n}"}},"v":{value}}}}}}}"#)
            })
            .add("items of many attributes", || {
                let attributes = numbered(|n| format!("\"{n}\":{{\"S\":\"\"}}"), 1_200_000);
                let writes: Vec<String> = (0..12)
                    .map(|n| format!(r#"{{"PutRequest":{{"Item":{{"pk":{{"S":"w{n}"}},{attributes}}}}}}}"#))
                    .collect();
                format!(r#"{{"RequestItems":{{"t":[{}]}}}}"#, writes.join(","))
            })
            .too_large_values(r#"{"RequestItems":{"tab":[{"PutRequest":{"Item":{"pk":{"S":"k"},"v":$}}}]}}"#)
            .lists(r#"{"RequestItems":{"tab":$}}"#)
            .maps(r#"{"RequestItems":$}"#);
        }
        Operation::TransactGetItems => {
            of.add("large items", || {
                let gets: Vec<String> = keys(8)
                    .iter()
                    .map(|key| format!(r#"{{"Get":{{"TableName":"tab","Key":{key}}}}}"#))
                    .collect();
                format!(r#"{{"TransactItems":[{}]}}"#, gets.join(","))
            })
            .too_large_values(r#"{"TransactItems":[{"Get":{"TableName":"tab","Key":{"pk":$}}}]}"#)
            .lists(r#"{"TransactItems":$}"#);
        }
        Operation::TransactWriteItems => transact_write_items(of),
        Operation::ExecuteStatement => {
            of.fitting_values(r#"{"Statement":"INSERT INTO tab VALUE {'pk':'ins','v':?}","Parameters":[$]}"#)
                .fitting_values(r#"{"Statement":"UPDATE tab SET v=? WHERE pk='big0' RETURNING MODIFIED NEW *","Parameters":[$]}"#)
                .fitting_values(r#"{"Statement":"SELECT * FROM tab WHERE v=?","Parameters":[$]}"#)
                .too_large_values(r#"{"Statement":"SELECT * FROM tab WHERE v=?","Parameters":[$]}"#)
                .lists(r#"{"Statement":"SELECT * FROM tab WHERE v=?","Parameters":$}"#)
                .texts(r#"{"Statement":$}"#)
                .texts(r#"{"Statement":"SELECT * FROM tab","NextToken":$}"#)
                .many_values(r#"{"Statement":"SELECT * FROM tab WHERE v IN [?,?,?,?]","Parameters":[$]}"#, 4, |_, value| {
                    value.to_owned()
                })
                .add("nested parts of a large item", || {
                    r#"{"Statement":"SELECT v, v[0], v[1], v[2] FROM tab WHERE pk='big1'"}"#.to_owned()
                });
        }
        Operation::BatchExecuteStatement => {
            of.many_values(r#"{"Statements":[$]}"#, 25, |n, value| {
                format!(
                    r#"{{"Statement":"INSERT INTO tab VALUE {{'pk':'b{n}','v':?}}","Parameters":[{value}]}}"#
                )
            })
            .lists(r#"{"Statements":$}"#)
            .lists(r#"{"Statements":[{"Statement":"SELECT * FROM tab WHERE pk=?","Parameters":$}]}"#);
        }
        Operation::ExecuteTransaction => {
            of.many_values(r#"{"TransactStatements":[$]}"#, 10, |n, value| {
                format!(
                    r#"{{"Statement":"INSERT INTO tab VALUE {{'pk':'x{n}','v':?}}","Parameters":[{value}]}}"#
                )
            })
            .add("updates of large items", || {
                let updates: Vec<String> = (0..STORED)
                    .map(|n| format!(r#"{{"Statement":"UPDATE tab SET c=1 WHERE pk='big{n}'"}}"#))
                    .collect();
                format!(r#"{{"TransactStatements":[{}]}}"#, updates.join(","))
            })
            .lists(r#"{"TransactStatements":$}"#)
            .texts(r#"{"TransactStatements":[{"Statement":"SELECT * FROM tab"}],"ClientRequestToken":$}"#);
        }
        Operation::SearchVectors => {
            of.add("a large vector", || {
                let element = r#"{"N":"3.4028234663852886e38"}"#;
                let vector = vec![element; 4096].join(",");
                format!(r#"{{"TableName":"tab","IndexName":"vix","TopK":100,"SearchVector":[{vector}]}}"#)
            })
            .add("some large items", || {
                r#"{"TableName":"tab","IndexName":"vix","TopK":7,"SearchVector":[{"N":"1"}]}"#.to_owned()
            })
            .refused("all large items".to_owned(), || {
                r#"{"TableName":"tab","IndexName":"vix","TopK":100,"SearchVector":[{"N":"1"}]}"#.to_owned()
            })
            .add("parts of large items", || {
                let search = r#""TableName":"tab","IndexName":"vix","TopK":100,"SearchVector":[{"N":"1"}]"#;
                format!(r#"{{{search},"ProjectionExpression":"pk, e, v[1]"}}"#)
            })
            .lists(r#"{"TableName":"tab","IndexName":"vix","TopK":1,"SearchVector":$}"#)
            .texts(r#"{"TableName":"tab","IndexName":$,"TopK":1,"SearchVector":[{"N":"1"}]}"#);
        }
        Operation::GetRecords => {
            let body = format!(r#"{{"ShardIterator":"{}","Limit":8}}"#, stored.iterator);
            of.add("large records", move || body).texts(r#"{"ShardIterator":$}"#);
        }
        _ => of_tables(of),
    }
    cases.cases
}

/// Operations that read or write no items. Each is named, so that a new one does not compile without a case.
fn of_tables(of: &mut Cases) {
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

/// Conditions of PutItem and DeleteItem, in both forms.
fn conditions(of: &mut Cases, operation: &'static str) {
    let target = if operation == "PutItem" { "Item" } else { "Key" };
    for kind in MOST_EXPENSIVE {
        of.add(format!("many {kind:?} Expected"), move || {
            let value = kind.fitting();
            let count = FULL / (value.len() + 128);
            let entries: Vec<String> = (0..count).map(|n| format!(r#""a{n}":{{"Value":{value}}}"#)).collect();
            format!(
                r#"{{"TableName":"tab","{target}":{{"pk":{{"S":"big0"}}}},"Expected":{{{}}}}}"#,
                entries.join(",")
            )
        });
        of.add(format!("many {kind:?} ExpressionAttributeValues"), move || {
            let value = kind.fitting();
            let count = FULL / (value.len() + 128);
            let values: Vec<String> = (0..count).map(|n| format!(r#"":v{n}":{value}"#)).collect();
            let condition: Vec<String> = (0..count).map(|n| format!("v=:v{n}")).collect();
            format!(
                r#"{{"TableName":"tab","{target}":{{"pk":{{"S":"big0"}}}},"ConditionExpression":"{}","ExpressionAttributeValues":{{{}}}}}"#,
                condition.join(" OR "),
                values.join(",")
            )
        });
    }
    of.add("long names many times", move || {
        let (names, paths) = long_names();
        let condition: Vec<String> = paths.iter().map(|path| format!("attribute_exists({path})")).collect();
        format!(
            r#"{{"TableName":"tab","{target}":{{"pk":{{"S":"k"}}}},"ConditionExpression":"{}","ExpressionAttributeNames":{names}}}"#,
            condition.join(" OR ")
        )
    });
}

/// Updates that name one value many times.
fn update_item(of: &mut Cases) {
    let actions = |make: fn(usize) -> String, separator: &str| -> String {
        let mut text = make(0);
        for n in 1.. {
            let next = make(n);
            if text.len() + separator.len() + next.len() > 4090 {
                break;
            }
            text.push_str(separator);
            text.push_str(&next);
        }
        text
    };
    let expressions: Vec<(&'static str, String)> = vec![
        ("SET of one value", "SET v=:v".to_owned()),
        ("SET of many", format!("SET {}", actions(|n| format!("a{n}=:v"), ","))),
        ("SET of many stored", format!("SET {},w=:v", actions(|n| format!("a{n}=v"), ","))),
        ("if_not_exists", format!("SET {}", actions(|n| format!("a{n}=if_not_exists(b,:v)"), ","))),
        ("list_append", format!("SET {}", actions(|n| format!("a{n}=list_append(:v,:v)"), ","))),
        ("list_append of stored", format!("SET {},w=:v", actions(|n| format!("a{n}=list_append(v,v)"), ","))),
        ("ADD", format!("ADD {}", actions(|n| format!("a{n} :v"), ","))),
        (
            "nested list_append",
            format!(
                "SET v={}:v{}",
                "list_append(if_not_exists(b,:v),if_not_exists(b,".repeat(40),
                "))".repeat(40)
            ),
        ),
    ];
    for returned in ["NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"] {
        let kinds: &[Value] = if returned == "NONE" { &Value::ALL } else { &[Value::SmallSets] };
        for &kind in kinds {
            // Each puts a large value in the place of the one before, so that both images are large.
            for target in ["SET v=:v", "SET m.v=:v"] {
                of.add(format!("{kind:?} {target} {returned}"), move || {
                    let value = if target.contains("m.") { kind.of_size(400_000) } else { kind.fitting() };
                    let before = if target.contains("m.") { "same" } else { "big1" };
                    format!(
                        r#"{{"TableName":"tab","Key":{{"pk":{{"S":"{before}"}}}},"UpdateExpression":"{target}","ReturnValues":"{returned}","ExpressionAttributeValues":{{":v":{value}}}}}"#
                    )
                });
            }
        }
    }
    of.cases.insert(
        0,
        Box::new(|| Case {
            operation: Operation::UpdateItem,
            name: "a map to fill".to_owned(),
            is_refused: false,
            body: r#"{"TableName":"tab","Key":{"pk":{"S":"same"}},"UpdateExpression":"SET m=:m","ExpressionAttributeValues":{":m":{"M":{}}}}"#
                .to_owned(),
        }),
    );
    for (name, expression) in expressions {
        for kind in [Value::Text, Value::SmallSets, Value::TextSet] {
            let expression = expression.clone();
            of.add(format!("{name}, {kind:?}"), move || {
                format!(
                    r#"{{"TableName":"tab","Key":{{"pk":{{"S":"big2"}}}},"UpdateExpression":"{expression}","ExpressionAttributeValues":{{":v":{}}}}}"#,
                    kind.fitting()
                )
            });
        }
        let expression = expression.clone();
        of.add(format!("{name}, 15 MB"), move || {
            format!(
                r#"{{"TableName":"tab","Key":{{"pk":{{"S":"big2"}}}},"UpdateExpression":"{expression}","ExpressionAttributeValues":{{":v":{{"L":[{}]}}}}}}"#,
                repeated(r#"{"NULL":true}"#, FULL - 4096)
            )
        });
    }
    of.many_values(r#"{"TableName":"tab","Key":{"pk":{"S":"big3"}},"AttributeUpdates":{$}}"#, 100, |n, value| {
        format!(r#""a{n}":{{"Value":{value}}}"#)
    })
    .many_values(r#"{"TableName":"tab","Key":{"pk":{"S":"big3"}},"AttributeUpdates":{$}}"#, 100, |n, value| {
        format!(r#""a{n}":{{"Action":"ADD","Value":{value}}}"#)
    })
    .too_large_values(
        r#"{"TableName":"tab","Key":{"pk":{"S":"big2"}},"UpdateExpression":"SET a=:v","ExpressionAttributeValues":{":v":$}}"#,
    )
    .maps(r#"{"TableName":"tab","Key":{"pk":{"S":"big3"}},"AttributeUpdates":$}"#)
    .maps(r#"{"TableName":"tab","Key":{"pk":{"S":"big3"}},"Expected":$}"#)
    .add("long names many times", || {
        let (names, paths) = long_names();
        format!(
            r#"{{"TableName":"tab","Key":{{"pk":{{"S":"k"}}}},"UpdateExpression":"REMOVE {}","ExpressionAttributeNames":{names}}}"#,
            paths.join(",")
        )
    });
}

fn transact_write_items(of: &mut Cases) {
    of.many_values(r#"{"TransactItems":[$]}"#, 10, |n, value| {
        format!(r#"{{"Put":{{"TableName":"tab","Item":{{"pk":{{"S":"t{n}"}},"v":{value}}}}}}}"#)
    })
    .many_values(r#"{"TransactItems":[$]}"#, 10, |n, value| {
        format!(
            r#"{{"Update":{{"TableName":"tab","Key":{{"pk":{{"S":"t{n}"}}}},"UpdateExpression":"SET v=:v","ExpressionAttributeValues":{{":v":{value}}}}}}}"#
        )
    })
    .add("updates of large items", || {
        let updates: Vec<String> = keys(STORED)
            .iter()
            .map(|key| {
                format!(
                    r#"{{"Update":{{"TableName":"tab","Key":{key},"UpdateExpression":"SET c=:c","ExpressionAttributeValues":{{":c":{{"N":"2"}}}}}}}}"#
                )
            })
            .collect();
        format!(r#"{{"TransactItems":[{}]}}"#, updates.join(","))
    })
    .add("checks of large items", || {
        let checks: Vec<String> = keys(STORED)
            .iter()
            .map(|key| {
                format!(
                    r#"{{"ConditionCheck":{{"TableName":"tab","Key":{key},"ConditionExpression":"attribute_exists(v)"}}}}"#
                )
            })
            .collect();
        format!(r#"{{"TransactItems":[{}]}}"#, checks.join(","))
    })
    .add("long names many times", || {
        let (names, paths) = long_names();
        let condition: Vec<String> = paths.iter().map(|path| format!("attribute_exists({path})")).collect();
        let checks: Vec<String> = (0..100)
            .map(|n| {
                format!(
                    r#"{{"ConditionCheck":{{"TableName":"tab","Key":{{"pk":{{"S":"{n}"}}}},"ConditionExpression":"{}","ExpressionAttributeNames":{names}}}}}"#,
                    condition.join(" OR ")
                )
            })
            .collect();
        format!(r#"{{"TransactItems":[{}]}}"#, checks.join(","))
    })
    .too_large_values(r#"{"TransactItems":[{"Put":{"TableName":"tab","Item":{"pk":{"S":"k"},"v":$}}}]}"#)
    .lists(r#"{"TransactItems":$}"#)
    .texts(r#"{"TransactItems":[{"Delete":{"TableName":"tab","Key":{"pk":{"S":"k"}}}}],"ClientRequestToken":$}"#);
}

/// Names of 65,535 bytes, and paths of 32 steps that use them as often as an expression can.
fn long_names() -> (String, Vec<String>) {
    let names = format!(r##"{{"#a":"{}"}}"##, "x".repeat(65_535));
    let paths = (0..38).map(|n| format!("b{n}{}", ".#a".repeat(29))).collect();
    (names, paths)
}

/// The keys of stored items.
fn keys(count: usize) -> Vec<String> {
    (0..count).map(|n| format!(r#"{{"pk":{{"S":"big{n}"}}}}"#)).collect()
}
