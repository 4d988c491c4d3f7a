//! The three set types.

use pdb_model::{AttributeValue, ValueSet};

use super::{Fault, parse_number};
use crate::decode::{Blob, Members, Text};

/// Makes a set of texts.
pub(super) fn texts(members: Members<Text<'_>>) -> (AttributeValue, Option<Fault>) {
    let fault = member_fault("SS", &members);
    let list = members.list;
    let set: ValueSet<String> = list.iter().map(|member| member.to_string()).collect();
    let is_repeated = set.len() < list.len();
    let repeated = || Fault::RepeatedText(list.into_iter().map(Text::into_owned).collect());
    (AttributeValue::Ss(set), fault.or_else(|| is_repeated.then(repeated)))
}

/// Makes a set of numbers.
pub(super) fn numbers(members: &Members<Text<'_>>) -> (AttributeValue, Option<Fault>) {
    let mut fault = member_fault("NS", members);
    let numbers = members.list.iter().map(|member| {
        let (number, not_a_number) = parse_number(member);
        if fault.is_none() {
            fault = not_a_number;
        }
        number
    });
    let set: ValueSet<_> = numbers.collect();
    if fault.is_none() && set.len() < members.list.len() {
        fault = Some(Fault::RepeatedNumber);
    }
    (AttributeValue::Ns(set), fault)
}

/// Makes a set of byte strings.
pub(super) fn blobs(members: &Members<Blob>) -> (AttributeValue, Option<Fault>) {
    if let Some(fault) = member_fault("BS", members) {
        return (AttributeValue::Bs(ValueSet::new()), Some(fault));
    }
    let mut sorted: Vec<&Blob> = members.list.iter().collect();
    sorted.sort_unstable();
    let members = members.list.iter();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        let fault = Fault::RepeatedBlob(members.map(|blob| blob.0.clone()).collect());
        return (AttributeValue::Bs(ValueSet::new()), Some(fault));
    }
    (AttributeValue::Bs(members.map(|blob| blob.0.clone()).collect()), None)
}

/// A set without members, or with one that is `null`.
fn member_fault<T>(set: &'static str, members: &Members<T>) -> Option<Fault> {
    if members.has_null {
        Some(Fault::NullMember(set))
    } else {
        members.list.is_empty().then_some(Fault::EmptySet(set))
    }
}
