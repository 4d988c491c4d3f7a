//! What updates add up to, before they are made.

use std::sync::Arc;

use pdb_model::{AttributeValue, Item};

use crate::{Path, Placeholders, SetValue, UpdateAction, UpdateDialect, UpdateExpression, UpdateOperand};

const TOO_LARGE: &str = "Item size to update has exceeded the maximum allowed size";
const TOO_DEEP: &str = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit";
const INVALID_PATH: &str = "The document path provided in the update expression is invalid for update";

fn text(bytes: usize) -> AttributeValue {
    "x".repeat(bytes).into()
}

fn texts(count: usize) -> AttributeValue {
    AttributeValue::Ss((0..count).map(|n| format!("{n:05}")).collect())
}

/// The message of an update of an item with a text, a list and a set of 200 KB each at most, or its new attributes.
#[track_caller]
fn check(expression: &str, value: AttributeValue, expected: &str) {
    let old = Item::new()
        .with("s", text(100_000))
        .with("l", AttributeValue::L(vec![text(50_000)]))
        .with("ss", texts(10_000))
        .with("m", AttributeValue::M([("k", 1.into())].into()));
    let placeholders = Placeholders::new([], [(":v".to_owned(), value)]);
    let update = UpdateExpression::parse(expression, &placeholders).unwrap();
    let actual = match update.apply(Some(old), &Item::new()) {
        Ok(new) => new.unwrap().keys().cloned().collect::<Vec<_>>().join(" "),
        Err(error) => error.to_string(),
    };
    assert_eq!(actual, expected, "{expression}");
}

#[test]
fn new_values_add_up() {
    let list = || AttributeValue::L(vec![text(150_000)]);
    for (expression, value, expected) in [
        ("SET a=:v, b=:v", text(204_798), "a b l m s ss"),
        ("SET a=:v, b=:v", text(204_800), TOO_LARGE),
        ("SET m.a=:v, m.b=:v", text(204_798), "l m s ss"),
        ("SET m.a=:v, m.b=:v", text(204_800), TOO_LARGE),
        ("SET a=s, b=s, c=s, d=s, e=s", text(0), TOO_LARGE),
        ("SET a=list_append(l,:v), b=list_append(:v,l)", list(), "a b l m s ss"),
        ("SET a=list_append(:v,:v), b=list_append(l,:v)", list(), TOO_LARGE),
        ("SET a=if_not_exists(x,:v), b=if_not_exists(s,:v)", text(300_000), "a b l m s ss"),
        ("SET a=if_not_exists(x,:v), b=if_not_exists(x,:v)", text(300_000), TOO_LARGE),
        // A set that is united with one it contains counts once.
        ("ADD ss :v", texts(60_000), "l m s ss"),
        ("ADD ss :v, st :v", texts(60_000), TOO_LARGE),
        ("DELETE ss :v SET a=s", texts(9_999), "a l m s ss"),
        // Faults of values and of targets come before sizes, and so does the nesting.
        ("SET a=:v, b=:v, x.y=:v", text(300_000), INVALID_PATH),
    ] {
        if expression.contains(":v") {
            check(expression, value, expected);
        } else {
            check(&format!("{expression} REMOVE zz"), value, expected);
        }
    }
    let deep = (1..32).fold(text(300_000), |inner, _| AttributeValue::L(vec![inner]));
    check("SET a=:v, b=:v", deep.clone(), TOO_LARGE);
    check("SET a=:v, b=:v, m.c=:v", deep, TOO_DEEP);
}

/// A name that is added counts too; a placeholder can stand for a long one.
#[test]
fn names_add_up() {
    let name: Arc<str> = "n".repeat(65_535).into();
    let puts = |count: usize| {
        let put = |n: usize| {
            let path = Path::attribute("m").name(format!("{n}{}", &name[1..]));
            UpdateAction::Set(path, SetValue::Operand(UpdateOperand::value(1)))
        };
        UpdateExpression::new((0..count).map(put).collect(), UpdateDialect::Expression).unwrap()
    };
    let old = Item::new().with("m", AttributeValue::M([("k", 1.into())].into()));
    assert!(puts(6).apply(Some(old.clone()), &Item::new()).is_ok());
    assert_eq!(puts(7).apply(Some(old), &Item::new()).unwrap_err().to_string(), TOO_LARGE);
}

/// The item that results is the same as if each value had been copied where it is named.
#[test]
fn values_are_read_from_the_old_item() {
    let old = Item::new().with("a", AttributeValue::L(vec![1.into()])).with("b", 2);
    let placeholders = Placeholders::new([], [(":l".to_owned(), AttributeValue::L(vec![3.into()]))]);
    let parse = |text: &str| UpdateExpression::parse(text, &placeholders).unwrap();
    let new = parse("SET a=b, b=list_append(list_append_target,:l), list_append_target=a");
    assert!(new.apply(Some(old.clone()), &Item::new()).is_err());
    let swapped = parse("SET a=b, b=list_append(a,:l), c=list_append(:l,if_not_exists(x,a)), d=:l");
    assert_eq!(
        swapped.apply(Some(old), &Item::new()).unwrap().unwrap().to_string(),
        concat!(
            r#"{"a":{"N":"2"},"b":{"L":[{"N":"1"},{"N":"3"}]},"#,
            r#""c":{"L":[{"N":"3"},{"N":"1"}]},"d":{"L":[{"N":"3"}]}}"#
        )
    );
}
