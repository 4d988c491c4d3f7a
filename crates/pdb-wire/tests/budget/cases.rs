//! Requests meant to do harm, for each operation.

mod items;
mod tables;

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
            items::conditions(of, "PutItem");
        }
        Operation::DeleteItem => {
            of.too_large_values(r#"{"TableName":"tab","Key":{"pk":$}}"#);
            items::conditions(of, "DeleteItem");
        }
        Operation::UpdateItem => items::update_item(of),
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
        Operation::TransactWriteItems => items::transact_write_items(of),
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
        _ => tables::of_tables(of),
    }
    cases.cases
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
