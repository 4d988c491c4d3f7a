//! The tables that a request names, read without looking at anything else in it: all else is skipped, and nothing of it kept.

use std::collections::BTreeMap;
use std::fmt;
use std::iter;
use std::marker::PhantomData;

use pdb_model::{Operation, TableName};
use pretender::items::partiql::table_named_by;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// How many elements of an array, members of an object, and names are looked at: as many as a batch or a transaction may have. A body of many
/// megabytes may have millions.
const MOST: usize = 100;

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

/// Returns the tables that a request names, a hundred at most: in batches and transactions one entry for each item or action. What is
/// malformed names none.
pub(crate) fn named(operation: Operation, body: &[u8]) -> Vec<TableName> {
    match operation {
        Operation::BatchGetItem => {
            let BatchGet { entries: Members(entries) } = read(body);
            of_batch(entries.iter().map(|(name, Gets { keys })| (name, keys.0.len())))
        }
        Operation::BatchWriteItem => {
            let BatchWrite { entries: Members(entries) } = read(body);
            of_batch(entries.iter().map(|(name, writes)| (name, writes.0.len())))
        }
        Operation::TransactGetItems | Operation::TransactWriteItems => {
            let Transaction { actions: Few(actions) } = read(body);
            // An action is an object with one member, which says what is done.
            let acts = actions.into_iter().filter_map(|Members(action)| action.into_values().next());
            acts.filter_map(|act| table(&act.table_name?)).collect()
        }
        Operation::ExecuteStatement => read::<OneStatement>(body).table().into_iter().collect(),
        Operation::BatchExecuteStatement | Operation::ExecuteTransaction => {
            let ManyStatements { statements: Few(statements) } = read(body);
            statements.iter().filter_map(OneStatement::table).collect()
        }
        _ => {
            let Members(members): Members<Text> = read(body);
            MEMBERS.iter().filter_map(|member| table(members.get(*member)?.0.as_deref()?)).collect()
        }
    }
}

#[derive(Debug, Default, Deserialize)]
struct BatchGet {
    #[serde(rename = "RequestItems", default)]
    entries: Members<Gets>,
}

#[derive(Debug, Deserialize)]
struct Gets {
    #[serde(rename = "Keys", default)]
    keys: Few<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
struct BatchWrite {
    #[serde(rename = "RequestItems", default)]
    entries: Members<Few<IgnoredAny>>,
}

#[derive(Debug, Default, Deserialize)]
struct Transaction {
    #[serde(rename = "TransactItems", default)]
    actions: Few<Members<Act>>,
}

#[derive(Debug, Deserialize)]
struct Act {
    #[serde(rename = "TableName")]
    table_name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct OneStatement {
    #[serde(rename = "Statement")]
    text: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct ManyStatements {
    #[serde(rename = "Statements", alias = "TransactStatements", default)]
    statements: Few<OneStatement>,
}

impl OneStatement {
    fn table(&self) -> Option<TableName> {
        table_named_by(self.text.as_deref()?)
    }
}

fn read<T: Default + for<'de> Deserialize<'de>>(body: &[u8]) -> T {
    serde_json::from_slice(body).unwrap_or_default()
}

fn of_batch<'a>(entries: impl Iterator<Item = (&'a String, usize)>) -> Vec<TableName> {
    let repeated = |(name, count): (&'a String, usize)| {
        table(name).into_iter().flat_map(move |table| iter::repeat_n(table, count))
    };
    entries.flat_map(repeated).take(MOST).collect()
}

/// Reads a name, or the name in an ARN.
fn table(text: &str) -> Option<TableName> {
    match text.split_once(":table/") {
        Some((_, rest)) => rest.split('/').next()?.parse().ok(),
        None => text.parse().ok(),
    }
}

/// The first elements of an array; the others are skipped.
#[derive(Debug)]
struct Few<T>(Vec<T>);

/// The first members of an object; the others are skipped.
#[derive(Debug)]
struct Members<T>(BTreeMap<String, T>);

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Default for Members<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Few<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(FirstOf::<Self>(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Members<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FirstOf::<Self>(PhantomData))
    }
}

struct FirstOf<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for FirstOf<Few<T>> {
    type Value = Few<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Few<T>, A::Error> {
        let mut first = Vec::new();
        while first.len() < MOST {
            let Some(element) = elements.next_element()? else { return Ok(Few(first)) };
            first.push(element);
        }
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Few(first))
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for FirstOf<Members<T>> {
    type Value = Members<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Members<T>, A::Error> {
        let mut first = BTreeMap::new();
        while first.len() < MOST {
            let Some((name, value)) = members.next_entry()? else { return Ok(Members(first)) };
            first.insert(name, value);
        }
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Members(first))
    }
}

/// A text, or something else, which is skipped.
#[derive(Debug)]
struct Text(Option<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text(Some(text.to_owned())))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_unit<E>(self) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Text, A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Text, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text(None))
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
        let many = |element: &str| vec![element; 3000].join(",");
        let hundred = vec!["Aaa"; 100].join(" ");
        let ones = many("1");
        check(O::BatchWriteItem, &format!(r#"{{"RequestItems":{{"Aaa":[{ones}],"Bbb":[3]}}}}"#), &hundred);
        check(O::BatchGetItem, &format!(r#"{{"RequestItems":{{"Aaa":{{"Keys":[{ones}]}}}}}}"#), &hundred);
        let actions = many(r#"{"Put":{"TableName":"Aaa"}}"#);
        check(O::TransactWriteItems, &format!(r#"{{"TransactItems":[{actions}]}}"#), &hundred);
        for malformed in ["", "{", "[]", "7", r#"{"TableName":7}"#, r#"{"TableName":"a b"}"#, "{}"] {
            for operation in O::ALL {
                check(*operation, malformed, "");
            }
        }
    }
}
