//! Items in DynamoDB JSON, in which each value has a type, or in plain JSON.
//!
//! `pdb_model` parses both as well, but its errors do not name the attribute and the type, and it merges repeated attributes and members of sets, which are
//! mistakes in a file.

use pdb_model::{AttributeValue, Item, MAX_NESTING, Number};

use crate::node::Node;

const TYPES: &[&str] = &["S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"];

/// Converts an item. It is DynamoDB JSON if every attribute is a map with one member that is named like a type. No item can be both, because the
/// key of an item in plain JSON is not a map.
///
/// # Errors
///
/// The reason, for people, which names the attribute.
pub fn item(node: &Node) -> Result<Item, String> {
    let members = node.members();
    let typed = members.iter().filter(|(_, value)| is_typed(value)).count();
    if typed == members.len() { typed_item(node) } else { read(members, of_plain) }
}

/// Converts an item in DynamoDB JSON.
///
/// # Errors
///
/// The reason, for people, which names the attribute.
pub fn typed_item(node: &Node) -> Result<Item, String> {
    read(node.members(), of_typed)
}

/// Converts a value in DynamoDB JSON. The reason why it is none is for people.
pub(crate) fn typed_value(node: &Node) -> Result<AttributeValue, String> {
    of_typed(node, MAX_NESTING)
}

fn read(
    members: &[(String, Node)],
    convert: fn(&Node, usize) -> Result<AttributeValue, String>,
) -> Result<Item, String> {
    let read = |(name, value): &(String, Node)| {
        let value = convert(value, MAX_NESTING);
        value.map(|value| (name.clone(), value)).map_err(|reason| format!("attribute `{name}`: {reason}"))
    };
    members.iter().map(read).collect::<Result<Vec<_>, _>>().map(|entries| entries.into_iter().collect())
}

/// Returns a hint for the error if an item is refused and only some of its attributes are DynamoDB JSON.
#[must_use]
pub fn mixed_json_hint(node: &Node) -> Option<&'static str> {
    let members = node.members();
    let typed = members.iter().filter(|(_, value)| is_typed(value)).count();
    (typed > 0 && typed < members.len()).then_some(
        "some attributes have a type, as in {\"S\": \"text\"}, and others do not, so the item was read as plain JSON",
    )
}

fn is_typed(node: &Node) -> bool {
    node.only_member().is_some_and(|(name, _)| TYPES.contains(&name))
}

/// Converts a value with a type.
fn of_typed(node: &Node, levels: usize) -> Result<AttributeValue, String> {
    let levels =
        levels.checked_sub(1).ok_or_else(|| format!("values are nested deeper than {MAX_NESTING} levels"))?;
    let Some((name, value)) = node.only_member() else {
        return Err(format!("a value is {}, but must be a map with its type", node.kind()));
    };
    let wrong = |expected: &str| format!("`{name}` takes {expected}, not {}", value.kind());
    let list = |expected: &str| match value {
        Node::List(elements) => Ok(elements),
        _ => Err(wrong(expected)),
    };
    match (name, value) {
        ("S", Node::Text(text)) => Ok(AttributeValue::S(text.clone())),
        ("S", _) => Err(wrong("a text")),
        ("N", Node::Text(text)) => number(text),
        ("N", _) => Err(wrong("a number as a text, as in \"12\"")),
        ("B", Node::Text(text)) => binary(text),
        ("B", _) => Err(wrong("a text in Base64")),
        ("BOOL", Node::Bool(value)) => Ok(AttributeValue::Bool(*value)),
        ("BOOL", _) => Err(wrong("true or false")),
        ("NULL", Node::Bool(true)) => Ok(AttributeValue::Null),
        ("NULL", _) => Err(wrong("true")),
        ("L", _) => {
            let elements = list("a list")?.iter().map(|node| of_typed(node, levels));
            elements.collect::<Result<_, _>>().map(AttributeValue::L)
        }
        ("M", Node::Map(members)) => {
            let entries = members.iter().map(|(name, node)| Ok((name.clone(), of_typed(node, levels)?)));
            let entries: Result<Vec<_>, String> = entries.collect();
            entries.map(|entries| AttributeValue::M(entries.into_iter().collect()))
        }
        ("M", _) => Err(wrong("a map")),
        ("SS", _) => {
            let texts = list("a list of texts")?.iter().map(|node| match node {
                Node::Text(text) => Ok(text.clone()),
                other => Err(format!("`SS` takes texts, not {}", other.kind())),
            });
            let texts: Vec<String> = texts.collect::<Result<_, _>>()?;
            check_set(texts.len(), AttributeValue::Ss(texts.into_iter().collect()))
        }
        ("NS", _) => {
            let numbers = list("a list of numbers as texts")?.iter().map(|node| match node {
                Node::Text(text) => text.parse::<Number>().map_err(|error| error.to_string()),
                other => Err(format!("`NS` takes numbers as texts, not {}", other.kind())),
            });
            let numbers: Vec<Number> = numbers.collect::<Result<_, _>>()?;
            check_set(numbers.len(), AttributeValue::Ns(numbers.into_iter().collect()))
        }
        ("BS", _) => {
            let values = list("a list of texts in Base64")?.iter().map(|node| match node {
                Node::Text(text) => match binary(text)? {
                    AttributeValue::B(bytes) => Ok(bytes),
                    _ => Err("is not Base64".to_owned()),
                },
                other => Err(format!("`BS` takes texts in Base64, not {}", other.kind())),
            });
            let values: Vec<Vec<u8>> = values.collect::<Result<_, _>>()?;
            check_set(values.len(), AttributeValue::Bs(values.into_iter().collect()))
        }
        (other, _) => Err(format!("`{other}` is not a type")),
    }
}

