//! The three set types.

use pdb_model::{AttributeValue, ValueSet};

use super::{Fault, parse_number};
use crate::decode::{Blob, Text};

/// Makes a set of texts.
pub(super) fn texts(members: Vec<Text<'_>>) -> (AttributeValue, Option<Fault>) {
    let count = members.len();
    let set: ValueSet<String> = members.iter().map(|member| member.to_string()).collect();
    let fault = if count == 0 {
        Some(Fault::EmptySet("SS"))
    } else {
        (set.len() < count).then(|| Fault::RepeatedText(members.into_iter().map(Text::into_owned).collect()))
    };
    (AttributeValue::Ss(set), fault)
}

/// Makes a set of numbers.
pub(super) fn numbers(members: &[Text<'_>]) -> (AttributeValue, Option<Fault>) {
    let mut fault = members.is_empty().then_some(Fault::EmptySet("NS"));
    let numbers = members.iter().map(|member| {
        let (number, not_a_number) = parse_number(member);
        if fault.is_none() {
            fault = not_a_number;
        }
        number
    });
    let set: ValueSet<_> = numbers.collect();
    if fault.is_none() && set.len() < members.len() {
        fault = Some(Fault::RepeatedNumber);
    }
    (AttributeValue::Ns(set), fault)
}

/// Makes a set of byte strings.
pub(super) fn blobs(members: Vec<Blob>) -> (AttributeValue, Option<Fault>) {
    if members.is_empty() {
        return (AttributeValue::Bs(ValueSet::new()), Some(Fault::EmptySet("BS")));
    }
    let mut sorted: Vec<&Blob> = members.iter().collect();
    sorted.sort_unstable();
    let members = members.iter();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        let fault = Fault::RepeatedBlob(members.map(|blob| blob.0.clone()).collect());
        return (AttributeValue::Bs(ValueSet::new()), Some(fault));
    }
    (AttributeValue::Bs(members.map(|blob| blob.0.clone()).collect()), None)
}
