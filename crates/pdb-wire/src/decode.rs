//! From request bytes to typed input, in one pass.
//!
//! AWS's services tell a client exactly what was wrong with the *type* of a member: `NUMBER_VALUE cannot be converted
//! to String`, `Unexpected field type`, ... Those texts depend on what was expected, what was found, and where: a member of a
//! structure, or an element of a list or map. [`Decode`] is one method for each kind of JSON token, whose defaults are those texts;
//! a type overrides only what it accepts. What an operation takes is declared with [`shape!`].
//!
//! Rules that hold everywhere: JSON `null` is the same as absent, an unknown member is ignored, of two members of one name the last
//! wins. Text is borrowed from the request where it holds no escapes.

mod body;
mod collection;
mod dump;
mod meter;
mod scalar;
mod shape;
mod timestamp;

pub(crate) use body::{decode_body, decode_copied, is_json, not_json};
pub(crate) use collection::{Entries, Members};
pub(crate) use dump::{Dump, cut, dump_member, is_long};
pub(crate) use meter::{MAX_PART_BYTES, Meter};
pub(crate) use scalar::{Blob, Text};
pub(crate) use shape::shape;
pub(crate) use timestamp::Timestamp;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The Java package AWS names in type errors.
pub(crate) const PACKAGE: &str = "com.amazonaws.dynamodb.v20120810.";
const STRUCTURE_UNEXPECTED: &str = "Start of structure or map found where not expected";
const PARAMETERIZED: &str = "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to class \
     java.lang.Class (sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and java.lang.Class are in module java.base of \
     loader 'bootstrap')";

/// Where a value stands; the text of a type error depends on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'m> {
    /// An element of a list or a value of a map, and not a member of a structure.
    is_element: bool,
    /// How many attribute values are around this one.
    pub(crate) depth: usize,
    /// Counts what is kept of the request.
    pub(crate) meter: &'m Meter,
}

impl<'m> Place<'m> {
    /// The whole body.
    pub(crate) fn body(meter: &'m Meter) -> Self {
        Self { is_element: false, depth: 0, meter }
    }

    /// A member of a structure.
    pub(crate) fn member(self) -> Self {
        Self { is_element: false, depth: 0, ..self }
    }

    /// An element of a list or a value of a map.
    pub(crate) fn element(self) -> Self {
        Self { is_element: true, depth: 0, ..self }
    }

    /// Whether this is an element of a list or a value of a map.
    pub(crate) fn is_element(self) -> bool {
        self.is_element
    }

    /// The same place inside so many attribute values.
    pub(crate) fn at_depth(self, depth: usize) -> Self {
        Self { depth, ..self }
    }
}

/// What kind of thing a type is on the wire, with the name AWS's deserialiser gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A scalar of this Java class, such as `java.lang.String`.
    Scalar(&'static str),
    /// A structure of the model, such as `KeySchemaElement`.
    Structure(&'static str),
    /// A list; holds the Java type of its elements.
    List(String),
    /// A map; holds the Java type of its values.
    Map(String),
}

impl Kind {
    /// The type as a parameter of a Java generic: what stands between `<` and `>`.
    pub(crate) fn java_type(&self) -> String {
        match self {
            Self::Scalar(class) => (*class).to_owned(),
            Self::Structure(shape) => format!("{PACKAGE}{shape}"),
            Self::List(element) => format!("java.util.List<{element}>"),
            Self::Map(value) => format!("java.util.Map<java.lang.String, {value}>"),
        }
    }

    /// The last part of a scalar's class, as in `cannot be converted to String`.
    fn simple_name(class: &str) -> &str {
        class.rsplit('.').next().unwrap_or(class)
    }

    /// The text for a token this kind does not take.
    fn mismatch(&self, place: Place<'_>, token: Token) -> String {
        match (self, token) {
            (
                Self::Scalar("java.nio.ByteBuffer"),
                Token::True | Token::False | Token::Number | Token::Decimal,
            ) => "only base-64-encoded strings are convertible to bytes".to_owned(),
            (Self::Scalar(class), Token::List) => format!("Unrecognized collection type class {class}"),
            (Self::Scalar(_) | Self::List(_), Token::Map) => STRUCTURE_UNEXPECTED.to_owned(),
            (Self::Scalar(class), token) => {
                format!("{}_VALUE cannot be converted to {}", token.name(), Self::simple_name(class))
            }
            (Self::Structure(shape), Token::List) => {
                format!("Unrecognized collection type class {PACKAGE}{shape}")
            }
            (Self::Map(value), Token::List) => {
                format!("Unrecognized collection type java.util.Map<java.lang.String, {value}>")
            }
            (_, _) if !place.is_element => "Unexpected field type".to_owned(),
            (Self::Structure(_), _) => "Unexpected value type in payload".to_owned(),
            (Self::List(_) | Self::Map(_), _) => PARAMETERIZED.to_owned(),
        }
    }
}

/// A kind of JSON token, named as in AWS's texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    True,
    False,
    Number,
    Decimal,
    Text,
    List,
    Map,
}

