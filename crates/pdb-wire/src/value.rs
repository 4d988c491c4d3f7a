//! Attribute values: decoded into the model's types while the request is read, with their first fault.
//!
//! A value that is of the right JSON types but breaks a rule of DynamoDB (`{"N": "b"}`, an empty set, two types at once) is a
//! `ValidationException`, and one that is reported late: after the constraints and the presence checks. So a fault does not stop the
//! decoding; it is kept beside the value and the operation reports it at its turn ([`AttributeMap::checked`], [`Value::checked`]).

mod dump;
mod fault;
mod set;

pub(crate) use fault::{Fault, bad_name};

use pdb_model::{ApiError, AttributeValue, Item, MAX_ITEM_BYTES, MAX_NESTING, Number};
use serde::de::{IgnoredAny, MapAccess, SeqAccess};

use crate::decode::{
    Blob, Decode, Kind, MAX_PART_BYTES, Members, Meter, NameSeed, Place, Seed, Text, cut, skip_value,
};
use crate::layer::Texts;

/// The longest name of an attribute, in bytes.
const MAX_NAME_BYTES: usize = 65_535;
/// What the tree of an item takes at least.
const TREE_NODE_BYTES: usize = 640;

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

    /// What operations make of a value of a list takes memory too.
    fn weight() -> usize {
        2 * size_of::<Self>() + 128
    }

    /// A missing member stays missing; a missing element is a value without a type.
    fn from_null(place: Place<'_>) -> Option<Self> {
        place.is_element().then_some(Self { value: AttributeValue::Null, fault: Some(Fault::Empty) })
    }

    fn from_map<A: MapAccess<'de>>(place: Place<'_>, mut members: A) -> Result<Self, A::Error> {
        let depth = place.depth + 1;
        if depth > MAX_NESTING {
            while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Self { value: AttributeValue::Null, fault: Some(Fault::TooDeep) });
        }
        let meter = place.meter;
        let is_outermost = meter.enter();
        let mut draft = Draft::default();
        while let Some(name) = members.next_key_seed(NameSeed)? {
            match name.as_ref() {
                "S" => {
                    if let Some(text) = members.next_value_seed(Seed::<Text<'de>>::member(place))? {
                        let text = if meter.keeps(text.len()) { kept_text(text) } else { String::new() };
                        draft.set(Type::S, AttributeValue::S(text), None);
                    }
                }
                "N" => {
                    if let Some(text) = members.next_value_seed(Seed::<Text<'de>>::member(place))? {
                        meter.keeps(1);
                        let (number, fault) = parse_number(&text);
                        draft.set(Type::N, AttributeValue::N(number), fault);
                    }
                }
                "B" => {
                    if let Some(blob) = members.next_value_seed(Seed::<Blob>::member(place))? {
                        let mut bytes = if meter.keeps(blob.0.len()) { blob.0 } else { Vec::new() };
                        bytes.truncate(MAX_PART_BYTES);
                        draft.set(Type::B, AttributeValue::B(bytes), None);
                    }
                }
                "BOOL" => {
                    if let Some(flag) = members.next_value_seed(Seed::<bool>::member(place))? {
                        meter.keeps(1);
                        draft.set(Type::Bool, AttributeValue::Bool(flag), None);
                    }
                }
                "NULL" => {
                    if let Some(flag) = members.next_value_seed(Seed::<bool>::member(place))? {
                        meter.keeps(1);
                        draft.set(Type::Null, AttributeValue::Null, (!flag).then_some(Fault::NullFalse));
                    }
                }
                "SS" => {
                    if let Some(texts) = members.next_value_seed(Seed::<Members<Text<'de>>>::member(place))? {
                        meter.keeps(texts.list.iter().map(|text| text.len()).sum());
                        let count = texts.list.len();
                        let (value, fault) = set::texts(texts);
                        keep_set::<Text<'de>>(meter, count);
                        draft.set(Type::Ss, value, fault);
                    }
                }
                "NS" => {
                    if let Some(texts) = members.next_value_seed(Seed::<Members<Text<'de>>>::member(place))? {
                        meter.keeps(texts.list.len());
                        let (value, fault) = set::numbers(&texts);
                        keep_set::<Text<'de>>(meter, texts.list.len());
                        draft.set(Type::Ns, value, fault);
                    }
                }
                "BS" => {
                    if let Some(blobs) = members.next_value_seed(Seed::<Members<Blob>>::member(place))? {
                        meter.keeps(blobs.list.iter().map(|blob| blob.0.len()).sum());
                        let count = blobs.list.len();
                        let (value, fault) = set::blobs(&blobs);
                        keep_set::<Blob>(meter, count);
                        draft.set(Type::Bs, value, fault);
                    }
                }
                "L" => {
                    let seed = Seed::<Elements>::new(place.member().at_depth(depth));
                    if let Some(elements) = members.next_value_seed(seed)? {
                        draft.set(Type::L, AttributeValue::L(elements.list), elements.fault);
                    }
                }
                "M" => {
                    let seed = Seed::<Attributes>::new(place.member().at_depth(depth));
                    if let Some(attributes) = members.next_value_seed(seed)? {
                        let map = attributes.entries.into_iter().collect();
                        draft.set(Type::M, AttributeValue::M(map), attributes.fault);
                    }
                }
                _ => skip_value(&mut members)?,
            }
        }
        meter.leave();
        let mut value = draft.finish();
        if is_outermost
            && value.fault.is_none()
            && (meter.is_cut() || value.value.size_bytes() > MAX_ITEM_BYTES)
        {
            value.fault = Some(Fault::TooLarge);
        }
        Ok(value)
    }
}

