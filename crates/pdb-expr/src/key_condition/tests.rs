use pdb_model::{KeyAttribute, KeySchema, ScalarType};
use proptest::prelude::*;

use super::*;
use crate::Parameter;
use crate::testing::{any_text, any_value, placeholders};

fn keys(text: &str) -> Vec<KeyAttribute> {
    let key = |entry: &str| {
        let (name, scalar_type) = entry.split_once(':').unwrap();
        let scalar_type = match scalar_type {
            "S" => ScalarType::S,
            "N" => ScalarType::N,
            _ => ScalarType::B,
        };
        KeyAttribute { name: name.to_owned(), scalar_type }
    };
    text.split_whitespace().map(key).collect()
}

/// Makes a schema of `name:type` lists.
fn schema(hash: &str, range: &str) -> KeySchema {
    KeySchema { hash: keys(hash), range: keys(range) }
}

fn text(value: &KeyValue) -> String {
    match value {
        KeyValue::S(text) => format!("'{text}'"),
        KeyValue::N(number) => number.to_string(),
        KeyValue::B(bytes) => format!("{bytes:?}"),
    }
}

fn describe(condition: &KeyCondition) -> String {
    let list = |values: &[KeyValue]| values.iter().map(text).collect::<Vec<_>>().join(",");
    let range = condition.range.as_ref().map_or(String::new(), |range| match range {
        KeyComparison::Equal(value) => format!(" ={}", text(value)),
        KeyComparison::Less(value) => format!(" <{}", text(value)),
        KeyComparison::LessOrEqual(value) => format!(" <={}", text(value)),
        KeyComparison::Greater(value) => format!(" >{}", text(value)),
        KeyComparison::GreaterOrEqual(value) => format!(" >={}", text(value)),
        KeyComparison::Between(lower, upper) => format!(" {}..{}", text(lower), text(upper)),
        KeyComparison::BeginsWith(prefix) => format!(" {}*", text(prefix)),
    });
    format!("{}|{}{range}", list(&condition.hash), list(&condition.range_equal))
}

const VALUES: &str = r#":p={"S":"x"} :n={"N":"1"} :m={"N":"2"} :t={"BOOL":true} :s={"S":"a"}"#;

/// Checks what a key condition reads of a schema, or the whole message it is refused with.
fn check_on(schema: &KeySchema, expression: &str, expected: &str) {
    let actual = match KeyConditionExpression::parse(expression, &placeholders(VALUES)) {
        Err(e) => e.message(Parameter::KeyCondition),
        Ok(expression) => {
            expression.resolve(schema).map_or_else(|e| e.to_string(), |condition| describe(&condition))
        }
    };
    assert_eq!(actual, expected, "{expression}");
}

fn check(expression: &str, expected: &str) {
    check_on(&schema("pk:S", "sk:N"), expression, expected);
}

#[test]
fn legal_forms() {
    check("pk = :p", "'x'|");
    check(":p = pk", "'x'|");
    check("pk = :p AND sk = :n", "'x'|1");
    check("sk = :n AND pk = :p", "'x'|1");
    check("pk = :p AND sk < :n", "'x'| <1");
    check("pk = :p AND sk <= :n", "'x'| <=1");
    check("pk = :p AND sk > :n", "'x'| >1");
    check("pk = :p AND sk >= :n", "'x'| >=1");
    check("pk = :p AND :n <= sk", "'x'| >=1");
    check("pk = :p AND :n > sk", "'x'| <1");
    check("sk BETWEEN :n AND :m AND pk = :p", "'x'| 1..2");
    check("(pk = :p AND sk BETWEEN :n AND :m)", "'x'| 1..2");
    check("(pk = :p) AND (sk > :n)", "'x'| >1");
    check("(pk) = (:p)", "'x'|");
    check_on(&schema("pk:S", "sk:S"), "pk = :p AND begins_with(sk, :s)", "'x'| 'a'*");
}

