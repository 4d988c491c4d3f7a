//! Vector indexes: their definitions, and vectors as they contain them.

use std::fmt;

use crate::{
    AttributeValue, IndexName, Item, KeyAttribute, KeyError, KeySchema, KeyValue, Number, PrimaryKey,
    Projection,
};

/// How the distance of two vectors is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum DistanceFunction {
    /// One less the cosine of the angle: 0 is the same direction, 2 the opposite one.
    Cosine,
    /// The sum of the products: greater is nearer.
    DotProduct,
    /// The straight distance: 0 is the same point.
    Euclidean,
}

impl DistanceFunction {
    /// Returns the API's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cosine => "COSINE",
            Self::DotProduct => "DOT_PRODUCT",
            Self::Euclidean => "EUCLIDEAN",
        }
    }
}

impl fmt::Display for DistanceFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a search does with an attribute of a search schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum SearchRole {
    /// Each search names one value, and sees only the items that have it.
    Hash,
    /// A search may name a value.
    InlineFilter,
}

impl SearchRole {
    /// Returns the API's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hash => "HASH",
            Self::InlineFilter => "INLINE_FILTER",
        }
    }
}

/// An attribute by which a search of a vector index selects items.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SearchAttribute {
    /// The name and the type.
    pub attribute: KeyAttribute,
    /// What a search does with it.
    pub role: SearchRole,
}

/// A vector index.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct VectorIndex {
    /// The name.
    pub name: IndexName,
    /// The attribute that contains the vector.
    pub vector_attribute: String,
    /// How many elements a vector has: 1 to 4096.
    pub dimensions: u32,
    /// How distances are measured.
    pub distance_function: DistanceFunction,
    /// The attributes by which searches select items, in the order of the request. One at most is a [`SearchRole::Hash`].
    #[serde(default)]
    pub search_schema: Vec<SearchAttribute>,
    /// Which attributes its entries contain.
    pub projection: Projection,
}

impl VectorIndex {
    /// Returns the attribute that partitions the index, if it has one.
    #[must_use]
    pub fn hash(&self) -> Option<&KeyAttribute> {
        self.attributes_of(SearchRole::Hash).next()
    }

    /// Returns the attributes of the search schema with this role.
    pub fn attributes_of(&self, role: SearchRole) -> impl Iterator<Item = &KeyAttribute> {
        self.search_schema
            .iter()
            .filter(move |element| element.role == role)
            .map(|element| &element.attribute)
    }

    /// Returns the attribute of the search schema with this name.
    #[must_use]
    pub fn search_attribute(&self, name: &str) -> Option<&SearchAttribute> {
        self.search_schema.iter().find(|element| element.attribute.name == name)
    }

    /// Returns whether a search can return the attribute.
    #[must_use]
    pub fn projects(&self, table_key: &KeySchema, attribute: &str) -> bool {
        let is_key = || table_key.contains(attribute) || self.search_attribute(attribute).is_some();
        match &self.projection {
            Projection::All => true,
            Projection::KeysOnly => is_key(),
            Projection::Include(names) => is_key() || names.iter().any(|name| name == attribute),
        }
    }

    /// Returns the vector of an item, or `None` if it has no such attribute.
    ///
    /// # Errors
    ///
    /// [`VectorFault`] if the attribute is not a vector of this index.
    pub fn vector(&self, item: &Item) -> Result<Option<Vector>, VectorFault> {
        let Some(value) = item.get(&self.vector_attribute) else { return Ok(None) };
        let AttributeValue::L(elements) = value else { return Err(VectorFault::NotAList) };
        if elements.len() != self.dimensions as usize {
            return Err(VectorFault::Size { actual: elements.len() });
        }
        Vector::of(elements).map(Some)
    }