/// Refuses a set that is empty or contains a value twice, as DynamoDB does.
fn check_set(given: usize, set: AttributeValue) -> Result<AttributeValue, String> {
    let kept = match &set {
        AttributeValue::Ss(set) => set.iter().count(),
        AttributeValue::Ns(set) => set.iter().count(),
        AttributeValue::Bs(set) => set.iter().count(),
        _ => given,
    };
    match given {
        0 => Err("a set is empty".to_owned()),
        given if given == kept => Ok(set),
        _ => Err("a set contains a value twice".to_owned()),
    }
}

fn number(text: &str) -> Result<AttributeValue, String> {
    text.parse().map(AttributeValue::N).map_err(|error: pdb_model::NumberError| format!("{error}: {text}"))
}

fn binary(text: &str) -> Result<AttributeValue, String> {
    let json = serde_json::json!({ "B": text }).to_string();
    AttributeValue::from_json(&json).map_err(|_| "a text is not Base64".to_owned())
}

/// Converts a plain value.
fn of_plain(node: &Node, levels: usize) -> Result<AttributeValue, String> {
    let levels =
        levels.checked_sub(1).ok_or_else(|| format!("values are nested deeper than {MAX_NESTING} levels"))?;
    match node {
        Node::Null | Node::Unknown(_) => Ok(AttributeValue::Null),
        Node::Bool(value) => Ok(AttributeValue::Bool(*value)),
        Node::Number(text) => number(text),
        Node::Text(text) => Ok(AttributeValue::S(text.clone())),
        Node::List(elements) => {
            let values: Result<_, _> = elements.iter().map(|node| of_plain(node, levels)).collect();
            values.map(AttributeValue::L)
        }
        Node::Map(members) => {
            let entries = members.iter().map(|(name, node)| Ok((name.clone(), of_plain(node, levels)?)));
            let entries: Result<Vec<_>, String> = entries.collect();
            entries.map(|entries| AttributeValue::M(entries.into_iter().collect()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(json: &str) -> Result<String, String> {
        item(&crate::json::parse(json, 1).unwrap()).map(|item| item.to_string())
    }

    #[test]
    fn dynamodb_json_and_plain_json_are_distinguished() {
        let typed = r#"{"id":{"S":"1"},"n":{"N":"1.50"},"s":{"SS":["b","a"]},"m":{"M":{"x":{"NULL":true}}},"b":{"B":"AQI="}}"#;
        assert_eq!(
            read_text(typed).unwrap(),
            r#"{"b":{"B":"AQI="},"id":{"S":"1"},"m":{"M":{"x":{"NULL":true}}},"n":{"N":"1.5"},"s":{"SS":["a","b"]}}"#
        );
        let plain =
            r#"{"id":"1","n":12345678901234567890.5,"t":true,"z":null,"l":[1,{"S":"x"}],"m":{"N":"1"}}"#;
        assert_eq!(
            read_text(plain).unwrap(),
            r#"{"id":{"S":"1"},"l":{"L":[{"N":"1"},{"M":{"S":{"S":"x"}}}]},"m":{"M":{"N":{"S":"1"}}},"n":{"N":"12345678901234567890.5"},"t":{"BOOL":true},"z":{"NULL":true}}"#
        );
    }

    #[test]
    fn faults_name_the_attribute() {
        for (json, reason) in [
            (r#"{"n":{"N":5}}"#, "attribute `n`: `N` takes a number as a text, as in \"12\", not a number"),
            (r#"{"n":{"N":"x"}}"#, "attribute `n`: The parameter cannot be converted"),
            (r#"{"id":"1","n":1e200}"#, "attribute `n`: Number overflow"),
            (r#"{"b":{"B":"*"}}"#, "attribute `b`: a text is not Base64"),
            (r#"{"s":{"SS":["a","a"]}}"#, "attribute `s`: a set contains a value twice"),
            (r#"{"s":{"NS":[]}}"#, "attribute `s`: a set is empty"),
            (r#"{"l":{"L":["x"]}}"#, "attribute `l`: a value is a text, but must be a map with its type"),
            (r#"{"m":{"M":{"x":{"Y":1}}}}"#, "attribute `m`: `Y` is not a type"),
        ] {
            let error = read_text(json).unwrap_err();
            assert!(error.starts_with(reason), "{json}: {error}");
        }
        let deep = format!("{{\"id\":\"1\",\"l\":{}1{}}}", "[".repeat(40), "]".repeat(40));
        assert!(read_text(&deep).unwrap_err().contains("nested deeper than 32"));
        let deepest = format!("{{\"l\":{}{{\"NULL\":true}}{}}}", "{\"L\":[".repeat(31), "]}".repeat(31));
        assert_eq!(read_text(&deepest).unwrap(), deepest);
    }
}
