//! The cases, by group.

mod at_timestamp;
mod capture;
mod consumers;
mod equality;
mod errors;
mod images;
mod iterators;
mod lifecycle;
mod listing;
mod order;
mod paging;
mod refusals;
mod retention;
mod shards;
mod sizes;
mod transactions;
mod ttl;
mod wire;

use crate::case::Case;

/// Returns all cases, group by group.
pub fn all() -> Vec<Case> {
    [
        lifecycle::group(),
        refusals::group(),
        listing::group(),
        iterators::group(),
        at_timestamp::group(),
        paging::group(),
        errors::group(),
        images::group(),
        capture::group(),
        equality::group(),
        sizes::group(),
        order::group(),
        transactions::group(),
        ttl::group(),
        shards::group(),
        retention::group(),
        consumers::group(),
        wire::group(),
    ]
    .into_iter()
    .flat_map(crate::case::Group::into_cases)
    .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::CHECKLIST;

    #[test]
    fn every_line_of_the_checklist_has_a_case() {
        let covered: BTreeSet<u8> = all().iter().flat_map(|case| case.checklist).copied().collect();
        let lines: BTreeSet<u8> = CHECKLIST.iter().map(|(line, _)| *line).collect();
        assert_eq!(covered, lines);
    }

    #[test]
    fn names_are_unique() {
        let mut seen = BTreeSet::new();
        for case in all() {
            assert!(seen.insert(case.path()), "{} is there twice", case.path());
            assert!(!case.checklist.is_empty(), "{} names no line of the checklist", case.path());
        }
        assert!(seen.len() >= 150, "{} cases", seen.len());
    }
}