/// Takes as much of a text as is kept.
fn kept_text(text: Text<'_>) -> String {
    let mut end = text.len().min(MAX_PART_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    match text {
        Text::Borrowed(text) => text[..end].to_owned(),
        Text::Owned(mut text) => {
            text.truncate(end);
            text
        }
    }
}

/// Gives back what a list of `count` members took; as a set they take half of it, and their texts.
fn keep_set<'de, T: Decode<'de>>(meter: &Meter, count: usize) {
    meter.give_back(count * (T::weight() - size_of::<T>()));
}

impl<'de> Decode<'de> for AttributeMap {
    fn kind() -> Kind {
        Kind::Map(Value::kind().java_type())
    }

    fn from_map<A: MapAccess<'de>>(place: Place<'_>, members: A) -> Result<Self, A::Error> {
        place.meter.enter();
        let Attributes { entries, mut fault } = Attributes::from_map(place, members)?;
        place.meter.leave();
        if !entries.is_empty() {
            place.meter.take(TREE_NODE_BYTES)?;
        }
        let item: Item = entries.into_iter().collect();
        // That an item is too large is for the operation to say. But if names are repeated, what is kept may be small enough.
        if fault.is_none() && place.meter.is_cut() && item.size_bytes() <= MAX_ITEM_BYTES {
            fault = Some(Fault::TooLarge);
        }
        Ok(Self { item, fault })
    }
}

/// Named values, in the order of the request.
struct Attributes {
    entries: Vec<(String, AttributeValue)>,
    fault: Option<Fault>,
}

impl<'de> Decode<'de> for Attributes {
    fn kind() -> Kind {
        AttributeMap::kind()
    }

    fn from_map<A: MapAccess<'de>>(place: Place<'_>, mut members: A) -> Result<Self, A::Error> {
        let mut entries = Vec::new();
        let mut fault = None;
        let place = place.element().at_depth(place.depth);
        while let Some(name) = members.next_key_seed(NameSeed)? {
            let is_kept = place.meter.keeps(1 + name.len());
            if let Some(value) = members.next_value_seed(Seed::<Value>::new(place))? {
                if fault.is_none() {
                    fault = name_fault(&name).or(value.fault);
                }
                if is_kept {
                    place.meter.take(size_of::<(String, AttributeValue)>() + name.len())?;
                    entries.push((name.into_owned(), value.value));
                }
            }
        }
        Ok(Self { entries, fault })
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

    fn from_list<A: SeqAccess<'de>>(place: Place<'_>, mut elements: A) -> Result<Self, A::Error> {
        let mut list = Vec::new();
        let mut fault = None;
        let place = place.element().at_depth(place.depth);
        loop {
            let is_kept = place.meter.keeps(1);
            let Some(element) = elements.next_element_seed(Seed::<Value>::new(place))? else { break };
            if let Some(value) = element {
                if fault.is_none() {
                    fault = value.fault;
                }
                if is_kept {
                    place.meter.take(size_of::<AttributeValue>())?;
                    list.push(value.value);
                }
            }
        }
        list.shrink_to_fit();
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
        _ => Some(Fault::LongName),
    }
}

fn parse_number(text: &str) -> (Number, Option<Fault>) {
    match text.parse() {
        Ok(number) => (number, None),
        Err(error) => (Number::ZERO, Some(Fault::Number { text: cut(text).to_owned(), error })),
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
