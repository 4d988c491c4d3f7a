use pdb_model::Item;

use super::*;
use crate::testing::item;

fn value(json: &str) -> AttributeValue {
    AttributeValue::from_json(json).unwrap()
}

fn values(json: &[&str]) -> Vec<AttributeValue> {
    json.iter().map(|json| value(json)).collect()
}

fn condition(comparison_operator: ComparisonOperator, json: &[&str]) -> Condition {
    Condition { comparison_operator, attribute_value_list: values(json) }
}

const ITEM: &str = r#"{"n":{"N":"5"},"s":{"S":"abc"},"ss":{"SS":["x","y"]},"l":{"L":[{"S":"x"},{"N":"1"}]},
    "z":{"NULL":true},"b":{"B":"AQI="},"ns":{"NS":["3","4"]},"bs":{"BS":["AQ=="]},"m":{"M":{"k":{"S":"1"}}},"t":{"BOOL":true}}"#;

/// Checks whether a filter on one attribute holds for the test item, or the message it is refused with.
fn check(attribute: &str, operator: ComparisonOperator, json: &[&str], expected: &str) {
    let conditions = BTreeMap::from([(attribute.to_owned(), condition(operator, json))]);
    let actual = match filter(conditions.clone(), ConditionalOperator::And) {
        Ok(filter) => filter.unwrap().matches(Some(&item(ITEM))).to_string(),
        Err(e) => e.to_string(),
    };
    assert_eq!(actual, expected, "{attribute} {operator} {json:?}");
}

