//! The three sets of an attribute value.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// A sorted set: the content of [`AttributeValue::Ss`](crate::AttributeValue::Ss), `Ns` and `Bs`.
///
/// The set is one allocation of the size it needs, where a B-tree takes 280 bytes for a set of one text. Looking up a member is a binary search.
///
/// # Examples
///
/// ```
/// use pdb_model::ValueSet;
///
/// let one = ValueSet::from(["b".to_owned(), "a".to_owned(), "b".to_owned()]);
/// let two = ValueSet::from(["c".to_owned(), "a".to_owned()]);
/// assert!(one.contains("b"));
/// assert_eq!(one.union(&two).iter().collect::<Vec<_>>(), ["a", "b", "c"]);
/// assert_eq!(one.difference(&two), ValueSet::from(["b".to_owned()]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueSet<T>(Vec<T>);

impl<T> ValueSet<T> {
    /// Returns a set without members.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Returns the number of members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the members in ascending order.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }
}

impl<T: Ord> ValueSet<T> {
    /// Returns whether the set has this member.
    #[must_use]
    pub fn contains<Q: Ord + ?Sized>(&self, member: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.0.binary_search_by(|own| own.borrow().cmp(member)).is_ok()
    }
}

impl<T: Ord + Clone> ValueSet<T> {
    /// Returns the members of both sets.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let (mut one, mut two) = (self.0.as_slice(), other.0.as_slice());
        let mut members = Vec::with_capacity(one.len() + two.len());
        while let ([first, rest @ ..], [second, others @ ..]) = (one, two) {
            let order = first.cmp(second);
            members.push(if order.is_gt() { second } else { first }.clone());
            if order.is_le() {
                one = rest;
            }
            if order.is_ge() {
                two = others;
            }
        }
        members.extend_from_slice(one);
        members.extend_from_slice(two);
        members.shrink_to_fit();
        Self(members)
    }

    /// Returns the members that the other set does not have.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let mut others = other.0.iter().peekable();
        let is_left = |member: &&T| {
            while others.next_if(|other| (*other).cmp(*member) == Ordering::Less).is_some() {}
            others.peek().is_none_or(|other| *other != *member)
        };
        self.0.iter().filter(is_left).cloned().collect()
    }
}

impl<T> Default for ValueSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Takes members in any order. Duplicates are removed.
impl<T: Ord> FromIterator<T> for ValueSet<T> {
    fn from_iter<I: IntoIterator<Item = T>>(members: I) -> Self {
        let mut members: Vec<T> = members.into_iter().collect();
        if !members.is_sorted_by(|one, two| one < two) {
            members.sort_unstable();
            members.dedup();
        }
        members.shrink_to_fit();
        Self(members)
    }
}

impl<T: Ord, const COUNT: usize> From<[T; COUNT]> for ValueSet<T> {
    fn from(members: [T; COUNT]) -> Self {
        members.into_iter().collect()
    }
}

impl<T: Ord> From<BTreeSet<T>> for ValueSet<T> {
    fn from(members: BTreeSet<T>) -> Self {
        Self(members.into_iter().collect())
    }
}

impl<T> IntoIterator for ValueSet<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a ValueSet<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sets_work_as_sets_do(one: Vec<u8>, two: Vec<u8>, member: u8) {
            let (tree, other_tree): (BTreeSet<u8>, BTreeSet<u8>) =
                (one.iter().copied().collect(), two.iter().copied().collect());
            let (set, other): (ValueSet<u8>, ValueSet<u8>) = (one.into_iter().collect(), two.into_iter().collect());
            prop_assert!(set.iter().eq(&tree));
            prop_assert_eq!((set.len(), set.is_empty()), (tree.len(), tree.is_empty()));
            prop_assert_eq!(set.contains(&member), tree.contains(&member));
            prop_assert_eq!(set.union(&other), ValueSet::from(&tree | &other_tree));
            prop_assert_eq!(set.difference(&other), ValueSet::from(&tree - &other_tree));
        }
    }
}
