//! Conditions that ask much of large values.

use pdb_model::{AttributeValue, Item};

use crate::{ConditionExpression, Placeholders};

fn holds(expression: &str, item: &Item, values: &[(&str, AttributeValue)]) -> bool {
    let values = values.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
    let condition = ConditionExpression::parse(expression, &Placeholders::new([], values)).unwrap();
    condition.matches(Some(item))
}

/// With one comparison after the other these would take 10^10 steps.
#[test]
fn one_part_is_looked_for_in_linear_time() {
    let mut part = vec![0; 200_000];
    part.push(1);
    let whole = vec![0; 400_000];
    let item = Item::new()
        .with("b", AttributeValue::B(whole.clone()))
        .with("s", String::from_utf8(vec![b'0'; 400_000]).unwrap());
    let text = format!("{}1", "0".repeat(200_000));
    let values = [(":b", AttributeValue::B(part.clone())), (":s", text.as_str().into())];
    assert!(!holds("contains(b,:b) OR contains(s,:s)", &item, &values));
    let item = Item::new()
        .with("b", AttributeValue::B([whole, part].concat()))
        .with("s", format!("{}{text}", "0".repeat(100_000)));
    assert!(holds("contains(b,:b) AND contains(s,:s)", &item, &values));
    assert!(holds("contains(b,:e)", &item, &[(":e", AttributeValue::B(Vec::new()))]));
}

/// Answers are remembered for large values: never one in the place of another.
#[test]
fn questions_are_told_apart() {
    let list = |last: i64| AttributeValue::L(vec![1.into(), AttributeValue::L(vec![2.into()]), last.into()]);
    let inner = AttributeValue::L(vec![2.into()]);
    let long = |last: &str| format!("{}ä{last}", "a".repeat(2_000));
    let item =
        Item::new().with("l", list(3)).with("k", list(3)).with("s", long("b")).with("t", long("b").as_str());
    let values = [
        (":l", list(3)),
        (":m", list(4)),
        (":i", inner),
        (":s", long("b").into()),
        (":u", long("c").into()),
        (":n", AttributeValue::from(2_002)),
    ];
    for (expression, expected) in [
        ("l = :l AND l = :l AND NOT l = :m AND NOT l <> :l AND l <> :m AND :l = l", true),
        ("l = :m OR l = :m OR :m = l OR k = :m", false),
        ("l IN (:m, :m, :i, :l)", true),
        ("l IN (:m, :m, :i, :m)", false),
        ("contains(l, :i) AND NOT l = :i AND NOT contains(:i, l) AND NOT contains(l, :l)", true),
        ("l = k AND k = l", true),
        ("s = :s AND s = t AND NOT s = :u AND s <> :u AND contains(s, :s) AND NOT contains(s, :u)", true),
        ("size(s) = :n AND size(t) = size(s) AND size(s) = :n AND NOT size(l) = :n", true),
    ] {
        let used = values.iter().filter(|(key, _)| expression.contains(key)).cloned().collect::<Vec<_>>();
        assert_eq!(holds(expression, &item, &used), expected, "{expression}");
    }
}
