use pdb_model::{KeyAttribute, KeySchema, ScalarType};
use proptest::prelude::*;

use super::*;
use crate::testing::{any_item, any_value, item};

fn describe_source(source: &Source) -> String {
    source.index.as_ref().map_or_else(|| source.table.clone(), |index| format!("{}.{index}", source.table))
}

fn describe_select(select: &Select) -> String {
    let list = select.projection.as_ref().map_or("*".to_owned(), |paths| {
        paths.iter().map(|part| format!("{} as {}", part.path, part.name)).collect::<Vec<_>>().join(", ")
    });
    let order = select
        .order_by
        .iter()
        .map(|part| format!(" order by {}{}", part.path, if part.is_descending { " desc" } else { "" }));
    format!("select {list} from {}{}", describe_source(&select.source), order.collect::<String>())
}

/// Writes a statement as this crate understands it.
fn describe(statement: &Statement) -> String {
    let mut text = match statement {
        Statement::Select(select) => describe_select(select),
        Statement::Exists(select) => format!("exists {}", describe_select(select)),
        Statement::Insert(insert) => format!("insert {} {}", describe_source(&insert.source), insert.item),
        Statement::Update(update) => format!("update {} {}", describe_source(&update.source), update.update),
        Statement::Delete(delete) => format!("delete {}", describe_source(&delete.source)),
    };
    if let Some(condition) = statement.condition() {
        text.push_str(&format!(" where {condition}"));
    }
    if let Some(returning) = statement.returning() {
        text.push_str(&format!(" {}", returning.clause()));
    }
    text
}

fn parameters(json: &[&str]) -> Vec<AttributeValue> {
    json.iter().map(|json| AttributeValue::from_json(json).unwrap()).collect()
}

/// Checks what a statement means, or the message it is refused with.
fn check_with(statement: &str, json: &[&str], expected: &str) {
    let actual = Statement::parse(statement, &parameters(json))
        .map_or_else(|e| e.to_string(), |statement| describe(&statement));
    assert_eq!(actual, expected, "{statement}");
}

fn check(statement: &str, expected: &str) {
    check_with(statement, &[], expected);
}

/// Checks what a `WHERE` means, or the message it is refused with.
fn check_where(condition: &str, expected: &str) {
    let actual = match Statement::parse(&format!("SELECT * FROM t WHERE {condition}"), &[]) {
        Ok(statement) => statement.condition().unwrap().to_string(),
        Err(e) => e.to_string(),
    };
    assert_eq!(actual, expected, "{condition}");
}

fn malformed(detail: &str) -> String {
    format!("Statement wasn't well formed, can't be processed: {detail}")
}

