//! Attribute values: decoded into the model's types while the request is read, with their first fault.
//!
//! A value that is of the right JSON types but breaks a rule of DynamoDB (`{"N": "b"}`, an empty set, two types at once) is a
//! `ValidationException`, and one that is reported late: after the constraints and the presence checks. So a fault does not stop the
//! decoding; it is kept beside the value and the operation reports it at its turn ([`AttributeMap::checked`], [`Value::checked`]).

mod dump;
mod fault;
mod set;

pub(crate) use fault::Fault;

use std::collections::BTreeMap;

use pdb_model::{ApiError, AttributeValue, Item, MAX_NESTING, Number};
use serde::de::{IgnoredAny, MapAccess, SeqAccess};

use crate::decode::{Blob, Decode, Kind, NameSeed, Place, Seed, Text, skip_value};
use crate::layer::Texts;

/// The longest name of an attribute, in bytes.
const MAX_NAME_BYTES: usize = 65_535;

/// One attribute value as it came.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Value {
    /// The value; of no meaning if there is a fault.
    value: AttributeValue,
    fault: Option<Fault>,
}

impl Value {
    /// The value, if it is one.
    ///
    /// # Errors
    ///
    /// The text of its first fault.
    pub(crate) fn checked(self, texts: Texts) -> Result<AttributeValue, ApiError> {
        match self.fault {
            None => Ok(self.value),
            Some(fault) => Err(ApiError::validation(texts.envelope(fault.text(texts)))),
        }
    }

    /// The first thing wrong with the value.
    pub(crate) fn fault(&self) -> Option<&Fault> {
        self.fault.as_ref()
    }

    /// The value, whether it has a fault or not.
    pub(crate) fn into_inner(self) -> AttributeValue {
        self.value
    }
}

/// Attributes by name (`Item`, `Key`, `ExclusiveStartKey`), as they came.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct AttributeMap {
    item: Item,
    fault: Option<Fault>,
}

impl AttributeMap {
    /// The attributes, if all are values.
    ///
    /// # Errors
    ///
    /// The text of the first fault in the order of the request.
    pub(crate) fn checked(self, texts: Texts) -> Result<Item, ApiError> {
        match self.fault {
            None => Ok(self.item),
            Some(fault) => Err(ApiError::validation(texts.envelope(fault.text(texts)))),
        }
    }

    /// The attributes of a start key, whose faults are reported in words of their own.
    ///
    /// # Errors
    ///
    /// The text of the first fault; prefixed, unless it is about a number or a duplicate.
    pub(crate) fn checked_start_key(self, texts: Texts) -> Result<Item, ApiError> {
        match self.fault {
            None => Ok(self.item),
            Some(fault) if fault.is_bare_in_start_key() => Err(ApiError::validation(fault.text(texts))),
            Some(fault) => Err(ApiError::validation(format!(
                "The provided starting key is invalid: {}",
                fault.text(texts)
            ))),
        }
    }
}

impl<'de> Decode<'de> for Value {
    fn kind() -> Kind {
        Kind::Structure("AttributeValue")
    }

    /// A missing member stays missing; a missing element is a value without a type.
    fn from_null(place: Place) -> Option<Self> {
        place.is_element().then_some(Self { value: AttributeValue::Null, fault: Some(Fault::Empty) })
    }

    fn from_map<A: MapAccess<'de>>(place: Place, mut members: A) -> Result<Self, A::Error> {
        let depth = place.depth + 1;
        if depth > MAX_NESTING {
            while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Self { value: AttributeValue::Null, fault: Some(Fault::TooDeep) });
        }
        let mut draft = Draft::default();
        while let Some(name) = members.next_key_seed(NameSeed)? {
            match name.as_ref() {
                "S" => {
                    if let Some(text) = members.next_value_seed(Seed::<Text<'de>>::member())? {
                        draft.set(Type::S, AttributeValue::S(text.into_owned()), None);
                    }
                }
                "N" => {
                    if let Some(text) = members.next_value_seed(Seed::<Text<'de>>::member())? {
                        let (number, fault) = parse_number(&text);
                        draft.set(Type::N, AttributeValue::N(number), fault);
                    }
                }
                "B" => {
                    if let Some(blob) = members.next_value_seed(Seed::<Blob>::member())? {
                        draft.set(Type::B, AttributeValue::B(blob.0), None);
                    }
                }
                "BOOL" => {
                    if let Some(flag) = members.next_value_seed(Seed::<bool>::member())? {
                        draft.set(Type::Bool, AttributeValue::Bool(flag), None);
                    }
                }
                "NULL" => {
                    if let Some(flag) = members.next_value_seed(Seed::<bool>::member())? {
                        draft.set(Type::Null, AttributeValue::Null, (!flag).then_some(Fault::NullFalse));
                    }
                }
                "SS" => {
                    if let Some(texts) = members.next_value_seed(Seed::<Vec<Text<'de>>>::member())? {
                        let (value, fault) = set::texts(texts);
                        draft.set(Type::Ss, value, fault);
                    }
                }
                "NS" => {
                    if let Some(texts) = members.next_value_seed(Seed::<Vec<Text<'de>>>::member())? {
                        let (value, fault) = set::numbers(&texts);
                        draft.set(Type::Ns, value, fault);
                    }
                }
                "BS" => {
                    if let Some(blobs) = members.next_value_seed(Seed::<Vec<Blob>>::member())? {
                        let (value, fault) = set::blobs(blobs);
                        draft.set(Type::Bs, value, fault);
                    }
                }
                "L" => {
                    let seed = Seed::<Elements>::new(Place::MEMBER.at_depth(depth));
                    if let Some(elements) = members.next_value_seed(seed)? {
                        draft.set(Type::L, AttributeValue::L(elements.list), elements.fault);
                    }
                }
                "M" => {
                    let seed = Seed::<AttributeMap>::new(Place::MEMBER.at_depth(depth));
                    if let Some(map) = members.next_value_seed(seed)? {
                        draft.set(Type::M, AttributeValue::M(map.item.0), map.fault);
                    }
                }
                _ => skip_value(&mut members)?,
            }
        }
        Ok(draft.finish())
    }
}

