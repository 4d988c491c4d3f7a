use std::sync::Arc;

use pdb_model::Item;
use proptest::prelude::*;

use super::*;
use crate::Placeholders;
use crate::testing::{any_item, any_path, any_text, any_value, item, placeholders};

/// The item of the specification's test vectors.
const ITEM: &str = r#"{"p":{"S":"k"},"n":{"N":"5"},"l":{"L":[{"N":"0"},{"N":"1"},{"N":"2"},{"N":"3"}]},
    "ss":{"SS":["x","y"]},"m":{"M":{}}}"#;
const KEY: &str = r#"{"p":{"S":"k"}}"#;

const INVALID_PATH: &str = "The document path provided in the update expression is invalid for update";
const MISSING: &str = "The provided expression refers to an attribute that does not exist in the item";
const OPERAND_TYPE: &str = "An operand in the update expression has an incorrect data type";
const OVERFLOW: &str =
    "Number overflow. Attempting to store a number with magnitude larger than supported range";

fn parse(expression: &str, values: &str) -> UpdateExpression {
    let placeholders = placeholders(values);
    let update = UpdateExpression::parse(expression, &placeholders).unwrap();
    assert_eq!(placeholders.check_all_used(), Ok(()), "{expression}");
    update
}

/// Checks what an update makes of the old item (none if it is empty), as JSON, or the message it fails with.
fn check_on(old: &str, expression: &str, values: &str, expected: &str) {
    let old = if old.is_empty() { None } else { Some(item(old)) };
    let actual = match parse(expression, values).apply(old, &item(KEY)) {
        Ok(new) => new.map_or("nothing".to_owned(), |new| new.to_string()),
        Err(e) => e.to_string(),
    };
    assert_eq!(actual, expected, "{expression} with {values}");
}

/// Checks the attributes that an update changes in the test item: their new values as JSON, `gone` if they are removed.
fn check(expression: &str, values: &str, expected: &str) {
    let old = item(ITEM);
    let actual = match parse(expression, values).apply(Some(old.clone()), &item(KEY)) {
        Ok(new) => {
            let new = new.unwrap();
            let changed = new.iter().filter(|(name, value)| old.get(*name) != Some(value));
            let gone = old.keys().filter(|name| !new.contains_key(*name)).map(|name| format!("{name} gone"));
            let mut texts: Vec<_> =
                changed.map(|(name, value)| format!("{name}={value}")).chain(gone).collect();
            texts.sort();
            texts.join(" ")
        }
        Err(e) => e.to_string(),
    };
    assert_eq!(actual, expected, "{expression} with {values}");
}

/// Checks the message that an update is refused with, without the words that name the parameter.
fn refuse(expression: &str, values: &str, expected: &str) {
    let error = UpdateExpression::parse(expression, &placeholders(values)).unwrap_err();
    assert_eq!(error.to_string(), expected, "{expression} with {values}");
}