#[test]
fn statements_are_understood() {
    check(r#"select * from "t""#, "select * from t");
    check(r#"SELECT * FROM "t"."i";"#, "select * from t.i");
    check(
        r#"SELECT a, m.nested, l[0], m.l[1][2], "x.y"."inner" FROM t"#,
        "select a as a, m.nested as nested, l[0] as l[0], m.l[1][2] as l[1][2], x.y.inner as inner from t",
    );
    check(
        "SELECT a FROM t WHERE pk = 'x' ORDER BY sk DESC, b ASC",
        "select a as a from t order by sk desc order by b where pk = {\"S\":\"x\"}",
    );
    check(
        r#"EXISTS(SELECT * FROM "t" WHERE pk = 'a' AND b = 1)"#,
        r#"exists select * from t where pk = {"S":"a"} AND b = {"N":"1"}"#,
    );
    check(
        "INSERT INTO t VALUE {'pk': 'it''s', 'n': -.73e1, 'l': [1, true, null], 'm': {'k': <<'b', 'a'>>}, 's': <<2, 1>>}",
        concat!(
            r#"insert t {"l":{"L":[{"N":"1"},{"BOOL":true},{"NULL":true}]},"m":{"M":{"k":{"SS":["a","b"]}}},"#,
            r#""n":{"N":"-7.3"},"pk":{"S":"it's"},"s":{"NS":["1","2"]}}"#
        ),
    );
    check(
        "UPDATE t SET a = 1, m.b = a + 2 SET c = c - 3 REMOVE d, l[0] WHERE pk = 'x' RETURNING MODIFIED NEW *",
        concat!(
            r#"update t SET a = {"N":"1"}, m.b = a + {"N":"2"}, c = c - {"N":"3"} REMOVE d, l[0] "#,
            r#"where pk = {"S":"x"} RETURNING MODIFIED NEW *"#
        ),
    );
    check(
        "FROM t WHERE pk = 'x' SET l = list_append(l, [1]), i = if_not_exists(i, 0) RETURNING ALL OLD *",
        concat!(
            r#"update t SET l = list_append(l, {"L":[{"N":"1"}]}), i = if_not_exists(i, {"N":"0"}) "#,
            r#"where pk = {"S":"x"} RETURNING ALL OLD *"#
        ),
    );
    check(
        "UPDATE t SET s = set_add(s, <<'a'>>) SET n = SET_DELETE(n, <<1>>) WHERE pk = 1",
        r#"update t ADD s {"SS":["a"]} DELETE n {"NS":["1"]} where pk = {"N":"1"}"#,
    );
    check(
        "DELETE FROM t WHERE pk = 'x' RETURNING ALL OLD *",
        r#"delete t where pk = {"S":"x"} RETURNING ALL OLD *"#,
    );
    check("UPDATE t SET a = 1", r#"update t SET a = {"N":"1"}"#);
    check(
        "SELECT * -- everything\nFROM /* the\ntable */ t WHERE a = 7.31e6 AND b = .5",
        r#"select * from t where a = {"N":"7310000"} AND b = {"N":"0.5"}"#,
    );
}

#[test]
fn parameters_are_put_in_in_order() {
    check_with(
        "UPDATE t SET a = ?, s = set_add(s, ?) WHERE pk = ? AND b IN ? AND c IN [?]",
        &[
            r#"{"N":"1"}"#,
            r#"{"SS":["x"]}"#,
            r#"{"S":"k"}"#,
            r#"{"L":[{"N":"2"},{"N":"3"}]}"#,
            r#"{"B":"AQ=="}"#,
        ],
        concat!(
            r#"update t SET a = {"N":"1"} ADD s {"SS":["x"]} where pk = {"S":"k"} AND b IN ({"N":"2"}, {"N":"3"}) "#,
            r#"AND c IN ({"B":"AQ=="})"#
        ),
    );
    check_with("INSERT INTO t VALUE {'a': ?}", &[r#"{"S":"x"}"#], r#"insert t {"a":{"S":"x"}}"#);
    check_with("INSERT INTO t VALUE ?", &[r#"{"M":{"a":{"S":"x"}}}"#], r#"insert t {"a":{"S":"x"}}"#);
    let mismatch = "Number of parameters in request and statement don't match.";
    check_with("SELECT * FROM t WHERE a = ?", &[], mismatch);
    check_with("SELECT * FROM t", &[r#"{"S":"x"}"#], mismatch);
}

#[test]
fn conditions_are_understood() {
    check_where("a = b OR NOT c = d AND e != f", "a = b OR NOT c = d AND e <> f");
    check_where("(a = b OR c = d) AND e < f", "(a = b OR c = d) AND e < f");
    check_where("a BETWEEN 1 AND 2 AND b = c", r#"a BETWEEN {"N":"1"} AND {"N":"2"} AND b = c"#);
    check_where("a NOT BETWEEN 1 AND 2", r#"NOT a BETWEEN {"N":"1"} AND {"N":"2"}"#);
    check_where("a IN [1, 'x']", r#"a IN ({"N":"1"}, {"S":"x"})"#);
    check_where("a IN (1, 2)", r#"a IN ({"N":"1"}, {"N":"2"})"#);
    check_where("a IN (1)", r#"a IN ({"N":"1"})"#);
    check_where("a NOT IN (1)", r#"NOT a IN ({"N":"1"})"#);
    check_where("a IS NULL", r#"attribute_type(a, {"S":"NULL"})"#);
    check_where("a IS NOT NULL", r#"NOT attribute_type(a, {"S":"NULL"})"#);
    check_where("a IS MISSING", "attribute_not_exists(a)");
    check_where("a.b IS NOT MISSING", "NOT attribute_not_exists(a.b)");
    check_where("a IS string", r#"attribute_type(a, {"S":"S"})"#);
    check_where("a IS BOOL", r#"attribute_type(a, {"S":"BOOL"})"#);
    check_where("a IS INT4", r#"attribute_type(a, {"S":"N"})"#);
    check_where(
        "a IS BAG",
        r#"attribute_type(a, {"S":"SS"}) OR attribute_type(a, {"S":"NS"}) OR attribute_type(a, {"S":"BS"})"#,
    );
    check_where(
        "ATTRIBUTE_EXISTS(a) AND attribute_not_exists(b)",
        "attribute_exists(a) AND attribute_not_exists(b)",
    );
    check_where("attribute_exists(a) = true", "attribute_exists(a)");
    check_where("false = attribute_exists(a)", "NOT attribute_exists(a)");
    check_where("attribute_exists(a) <> true", "NOT attribute_exists(a)");
    check_where("attribute_type(a, 'SS')", r#"attribute_type(a, {"S":"SS"})"#);
    check_where(
        "begins_with(a, 'x') AND contains(b, 1)",
        r#"begins_with(a, {"S":"x"}) AND contains(b, {"N":"1"})"#,
    );
    check_where("size(a) > 2", r#"size(a) > {"N":"2"}"#);
    check_where("a = <<'x', 'y'>>", r#"a = {"SS":["x","y"]}"#);
    check_where("a = {'x': [1]}", r#"a = {"M":{"x":{"L":[{"N":"1"}]}}}"#);
    check_where("a = MISSING", "attribute_not_exists(a)");
    check_where("m['k'][0] = 1", r#"m.k[0] = {"N":"1"}"#);
}

#[test]
fn malformed_statements_are_named() {
    for (statement, detail) in [
        ("hello", "Expected data manipulation"),
        ("hello world", "Expected data manipulation"),
        ("", "Expected data manipulation"),
        ("CREATE TABLE t", "Expected data manipulation"),
        ("UPDATE t WHERE pk = 1", "Expected data manipulation"),
        ("FROM t WHERE pk = 1", "Expected data manipulation"),
        ("SELECT * FROM t WHERE a = 1 b", "Unexpected token after expression"),
        ("SELECT * FROM t; SELECT * FROM t", "Unexpected token after expression"),
        ("INSERT INTO t AS x VALUE {'a': 1}", "Unexpected token after expression"),
        ("SELECT * FROM t WHERE", "Unexpected term"),
        ("SELECT * FROM t WHERE NOT", "Unexpected term"),
        ("SELECT * FROM t WHERE (", "Unexpected term"),
        ("SELECT * FROM", "Unexpected term"),
        ("SELECT * FROM t WHERE a = 1 AND", "Missing right-hand side expression of infix operator"),
        ("SELECT * FROM t WHERE a = 1 OR", "Missing right-hand side expression of infix operator"),
        ("SELECT * FROM t WHERE a =", "Missing right-hand side expression of infix operator"),
        ("SELECT * FROM t WHERE inner = 1", "Unexpected keyword"),
        ("SELECT * FROM t WHERE a = 1 AND OR", "Unexpected keyword"),
        ("SELECT FROM t", "Unexpected keyword"),
        ("SELECT * FROM t WHERE = 1", "Unexpected operator"),
        ("SELECT * FROM t WHERE a = = 1", "Unexpected operator"),
        ("SELECT * FROM t WHERE a IS FOO", "Expected type name"),
        ("SELECT * FROM t WHERE a IS", "Expected type name"),
        ("DELETE FROM", "Expected identifier for simple path"),
        ("UPDATE", "Expected identifier for simple path"),
        ("SELECT a.inner FROM t", "Invalid path dot component"),
        ("SELECT a.size FROM t", "Invalid path dot component"),
        ("SELECT * FROM t WHERE a = 1e99999999999", ""),
        // The exponent counts from the last digit as it is written.
        ("SELECT * FROM t WHERE a = 1.5e-2147483647", ""),
        ("INSERT INTO t VALUE {'a': -.25E-2147483646}", ""),
        ("UPDATE t SET a = [1e-2147483648] WHERE pk = 1", ""),
        ("SELECT * FROM t # comment", ""),
        ("SELECT * FROM t /* comment", ""),
        ("SELECT * FROM t WHERE a = 'x", ""),
        ("SELECT * FROM \"t", ""),
    ] {
        check(statement, &malformed(detail));
    }
    check(&format!("SELECT * FROM t WHERE {}a = 1", "(".repeat(4000)), &malformed(""));
    check(&format!("SELECT * FROM t WHERE {}a = 1", "NOT ".repeat(2000)), &malformed(""));
    check(&format!("SELECT * FROM t WHERE a = 1{}", "+1".repeat(3000)), &malformed(""));
    let many = format!("SELECT * FROM t WHERE a = 1{}", " OR a = 1".repeat(900));
    assert!(Statement::parse(&many, &[]).is_ok());
}

#[test]
fn what_dynamodb_leaves_out_is_refused() {
    for aliased in
        ["SELECT * FROM t AS x", "SELECT * FROM t x", "SELECT a AS b FROM t", "DELETE FROM t x WHERE pk = 1"]
    {
        check(aliased, "Aliasing is not supported");
    }
    check("x IS INT4", "Unsupported operation: IsType");
    check_where("a LIKE 'x'", "Unsupported operation: Like");
    check_where("a = b + 1", "Unsupported operation: Plus");
    check_where("a", "Unsupported operation: Path");
    check("SELECT * FROM t LIMIT 5", "Unsupported clause: LIMIT at 1:17:5");
}

#[test]
fn literals_must_be_storable() {
    let overflow = "Number overflow. Attempting to store a number with magnitude larger than supported range";
    let underflow =
        "Number underflow. Attempting to store a number with magnitude smaller than supported range";
    let digits = "Attempting to store more than 38 significant digits in a Number";
    check_where("a = 1e126", &format!("{overflow} under root"));
    check_where("a = -1e126", &format!("{overflow} under root"));
    check_where("a = 1e-131", &format!("{underflow} under root"));
    check_where("a = 123456789012345678901234567890123456789", &format!("{digits} under root"));
    check_where("a = {'x': 1e126}", &format!("{overflow} under root.x"));
    check_where("a = [1, 1e126]", &format!("{overflow} under root[1]"));
    check_where("a = {'x': [{'y': 1e126}]}", &format!("{overflow} under root.x[0].y"));
    check("INSERT INTO t VALUE {'pk': 1e126}", &format!("{overflow} under root"));
    check("INSERT INTO t VALUE {'pk': 'a', 'm': {'x': 1e126}}", &format!("{overflow} under root.x"));
    check("UPDATE t SET a = 1e126 WHERE pk = ?", &format!("{overflow} under root"));
    check_where("a = <<>>", "Empty bags are not supported");
    let nameless = "One or more parameter values were invalid: Empty attribute name";
    check("INSERT INTO t VALUE {'pk': 'a', '': 1}", nameless);
    check("INSERT INTO t VALUE {'pk': 'a', 'm': {'': 1}}", nameless);
    check("UPDATE t SET \"\" = 1 WHERE pk = 'a'", nameless);
    check("UPDATE t REMOVE m.\"\" WHERE pk = 'a'", nameless);
    check_where("\"\" = 1", nameless);
    check_where(
        "a = <<'x', 'x'>>",
        "One or more parameter values were invalid: Input collection [x, x] contains duplicates.",
    );
    check_where(
        "a = <<1, 1.0>>",
        "One or more parameter values were invalid: Input collection [1, 1] contains duplicates.",
    );
    check(
        "INSERT INTO t VALUE {'pk': set_add(a, <<1>>)}",
        "Unsupported data type: set_add under key root at 1:28:7",
    );
}

#[test]
fn operands_are_checked_without_a_prefix() {
    for (literal, name) in
        [("true", "BOOL"), ("null", "NULL"), ("[1]", "L"), ("{'a': 1}", "M"), ("<<1>>", "NS")]
    {
        check_where(
            &format!("a < {literal}"),
            &format!(
                "Incorrect operand type for operator or function; operator or function: <, operand type: {name}"
            ),
        );
    }
    let path = "Operator or function requires a document path; operator or function: attribute_exists";
    check_where("attribute_exists('x')", path);
    check_with("SELECT * FROM t WHERE attribute_exists(?)", &[r#"{"S":"x"}"#], path);
    check_where(
        "attribute_exists()",
        "Incorrect number of operands for operator or function; operator or function: attribute_exists, number of \
         operands: 0",
    );
    check_where(
        "size() = 1",
        "Incorrect number of operands for operator or function; operator or function: size, number of operands: 0",
    );
    check_where(
        "begins_with(a, 1)",
        "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
    );
    check(
        "UPDATE t SET a = b + 'x' WHERE pk = 1",
        "Incorrect operand type for operator or function; operator or function: +, operand type: S",
    );
    check(
        "UPDATE t SET a = 1 REMOVE a WHERE pk = 1",
        "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: \
         [a]",
    );
}

#[test]
fn functions_are_named_with_their_positions() {
    check("SELECT attribute_exists(a) FROM t", "Unexpected path component at 1:8:16");
    check("SELECT COUNT(*) FROM t", "Unexpected path component at 1:8:5");
    check("SELECT a,\n  size(b) FROM t", "Unexpected path component at 2:3:4");
    check_where("EXISTS(a)", "Unrecognized function: exists at 1:23:6");
    check_where("a = Foo(b)", "Unrecognized function: foo at 1:27:3");
    // What SET knows is no function here.
    check_where("set_add(a, <<1>>)", "Unrecognized function: set_add at 1:23:7");
    check_where("a = 1 AND b = Set_Delete(b, <<1>>)", "Unrecognized function: set_delete at 1:37:10");
    check_where("a IN [SET_ADD(b, <<'x'>>)]", "Unrecognized function: set_add at 1:29:7");
    check_where("size(set_add(a, <<1>>)) > 1", "Unrecognized function: set_add at 1:28:7");
    check(
        "UPDATE t SET a = 1 WHERE pk = 1 AND set_add(a, <<1>>)",
        "Unrecognized function: set_add at 1:37:7",
    );
    check("DELETE FROM t WHERE set_delete(a, <<1>>)", "Unrecognized function: set_delete at 1:21:10");
    check(
        "UPDATE t SET s = set_add(x, <<'a'>>) WHERE pk = 1",
        "The first argument to SET_ADD must equal the assignment value at 1:18:7",
    );
    check(
        "UPDATE t SET s = set_delete(x, <<'a'>>) WHERE pk = 1",
        "The first argument to SET_DELETE must equal the assignment value at 1:18:10",
    );
    check(
        "UPDATE t SET tags = set_add(tags, 'a') WHERE pk = 1",
        "The second argument to SET_ADD must be a value with type SET at 1:29:4",
    );
    check_with(
        "UPDATE t SET tags = set_add(tags, ?) WHERE pk = 1",
        &[r#"{"L":[]}"#],
        "The second argument to SET_ADD must be a value with type SET at 1:29:4",
    );
    check("UPDATE t SET s = set_add(s) WHERE pk = 1", "SET_ADD must have exactly two arguments at 1:18:7");
    check(
        "DELETE FROM t WHERE pk = 1 RETURNING MODIFIED OLD *",
        "Invalid returning clause: RETURNING MODIFIED OLD *. Only RETURNING ALL OLD * is allowed in DELETE statements.",
    );
    check(
        "UPDATE t SET s = size(b) WHERE pk = 1",
        "The function is not allowed to be used this way in an expression; function: size",
    );
}

#[test]
fn sources_have_at_most_an_index() {
    check(r#"SELECT * FROM "t"."i"."x""#, "A path may contain at most 2 components in the FROM clause");
    check(r#"SELECT * FROM "t".""#, &malformed(""));
    check(r#"SELECT * FROM "t"."""#, "Path component cannot be an empty string");
    check(r#"SELECT * FROM """#, "Path component cannot be an empty string");
    check(
        r#"SELECT * FROM "" WHERE a < true"#,
        "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL",
    );
    // Whether a write may name an index is decided behind the look-up of the table.
    check(r#"DELETE FROM "t"."i" WHERE pk = 1"#, r#"delete t.i where pk = {"N":"1"}"#);
}

#[test]
fn results_take_the_last_component() {
    let statement = Statement::parse("SELECT pk, m.nested, m.l[1], q FROM t", &[]).unwrap();
    let Statement::Select(select) = statement else { panic!("it is a SELECT") };
    let item = item(r#"{"pk":{"S":"k"},"m":{"M":{"nested":{"N":"1"},"l":{"L":[{"N":"2"},{"N":"3"}]}}}}"#);
    assert_eq!(select.project(&item).to_string(), r#"{"l[1]":{"N":"3"},"nested":{"N":"1"},"pk":{"S":"k"}}"#);
}

fn schema() -> KeySchema {
    let key = |name: &str, scalar_type| KeyAttribute { name: name.to_owned(), scalar_type };
    KeySchema::simple(key("pk", ScalarType::S), Some(key("sk", ScalarType::N)))
}

fn condition(text: &str) -> ConditionExpression {
    let statement = Statement::parse(&format!("SELECT * FROM t WHERE {text}"), &[]).unwrap();
    statement.condition().unwrap().clone()
}

/// Checks which partitions (and where one starts, ranges in them) a `WHERE` reads, or the message it is refused with.
fn check_access(text: &str, expected: &str) {
    let actual = match access(Some(&condition(text)), &schema()) {
        Err(e) => e.to_string(),
        Ok(Access::Scan) => "scan".to_owned(),
        Ok(Access::Query(conditions)) => {
            let describe = |condition: &crate::KeyCondition| {
                let values = |values: &[pdb_model::KeyValue]| {
                    values
                        .iter()
                        .map(|value| AttributeValue::from(value.clone()).to_string())
                        .collect::<String>()
                };
                let range = condition.range.as_ref().map_or("", |_| " range");
                format!("{}{}{range}", values(&condition.hash), values(&condition.range_equal))
            };
            conditions.iter().map(describe).collect::<Vec<_>>().join("; ")
        }
    };
    assert_eq!(actual, expected, "{text}");
}

#[test]
fn selects_read_partitions_or_everything() {
    check_access("pk = 'a'", r#"{"S":"a"}"#);
    check_access("'a' = pk AND x = 1", r#"{"S":"a"}"#);
    check_access("pk = 'a' AND sk = 1", r#"{"S":"a"}{"N":"1"}"#);
    check_access("pk = 'a' AND sk > 1 AND x = 1", r#"{"S":"a"} range"#);
    check_access("pk = 'a' AND sk BETWEEN 1 AND 2", r#"{"S":"a"} range"#);
    check_access("pk IN ['a', 'b', 'a']", r#"{"S":"a"}; {"S":"b"}"#);
    check_access("pk = 'a' AND (sk = 1 OR sk = 2)", r#"{"S":"a"}"#);
    check_access("pk = 'a' OR pk = 'b' AND sk = 2", r#"{"S":"a"}; {"S":"b"}{"N":"2"}"#);
    check_access("pk = 'a' AND sk = 1 OR pk = 'a' AND sk = 2", r#"{"S":"a"}{"N":"1"}; {"S":"a"}{"N":"2"}"#);
    check_access("pk = 'a' AND sk < 1 OR pk = 'a' AND sk > 1", r#"{"S":"a"} range; {"S":"a"} range"#);
    check_access("pk = 'a' AND x = 1 OR pk = 'a' AND x = 2", r#"{"S":"a"}"#);
    check_access("pk = 'a' AND sk <> 1 OR pk = 'a' AND sk = 2", r#"{"S":"a"}"#);
    check_access("pk = 'a' AND NOT sk = 1 OR pk = 'a' AND sk = 2", r#"{"S":"a"}"#);
    check_access("x = 1", "scan");
    check_access("pk > 'a'", "scan");
    check_access("pk = 'a' OR x = 1", "scan");
    check_access("NOT pk = 'a'", "scan");
    check_access("pk.b = 'a'", "scan");
    let overlap = "Overlapping conditions with range keys are not supported in where clause";
    check_access("pk='a' AND x='1' OR pk='a' AND sk=2", overlap);
    check_access("pk='a' AND sk <= 2 OR pk='a' AND sk >= 2", overlap);
    check_access("pk='a' AND sk BETWEEN 1 AND 5 OR pk='a' AND sk = 3", overlap);
    check_access(
        "pk = 1",
        "One or more parameter values were invalid: Condition parameter type does not match schema type",
    );
    assert_eq!(access(None, &schema()), Ok(Access::Scan));
    let mut wide = schema();
    wide.range.push(KeyAttribute { name: "x".to_owned(), scalar_type: ScalarType::S });
    assert_eq!(
        access(None, &wide).unwrap_err().to_string(),
        "PartiQL statements cannot be executed on tables with multi-attribute HASH keys or multi-attribute RANGE keys."
    );
}

#[test]
fn writes_need_the_whole_key() {
    let check = |text: &str, key: Option<&str>, has_more: bool| {
        let condition = condition(text);
        assert_eq!(primary_key(Some(&condition), &schema()), key.map(item), "{text}");
        assert_eq!(has_other_conditions(Some(&condition), &schema()), has_more, "{text}");
    };
    let key = r#"{"pk":{"S":"a"},"sk":{"N":"1"}}"#;
    check("pk = 'a' AND sk = 1", Some(key), false);
    check("(1 = sk AND x > 2) AND pk = 'a'", Some(key), true);
    check("pk = 'a' AND sk = 1 AND attribute_exists(pk)", Some(key), true);
    check("pk = 'a'", None, false);
    check("pk = 'a' AND sk > 1", None, true);
    check("pk = 'a' AND sk = 1 OR x = 1", None, true);
    assert_eq!(primary_key(None, &schema()), None);
    assert!(!has_other_conditions(None, &schema()));
    assert_eq!(
        PartiqlError::MissingKeyEquality.to_string(),
        "Where clause does not contain a mandatory equality on all key attributes"
    );
}

/// Texts that look like statements more or less.
fn any_statement() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        5 => prop::sample::select(vec![
            "SELECT", "*", "FROM", "t", "\"t\"", "WHERE", "INSERT INTO", "VALUE", "UPDATE", "SET", "REMOVE", "DELETE",
            "RETURNING ALL OLD *", "EXISTS", "ORDER BY", "a", "b.c", "l[0]", "'x'", "1", "1e400", "-", "+", "?", "(", ")",
            "[", "]", "{", "}", ":", "<<", ">>", ",", ".", ";", "=", "<>", "<", "AND", "OR", "NOT", "IN", "BETWEEN", "IS",
            "MISSING", "NULL", "true", "size(a)", "attribute_exists(a)", "set_add(a, <<1>>)", "--", "/*", "\n", "é",
        ]).prop_map(str::to_owned),
        1 => ".{0,3}",
    ];
    let start = prop::sample::select(vec![
        "",
        "SELECT * FROM t WHERE",
        "UPDATE t SET a =",
        "DELETE FROM t WHERE",
        "INSERT INTO t VALUE {'a':",
    ]);
    (start, prop::collection::vec(word, 0..20))
        .prop_map(|(start, words)| format!("{start} {}", words.join(" ")))
}

proptest! {
    /// No text makes the parser, or what works on its result, panic.
    #[test]
    fn any_text_is_parsed_or_refused(text in any_statement(), value in any_value(), item in any_item()) {
        if let Ok(statement) = Statement::parse(&text, std::slice::from_ref(&value)).or_else(|_| Statement::parse(&text, &[])) {
            let _key = primary_key(statement.condition(), &schema());
            let _access = access(statement.condition(), &schema());
            let _holds = statement.condition().is_none_or(|condition| condition.matches(Some(&item)));
        }
    }

    /// The parts that a query reads do not meet, and nothing that `WHERE` accepts lies outside of them.
    #[test]
    fn access_finds_each_match_once(
        parts in prop::collection::vec((0..3u8, 0..8u8, 0..5i64, 0..5i64), 1..4),
        pk in 0..3u8,
        sk in 0..5i64,
    ) {
        let alternative = |(pk, kind, low, high): &(u8, u8, i64, i64)| {
            let range = match kind {
                0 => String::new(),
                1 => format!(" AND sk = {low}"),
                2 => format!(" AND sk < {low}"),
                3 => format!(" AND sk <= {low}"),
                4 => format!(" AND sk > {low}"),
                5 => format!(" AND {low} <= sk"),
                6 => format!(" AND sk <> {low}"),
                _ => format!(" AND sk BETWEEN {} AND {}", low.min(high), low.max(high)),
            };
            format!("pk = '{pk}'{range}")
        };
        let text = parts.iter().map(alternative).collect::<Vec<_>>().join(" OR ");
        let condition = condition(&text);
        if let Ok(Access::Query(reads)) = access(Some(&condition), &schema()) {
            let item = item(&format!(r#"{{"pk":{{"S":"{pk}"}},"sk":{{"N":"{sk}"}}}}"#));
            let key = schema().extract(&item).unwrap();
            let found = reads.iter().filter(|read| read.matches(&key)).count();
            prop_assert!(found <= 1, "{} reads {:?} {} times", text, key, found);
            prop_assert!(found == 1 || !condition.matches(Some(&item)), "{} misses {:?}", text, key);
        }
    }
}
