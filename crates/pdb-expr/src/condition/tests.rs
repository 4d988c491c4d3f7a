use std::sync::Arc;

use pdb_model::Item;
use proptest::prelude::*;

use super::*;
use crate::Parameter;
use crate::testing::{any_item, any_path, any_text, any_value, item, placeholders};

/// Checks whether a condition holds for the item of the specification's test vectors.
fn check(expression: &str, values: &str, expected: bool) {
    let item = item(
        r#"{"p":{"S":"k"},"n":{"N":"5"},"s":{"S":"abc"},"b":{"B":"AQI="},"t":{"BOOL":true},"z":{"NULL":true},
            "ss":{"SS":["x","y"]},"ns":{"NS":["1","2"]},"l":{"L":[{"S":"a"},{"N":"2"},{"L":[{"N":"3"}]}]},
            "m":{"M":{"k":{"M":{"j":{"N":"1"}}}}}}"#,
    );
    check_on(expression, values, Some(&item), expected);
}

fn check_on(expression: &str, values: &str, item: Option<&Item>, expected: bool) {
    let placeholders = placeholders(values);
    let condition = ConditionExpression::parse(expression, &placeholders).unwrap();
    assert_eq!(condition.matches(item), expected, "{expression} with {values}");
    assert_eq!(placeholders.check_all_used(), Ok(()), "{expression}");
    let printed = condition.printed();
    let again = ConditionExpression::parse(&printed.text, &printed.placeholders()).unwrap();
    assert_eq!(again, condition, "{expression} printed as {}", printed.text);
}

/// Checks the message that a condition is refused with, without the words that name the parameter.
fn refuse(expression: &str, values: &str, expected: &str) {
    let error = ConditionExpression::parse(expression, &placeholders(values)).unwrap_err();
    assert_eq!(error.to_string(), expected, "{expression} with {values}");
}