#[test]
fn test_vectors() {
    // expressions.md, section 10.
    let v = r#":v={"N":"9"}"#;
    check("SET n = n + :v", r#":v={"N":"1e125"}"#, OVERFLOW);
    check("SET l[7] = :v", v, r#"l={"L":[{"N":"0"},{"N":"1"},{"N":"2"},{"N":"3"},{"N":"9"}]}"#);
    check("REMOVE l[0], l[2]", "", r#"l={"L":[{"N":"1"},{"N":"3"}]}"#);
    check("REMOVE l[9]", "", "");
    check("REMOVE q", "", "");
    check("REMOVE m.q", "", "");
    check("REMOVE q.r", "", INVALID_PATH);
    check("SET q.r = :v", v, INVALID_PATH);
    check("SET n.r = :v", v, INVALID_PATH);
    check("SET l.r = :v", v, INVALID_PATH);
    check("SET m[0] = :v", v, INVALID_PATH);
    check("SET a = q", "", MISSING);
    check("SET a = if_not_exists(q, n)", "", r#"a={"N":"5"}"#);
    check("ADD q :v", r#":v={"N":"3"}"#, r#"q={"N":"3"}"#);
    check("ADD q :v", r#":v={"SS":["x"]}"#, r#"q={"SS":["x"]}"#);
    check("ADD n :v", r#":v={"SS":["x"]}"#, OPERAND_TYPE);
    check("DELETE ss :v", r#":v={"SS":["x","y"]}"#, "ss gone");
    check("DELETE q :v", r#":v={"SS":["x"]}"#, "");
    check("set a = :v", v, r#"a={"N":"9"}"#);
}

#[test]
fn set_evaluates_on_the_old_item() {
    check("SET n = m, m = n", "", r#"m={"N":"5"} n={"M":{}}"#);
    check("SET a = n - :v, b = :v + n, n = :v", r#":v={"N":"2"}"#, r#"a={"N":"3"} b={"N":"7"} n={"N":"2"}"#);
    check(
        "SET a = (n + n), b = (n) - (n), c = (n), d = ((n) + n)",
        "",
        r#"a={"N":"10"} b={"N":"0"} c={"N":"5"} d={"N":"10"}"#,
    );
    check(
        "SET a = list_append(l, :v)",
        r#":v={"L":[{"S":"z"}]}"#,
        r#"a={"L":[{"N":"0"},{"N":"1"},{"N":"2"},{"N":"3"},{"S":"z"}]}"#,
    );
    check(
        "SET a = list_append(if_not_exists(q, :e), :e)",
        r#":e={"L":[{"S":"z"}]}"#,
        r#"a={"L":[{"S":"z"},{"S":"z"}]}"#,
    );
    check("SET n = if_not_exists(n, :v) + :v", r#":v={"N":"1"}"#, r#"n={"N":"6"}"#);
    check("SET q = if_not_exists(q, if_not_exists(r, :v))", r#":v={"N":"1"}"#, r#"q={"N":"1"}"#);
    check("SET m.a = :v, m.b = :v", r#":v={"N":"1"}"#, r#"m={"M":{"a":{"N":"1"},"b":{"N":"1"}}}"#);
    check("SET #d = :v", r##"#d=m.a :v={"N":"1"}"##, r#"m.a={"N":"1"}"#);
    check("SET n = n + l", "", OPERAND_TYPE);
    check("SET n = q + n", "", MISSING);
    check("SET n = list_append(n, l)", "", OPERAND_TYPE);
    check("SET n = list_append(l, q)", "", MISSING);
    check("SET n = n + :v", r#":v={"N":"1e-40"}"#, OVERFLOW);
    check("SET q[0] = :v", r#":v={"N":"1"}"#, INVALID_PATH);
    check("SET l[9][0] = :v", r#":v={"N":"1"}"#, INVALID_PATH);
    check("SET ss[0] = :v", r#":v={"S":"x"}"#, INVALID_PATH);
    check_on("", "SET q = :v, m.a = :v", r#":v={"N":"1"}"#, INVALID_PATH);
}

#[test]
fn lists_grow_in_the_order_of_indexes() {
    let v = r#":x={"S":"x"} :y={"S":"y"}"#;
    let old = r#"{"a":{"L":[{"N":"0"},{"N":"1"},{"N":"2"}]}}"#;
    check_on(
        old,
        "SET a[20] = :x, a[10] = :y",
        v,
        r#"{"a":{"L":[{"N":"0"},{"N":"1"},{"N":"2"},{"S":"y"},{"S":"x"}]}}"#,
    );
    check_on(old, "SET a[1] = :x, a[3] = :y", v, r#"{"a":{"L":[{"N":"0"},{"S":"x"},{"N":"2"},{"S":"y"}]}}"#);
    check_on(
        old,
        "SET a[9] = :x REMOVE a[0], a[3]",
        r#":x={"S":"x"}"#,
        r#"{"a":{"L":[{"N":"1"},{"N":"2"},{"S":"x"}]}}"#,
    );
    check_on(old, "SET a[2] = :x REMOVE a[1]", r#":x={"S":"x"}"#, r#"{"a":{"L":[{"N":"0"},{"S":"x"}]}}"#);
    check_on(
        old,
        "ADD a[2] :n, a[7] :n",
        r#":n={"N":"5"}"#,
        r#"{"a":{"L":[{"N":"0"},{"N":"1"},{"N":"7"},{"N":"5"}]}}"#,
    );
    check_on(r#"{"a":{"L":[]}}"#, "SET a[0] = :x", r#":x={"S":"x"}"#, r#"{"a":{"L":[{"S":"x"}]}}"#);
}

#[test]
fn removals_mean_old_positions() {
    let nested = r#"{"l":{"L":[{"M":{"a":{"N":"1"}}},{"M":{"a":{"N":"2"},"b":{"N":"3"}}},{"SS":["x"]}]}}"#;
    check_on(nested, "REMOVE l[0], l[1].a", "", r#"{"l":{"L":[{"M":{"b":{"N":"3"}}},{"SS":["x"]}]}}"#);
    check_on(
        nested,
        "REMOVE l[0] DELETE l[2] :v",
        r#":v={"SS":["x"]}"#,
        r#"{"l":{"L":[{"M":{"a":{"N":"2"},"b":{"N":"3"}}}]}}"#,
    );
    check_on(
        nested,
        "SET l[1].a = :v REMOVE l[0], l[2]",
        r#":v={"N":"9"}"#,
        r#"{"l":{"L":[{"M":{"a":{"N":"9"},"b":{"N":"3"}}}]}}"#,
    );
    check_on(
        r#"{"l":{"L":[{"N":"1"}]},"m":{"M":{"a":{"N":"1"}}}}"#,
        "REMOVE l[0], m.a",
        "",
        r#"{"l":{"L":[]},"m":{"M":{}}}"#,
    );
    check("REMOVE l.a", "", INVALID_PATH);
    check("REMOVE m[0]", "", INVALID_PATH);
    check("REMOVE l[9].a", "", INVALID_PATH);
    check("DELETE q.r :v", r#":v={"SS":["x"]}"#, INVALID_PATH);
    check("DELETE m.r :v", r#":v={"SS":["x"]}"#, "");
}

#[test]
fn add_and_delete_work_on_numbers_and_sets() {
    check("ADD n :v", r#":v={"N":"-7.5"}"#, r#"n={"N":"-2.5"}"#);
    check("ADD ss :v", r#":v={"SS":["a","x"]}"#, r#"ss={"SS":["a","x","y"]}"#);
    check("ADD ss :v", r#":v={"NS":["1"]}"#, OPERAND_TYPE);
    check("ADD ss :v", r#":v={"N":"1"}"#, OPERAND_TYPE);
    check("ADD m.c :v", r#":v={"N":"1"}"#, r#"m={"M":{"c":{"N":"1"}}}"#);
    check("ADD q.c :v", r#":v={"N":"1"}"#, INVALID_PATH);
    check("ADD n :v", r#":v={"N":"1e60"}"#, OVERFLOW);
    check("DELETE ss :v", r#":v={"SS":["x","z"]}"#, r#"ss={"SS":["y"]}"#);
    check("DELETE ss :v", r#":v={"NS":["1"]}"#, OPERAND_TYPE);
    check("DELETE n :v", r#":v={"NS":["1"]}"#, OPERAND_TYPE);
    let sets = r#"{"ns":{"NS":["1","2"]},"bs":{"BS":["AQ==","Ag=="]}}"#;
    check_on(
        sets,
        "ADD ns :n DELETE bs :b",
        r#":n={"NS":["2.0","3"]} :b={"BS":["AQ=="]}"#,
        r#"{"bs":{"BS":["Ag=="]},"ns":{"NS":["1","2","3"]}}"#,
    );
    check_on(
        sets,
        "ADD bs :b DELETE ns :n",
        r#":n={"NS":["1","2"]} :b={"BS":["AA=="]}"#,
        r#"{"bs":{"BS":["AA==","AQ==","Ag=="]}}"#,
    );
}

#[test]
fn a_missing_item_is_created_only_by_set_and_add() {
    check_on("", "SET a = :v", r#":v={"N":"1"}"#, r#"{"a":{"N":"1"},"p":{"S":"k"}}"#);
    check_on("", "ADD a :v REMOVE b.c", r#":v={"N":"1"}"#, r#"{"a":{"N":"1"},"p":{"S":"k"}}"#);
    check_on("", "REMOVE a, b.c, d[0]", "", "nothing");
    check_on("", "DELETE a :v, b.c :v", r#":v={"SS":["a"]}"#, "nothing");
    check_on("", "SET a = b", "", MISSING);
    check_on("", "SET a = if_not_exists(a, :v) + :v", r#":v={"N":"1"}"#, r#"{"a":{"N":"2"},"p":{"S":"k"}}"#);
    let nothing = UpdateExpression::new(Vec::new(), UpdateDialect::Expression).unwrap();
    assert_eq!(nothing.apply(None, &item(KEY)), Ok(Some(item(KEY))));
}

#[test]
fn values_see_the_key_of_an_item_that_is_not_there() {
    let v = r#":v={"N":"7"}"#;
    check_on("", "SET b = p", "", r#"{"b":{"S":"k"},"p":{"S":"k"}}"#);
    check_on("", "SET b = if_not_exists(p, :v)", v, r#"{"b":{"S":"k"},"p":{"S":"k"}}"#);
    check_on("", "SET b = if_not_exists(q, p) ADD n :v", v, r#"{"b":{"S":"k"},"n":{"N":"7"},"p":{"S":"k"}}"#);
    check_on("", "SET b = if_not_exists(q, if_not_exists(p, :v))", v, r#"{"b":{"S":"k"},"p":{"S":"k"}}"#);
    check_on("", "SET b = p.q", "", MISSING);
    check_on("", "SET b = p + :v", v, OPERAND_TYPE);
    check_on("", "SET b = list_append(p, :l)", r#":l={"L":[]}"#, OPERAND_TYPE);
    check_on("", "SET b = p, c = b", "", MISSING);
    check_on("", "REMOVE b", "", "nothing");
    let key = item(r#"{"p":{"S":"k"},"s":{"N":"40"}}"#);
    let new = parse("SET t = s + :v, u = :v - s", v).apply(None, &key).unwrap().unwrap();
    assert_eq!(new.to_string(), r#"{"p":{"S":"k"},"s":{"N":"40"},"t":{"N":"47"},"u":{"N":"-33"}}"#);
}

#[test]
fn results_nest_at_most_32_levels() {
    let deep =
        |levels| (1..levels).fold(AttributeValue::Null, |inner, _| AttributeValue::M([("a", inner)].into()));
    let set = |levels| {
        let placeholders = Placeholders::new([], [(":v".to_owned(), deep(levels))]);
        UpdateExpression::parse("SET m.a = :v", &placeholders).unwrap().apply(Some(item(ITEM)), &item(KEY))
    };
    assert!(set(31).is_ok());
    assert_eq!(
        set(32).unwrap_err().to_string(),
        "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
    );
}

#[test]
fn targets_are_projected_for_return_values() {
    let check = |expression: &str, values: &str, expected_old: &str, expected_new: &str| {
        let old = item(
            r#"{"p":{"S":"k"},"n":{"N":"5"},"l":{"L":[{"N":"0"},{"N":"1"},{"N":"2"}]},
                "m":{"M":{"a":{"N":"1"},"b":{"N":"2"}}}}"#,
        );
        let update = parse(expression, values);
        let new = update.apply(Some(old.clone()), &item(KEY)).unwrap();
        let text = |item: Option<&Item>| {
            update.project_targets(item.cloned()).map_or("absent".to_owned(), |item| item.to_string())
        };
        assert_eq!(text(Some(&old)), expected_old, "{expression}, old");
        assert_eq!(text(new.as_ref()), expected_new, "{expression}, new");
    };
    let v = r#":v={"N":"9"}"#;
    check("SET n = :v", v, r#"{"n":{"N":"5"}}"#, r#"{"n":{"N":"9"}}"#);
    check("SET q = :v", v, "absent", r#"{"q":{"N":"9"}}"#);
    check("REMOVE n", "", r#"{"n":{"N":"5"}}"#, "absent");
    check("SET m.a = :v", v, r#"{"m":{"M":{"a":{"N":"1"}}}}"#, r#"{"m":{"M":{"a":{"N":"9"}}}}"#);
    check("SET l[9] = :v", v, "absent", "absent");
    check("SET l[3] = :v", v, "absent", r#"{"l":{"L":[{"N":"9"}]}}"#);
    check("REMOVE l[1]", "", r#"{"l":{"L":[{"N":"1"}]}}"#, r#"{"l":{"L":[{"N":"2"}]}}"#);
    check("REMOVE l[2]", "", r#"{"l":{"L":[{"N":"2"}]}}"#, "absent");
    check(
        "SET l[2] = :v, l[0] = :v",
        v,
        r#"{"l":{"L":[{"N":"0"},{"N":"2"}]}}"#,
        r#"{"l":{"L":[{"N":"9"},{"N":"9"}]}}"#,
    );
    assert_eq!(parse("SET n = :v", v).project_targets(None), None);
}

#[test]
fn syntax_errors_name_token_and_context() {
    for (expression, token, near) in [
        ("!!! INVALID", "!", "!!"),
        ("INVALID SYNTAX HERE", "INVALID", "INVALID SYNTAX"),
        ("ADD hits : incr", ":", "hits : incr"),
        ("SET _123 = :v", "_", "SET _123"),
        ("SET a = :v,", "<EOF>", ","),
        ("SET", "<EOF>", "SET"),
        ("SET a", "<EOF>", "a"),
        ("REMOVE a b", "b", "a b"),
        ("ADD a b", "b", "a b"),
        ("DELETE a", "<EOF>", "a"),
        ("SET a = f(x + y)", "+", "x + y"),
        ("SET a = b + c - d", "-", "c - d"),
        ("SET a = (b + c) + d", "+", ") + d"),
        ("SET a = b + (c + d)", "+", "c + d"),
        ("SET a = f()", ")", "()"),
        ("SET :a = b", ":a", "SET :a ="),
        ("REMOVE f(a)", "(", "f(a"),
        ("a = :v", "a", "a ="),
        ("SET a = b = c", "=", "b = c"),
    ] {
        refuse(expression, "", &format!("Syntax error; token: \"{token}\", near: \"{near}\""));
    }
    refuse(" ", "", "The expression can not be empty;");
    refuse(
        &format!("REMOVE a{}", " ".repeat(4089)),
        "",
        "Expression size has exceeded the maximum allowed size;",
    );
}

#[test]
fn static_errors_come_in_order() {
    let values = r#":s={"S":"x"} :n={"N":"1"} :l={"L":[]}"#;
    let undefined_name =
        "An expression attribute name used in the document path is not defined; attribute name: #x";
    let undefined_value =
        "An expression attribute value used in expression is not defined; attribute value: :x";
    let once = "The \"SET\" section can only be used once in an update expression;";
    refuse(
        "SET abort = f(a) SET #x = :x",
        values,
        "Attribute name is a reserved keyword; reserved keyword: abort",
    );
    refuse("SET a = f(a) SET #x = :x", values, "Invalid function name; function: f");
    refuse("SET a = LIST_APPEND(:l, :l)", values, "Invalid function name; function: LIST_APPEND");
    refuse("SET #x = :x SET a = :v", values, once);
    let too_deep = "The document path has too many nesting levels; nesting levels: 33";
    for expression in ["SET P = :s", "SET a = P", "SET a = if_not_exists(P, :s)", "REMOVE P", "ADD P :n"] {
        let path = |levels: usize| format!("p{}", ".q".repeat(levels - 1));
        refuse(&expression.replace('P', &path(33)), values, too_deep);
        let accepted = UpdateExpression::parse(&expression.replace('P', &path(32)), &placeholders(values));
        assert!(accepted.is_ok(), "{expression}");
    }
    refuse("SET a = :s SET b = :s", values, once);
    for section in ["REMOVE a REMOVE b", "ADD a :n ADD b :n", "DELETE a :n delete b :n"] {
        let name = section.split(' ').next().unwrap();
        let expected = format!("The \"{name}\" section can only be used once in an update expression;");
        refuse(section, values, &expected);
    }
    refuse("SET a = :x, #x = :s", values, undefined_name);
    refuse("SET a = :s, a = :x", values, undefined_value);
    refuse("SET a = if_not_exists(:x, :s)", values, undefined_value);
    refuse(
        "SET a[1] = :s, b = :s, a.b = :s, a[1].c = :s ADD d :s",
        values,
        "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a, [1]], path \
         two: [a, [1], c]",
    );
    refuse(
        "SET c[1].a = :s REMOVE c",
        values,
        "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [c, [1], a], \
         path two: [c]",
    );
    refuse(
        "SET a = :s REMOVE a",
        values,
        "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: \
         [a]",
    );
    refuse(
        "SET a.b = :s, a[1] = :s ADD d :s",
        values,
        "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, b], path \
         two: [a, [1]]",
    );
    refuse(
        "SET a = list_append(:s) ADD d :s",
        values,
        "Incorrect operand type for operator or function; operator: ADD, operand type: STRING",
    );
}

#[test]
fn add_and_delete_refuse_constants() {
    for (value, name) in [
        (r#"{"S":"x"}"#, "STRING"),
        (r#"{"B":"AQ=="}"#, "BINARY"),
        (r#"{"NULL":true}"#, "NULL"),
        (r#"{"BOOL":true}"#, "BOOLEAN"),
        (r#"{"L":[]}"#, "LIST"),
        (r#"{"M":{}}"#, "MAP"),
    ] {
        for section in ["ADD", "DELETE"] {
            let expected = format!(
                "Incorrect operand type for operator or function; operator: {section}, operand type: {name}"
            );
            refuse(&format!("{section} a :v"), &format!(":v={value}"), &expected);
        }
    }
    refuse(
        "DELETE a :v",
        r#":v={"N":"1"}"#,
        "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER",
    );
}

#[test]
fn functions_must_suit() {
    let values = r#":s={"S":"x"} :n={"N":"1"} :l={"L":[]}"#;
    let wrong_type = |expression: &str, operator: &str, operand: &str| {
        let expected = format!(
            "Incorrect operand type for operator or function; operator or function: {operator}, operand type: {operand}"
        );
        refuse(expression, values, &expected);
    };
    wrong_type("SET a = list_append(:s, b)", "list_append", "S");
    wrong_type("SET a = list_append(b, :n)", "list_append", "N");
    wrong_type("SET a = b + :s", "+", "S");
    wrong_type("SET a = :l - :n", "-", "L");
    wrong_type("SET a = list_append(b, :l) + :n", "+", "L");
    let count = |expression: &str, function: &str, count: usize| {
        let expected = format!(
            "Incorrect number of operands for operator or function; operator or function: {function}, number of operands: \
             {count}"
        );
        refuse(expression, values, &expected);
    };
    count("SET a = list_append(:s)", "list_append", 1);
    count("SET a = if_not_exists(a, b, c)", "if_not_exists", 3);
    let path = "Operator or function requires a document path; operator or function: if_not_exists";
    refuse("SET a = if_not_exists(:s, :n)", values, path);
    refuse("SET a = if_not_exists(if_not_exists(a, b), :n)", values, path);
    let misuse = |expression: &str, function: &str| {
        let expected =
            format!("The function is not allowed to be used this way in an expression; function: {function}");
        refuse(expression, values, &expected);
    };
    misuse("SET a = list_append(list_append(b, c), :l)", "list_append");
    misuse("SET a = size(b)", "size");
    misuse("SET a = if_not_exists(a, attribute_exists(b))", "attribute_exists");
    refuse("SET a = ((b))", values, "The expression has redundant parentheses;");
    parse(
        "SET a = list_append(if_not_exists(a, :l), :l), b = if_not_exists(b, list_append(a, a))",
        r#":l={"L":[]}"#,
    );
}

#[test]
fn direct_assignments_are_whole_attributes_set_to_constants() {
    let update =
        parse("SET a = :v, b.c = :v, d = a, e = (:v), f = if_not_exists(f, :v) ADD g :v", r#":v={"N":"1"}"#);
    let names: Vec<_> = update.direct_assignments().map(|(name, _)| name).collect();
    assert_eq!(names, ["a", "e"]);
    let targets: Vec<_> = update.targets().map(ToString::to_string).collect();
    assert_eq!(targets, ["a", "b.c", "d", "e", "f", "g"]);
    assert_eq!(
        parse("ADD a :v REMOVE b SET c = d - :v", r#":v={"N":"1"}"#).to_string(),
        "ADD a {\"N\":\"1\"} REMOVE b SET c = d - {\"N\":\"1\"}"
    );
}

fn any_operand() -> impl Strategy<Value = UpdateOperand> {
    let leaf = prop_oneof![
        any_path().prop_map(UpdateOperand::Path),
        any_value().prop_map(|value| UpdateOperand::Value(Arc::new(value))),
    ];
    leaf.prop_recursive(2, 4, 2, |inner| {
        prop_oneof![
            (any_path(), inner.clone())
                .prop_map(|(path, other)| UpdateOperand::IfNotExists(path, Box::new(other))),
            (inner.clone(), inner)
                .prop_map(|(first, second)| UpdateOperand::ListAppend(Box::new(first), Box::new(second))),
        ]
    })
}

/// Updates of all four sections in a random order, if their targets allow.
fn any_update() -> impl Strategy<Value = UpdateExpression> {
    let set = prop_oneof![
        2 => any_operand().prop_map(SetValue::Operand),
        1 => (any_operand(), any_operand()).prop_map(|(left, right)| SetValue::Plus(left, right)),
        1 => (any_operand(), any_operand()).prop_map(|(left, right)| SetValue::Minus(left, right)),
    ];
    let value = || any_value().prop_map(Arc::new);
    let sections = (
        prop::collection::vec(
            (any_path(), set).prop_map(|(path, value)| UpdateAction::Set(path, value)),
            0..4,
        ),
        prop::collection::vec(any_path().prop_map(UpdateAction::Remove), 0..3),
        prop::collection::vec(
            (any_path(), value()).prop_map(|(path, value)| UpdateAction::Add(path, value)),
            0..3,
        ),
        prop::collection::vec(
            (any_path(), value()).prop_map(|(path, value)| UpdateAction::Delete(path, value)),
            0..3,
        ),
    );
    sections
        .prop_flat_map(|(set, remove, add, delete)| Just(vec![set, remove, add, delete]).prop_shuffle())
        .prop_filter_map("an update has an action, and targets apart", |sections| {
            let actions = sections.concat();
            if actions.is_empty() {
                None
            } else {
                UpdateExpression::new(actions, UpdateDialect::Expression).ok()
            }
        })
}

proptest! {
    /// Printing loses nothing: a printed update is parsed to itself, or refused for its operands, never for its form.
    #[test]
    fn printed_updates_parse_to_themselves(update in any_update()) {
        let printed = update.printed();
        match UpdateExpression::parse(&printed.text, &printed.placeholders()) {
            Ok(again) => prop_assert_eq!(again, update),
            Err(
                ExprError::ActionOperandType { .. } | ExprError::OperandType { .. } | ExprError::FunctionMisuse(_),
            ) => {}
            Err(e) => prop_assert!(false, "{} cannot be parsed: {e}", printed.text),
        }
    }

    /// No text makes the parser or the update panic.
    #[test]
    fn any_text_is_parsed_or_refused(text in any_text(), old in any_item(), v in any_value(), w in any_value()) {
        let placeholders = Placeholders::new(
            [("#n".to_owned(), "a".to_owned()), ("#x".to_owned(), "x.y".to_owned())],
            [(":v".to_owned(), v), (":w".to_owned(), w)],
        );
        if let Ok(update) = UpdateExpression::parse(&text, &placeholders) {
            let _result = update.apply(Some(old.clone()), &Item::new());
        }
    }

    /// Whatever an update does, it touches nothing outside the attributes of its targets, and on a missing item it fails,
    /// creates nothing, or keeps the key.
    #[test]
    fn updates_touch_only_their_targets(update in any_update(), old in any_item()) {
        if let Ok(new) = update.apply(Some(old.clone()), &Item::new()) {
            let new = new.unwrap();
            let touched = |name: &String| update.targets().any(|path| *path.attribute == **name);
            for name in old.keys().chain(new.keys()).filter(|name| !touched(name)) {
                prop_assert_eq!(old.get(name), new.get(name));
            }
        }
        let key = item(KEY);
        if let Ok(Some(new)) = update.apply(None, &key) {
            prop_assert_eq!(new.get("p"), key.get("p"));
        }
    }
}
