//! The three set types.

use std::collections::BTreeSet;

use pdb_model::AttributeValue;

use super::{Fault, parse_number};
use crate::decode::{Blob, Text};

/// Makes a set of texts.
pub(super) fn texts(members: Vec<Text<'_>>) -> (AttributeValue, Option<Fault>) {
    let set: BTreeSet<String> = members.iter().map(|member| member.to_string()).collect();
    let fault = if members.is_empty() {
        Some(Fault::EmptySet("SS"))
    } else {
        (set.len() < members.len())
            .then(|| Fault::RepeatedText(members.into_iter().map(Text::into_owned).collect()))
    };
    (AttributeValue::Ss(set), fault)
}

/// Makes a set of numbers.
pub(super) fn numbers(members: &[Text<'_>]) -> (AttributeValue, Option<Fault>) {
    let mut set = BTreeSet::new();
    let mut fault = members.is_empty().then_some(Fault::EmptySet("NS"));
    for member in members {
        let (number, not_a_number) = parse_number(member);
        fault = fault.or(not_a_number);
        set.insert(number);
    }
    if fault.is_none() && set.len() < members.len() {
        fault = Some(Fault::RepeatedNumber);
    }
    (AttributeValue::Ns(set), fault)
}

/// Makes a set of byte strings.
pub(super) fn blobs(members: Vec<Blob>) -> (AttributeValue, Option<Fault>) {
    let fault = match members.len() {
        0 => Some(Fault::EmptySet("BS")),
        count => {
            let is_distinct = members.iter().collect::<BTreeSet<_>>().len() == count;
            (!is_distinct).then(|| Fault::RepeatedBlob(members.iter().map(|blob| blob.0.clone()).collect()))
        }
    };
    (AttributeValue::Bs(members.into_iter().map(|blob| blob.0).collect()), fault)
}