#[test]
fn what_is_no_key_condition_is_refused() {
    let operator = |operator: &str| format!("Invalid operator used in KeyConditionExpression: {operator}");
    check("pk = :p OR sk = :n", &operator("OR"));
    check("NOT pk = :p", &operator("NOT"));
    check("pk IN (:p)", &operator("IN"));
    check("pk <> :p", &operator("<>"));
    check("pk = :p AND attribute_exists(sk)", &operator("attribute_exists"));
    check("attribute_not_exists(sk)", &operator("attribute_not_exists"));
    check("contains(sk, :s)", &operator("contains"));
    check("size(sk) = :n", &operator("size"));
    check(
        "pk = :p AND (sk > :n AND sk < :m)",
        "Invalid KeyConditionExpression: KeyConditionExpressions cannot contain nested operations",
    );
    check(
        "pk = :p AND a.b = :n",
        "Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on nested attributes",
    );
    check(
        "pk[0] = :p",
        "Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on nested attributes",
    );
    for repeated in ["pk = :p AND pk = :p", "pk = :p AND sk > :n AND sk < :m"] {
        check(
            repeated,
            "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key",
        );
    }
    for operator in [":n BETWEEN sk AND :m", "begins_with(:s, sk)"] {
        let name = if operator.starts_with('b') { "begins_with" } else { "BETWEEN" };
        check(
            operator,
            &format!(
                "Invalid condition in KeyConditionExpression: {name} operator must have the key attribute as its first \
                 operand"
            ),
        );
    }
    for two in ["pk = sk", "pk BETWEEN sk AND :n", "begins_with(pk, sk)"] {
        check(
            two,
            "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
        );
    }
    check(":p = :n", "Invalid condition in KeyConditionExpression: No key attribute specified");
    check("((pk = :p))", "Invalid KeyConditionExpression: The expression has redundant parentheses;");
    check("pk", "Invalid KeyConditionExpression: Syntax error; token: \"<EOF>\", near: \"pk\"");
}

#[test]
fn constants_must_fit_operator_and_schema() {
    let operand = |operator: &str, operand: &str| {
        format!(
            "Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator or function: \
             {operator}, operand type: {operand}"
        )
    };
    let mismatch =
        "One or more parameter values were invalid: Condition parameter type does not match schema type";
    check("pk = :p AND begins_with(sk, :n)", &operand("begins_with", "N"));
    check("pk = :p AND sk < :t", &operand("<", "BOOL"));
    check("pk = :p AND :t >= sk", &operand(">=", "BOOL"));
    check("pk = :p AND sk BETWEEN :t AND :t", &operand("BETWEEN", "BOOL"));
    check("pk = :p AND begins_with(sk, :s)", mismatch);
    check("pk = :p AND sk = :t", mismatch);
    check("pk = :n", mismatch);
    check("pk = :n AND sk < :n", mismatch);
    check("pk = :p AND sk BETWEEN :s AND :s", mismatch);
}

#[test]
fn conditions_must_fit_the_schema() {
    check("sk = :n", "Query condition missed key schema element: pk");
    check("a = :n", "Query condition missed key schema element: pk");
    check("a = :n AND b = :n", "Query condition missed key schema element: pk");
    check("pk = :p AND a = :n", "Query condition missed key schema element: sk");
    check("sk = :n AND a = :n", "Query condition missed key schema element: pk");
    check("pk > :p", "Query key condition not supported");
    check("begins_with(pk, :p) AND sk = :n", "Query key condition not supported");
    check(
        "pk = :p AND sk = :n AND a = :n",
        "The number of query conditions (3) exceeds the number of key attributes defined in the schema (2)",
    );
    check_on(
        &schema("pk:S", ""),
        "pk = :p AND sk = :n",
        "The number of query conditions (2) exceeds the number of key attributes defined in the schema (1)",
    );
}

