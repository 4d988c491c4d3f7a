//! The shapes of tables, their keys and items: what the model and the database are given alike.

use pretender::model::{AttributeValue, Item, ScalarType, TableName};
use pretender::tables::{
    AttributeDefinition, CreateTableInput, GlobalIndexInput, KeySchemaElement, LocalIndexInput,
    ProjectionInput, ProjectionType,
};

use crate::step::Attributes;

/// A secondary index. Each has one definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Index {
    /// A local index on `n`, with whole items.
    Local,
    /// A global index on `g` and `n`, which includes `d`.
    ByText,
    /// A global index on `n`, with keys only.
    ByNumber,
}

impl Index {
    /// All indexes.
    pub const ALL: [Self; 3] = [Self::Local, Self::ByText, Self::ByNumber];

    /// Returns its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::ByText => "by-text",
            Self::ByNumber => "by-number",
        }
    }

    /// Returns the names of its key attributes, besides those of the table.
    #[must_use]
    pub fn key(self) -> &'static [&'static str] {
        match self {
            Self::Local | Self::ByNumber => &["n"],
            Self::ByText => &["g", "n"],
        }
    }

    /// Returns the definition of a global index.
    #[must_use]
    pub fn global(self) -> Option<GlobalIndexInput> {
        let (keys, projection) = match self {
            Self::Local => return None,
            Self::ByText => {
                let keys = vec![KeySchemaElement::hash("g"), KeySchemaElement::range("n")];
                (keys, ProjectionInput::include(["d"]))
            }
            Self::ByNumber => {
                (vec![KeySchemaElement::hash("n")], ProjectionInput::of(ProjectionType::KeysOnly))
            }
        };
        let name = self.name().parse().ok()?;
        Some(GlobalIndexInput { projection, ..GlobalIndexInput::new(name, keys) })
    }

    /// Returns what the index holds of an item; `None` if the item is not in it.
    #[must_use]
    pub fn entry(self, has_range: bool, item: &Item) -> Option<Item> {
        if !self.key().iter().all(|name| item.contains_key(*name)) {
            return None;
        }
        let mut names = vec!["pk"];
        names.extend(has_range.then_some("sk"));
        names.extend(self.key());
        match self {
            Self::Local => return Some(item.clone()),
            Self::ByText => names.push("d"),
            Self::ByNumber => {}
        }
        let mut entry = Item::new();
        for name in names {
            if let Some(value) = item.get(name) {
                entry.insert(name.to_owned(), value.clone());
            }
        }
        Some(entry)
    }
}

/// How many shapes there are.
pub const SHAPES: u8 = 4;

/// Whether tables of a shape have a sort key, and the indexes they begin with.
#[must_use]
pub fn shape(number: u8) -> (bool, &'static [Index]) {
    match number % SHAPES {
        0 => (false, &[]),
        1 => (true, &[Index::Local]),
        2 => (false, &[Index::ByText, Index::ByNumber]),
        _ => (true, &[Index::Local, Index::ByText]),
    }
}

/// Returns the name of a table.
///
/// # Panics
///
/// Never: the names are valid.
#[must_use]
pub fn table_name(table: u8) -> TableName {
    format!("Table{table}").parse().expect("a valid name")
}

/// Returns the definitions of the attributes that these indexes have in their keys.
pub fn definitions<'i>(indexes: impl IntoIterator<Item = &'i Index>) -> Vec<AttributeDefinition> {
    let mut names: Vec<&str> = indexes.into_iter().flat_map(|index| index.key()).copied().collect();
    names.sort_unstable();
    names.dedup();
    let scalar_type = |name: &str| if name == "n" { ScalarType::N } else { ScalarType::S };
    names
        .into_iter()
        .map(|name| AttributeDefinition { name: name.to_owned(), scalar_type: scalar_type(name) })
        .collect()
}

/// Returns the request that creates a table.
#[must_use]
pub fn create_table(table: u8, shape_number: u8) -> CreateTableInput {
    let (has_range, indexes) = shape(shape_number);
    let range = has_range.then_some(("sk", ScalarType::N));
    let mut input = CreateTableInput::new(table_name(table), ("pk", ScalarType::S), range);
    input.attribute_definitions.extend(definitions(indexes));
    let globals: Vec<GlobalIndexInput> = indexes.iter().filter_map(|index| index.global()).collect();
    input.global_secondary_indexes = (!globals.is_empty()).then_some(globals);
    if indexes.contains(&Index::Local)
        && let Ok(index_name) = Index::Local.name().parse()
    {
        input.local_secondary_indexes = Some(vec![LocalIndexInput {
            index_name,
            key_schema: vec![KeySchemaElement::hash("pk"), KeySchemaElement::range("n")],
            projection: ProjectionInput::of(ProjectionType::All),
        }]);
    }
    input
}

/// Returns the key with a number. Three keys share a partition if there is a sort key.
#[must_use]
pub fn key(has_range: bool, number: u8) -> Item {
    if has_range {
        Item::new().with("pk", format!("key-{}", number / 3)).with("sk", i64::from(number % 3))
    } else {
        Item::new().with("pk", format!("key-{number}"))
    }
}

/// Returns a value for the attribute `d`.
#[must_use]
pub fn data(number: u8) -> AttributeValue {
    match number % 8 {
        0 => "some text".into(),
        1 => AttributeValue::B(vec![0, 255, number]),
        2 => AttributeValue::Null,
        3 => AttributeValue::Bool(number > 7),
        4 => AttributeValue::string_set(["b", "a", "\u{e9}\"\\"]),
        5 => AttributeValue::L(vec![1.into(), "two".into(), AttributeValue::Null]),
        6 => AttributeValue::from("x".repeat(200 + usize::from(number))),
        _ => AttributeValue::number_set([3, 1, 2]),
    }
}

/// Returns a text for the attribute `g`.
#[must_use]
pub fn text(number: u8) -> AttributeValue {
    format!("group-{number}").into()
}

/// Returns an item: a key with attributes, at a time in seconds.
#[must_use]
pub fn item(mut item: Item, attributes: Attributes, now: i64) -> Item {
    let Attributes { n, g, d, t } = attributes;
    let values = [
        ("n", n.map(|n| i64::from(n).into())),
        ("g", g.map(text)),
        ("d", d.map(data)),
        ("t", t.map(|t| (now + i64::from(t)).into())),
    ];
    for (name, value) in values {
        if let Some(value) = value {
            item.insert(name.to_owned(), value);
        }
    }
    item
}