    /// Returns the values by which the item is in a part of the index: one, or none if the index is not partitioned. Returns `None` if the
    /// item lacks the attribute that partitions the index.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if an attribute of the search schema has another type, or the one that partitions the index is empty or too long.
    pub fn partition(&self, item: &Item) -> Result<Option<Vec<KeyValue>>, KeyError> {
        for attribute in self.attributes_of(SearchRole::InlineFilter) {
            check_type(item, attribute)?;
        }
        let Some(attribute) = self.hash() else { return Ok(Some(Vec::new())) };
        let Some(value) = item.get(&attribute.name) else { return Ok(None) };
        let key = PrimaryKey { hash: vec![KeyValue::new(value, attribute)?], range: Vec::new() };
        key.check_sizes()?;
        Ok(Some(key.hash))
    }
}

fn check_type(item: &Item, attribute: &KeyAttribute) -> Result<(), KeyError> {
    match item.get(&attribute.name).map(AttributeValue::type_name) {
        Some(actual) if actual != attribute.scalar_type.name() => {
            Err(KeyError::WrongType { name: attribute.name.clone(), expected: attribute.scalar_type, actual })
        }
        Some(_) | None => Ok(()),
    }
}

/// Why a value is not a vector. Positions count from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VectorFault {
    /// It is not a list.
    #[error("it is not a list")]
    NotAList,
    /// It has another number of elements.
    #[error("it has {actual} elements")]
    Size {
        /// How many it has.
        actual: usize,
    },
    /// An element is not a number.
    #[error("element {position} is of type {actual}")]
    Element {
        /// The place of the element.
        position: usize,
        /// The type that it has.
        actual: &'static str,
    },
    /// An element is greater than the greatest 32-bit float.
    #[error("element {position} is out of range: {value}")]
    Range {
        /// The place of the element.
        position: usize,
        /// The number.
        value: Number,
    },
}

/// The greatest magnitude of an element, as AWS prints it. It rounds to [`f32::MAX`].
const MAX_ELEMENT: &str = "3.4028235E38";

/// A vector as an index contains it: 32-bit floats, packed with the lowest byte first.
///
/// # Examples
///
/// ```
/// use pdb_model::{AttributeValue, Vector};
///
/// let elements = [AttributeValue::from(1), AttributeValue::from(16_777_217)];
/// assert_eq!(Vector::of(&elements)?.floats().collect::<Vec<_>>(), [1.0, 16_777_216.0]);
/// # Ok::<(), pdb_model::VectorFault>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vector(Vec<u8>);

impl Vector {
    /// Packs numbers. Each becomes the nearest 32-bit float.
    ///
    /// # Errors
    ///
    /// [`VectorFault::Element`], [`VectorFault::Range`].
    pub fn of(elements: &[AttributeValue]) -> Result<Self, VectorFault> {
        let mut bytes = Vec::with_capacity(4 * elements.len());
        for (position, element) in elements.iter().enumerate() {
            let AttributeValue::N(number) = element else {
                return Err(VectorFault::Element { position, actual: element.type_name() });
            };
            let float = float(number).ok_or(VectorFault::Range { position, value: *number })?;
            bytes.extend_from_slice(&float.to_le_bytes());
        }
        Ok(Self(bytes))
    }

    /// Takes bytes that [`as_bytes`](Self::as_bytes) has returned, for example from the database.
    #[must_use]
    pub fn from_stored(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Returns the bytes: four for each element.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the bytes without copying them.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Returns the elements.
    pub fn floats(&self) -> impl Iterator<Item = f32> {
        self.0.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes))
    }

    /// Returns the vector as an attribute. The numbers are the shortest that are these floats.
    #[must_use]
    pub fn to_attribute(&self) -> AttributeValue {
        // Each finite float is a number, and floats of other kinds are refused above.
        let number = |float: f32| Number::try_from(float).unwrap_or_default();
        AttributeValue::L(self.floats().map(|float| AttributeValue::N(number(float))).collect())
    }
}

