//! Expressions and transactions meant to do harm.

use pdb_wire::Operation;

use super::{Cases, FULL, MOST_EXPENSIVE, keys, long_names};
use crate::bodies::{Value, repeated};
use crate::{Case, STORED};

/// Conditions of PutItem and DeleteItem, in both forms.
pub(super) fn conditions(of: &mut Cases, operation: &'static str) {
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
pub(super) fn update_item(of: &mut Cases) {
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

pub(super) fn transact_write_items(of: &mut Cases) {
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
