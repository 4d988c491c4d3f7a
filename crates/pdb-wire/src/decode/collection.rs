//! Lists and maps.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::de::{MapAccess, SeqAccess};

use super::{Decode, Kind, NameSeed, Place, Seed};

impl<'de, T: Decode<'de>> Decode<'de> for Vec<T> {
    fn kind() -> Kind {
        Kind::List(T::kind().java_type())
    }

    fn from_list<A: SeqAccess<'de>>(place: Place<'_>, elements: A) -> Result<Self, A::Error> {
        Members::from_list(place, elements).map(|members| members.list)
    }
}

/// A list that remembers whether there were nulls in it: the members of a set.
#[derive(Clone, Debug)]
pub(crate) struct Members<T> {
    pub(crate) list: Vec<T>,
    pub(crate) has_null: bool,
}

impl<'de, T: Decode<'de>> Decode<'de> for Members<T> {
    fn kind() -> Kind {
        Vec::<T>::kind()
    }

    fn from_list<A: SeqAccess<'de>>(place: Place<'_>, mut elements: A) -> Result<Self, A::Error> {
        let mut members = Self { list: Vec::new(), has_null: false };
        while let Some(element) = elements.next_element_seed(Seed::<T>::element(place))? {
            match element {
                Some(element) => {
                    place.meter.take(T::weight())?;
                    members.list.push(element);
                }
                None => members.has_null = true,
            }
        }
        Ok(members)
    }
}

/// What an entry of a map takes besides its value: its name, its place in the table that finds repeated names, and in the maps that
/// operations make.
const ENTRY_BYTES: usize = 320;

/// A map in the order of the request; of two entries of one name the last wins, in the place of the first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entries<'a, T>(Vec<(Cow<'a, str>, T)>);

impl<T> Default for Entries<'_, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'a, T> Entries<'a, T> {
    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(key, value)| (key.as_ref(), value))
    }

    /// Keeps the last of the entries of each name, at the place of the first.
    fn last_wins(entries: Vec<(Cow<'a, str>, T)>) -> Self {
        let mut place_of: HashMap<Cow<'a, str>, usize> = HashMap::with_capacity(entries.len());
        let mut kept: Vec<(Cow<'a, str>, T)> = Vec::with_capacity(entries.len());
        for (name, value) in entries {
            match place_of.get(&name) {
                Some(&place) => kept[place].1 = value,
                None => {
                    place_of.insert(name.clone(), kept.len());
                    kept.push((name, value));
                }
            }
        }
        Self(kept)
    }
}

impl<'a, T> IntoIterator for Entries<'a, T> {
    type Item = (Cow<'a, str>, T);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'de, T: Decode<'de>> Decode<'de> for Entries<'de, T> {
    fn kind() -> Kind {
        Kind::Map(T::kind().java_type())
    }

    fn from_map<A: MapAccess<'de>>(place: Place<'_>, mut members: A) -> Result<Self, A::Error> {
        let mut entries: Vec<(Cow<'de, str>, T)> = Vec::new();
        let mut may_repeat = false;
        while let Some(name) = members.next_key_seed(NameSeed)? {
            if let Some(value) = members.next_value_seed(Seed::<T>::element(place))? {
                place.meter.take(ENTRY_BYTES + T::weight())?;
                // Few entries are the rule: only long maps pay for a lookup table, at the end.
                may_repeat |= entries.len() >= 8 || entries.iter().any(|(earlier, _)| *earlier == name);
                entries.push((name, value));
            }
        }
        Ok(if may_repeat { Self::last_wins(entries) } else { Self(entries) })
    }
}