impl Token {
    fn name(self) -> &'static str {
        match self {
            Self::True => "TRUE",
            Self::False => "FALSE",
            Self::Number => "NUMBER",
            Self::Decimal => "DECIMAL",
            Self::Text => "STRING",
            Self::List => "START_ARRAY",
            Self::Map => "START_OBJECT",
        }
    }
}

/// A type that can be read from a request. Each method takes one kind of token; the defaults refuse it with AWS's text.
pub(crate) trait Decode<'de>: Sized {
    /// What this type is on the wire.
    fn kind() -> Kind;

    /// How many bytes an element of a list takes; the list may have room for as many again.
    fn weight() -> usize {
        2 * size_of::<Self>()
    }

    /// The error for a token that does not fit here.
    fn mismatch<E: Error>(place: Place<'_>, token: Token) -> E {
        E::custom(Self::kind().mismatch(place, token))
    }

    /// Reads a value of any kind, and hands it to one of the methods below.
    fn read<D: Deserializer<'de>>(place: Place<'_>, deserializer: D) -> Result<Option<Self>, D::Error> {
        deserializer.deserialize_any(Seed::new(place))
    }

    /// Takes JSON `null`; `None` means absent.
    fn from_null(_place: Place<'_>) -> Option<Self> {
        None
    }

    /// Takes `true` or `false`.
    fn from_bool<E: Error>(place: Place<'_>, value: bool) -> Result<Self, E> {
        Err(Self::mismatch(place, if value { Token::True } else { Token::False }))
    }

    /// Takes a number without fraction and exponent.
    fn from_integer<E: Error>(place: Place<'_>, _value: i128) -> Result<Self, E> {
        Err(Self::mismatch(place, Token::Number))
    }

    /// Takes any other number.
    fn from_decimal<E: Error>(place: Place<'_>, _value: f64) -> Result<Self, E> {
        Err(Self::mismatch(place, Token::Decimal))
    }

    /// Takes a string.
    fn from_text<E: Error>(place: Place<'_>, _value: Cow<'de, str>) -> Result<Self, E> {
        Err(Self::mismatch(place, Token::Text))
    }

    /// Takes an array.
    fn from_list<A: SeqAccess<'de>>(place: Place<'_>, _elements: A) -> Result<Self, A::Error> {
        Err(Self::mismatch(place, Token::List))
    }

    /// Takes an object.
    fn from_map<A: MapAccess<'de>>(place: Place<'_>, _members: A) -> Result<Self, A::Error> {
        Err(Self::mismatch(place, Token::Map))
    }
}

/// Reads a `T` at a place; `None` for JSON `null`.
pub(crate) struct Seed<'m, T> {
    place: Place<'m>,
    decoded: PhantomData<T>,
}

impl<'m, T> Seed<'m, T> {
    /// For a value at this place.
    pub(crate) fn new(place: Place<'m>) -> Self {
        Self { place, decoded: PhantomData }
    }

    /// For a member of the structure at this place.
    pub(crate) fn member(place: Place<'m>) -> Self {
        Self::new(place.member())
    }

    /// For an element of the list or a value of the map at this place.
    pub(crate) fn element(place: Place<'m>) -> Self {
        Self::new(place.element())
    }
}

impl<'de, T: Decode<'de>> DeserializeSeed<'de> for Seed<'_, T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        T::read(self.place, deserializer)
    }
}

impl<'de, T: Decode<'de>> Visitor<'de> for Seed<'_, T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&T::kind().java_type())
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(T::from_null(self.place))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        T::from_bool(self.place, value).map(Some)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        T::from_integer(self.place, i128::from(value)).map(Some)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        T::from_integer(self.place, i128::from(value)).map(Some)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        // The parser gives integers beyond 64 bits as floats.
        if value.abs() >= 9.2e18 {
            return T::from_integer(self.place, value as i128).map(Some);
        }
        T::from_decimal(self.place, value).map(Some)
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Self::Value, E> {
        T::from_text(self.place, Cow::Borrowed(value)).map(Some)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        T::from_text(self.place, Cow::Owned(value.to_owned())).map(Some)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<Self::Value, A::Error> {
        T::from_list(self.place, elements).map(Some)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
        T::from_map(self.place, members).map(Some)
    }
}

/// Reads the next name of an object, borrowed if it holds no escapes.
pub(crate) struct NameSeed;

impl<'de> DeserializeSeed<'de> for NameSeed {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for NameSeed {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value.to_owned()))
    }
}

/// Passes over a value of any kind and depth.
pub(crate) fn skip_value<'de, A: MapAccess<'de>>(members: &mut A) -> Result<(), A::Error> {
    members.next_value::<IgnoredAny>().map(|_| ())
}

#[cfg(test)]
mod tests;
