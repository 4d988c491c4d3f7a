//! The tables that a request names, read without looking at anything else in it.

use pdb_model::{Operation, TableName};
use pretender::partiql::table_named_by;
use serde_json::Value;

/// Members that name a table, by name or by the ARN of the table or of something of it.
const MEMBERS: [&str; 12] = [
    "TableName",
    "StreamArn",
    "ShardIterator",
    "TableArn",
    "ResourceArn",
    "BackupArn",
    "SourceTableName",
    "SourceTableArn",
    "TargetTableName",
    "GlobalTableName",
    "ExportArn",
    "ImportArn",
];

/// Returns the tables that a request names: in batches and transactions one entry for each item or action. What is malformed
/// names none.
pub(super) fn named(operation: Operation, body: &[u8]) -> Vec<TableName> {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return Vec::new() };
    let list = |member: &str| body[member].as_array().into_iter().flatten();
    match operation {
        Operation::BatchGetItem => of_batch(&body, |entry| &entry["Keys"]),
        Operation::BatchWriteItem => of_batch(&body, |entry| entry),
        Operation::TransactGetItems | Operation::TransactWriteItems => {
            let actions = list("TransactItems").filter_map(|item| item.as_object()?.values().next());
            actions.filter_map(|action| table(action["TableName"].as_str()?)).collect()
        }
        Operation::ExecuteStatement => of_statement(&body).into_iter().collect(),
        Operation::BatchExecuteStatement => list("Statements").filter_map(of_statement).collect(),
        Operation::ExecuteTransaction => list("TransactStatements").filter_map(of_statement).collect(),
        _ => MEMBERS.iter().filter_map(|member| table(body[*member].as_str()?)).collect(),
    }
}

fn of_batch(body: &Value, items: fn(&Value) -> &Value) -> Vec<TableName> {
    let mut tables = Vec::new();
    for (name, entry) in body["RequestItems"].as_object().into_iter().flatten() {
        let count = items(entry).as_array().map_or(0, Vec::len);
        tables.extend(table(name).into_iter().flat_map(|table| std::iter::repeat_n(table, count)));
    }
    tables
}

fn of_statement(holder: &Value) -> Option<TableName> {
    table_named_by(holder["Statement"].as_str()?)
}

/// Reads a name, or the name in an ARN.
fn table(text: &str) -> Option<TableName> {
    match text.split_once(":table/") {
        Some((_, rest)) => rest.split('/').next()?.parse().ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(operation: Operation, body: &str, tables: &str) {
        let named = named(operation, body.as_bytes());
        let named: Vec<&str> = named.iter().map(TableName::as_str).collect();
        assert_eq!(named.join(" "), tables, "{operation:?} {body}");
    }

    #[test]
    fn every_operation_names_its_tables() {
        use Operation as O;
        const ARN: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/Orders";
        check(O::PutItem, r#"{"TableName":"Orders","Item":{"TableName":{"S":"Other"}}}"#, "Orders");
        check(O::GetItem, &format!(r#"{{"TableName":"{ARN}"}}"#), "Orders");
        check(
            O::DescribeStream,
            &format!(r#"{{"StreamArn":"{ARN}/stream/2026-03-01T09:15:42.017"}}"#),
            "Orders",
        );
        check(
            O::GetRecords,
            &format!(r#"{{"ShardIterator":"{ARN}/stream/2026-03-01T09:15:42.017|1|AAAA"}}"#),
            "Orders",
        );
        check(O::ListTagsOfResource, &format!(r#"{{"ResourceArn":"{ARN}"}}"#), "Orders");
        check(O::DescribeBackup, &format!(r#"{{"BackupArn":"{ARN}/backup/0123"}}"#), "Orders");
        check(
            O::RestoreTableToPointInTime,
            r#"{"SourceTableName":"Orders","TargetTableName":"Copies"}"#,
            "Orders Copies",
        );
        check(
            O::BatchGetItem,
            r#"{"RequestItems":{"Aaa":{"Keys":[1,2]},"Bbb":{"Keys":[3]}}}"#,
            "Aaa Aaa Bbb",
        );
        check(O::BatchWriteItem, r#"{"RequestItems":{"Aaa":[1,2],"Bbb":[3]}}"#, "Aaa Aaa Bbb");
        check(
            O::TransactWriteItems,
            r#"{"TransactItems":[{"Put":{"TableName":"Bbb"}},{"Delete":{"TableName":"Aaa"}}]}"#,
            "Bbb Aaa",
        );
        check(O::TransactGetItems, r#"{"TransactItems":[{"Get":{"TableName":"Bbb"}}]}"#, "Bbb");
        check(O::ExecuteStatement, r#"{"Statement":"SELECT * FROM \"Orders\" WHERE pk = ?"}"#, "Orders");
        check(
            O::BatchExecuteStatement,
            r#"{"Statements":[{"Statement":"INSERT INTO \"Orders\" VALUE {'pk':?,'q':'?'}"},{"Statement":"nonsense"}]}"#,
            "Orders",
        );
        check(
            O::ExecuteTransaction,
            r#"{"TransactStatements":[{"Statement":"DELETE FROM \"Orders\" WHERE pk = 'a?'"}]}"#,
            "Orders",
        );
        for malformed in ["", "{", "[]", "7", r#"{"TableName":7}"#, r#"{"TableName":"a b"}"#, "{}"] {
            for operation in O::ALL {
                check(*operation, malformed, "");
            }
        }
    }
}
