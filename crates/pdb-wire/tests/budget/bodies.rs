//! JSON that takes much more memory when it is decoded.

/// The largest body that the server takes.
pub(crate) const LARGEST_BODY: usize = 16 * 1024 * 1024;
/// What an item may have, less some bytes for its key and the names of attributes.
const FITTING: usize = 409_600 - 100;

/// Repeats an element with commas until there are so many bytes.
pub(crate) fn repeated(element: &str, bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + element.len());
    text.push_str(element);
    while text.len() < bytes {
        text.push(',');
        text.push_str(element);
    }
    text
}

/// Numbers elements until there are so many bytes.
pub(crate) fn numbered(element: impl Fn(usize) -> String, bytes: usize) -> String {
    let mut text = element(0);
    for number in 1.. {
        if text.len() >= bytes {
            break;
        }
        text.push(',');
        text.push_str(&element(number));
    }
    text
}

/// Kinds of attribute values.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value {
    Text,
    Escapes,
    Nulls,
    EmptyTexts,
    SmallSets,
    SmallMaps,
    SmallLists,
    LargeMap,
    TextSet,
    NumberSet,
}

impl Value {
    pub(crate) const ALL: [Self; 10] = [
        Self::Text,
        Self::Escapes,
        Self::Nulls,
        Self::EmptyTexts,
        Self::SmallSets,
        Self::SmallMaps,
        Self::SmallLists,
        Self::LargeMap,
        Self::TextSet,
        Self::NumberSet,
    ];

    /// A value as large as fits an item.
    pub(crate) fn fitting(self) -> String {
        self.of_size(FITTING)
    }

    /// A value of some `size` bytes, as DynamoDB counts, and never more.
    pub(crate) fn of_size(self, size: usize) -> String {
        let list = |element: &str, element_size: usize| {
            let count = (size - 3) / element_size;
            format!(r#"{{"L":[{}]}}"#, vec![element; count].join(","))
        };
        match self {
            Self::Text => format!(r#"{{"S":"{}"}}"#, "x".repeat(size)),
            Self::Escapes => format!(r#"{{"S":"{}"}}"#, r"\u0001".repeat(size)),
            Self::Nulls => list(r#"{"NULL":true}"#, 2),
            Self::EmptyTexts => list(r#"{"S":""}"#, 1),
            Self::SmallSets => list(r#"{"SS":[""]}"#, 1),
            Self::SmallMaps => list(r#"{"M":{"a":{"S":""}}}"#, 6),
            Self::SmallLists => list(r#"{"L":[{"S":""}]}"#, 5),
            Self::LargeMap => {
                let count = (size - 3) / 7;
                let entries: Vec<String> = (0..count).map(|n| format!(r#""{n:05x}":{{"S":""}}"#)).collect();
                format!(r#"{{"M":{{{}}}}}"#, entries.join(","))
            }
            Self::TextSet => {
                let members: Vec<String> = (0..size / 5).map(|n| format!(r#""{n:05x}""#)).collect();
                format!(r#"{{"SS":[{}]}}"#, members.join(","))
            }
            Self::NumberSet => {
                let members: Vec<String> = (0..size / 5).map(|n| format!(r#""{n}""#)).collect();
                format!(r#"{{"NS":[{}]}}"#, members.join(","))
            }
        }
    }
}

/// A name, and what makes JSON of so many bytes.
pub(crate) type Filler = (&'static str, fn(usize) -> String);

fn list(element: &str, bytes: usize) -> String {
    format!(r#"{{"L":[{}]}}"#, repeated(element, bytes / 4))
}

fn set(tag: &str, element: &str, bytes: usize) -> String {
    format!(r#"{{"{tag}":[{}]}}"#, repeated(element, bytes / 4))
}

/// Values far too large for an item, some with a fault: texts as long as a body may be, collections a quarter of that, which is past the
/// point where they are given up.
pub(crate) const TOO_LARGE: [Filler; 15] = [
    ("small sets", |bytes| list(r#"{"SS":[""]}"#, 2 * bytes)),
    ("a long text", |bytes| format!(r#"{{"S":"{}"}}"#, "x".repeat(bytes))),
    ("a long text of escapes", |bytes| format!(r#"{{"S":"{}"}}"#, r"\n".repeat(bytes / 2))),
    ("a long number", |bytes| format!(r#"{{"N":"{}"}}"#, "1".repeat(bytes))),
    ("a long no number", |bytes| format!(r#"{{"N":"{}"}}"#, "x".repeat(bytes))),
    ("long bytes", |bytes| format!(r#"{{"B":"{}"}}"#, "AAAA".repeat(bytes / 4))),
    ("empty values", |bytes| list("{}", bytes)),
    ("nulls", |bytes| list(r#"{"NULL":true}"#, bytes)),
    ("small maps", |bytes| list(r#"{"M":{"a":{"S":""}}}"#, bytes)),
    ("deep lists", |bytes| list(&format!("{}{}", r#"{"L":["#.repeat(28), "]}".repeat(28)), bytes)),
    ("a map", |bytes| format!(r#"{{"M":{{{}}}}}"#, numbered(|n| format!(r#""{n}":{{"S":""}}"#), bytes / 4))),
    ("one text many times", |bytes| set("SS", r#""""#, bytes)),
    ("one number many times", |bytes| set("NS", r#""1""#, bytes)),
    ("one blob many times", |bytes| set("BS", r#""""#, bytes)),
    ("texts", |bytes| format!(r#"{{"SS":[{}]}}"#, numbered(|n| format!("\"{n}\""), bytes / 4))),
];

/// Long strings, with quotes.
pub(crate) const TEXTS: [Filler; 3] = [
    ("a long ARN", |bytes| {
        format!("\"arn:aws:dynamodb:us-east-1:000000000000:table/{}\"", "x".repeat(bytes))
    }),
    ("a text of escapes", |bytes| format!("\"{}\"", r"\n".repeat(bytes / 2))),
    ("a long text", |bytes| format!("\"{}\"", "x".repeat(bytes))),
];