/// Returns the float that is nearest to a number, or `None` if the number is out of range.
fn float(number: &Number) -> Option<f32> {
    let float = number.to_f32();
    let is_in_range = || {
        let magnitude = if float < 0.0 { number.negated() } else { *number };
        MAX_ELEMENT.parse().is_ok_and(|most: Number| magnitude <= most)
    };
    (float.abs() < f32::MAX || is_in_range()).then_some(float)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ScalarType;

    fn index(dimensions: u32) -> VectorIndex {
        VectorIndex {
            name: "by_meaning".parse().unwrap(),
            vector_attribute: "v".to_owned(),
            dimensions,
            distance_function: DistanceFunction::Cosine,
            search_schema: vec![
                SearchAttribute {
                    attribute: KeyAttribute { name: "tenant".to_owned(), scalar_type: ScalarType::S },
                    role: SearchRole::Hash,
                },
                SearchAttribute {
                    attribute: KeyAttribute { name: "size".to_owned(), scalar_type: ScalarType::N },
                    role: SearchRole::InlineFilter,
                },
            ],
            projection: Projection::KeysOnly,
        }
    }

    fn list(elements: impl IntoIterator<Item = AttributeValue>) -> Item {
        Item::from([("v", AttributeValue::L(elements.into_iter().collect()))])
    }

    fn number(text: &str) -> AttributeValue {
        AttributeValue::N(text.parse().unwrap())
    }

    #[test]
    fn a_vector_is_a_list_of_so_many_numbers_in_the_range_of_floats() {
        let index = index(2);
        assert_eq!(index.vector(&Item::from([("w", 1.into())])), Ok(None));
        let fault = |item| index.vector(&item).unwrap_err();
        assert_eq!(fault(Item::from([("v", 1.into())])), VectorFault::NotAList);
        assert_eq!(fault(list([1.into()])), VectorFault::Size { actual: 1 });
        assert_eq!(fault(list([1.into(), "2".into()])), VectorFault::Element { position: 1, actual: "S" });
        for (text, in_range) in [
            ("3.4028235E38", true),
            ("-3.4028235E38", true),
            ("3.4028235000000000000000000000000000001E38", false),
            ("-3.4028236E38", false),
            ("1E+39", false),
            ("3.4e38", true),
            ("1E-130", true),
        ] {
            let vector = index.vector(&list([number(text), 0.into()]));
            assert_eq!(vector.is_ok(), in_range, "{text}");
        }
    }

    #[test]
    fn an_item_is_in_a_part_of_the_index_if_its_attributes_have_their_types() {
        let index = index(1);
        let part = |item: Item| index.partition(&item);
        assert_eq!(part(Item::default()), Ok(None));
        assert_eq!(part(Item::from([("tenant", "a".into())])), Ok(Some(vec![KeyValue::S("a".to_owned())])));
        assert!(matches!(part(Item::from([("tenant", 1.into())])), Err(KeyError::WrongType { .. })));
        assert!(matches!(part(Item::from([("tenant", "".into())])), Err(KeyError::Empty { .. })));
        assert!(matches!(
            part(Item::from([("tenant", "x".repeat(2049).into())])),
            Err(KeyError::HashTooLong)
        ));
        assert!(matches!(part(Item::from([("size", "1".into())])), Err(KeyError::WrongType { .. })));
    }

    proptest! {
        #[test]
        fn floats_survive(floats in prop::collection::vec(any::<f32>().prop_filter("finite", |f| f.is_finite()), 0..9)) {
            let numbers: Vec<_> = floats.iter().map(|float| AttributeValue::N(Number::try_from(*float).unwrap())).collect();
            let vector = Vector::of(&numbers).unwrap();
            // A number has no negative zero.
            prop_assert_eq!(vector.floats().collect::<Vec<_>>(), floats);
            prop_assert_eq!(vector.to_attribute(), AttributeValue::L(numbers));
        }
    }
}