#[test]
fn test_vectors() {
    // expressions.md, section 10.
    check("n = :v", r#":v={"N":"5.0"}"#, true);
    check("n = :v", r#":v={"S":"5"}"#, false);
    check("n <> :v", r#":v={"S":"5"}"#, true);
    check("q <> :v", r#":v={"N":"1"}"#, true);
    check("q = r", "", false);
    check("q <> r", "", true);
    check("n < :v", r#":v={"S":"z"}"#, false);
    check("NOT n < :v", r#":v={"S":"z"}"#, true);
    check("ss = :v", r#":v={"SS":["y","x"]}"#, true);
    check("contains(ss, :v)", r#":v={"S":"x"}"#, true);
    check("contains(s, :v)", r#":v={"S":"bc"}"#, true);
    check("contains(l, :v)", r#":v={"L":[{"N":"3"}]}"#, true);
    check("contains(m, :v)", r#":v={"S":"k"}"#, false);
    check("contains(ns, :v)", r#":v={"N":"1.0"}"#, true);
    check("begins_with(s, :v)", r#":v={"S":""}"#, true);
    check("begins_with(n, :v)", r#":v={"S":"5"}"#, false);
    check("size(s) = :v", r#":v={"N":"3"}"#, true);
    check("size(l) = :v", r#":v={"N":"3"}"#, true);
    check("size(m) = :v", r#":v={"N":"1"}"#, true);
    check("size(n) = :v", r#":v={"N":"1"}"#, false);
    check("attribute_type(z, :v)", r#":v={"S":"NULL"}"#, true);
    check("m.k.j = :v", r#":v={"N":"1"}"#, true);
    check("l[2][0] = :v", r#":v={"N":"3"}"#, true);
    check("m[0] = :v", r#":v={"N":"3"}"#, false);
    check("l.a = :v", r#":v={"N":"3"}"#, false);
    check("attribute_not_exists(m[0]) AND attribute_not_exists(l.a)", "", true);
    check("n BETWEEN :a AND :b", r#":a={"N":"5"} :b={"N":"5"}"#, true);
    check("n IN (:a, :b)", r#":a={"S":"x"} :b={"N":"5"}"#, true);
    let abc = item(r#"{"a":{"N":"1"},"b":{"N":"2"},"c":{"N":"3"}}"#);
    check_on("a < b OR c < b AND b < c", "", Some(&abc), true);
    check_on("NOT a < b AND c < b", "", Some(&abc), false);
    check_on("b BETWEEN a AND c AND a < b", "", Some(&abc), true);
}

#[test]
fn predicates_mean_what_is_documented() {
    check("attribute_exists(z) AND attribute_exists(l[2]) AND attribute_exists(m.k)", "", true);
    check("attribute_exists(l[3]) OR attribute_exists(ss[0]) OR attribute_exists(s.a)", "", false);
    check("attribute_type(l, :v) AND NOT attribute_type(q, :v)", r#":v={"S":"L"}"#, true);
    check("attribute_type(:x, :v)", r#":x={"N":"1"} :v={"S":"N"}"#, true);
    check("begins_with(b, :v) AND contains(b, :w)", r#":v={"B":"AQ=="} :w={"B":"Ag=="}"#, true);
    check("begins_with(:v, s)", r#":v={"S":"abcd"}"#, true);
    check("contains(:v, s) AND contains(:w, n)", r#":v={"L":[{"S":"abc"}]} :w={"NS":["5"]}"#, true);
    check(
        "size(b) = :v AND size(ss) = :v AND size(ns) = :v AND size(:x) = :v",
        r#":v={"N":"2"} :x={"S":"ab"}"#,
        true,
    );
    // No size is unequal to every value, and in no order to any.
    check("size(q) <> :v AND size(t) <> :v AND size(z) <> :v AND size(n) <> :v", r#":v={"N":"2"}"#, true);
    check("size(t) <> size(z) AND :v <> size(q) AND size(q) <> s", r#":v={"S":"2"}"#, true);
    check("size(s) <> :v OR size(l) <> size(s)", r#":v={"N":"3"}"#, false);
    check("size(q) = :v OR size(t) < :v OR size(z) >= :v OR size(q) = size(q)", r#":v={"N":"2"}"#, false);
    check("size(q) IN (:v) OR size(n) BETWEEN :v AND :v", r#":v={"N":"2"}"#, false);
    check("size(s) BETWEEN :a AND size(:b)", r#":a={"N":"1"} :b={"SS":["a","b","c"]}"#, true);
    check("size(s) IN (n, :a)", r#":a={"N":"3"}"#, true);
    check("n BETWEEN s AND n OR s BETWEEN s AND p AND p BETWEEN p AND s", "", false);
    check("q IN (:v, r)", r#":v={"N":"1"}"#, false);
    check("t = :t AND z = :z AND b < :b", r#":t={"BOOL":true} :z={"NULL":true} :b={"B":"AQID"}"#, true);
    check("m = :v", r#":v={"M":{"k":{"M":{"j":{"N":"1.0"}}}}}"#, true);
    check("NOT NOT n < :v", r#":v={"N":"10"}"#, true);
    check_on("attribute_not_exists(p) AND p <> :v", r#":v={"S":"k"}"#, None, true);
    check_on("size(a) = :v", r#":v={"N":"3"}"#, Some(&item(r#"{"a":{"S":"abÿ"}}"#)), true);
    check_on("#a = :v", r##"#a=x.y :v={"N":"3"}"##, Some(&item(r#"{"x.y":{"N":"3"}}"#)), true);
}

#[test]
fn words_and_parentheses_are_free() {
    check("n=:v aNd(s)<>(:v)\tOR\nnot(attribute_exists(n))", r#":v={"N":"5"}"#, true);
    check("(n = :v)", r#":v={"N":"5"}"#, true);
    check("(n) = (:v)", r#":v={"N":"5"}"#, true);
    check("((n = :v) AND s <> :v)", r#":v={"N":"5"}"#, true);
    check("(attribute_exists(n)) AND (size(s)) > (:v)", r#":v={"N":"2"}"#, true);
    check("n = :v OR (n = :v OR n = :v) AND (n = :v AND n = :v)", r#":v={"N":"5"}"#, true);
    check("(n = :v AND attribute_exists(n)) AND (n <> :v OR attribute_exists(n))", r#":v={"N":"5"}"#, true);
    check("n IN ((:v))", r#":v={"N":"5"}"#, true);
    check("NOT (n = :v OR NOT (n = :v AND n = :v))", r#":v={"N":"5"}"#, false);
}

#[test]
fn syntax_errors_name_token_and_context() {
    for (expression, token, near) in [
        ("!!! INVALID", "!", "!!"),
        ("attribute_not_exists(", "<EOF>", "("),
        ("a IN ()", ")", "()"),
        ("f()", ")", "()"),
        (":v", "<EOF>", ":v"),
        ("a", "<EOF>", "a"),
        ("a AND b = c", "AND", "a AND b"),
        ("a = b = c", "=", "b = c"),
        ("(a = b) = c", "=", ") = c"),
        ("a = (b = c)", "=", "b = c"),
        ("(a AND b)", "AND", "a AND b"),
        ("(a)", "<EOF>", ")"),
        ("NOT a", "<EOF>", "a"),
        ("(NOT a)", ")", "a)"),
        ("a = :v)", ")", ":v)"),
        ("a = 1", "1", "= 1"),
        ("a = \"x\"", "\"", "= \"x"),
        ("a = 'x'", "'", "= 'x"),
        ("hi-there = :v", "-", "hi-there"),
        ("_a = :v", "_", "_a"),
        ("a.and = :v", "and", ".and ="),
        ("a[-1] = :v", "-", "[-1"),
        ("a[:v] = :v", ":v", "[:v]"),
        ("a[#v] = :v", "#v", "[#v]"),
        ("a == :v", "=", "== :v"),
        ("a > = :v", "=", "> = :v"),
        ("size(a + b) = :v", "+", "a + b"),
        ("a BETWEEN b OR c", "OR", "b OR c"),
        ("a b", "b", "a b"),
        ("a = :v  SET", "SET", ":v  SET"),
        ("a @ b", "@", "a @ b"),
        ("é = :v", "é", "é ="),
        ("#f(a)", "(", "#f(a"),
        (": = a", ":", ": ="),
    ] {
        refuse(expression, "", &format!("Syntax error; token: \"{token}\", near: \"{near}\""));
    }
}

#[test]
fn limits_are_enforced() {
    refuse("", "", "The expression can not be empty;");
    refuse(" \t\r\n", "", "The expression can not be empty;");
    let long = format!("a = :v{}", " ".repeat(4091));
    refuse(&long, "", "Expression size has exceeded the maximum allowed size; expression size: 4097");
    let many = |count| vec!["a=:v"; count].join(" OR ");
    let v = r#":v={"N":"1"}"#;
    assert!(ConditionExpression::parse(&many(150), &placeholders(v)).is_ok());
    refuse(&many(151), v, "The expression contains too many operators; operator count: 301");
    refuse(
        &format!("{}a = :v", "NOT ".repeat(300)),
        v,
        "The expression contains too many operators; operator count: 301",
    );
    // The deepest legal nesting: one operator a level.
    let nested = format!("{}a = :v{}", "NOT (".repeat(299), ")".repeat(299));
    let condition = ConditionExpression::parse(&nested, &placeholders(v)).unwrap();
    assert!(condition.matches(None));
    assert_eq!(condition.to_string().matches("NOT").count(), 299);
    let list = |count| format!("a IN ({})", vec![":v"; count].join(","));
    assert!(ConditionExpression::parse(&list(99), &placeholders(v)).is_ok());
    refuse(
        &list(100),
        v,
        "Incorrect number of operands for operator or function; operator or function: IN, number of operands: 101",
    );
    // The attribute is the first level.
    let deep = |levels: usize| format!("a{} = :v", ".b".repeat(levels - 1));
    assert!(ConditionExpression::parse(&deep(32), &placeholders(v)).is_ok());
    refuse(&deep(33), v, "The document path has too many nesting levels; nesting levels: 33");
    let mixed = format!("attribute_exists(#a{}[0])", ".b[7]".repeat(16));
    refuse(&mixed, "#a=x", "The document path has too many nesting levels; nesting levels: 34");
    refuse(
        "a[99999999999999] = :v",
        v,
        "List index is not within the allowable range; index: [99999999999999]",
    );
}

#[test]
fn parentheses_must_enclose_something() {
    let expected = "The expression has redundant parentheses;";
    refuse("((a = :v))", "", expected);
    refuse("((a)) = :v", "", expected);
    refuse("(((a = :v) AND b = :w))", "", expected);
    refuse("a = ((:v))", "", expected);
    refuse("((attribute_exists(a)))", "", expected);
    refuse("a IN (((b)))", "", expected);
    refuse("f(((a))) AND size(abort)", "", expected);
    refuse(&"(".repeat(4000), "", expected);
}

#[test]
fn functions_must_be_known_and_in_place() {
    refuse("f(a) AND size(abort)", "", "Invalid function name; function: f");
    refuse("SIZE(a) = :v", "", "Invalid function name; function: SIZE");
    let misused = |expression: &str, function: &str| {
        let expected =
            format!("The function is not allowed to be used this way in an expression; function: {function}");
        refuse(expression, "", &expected);
    };
    misused("size(abort)", "size");
    misused("NOT size(a)", "size");
    misused("a = :v OR (size(a))", "size");
    misused("attribute_exists(a) = :v", "attribute_exists");
    misused("a = attribute_exists(a)", "attribute_exists");
    misused("size(contains(a, b)) = :v", "contains");
    misused("a IN (:v, begins_with(a, b))", "begins_with");
    misused("a BETWEEN :v AND begins_with(a, b)", "begins_with");
    misused("if_not_exists(a, b)", "if_not_exists");
    misused("a = list_append(b, c)", "list_append");
    misused("contains(a, if_not_exists(a, b)) AND size(a)", "if_not_exists");
    misused("size(attribute_exists(a))", "size");
}

#[test]
fn names_and_values_must_be_defined() {
    refuse("a = :v AND abOrt = #x", "", "Attribute name is a reserved keyword; reserved keyword: abOrt");
    refuse("a.b.Abort = :v", "", "Attribute name is a reserved keyword; reserved keyword: Abort");
    refuse(
        "a = #x AND b = :v",
        "",
        "An expression attribute name used in the document path is not defined; attribute name: #x",
    );
    refuse(
        "a.#x[1] = :v",
        "",
        "An expression attribute name used in the document path is not defined; attribute name: #x",
    );
    refuse(
        "a = :x AND #b = :v",
        "",
        "An expression attribute value used in expression is not defined; attribute value: :x",
    );
    refuse(
        "contains(:x)",
        "",
        "An expression attribute value used in expression is not defined; attribute value: :x",
    );
}

#[test]
fn operands_are_counted() {
    for (expression, function, count) in [
        ("contains(a)", "contains", 1),
        ("contains(a, b, c)", "contains", 3),
        ("attribute_exists(a, b)", "attribute_exists", 2),
        ("attribute_not_exists(:n, :n, :n)", "attribute_not_exists", 3),
        ("attribute_type(a)", "attribute_type", 1),
        ("begins_with(a)", "begins_with", 1),
        ("size(a, b) = :n", "size", 2),
        ("a IN (b, size(a, b, c))", "size", 3),
    ] {
        refuse(
            expression,
            r#":n={"N":"1"}"#,
            &format!(
                "Incorrect number of operands for operator or function; operator or function: {function}, number of \
                 operands: {count}"
            ),
        );
    }
}

#[test]
fn first_operand_must_be_distinct() {
    for (expression, operator, path) in [
        ("a = a", "=", "[a]"),
        ("a.b[1] <> a.b[1]", "<>", "[a, b, [1]]"),
        ("#n >= a", ">=", "[a]"),
        ("begins_with(a, a)", "begins_with", "[a]"),
        ("contains(a, a)", "contains", "[a]"),
    ] {
        refuse(
            expression,
            "#n=a",
            &format!(
                "The first operand must be distinct from the remaining operands for this operator or function; \
                 operator: {operator}, first operand: {path}"
            ),
        );
    }
    check("NOT n.a = n", "", true);
}

#[test]
fn constants_must_suit_their_operators() {
    let n = r#":n={"N":"1"} :s={"S":"a"} :t={"BOOL":true} :z={"NULL":true} :l={"L":[]} :m={"M":{}} :ss={"SS":["a"]} :ns={"NS":["1"]} :bs={"BS":["AQ=="]} :b={"B":"AQ=="} :c={"S":"b"}"#;
    for (expression, operator, operand) in [
        ("a < :t", "<", "BOOL"),
        ("a <= :z", "<=", "NULL"),
        (":l > a", ">", "L"),
        (":m >= a", ">=", "M"),
        ("a < :ss", "<", "SS"),
        ("a < :ns", "<", "NS"),
        ("a < :bs", "<", "BS"),
        ("a BETWEEN :t AND :t", "BETWEEN", "BOOL"),
        (":l BETWEEN a AND b", "BETWEEN", "L"),
        ("begins_with(a, :n)", "begins_with", "N"),
        ("begins_with(:l, a)", "begins_with", "L"),
        ("begins_with(size(a), :s)", "begins_with", "N"),
        ("size(:n) = :n", "size", "N"),
        ("size(:t) < :t", "size", "BOOL"),
        ("size(:z) = :n", "size", "NULL"),
        ("size(size(a)) = :n", "size", "N"),
        ("attribute_type(a, :n)", "attribute_type", "N"),
        ("attribute_type(a, b)", "attribute_type", "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}"),
    ] {
        refuse(
            expression,
            n,
            &format!(
                "Incorrect operand type for operator or function; operator or function: {operator}, operand type: \
                 {operand}"
            ),
        );
    }
    refuse(
        "attribute_exists(:s)",
        n,
        "Operator or function requires a document path; operator or function: attribute_exists",
    );
    refuse(
        "attribute_not_exists(size(a))",
        n,
        "Operator or function requires a document path; operator or function: attribute_not_exists",
    );
    refuse(
        "attribute_type(a, :s)",
        n,
        "Invalid attribute type name found; type: a, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
    );
    refuse(
        "a BETWEEN :n AND :s",
        n,
        "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: \
         AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:a}",
    );
    refuse(
        "a BETWEEN :c AND :s",
        n,
        "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound \
         operand: AttributeValue: {S:b}, upper bound operand: AttributeValue: {S:a}",
    );
    refuse(
        "a BETWEEN :b AND :s",
        n,
        "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: \
         AttributeValue: {B:AQ==}, upper bound operand: AttributeValue: {S:a}",
    );
}

#[test]
fn message_names_the_parameter() {
    let error = ConditionExpression::parse("a", &Placeholders::default()).unwrap_err();
    let expected = "Syntax error; token: \"<EOF>\", near: \"a\"";
    assert_eq!(error.message(Parameter::Condition), format!("Invalid ConditionExpression: {expected}"));
    assert_eq!(error.message(Parameter::Filter), format!("Invalid FilterExpression: {expected}"));
}

#[test]
fn paths_are_listed_in_order() {
    let text = "a.b = c AND NOT (size(d[0]) IN (e, a)) OR attribute_exists(f)";
    let condition = ConditionExpression::parse(text, &Placeholders::default()).unwrap();
    let paths: Vec<_> = condition.paths().iter().map(ToString::to_string).collect();
    assert_eq!(paths, ["a.b", "c", "d[0]", "e", "a", "f"]);
    assert_eq!(condition.to_string(), "a.b = c AND NOT size(d[0]) IN (e, a) OR attribute_exists(f)");
}

/// Operands that a parsed condition may have where any value will do.
fn any_operand() -> impl Strategy<Value = Operand> {
    let operand = prop_oneof![
        any_path().prop_map(Operand::Path),
        any_value().prop_map(|value| Operand::Value(Arc::new(value)))
    ];
    prop_oneof![4 => operand, 1 => any_path().prop_map(|path| Operand::Size(Box::new(Operand::Path(path))))]
}

fn any_condition() -> impl Strategy<Value = ConditionExpression> {
    let comparator = prop::sample::select(vec![
        Comparator::Equal,
        Comparator::NotEqual,
        Comparator::Less,
        Comparator::LessOrEqual,
        Comparator::Greater,
        Comparator::GreaterOrEqual,
    ]);
    let predicate = prop_oneof![
        (comparator, any_operand(), any_operand())
            .prop_map(|(comparator, left, right)| ConditionExpression::Compare(comparator, left, right)),
        (any_operand(), any_operand(), any_operand())
            .prop_map(|(operand, lower, upper)| ConditionExpression::Between { operand, lower, upper }),
        (any_operand(), prop::collection::vec(any_operand(), 1..4))
            .prop_map(|(operand, list)| ConditionExpression::In { operand, list }),
        any_path().prop_map(ConditionExpression::AttributeExists),
        any_path().prop_map(ConditionExpression::AttributeNotExists),
        (any_operand(), prop::sample::select(AttributeType::ALL.to_vec())).prop_map(
            |(operand, attribute_type)| ConditionExpression::AttributeType(operand, attribute_type)
        ),
        (any_operand(), any_operand())
            .prop_map(|(whole, prefix)| ConditionExpression::BeginsWith(whole, prefix)),
        (any_operand(), any_operand()).prop_map(|(whole, part)| ConditionExpression::Contains(whole, part)),
    ];
    predicate.prop_recursive(4, 16, 3, |inner| {
        let parts = prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            parts.clone().prop_map(ConditionExpression::And),
            parts.prop_map(ConditionExpression::Or),
            inner.prop_map(|inner| ConditionExpression::Not(Box::new(inner))),
        ]
    })
}

proptest! {
    /// Printing loses nothing: a printed condition is parsed to itself, or refused for its operands, never for its form.
    #[test]
    fn printed_conditions_parse_to_themselves(condition in any_condition()) {
        let printed = condition.printed();
        match ConditionExpression::parse(&printed.text, &printed.placeholders()) {
            Ok(again) => prop_assert_eq!(again, condition),
            Err(
                ExprError::Syntax { .. }
                | ExprError::RedundantParentheses
                | ExprError::Reserved(_)
                | ExprError::UndefinedName(_)
                | ExprError::UndefinedValue(_)
                | ExprError::InvalidFunction(_)
                | ExprError::FunctionMisuse(_),
            ) => prop_assert!(false, "{} cannot be parsed", printed.text),
            Err(_) => {}
        }
    }

    /// No text makes the parser or the evaluator panic.
    #[test]
    fn any_text_is_parsed_or_refused(text in any_text(), item in any_item(), v in any_value(), w in any_value()) {
        let placeholders = Placeholders::new(
            [("#n".to_owned(), "a".to_owned()), ("#x".to_owned(), "x.y".to_owned())],
            [(":v".to_owned(), v), (":w".to_owned(), w)],
        );
        if let Ok(condition) = ConditionExpression::parse(&text, &placeholders) {
            let _holds = condition.matches(Some(&item));
            let printed = condition.printed();
            prop_assert_eq!(ConditionExpression::parse(&printed.text, &printed.placeholders()), Ok(condition));
        }
    }

    /// Evaluation takes every tree, and `NOT` turns its result around.
    #[test]
    fn negation_is_the_opposite(condition in any_condition(), item in any_item()) {
        let held = condition.matches(Some(&item));
        prop_assert_eq!(ConditionExpression::Not(Box::new(condition)).matches(Some(&item)), !held);
    }
}