impl<'de> Decode<'de> for AttributeMap {
    fn kind() -> Kind {
        Kind::Map(Value::kind().java_type())
    }

    fn from_map<A: MapAccess<'de>>(place: Place, mut members: A) -> Result<Self, A::Error> {
        let mut attributes = BTreeMap::new();
        let mut fault = None;
        while let Some(name) = members.next_key_seed(NameSeed)? {
            let seed = Seed::<Value>::new(Place::ELEMENT.at_depth(place.depth));
            if let Some(value) = members.next_value_seed(seed)? {
                if fault.is_none() {
                    fault = name_fault(&name).or(value.fault);
                }
                attributes.insert(name.into_owned(), value.value);
            }
        }
        Ok(Self { item: Item(attributes), fault })
    }
}

/// The elements of a list value.
struct Elements {
    list: Vec<AttributeValue>,
    fault: Option<Fault>,
}

impl<'de> Decode<'de> for Elements {
    fn kind() -> Kind {
        Kind::List(Value::kind().java_type())
    }

    fn from_list<A: SeqAccess<'de>>(place: Place, mut elements: A) -> Result<Self, A::Error> {
        let mut list = Vec::new();
        let mut fault = None;
        let seed = || Seed::<Value>::new(Place::ELEMENT.at_depth(place.depth));
        while let Some(element) = elements.next_element_seed(seed())? {
            if let Some(value) = element {
                fault = fault.or(value.fault);
                list.push(value.value);
            }
        }
        Ok(Self { list, fault })
    }
}

/// Checks the name of an attribute that stands beside its value.
///
/// # Errors
///
/// The text for a name that is empty or too long.
pub(crate) fn check_name(name: &str, texts: Texts) -> Result<(), ApiError> {
    match name_fault(name) {
        None => Ok(()),
        Some(fault) => Err(ApiError::validation(texts.envelope(fault.text(texts)))),
    }
}

fn name_fault(name: &str) -> Option<Fault> {
    match name.len() {
        0 => Some(Fault::EmptyName),
        1..=MAX_NAME_BYTES => None,
        _ => Some(Fault::LongName(name.to_owned())),
    }
}

fn parse_number(text: &str) -> (Number, Option<Fault>) {
    match text.parse() {
        Ok(number) => (number, None),
        Err(error) => (Number::ZERO, Some(Fault::Number { text: text.to_owned(), error })),
    }
}

/// The members an attribute value can have, in the order in which AWS checks them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Type {
    N,
    Null,
    Ss,
    Ns,
    Bs,
    M,
    L,
    S,
    B,
    Bool,
}

/// A value while its members are read.
#[derive(Default)]
struct Draft {
    /// The members seen, as a set of bits.
    seen: u16,
    value: Option<AttributeValue>,
    /// The fault that AWS would report first, with its member.
    fault: Option<(Type, Fault)>,
}

impl Draft {
    fn set(&mut self, member: Type, value: AttributeValue, fault: Option<Fault>) {
        self.seen |= 1 << member as u16;
        self.value = Some(value);
        if self.fault.as_ref().is_some_and(|(earlier, _)| *earlier == member) {
            self.fault = None;
        }
        if let Some(fault) = fault
            && self.fault.as_ref().is_none_or(|(earlier, _)| member < *earlier)
        {
            self.fault = Some((member, fault));
        }
    }

    fn finish(self) -> Value {
        let Some(value) = self.value else {
            return Value { value: AttributeValue::Null, fault: Some(Fault::Empty) };
        };
        let several = || (self.seen.count_ones() > 1).then_some(Fault::SeveralTypes);
        Value { value, fault: self.fault.map(|(_, fault)| fault).or_else(several) }
    }
}

#[cfg(test)]
mod tests;