#[test]
fn operators_mean_what_is_documented() {
    use ComparisonOperator as Op;
    check("n", Op::Eq, &[r#"{"N":"5.0"}"#], "true");
    check("ss", Op::Eq, &[r#"{"SS":["y","x"]}"#], "true");
    check("q", Op::Eq, &[r#"{"N":"5"}"#], "false");
    check("n", Op::Ne, &[r#"{"N":"5"}"#], "false");
    check("q", Op::Ne, &[r#"{"N":"5"}"#], "true");
    check("n", Op::Lt, &[r#"{"N":"6"}"#], "true");
    check("n", Op::Le, &[r#"{"N":"5"}"#], "true");
    check("n", Op::Gt, &[r#"{"N":"5"}"#], "false");
    check("n", Op::Ge, &[r#"{"N":"5"}"#], "true");
    check("q", Op::Lt, &[r#"{"N":"6"}"#], "false");
    check("n", Op::Between, &[r#"{"N":"5"}"#, r#"{"N":"7"}"#], "true");
    check("n", Op::In, &[r#"{"N":"4"}"#, r#"{"N":"5"}"#], "true");
    check("s", Op::BeginsWith, &[r#"{"S":"ab"}"#], "true");
    check("s", Op::Contains, &[r#"{"S":"bc"}"#], "true");
    check("ss", Op::Contains, &[r#"{"S":"x"}"#], "true");
    check("l", Op::Contains, &[r#"{"N":"1"}"#], "true");
    check("q", Op::Null, &[], "true");
    check("z", Op::Null, &[], "false");
    check("z", Op::NotNull, &[], "true");
    check("s", Op::NotContains, &[r#"{"S":"x"}"#], "true");
    check("s", Op::NotContains, &[r#"{"S":"b"}"#], "false");
    check("ss", Op::NotContains, &[r#"{"S":"z"}"#], "true");
    check("l", Op::NotContains, &[r#"{"BOOL":true}"#], "true");
    check("b", Op::NotContains, &[r#"{"B":"Aw=="}"#], "true");
    check("q", Op::NotContains, &[r#"{"S":"z"}"#], "false");
    check("z", Op::NotContains, &[r#"{"NULL":true}"#], "true");
}

/// A value that is not of the attribute's type is not in it.
#[test]
fn not_contains_holds_for_an_operand_of_another_type() {
    let operator = ComparisonOperator::NotContains;
    let operands =
        [r#"{"S":"1"}"#, r#"{"N":"77"}"#, r#"{"B":"/w=="}"#, r#"{"BOOL":false}"#, r#"{"NULL":true}"#];
    for attribute in ["n", "s", "ss", "ns", "bs", "b", "l", "m", "t", "z"] {
        for operand in operands {
            check(attribute, operator, &[operand], "true");
            let expected_value = ExpectedAttributeValue {
                comparison_operator: Some(operator),
                attribute_value_list: Some(values(&[operand])),
                ..ExpectedAttributeValue::default()
            };
            let conditions = BTreeMap::from([(attribute.to_owned(), expected_value)]);
            let condition = expected(conditions, ConditionalOperator::And).unwrap().unwrap();
            assert!(condition.matches(Some(&item(ITEM))), "{attribute} {operand}");
            assert!(!condition.matches(None), "{attribute} {operand}");
        }
    }
    operands.into_iter().for_each(|operand| check("q", operator, &[operand], "false"));
    for (attribute, operand) in
        [("ns", r#"{"N":"3.0"}"#), ("bs", r#"{"B":"AQ=="}"#), ("b", r#"{"B":"Ag=="}"#), ("l", r#"{"S":"x"}"#)]
    {
        check(attribute, operator, &[operand], "false");
    }
}

#[test]
fn values_are_checked() {
    use ComparisonOperator as Op;
    for operator in Op::ALL {
        let wrong: &[&str] = match operator {
            Op::Null | Op::NotNull => &[r#"{"N":"1"}"#],
            _ => &[],
        };
        check(
            "a",
            operator,
            wrong,
            &format!(
                "One or more parameter values were invalid: Invalid number of argument(s) for the {operator} \
                 ComparisonOperator"
            ),
        );
    }
    check(
        "a",
        Op::Between,
        &[r#"{"N":"1"}"#],
        "One or more parameter values were invalid: Invalid number of argument(s) for the BETWEEN ComparisonOperator",
    );
    for operator in [Op::In, Op::Between] {
        check(
            "a",
            operator,
            &[r#"{"N":"1"}"#, r#"{"S":"1"}"#],
            "One or more parameter values were invalid: AttributeValues inside AttributeValueList must be of same type",
        );
    }
    for (operator, json, actual) in [
        (Op::Lt, r#"{"BOOL":true}"#, "BOOL"),
        (Op::Le, r#"{"NULL":true}"#, "NULL"),
        (Op::Gt, r#"{"SS":["a"]}"#, "SS"),
        (Op::Ge, r#"{"NS":["1"]}"#, "NS"),
        (Op::Contains, r#"{"L":[]}"#, "L"),
        (Op::NotContains, r#"{"M":{}}"#, "M"),
        (Op::BeginsWith, r#"{"N":"1"}"#, "N"),
        (Op::In, r#"{"BS":["AQ=="]}"#, "BS"),
    ] {
        check(
            "a",
            operator,
            &[json],
            &format!(
                "One or more parameter values were invalid: ComparisonOperator {operator} is not valid for {actual} \
                 AttributeValue type"
            ),
        );
    }
    check(
        "a",
        Op::Between,
        &[r#"{"N":"2"}"#, r#"{"N":"1"}"#],
        "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound",
    );
}

/// Checks whether `Expected` on the attribute `n` holds for the test item, or the message it is refused with.
fn check_expected(expected_value: ExpectedAttributeValue, expected_result: &str) {
    let conditions = BTreeMap::from([("n".to_owned(), expected_value)]);
    let actual = match expected(conditions.clone(), ConditionalOperator::And) {
        Ok(condition) => condition.unwrap().matches(Some(&item(ITEM))).to_string(),
        Err(e) => e.to_string(),
    };
    assert_eq!(actual, expected_result, "{conditions:?}");
}

#[test]
fn expected_is_checked() {
    const P: &str = "One or more parameter values were invalid: ";
    let five = || Some(value(r#"{"N":"5"}"#));
    let list = || Some(values(&[r#"{"N":"5"}"#]));
    let none = ExpectedAttributeValue::default;
    let eq = Some(ComparisonOperator::Eq);
    check_expected(ExpectedAttributeValue { value: five(), ..none() }, "true");
    check_expected(ExpectedAttributeValue { value: five(), exists: Some(true), ..none() }, "true");
    check_expected(ExpectedAttributeValue { exists: Some(false), ..none() }, "false");
    check_expected(ExpectedAttributeValue { value: five(), comparison_operator: eq, ..none() }, "true");
    check_expected(
        ExpectedAttributeValue { attribute_value_list: list(), comparison_operator: eq, ..none() },
        "true",
    );
    check_expected(
        ExpectedAttributeValue { comparison_operator: Some(ComparisonOperator::NotNull), ..none() },
        "true",
    );
    check_expected(
        ExpectedAttributeValue { value: five(), attribute_value_list: list(), exists: Some(true), ..none() },
        &format!("{P}Value and AttributeValueList cannot be used together for Attribute: n"),
    );
    check_expected(
        ExpectedAttributeValue { value: five(), comparison_operator: eq, exists: Some(true), ..none() },
        &format!("{P}Exists and ComparisonOperator cannot be used together for Attribute: n"),
    );
    check_expected(
        ExpectedAttributeValue { comparison_operator: eq, ..none() },
        &format!("{P}Value or AttributeValueList must be used with ComparisonOperator: EQ for Attribute: n"),
    );
    check_expected(
        ExpectedAttributeValue { comparison_operator: eq, attribute_value_list: Some(Vec::new()), ..none() },
        &format!("{P}Invalid number of argument(s) for the EQ ComparisonOperator"),
    );
    check_expected(
        ExpectedAttributeValue { attribute_value_list: list(), ..none() },
        &format!("{P}AttributeValueList can only be used with a ComparisonOperator for Attribute: n"),
    );
    check_expected(none(), &format!("{P}Value must be provided when Exists is null for Attribute: n"));
    check_expected(
        ExpectedAttributeValue { exists: Some(true), ..none() },
        &format!("{P}Value must be provided when Exists is true for Attribute: n"),
    );
    check_expected(
        ExpectedAttributeValue { exists: Some(false), value: five(), ..none() },
        &format!("{P}Value cannot be used when Exists is false for Attribute: n"),
    );
}

#[test]
fn entries_combine() {
    let conditions = BTreeMap::from([
        ("n".to_owned(), condition(ComparisonOperator::Eq, &[r#"{"N":"5"}"#])),
        ("s".to_owned(), condition(ComparisonOperator::Eq, &[r#"{"S":"x"}"#])),
    ]);
    let holds = |operator| filter(conditions.clone(), operator).unwrap().unwrap().matches(Some(&item(ITEM)));
    assert!(!holds(ConditionalOperator::And));
    assert!(holds(ConditionalOperator::Or));
    assert_eq!(filter(BTreeMap::new(), ConditionalOperator::Or), Ok(None));
}

#[test]
fn key_conditions_are_checked() {
    use ComparisonOperator as Op;
    let check_on = |is_on_index, conditions: &[(&str, Condition)], expected: &str| {
        let conditions =
            conditions.iter().map(|(name, condition)| ((*name).to_owned(), condition.clone())).collect();
        let actual = match key_conditions(&conditions, is_on_index) {
            Ok(expression) => format!("{} conditions", expression.conditions().len()),
            Err(e) => e.to_string(),
        };
        assert_eq!(actual, expected);
    };
    let check = |conditions: &[(&str, Condition)], expected: &str| {
        check_on(false, conditions, expected);
        check_on(true, conditions, expected);
    };
    let eq = || condition(Op::Eq, &[r#"{"N":"5"}"#]);
    check(&[("a", eq())], "1 conditions");
    check(&[("a", eq()), ("b", condition(Op::Between, &[r#"{"N":"5"}"#, r#"{"N":"6"}"#]))], "2 conditions");
    check(&[], "Conditions can be of length 1 or 2 only");
    let three = [("a", eq()), ("b", eq()), ("c", eq())];
    check_on(false, &three, "Conditions can be of length 1 or 2 only");
    check_on(true, &three, "3 conditions");
    let not_indexable = "Attempted conditional constraint is not an indexable operation";
    for operator in [Op::Ne, Op::In, Op::Contains, Op::NotContains] {
        check(&[("a", condition(operator, &[r#"{"N":"5"}"#]))], not_indexable);
    }
    check(&[("a", condition(Op::Null, &[]))], not_indexable);
    check(&[("a", eq()), ("b", condition(Op::NotNull, &[]))], not_indexable);
    check(
        &[("a", condition(Op::Lt, &[]))],
        "One or more parameter values were invalid: Invalid number of argument(s) for the LT ComparisonOperator",
    );
}

#[test]
fn attributes_to_get_are_whole_and_different() {
    let names = ["n".to_owned(), "q".to_owned(), "x.y".to_owned()];
    let projection = attributes_to_get(&names).unwrap();
    assert_eq!(projection.apply(item(ITEM)).to_string(), r#"{"n":{"N":"5"}}"#);
    assert_eq!(
        attributes_to_get(&["a".to_owned(), "b".to_owned(), "a".to_owned()]).unwrap_err().to_string(),
        "One or more parameter values were invalid: Duplicate value in attribute name: a"
    );
}

/// Checks what an update of one attribute makes of it (as JSON, or `gone`), or the message it fails with.
fn check_update(attribute: &str, action: AttributeAction, json: Option<&str>, expected: &str) {
    let updates =
        BTreeMap::from([(attribute.to_owned(), AttributeValueUpdate { action, value: json.map(value) })]);
    let actual = match attribute_updates(updates) {
        Err(e) => e.to_string(),
        Ok(update) => match update.apply(Some(item(ITEM)), &Item::new()) {
            Err(e) => e.to_string(),
            Ok(new) => new.unwrap().get(attribute).map_or("gone".to_owned(), ToString::to_string),
        },
    };
    assert_eq!(actual, expected, "{attribute} {action:?} {json:?}");
}

#[test]
fn attribute_updates_are_checked_and_applied() {
    const P: &str = "One or more parameter values were invalid: ";
    use AttributeAction::{Add, Delete, Put};
    check_update("n", Put, Some(r#"{"S":"x"}"#), r#"{"S":"x"}"#);
    check_update("n", Delete, None, "gone");
    check_update("n", Add, Some(r#"{"N":"1"}"#), r#"{"N":"6"}"#);
    check_update("q", Add, Some(r#"{"N":"1"}"#), r#"{"N":"1"}"#);
    check_update("ss", Add, Some(r#"{"SS":["z"]}"#), r#"{"SS":["x","y","z"]}"#);
    check_update("ss", Delete, Some(r#"{"SS":["x"]}"#), r#"{"SS":["y"]}"#);
    check_update("ss", Delete, Some(r#"{"SS":["x","y"]}"#), "gone");
    check_update("l", Add, Some(r#"{"L":[{"N":"2"}]}"#), r#"{"L":[{"S":"x"},{"N":"1"},{"N":"2"}]}"#);
    check_update("q", Add, Some(r#"{"L":[{"N":"2"}]}"#), r#"{"L":[{"N":"2"}]}"#);
    check_update("n", Add, Some(r#"{"L":[]}"#), "Type mismatch for attribute to update");
    check_update("n", Delete, Some(r#"{"SS":["x"]}"#), "Type mismatch for attribute to update");
    let no_value = format!("{P}Only DELETE action is allowed when no attribute value is specified");
    check_update("n", Put, None, &no_value);
    check_update("n", Add, None, &no_value);
    for (json, name) in [
        (r#"{"S":"x"}"#, "S"),
        (r#"{"B":"AQ=="}"#, "B"),
        (r#"{"BOOL":true}"#, "BOOL"),
        (r#"{"NULL":true}"#, "NULL"),
        (r#"{"M":{}}"#, "M"),
    ] {
        check_update(
            "n",
            Delete,
            Some(json),
            &format!("{P}DELETE action with value is not supported for the type {name}"),
        );
        check_update("n", Add, Some(json), &format!("{P}ADD action is not supported for the type {name}"));
    }
    check_update(
        "n",
        Delete,
        Some(r#"{"L":[]}"#),
        &format!("{P}DELETE action with value is not supported for the type L"),
    );
    check_update(
        "n",
        Delete,
        Some(r#"{"N":"1"}"#),
        &format!("{P}DELETE action with value is not supported for the type N"),
    );
}

#[test]
fn attribute_updates_create_items_as_expressions_do() {
    let key = item(r#"{"p":{"S":"k"}}"#);
    let apply = |updates: BTreeMap<_, _>| attribute_updates(updates).unwrap().apply(None, &key).unwrap();
    let update = |action, value| AttributeValueUpdate { action, value };
    assert_eq!(apply(BTreeMap::new()), Some(key.clone()));
    assert_eq!(apply(BTreeMap::from([("a".to_owned(), update(AttributeAction::Delete, None))])), None);
    let put = update(AttributeAction::Put, Some(1.into()));
    assert_eq!(apply(BTreeMap::from([("a".to_owned(), put)])), Some(key.clone().with("a", 1)));
}
