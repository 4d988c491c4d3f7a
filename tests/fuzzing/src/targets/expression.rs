//! Expressions: parsing them, and evaluating them on an item.

use pdb_expr::{
    ConditionExpression, ExprError, KeyConditionExpression, Parameter, Placeholders, ProjectionExpression,
    SearchCondition, UpdateExpression,
};
use pdb_model::{EncodedItem, Item, KeyAttribute, KeySchema, ScalarType};

use crate::grammar::{self, PLACEHOLDER_NAMES, PLACEHOLDER_VALUES, WORDS};
use crate::{Source, values};

/// How much longer than its expression a message may be. It quotes the expression, and names the attributes and placeholders.
const MAX_MESSAGE: usize = 4_096;

pub(crate) fn run(input: &[u8]) {
    let mut source = Source::new(input);
    let kind = source.below(8);
    let placeholders = placeholders(&mut source);
    let item = values::item(&mut source);
    let text = match kind {
        0 | 1 => grammar::condition(&mut source, 3),
        2 => grammar::update(&mut source),
        3 => grammar::projection(&mut source),
        4 => grammar::key_condition(&mut source),
        5 | 6 => values::words(&mut source, &WORDS, 24),
        _ => String::from_utf8_lossy(source.rest()).into_owned(),
    };
    check_condition(&text, &placeholders, &item);
    check_update(&text, &placeholders, &item);
    check_projection(&text, &placeholders, &item);
    check_key_condition(&text, &placeholders);
}

/// Placeholders, of which some are missing now and then.
fn placeholders(source: &mut Source<'_>) -> Placeholders {
    let mut names = Vec::new();
    for name in PLACEHOLDER_NAMES {
        if !source.once_in(8) {
            names.push((name.to_owned(), values::name(source)));
        }
    }
    let mut of_values = Vec::new();
    for name in PLACEHOLDER_VALUES {
        if !source.once_in(8) {
            of_values.push((name.to_owned(), values::value(source, 1)));
        }
    }
    Placeholders::new(names, of_values)
}

/// Returns what parsing gives, which is the same each time.
fn parsed<T: PartialEq + std::fmt::Debug>(
    text: &str,
    parameter: Parameter,
    parse: impl Fn() -> Result<T, ExprError>,
) -> Option<T> {
    let result = parse();
    assert_eq!(parse(), result, "{text:?}");
    match result {
        Ok(tree) => Some(tree),
        Err(error) => {
            let message = error.message(parameter);
            assert!(message.len() <= text.len() + MAX_MESSAGE, "{} bytes about {text:?}", message.len());
            None
        }
    }
}

fn check_condition(text: &str, placeholders: &Placeholders, item: &Item) {
    let parse = || ConditionExpression::parse(text, placeholders);
    let Some(condition) = parsed(text, Parameter::Condition, parse) else { return };
    let holds = condition.matches(Some(item));
    assert_eq!(condition.matches(Some(item)), holds);
    assert_eq!(ConditionExpression::Not(Box::new(condition.clone())).matches(Some(item)), !holds, "{text:?}");
    let _: bool = condition.matches(None);
    let _: Result<SearchCondition, _> = SearchCondition::from_condition(&condition);
    let printed = condition.printed();
    let again = ConditionExpression::parse(&printed.text, &printed.placeholders());
    // What is printed may be longer than what a request may contain.
    if let Ok(again) = again {
        assert_eq!(again.matches(Some(item)), holds, "{text:?} was printed as {:?}", printed.text);
    } else {
        assert!(printed.text.len() > text.len(), "{text:?} was printed as {:?}: {again:?}", printed.text);
    }
}

fn check_update(text: &str, placeholders: &Placeholders, item: &Item) {
    let parse = || UpdateExpression::parse(text, placeholders);
    let Some(update) = parsed(text, Parameter::Update, parse) else { return };
    let key = Item::new().with("pk", "key");
    for old in [None, Some(item.clone())] {
        let result = update.apply(old.clone(), &key);
        assert_eq!(update.apply(old, &key), result);
        if let Ok(Some(new)) = result {
            let encoded = EncodedItem::from(&new);
            assert_eq!(encoded.decode().unwrap(), new, "{text:?}");
        }
    }
}

fn check_projection(text: &str, placeholders: &Placeholders, item: &Item) {
    let parse = || ProjectionExpression::parse(text, placeholders);
    let Some(projection) = parsed(text, Parameter::Projection, parse) else { return };
    let projected = projection.apply(item.clone());
    assert!(projected.iter().all(|(name, _)| item.contains_key(name)), "{text:?} invents attributes");
    assert!(projected.size_bytes() <= item.size_bytes(), "{text:?} makes an item larger");
}

fn check_key_condition(text: &str, placeholders: &Placeholders) {
    let parse = || KeyConditionExpression::parse(text, placeholders);
    let Some(condition) = parsed(text, Parameter::KeyCondition, parse) else { return };
    for scalar_type in [ScalarType::S, ScalarType::N, ScalarType::B] {
        let attribute = |name: &str| KeyAttribute { name: name.to_owned(), scalar_type };
        let schema = KeySchema::simple(attribute("pk"), Some(attribute("sk")));
        if let Ok(resolved) = condition.resolve(&schema) {
            assert_eq!(resolved.hash.len(), 1, "{text:?}");
        }
    }
}