#[test]
fn keys_of_several_attributes() {
    let schema = schema("h:S i:N", "r:N s:S t:N");
    let hash = |missing: &str| {
        format!("HASH key attributes {missing} must have equality conditions specified in the query")
    };
    let range = |missing: &str, last: &str| {
        format!(
            "RANGE key attributes {missing} must have equality conditions specified in the query because a condition is \
             present on key attribute {last}"
        )
    };
    check_on(&schema, "h = :p AND i = :n", "'x',1|");
    check_on(&schema, "r > :n AND i = :n AND h = :p", "'x',1| >1");
    check_on(&schema, "begins_with(s, :s) AND r = :m AND i = :n AND h = :p", "'x',1|2 'a'*");
    check_on(&schema, "h = :p AND i = :n AND r = :n AND s = :s AND t BETWEEN :n AND :m", "'x',1|1,'a' 1..2");
    check_on(&schema, "h = :p", &hash("i"));
    check_on(&schema, "i = :n", &hash("h"));
    check_on(&schema, "h = :p AND i > :n", &hash("i"));
    check_on(&schema, "r = :n", &hash("h, i"));
    check_on(&schema, "h = :p AND i = :n AND s = :s", &range("r", "s"));
    check_on(&schema, "h = :p AND i = :n AND r > :n AND s = :s", &range("r", "s"));
    check_on(&schema, "h = :p AND i = :n AND r = :n AND t = :n", &range("s", "t"));
    check_on(&schema, "h = :p AND i = :n AND t = :n", &range("r, s", "t"));
    check_on(&schema, "h = :p AND i = :n AND r < :n AND begins_with(s, :s) AND t = :n", &range("r, s", "t"));
    check_on(&schema, "h = :p AND i = :n AND s = :s AND t = :n", &range("r", "t"));
    check_on(
        &schema,
        "h = :p AND i = :s",
        "One or more parameter values were invalid: Condition parameter type does not match schema type",
    );
    check_on(&schema, "h = :p AND i = :n AND x = :n", "Query condition missed key schema element: r");
}

#[test]
fn conditions_match_keys() {
    let check = |expression: &str, ranges: &[i64], expected: &[i64]| {
        let expression = KeyConditionExpression::parse(expression, &placeholders(VALUES)).unwrap();
        let condition = expression.resolve(&schema("pk:S", "sk:N")).unwrap();
        let key = |hash: &str, range: i64| PrimaryKey {
            hash: vec![KeyValue::S(hash.to_owned())],
            range: vec![KeyValue::N(range.into())],
        };
        let matching: Vec<_> =
            ranges.iter().copied().filter(|range| condition.matches(&key("x", *range))).collect();
        assert_eq!(matching, expected);
        assert!(!ranges.iter().any(|range| condition.matches(&key("y", *range))));
    };
    let all = [0, 1, 2, 3];
    check("pk = :p", &all, &all);
    check("pk = :p AND sk = :n", &all, &[1]);
    check("pk = :p AND sk < :n", &all, &[0]);
    check("pk = :p AND sk <= :n", &all, &[0, 1]);
    check("pk = :p AND sk > :n", &all, &[2, 3]);
    check("pk = :p AND sk >= :n", &all, &[1, 2, 3]);
    check("pk = :p AND sk BETWEEN :n AND :m", &all, &[1, 2]);
    let prefix = KeyComparison::BeginsWith(KeyValue::S("ab".to_owned()));
    assert!(prefix.matches(&KeyValue::S("abc".to_owned())));
    assert!(!prefix.matches(&KeyValue::S("a".to_owned())));
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused(text in any_text(), v in any_value(), w in any_value()) {
        let placeholders = Placeholders::new(
            [("#n".to_owned(), "a".to_owned())],
            [(":v".to_owned(), v), (":w".to_owned(), w)],
        );
        if let Ok(expression) = KeyConditionExpression::parse(&text, &placeholders) {
            let _resolved = expression.resolve(&schema("a:S", "b:N"));
        }
    }
}
