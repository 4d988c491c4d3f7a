//! The shards of a stream as a tree, with children below their parents.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Returns a line for each shard. A shard whose parent is no longer listed is a root of the tree.
pub(super) fn lines(shards: &[Value]) -> Vec<String> {
    let ids: BTreeSet<&str> = shards.iter().filter_map(|shard| shard["ShardId"].as_str()).collect();
    let mut children: BTreeMap<Option<&str>, Vec<&Value>> = BTreeMap::new();
    for shard in shards {
        let parent = shard["ParentShardId"].as_str().filter(|parent| ids.contains(parent));
        children.entry(parent).or_default().push(shard);
    }
    let mut lines = Vec::new();
    // Depth first, without recursion: a stream that rotates for days is a long chain.
    let mut open: Vec<Branch> = children.get(&None).map_or_else(Vec::new, |roots| branches(roots, "", true));
    while let Some(Branch { shard, prefix, below }) = open.pop() {
        lines.push(format!("{prefix}{}", described(shard)));
        if let Some(found) = children.get(&shard["ShardId"].as_str()) {
            open.extend(branches(found, &below, false));
        }
    }
    lines
}

/// A shard to be printed.
struct Branch<'a> {
    shard: &'a Value,
    /// The text before the shard.
    prefix: String,
    /// The text before its children.
    below: String,
}

/// Returns the branches for siblings, in reverse order.
fn branches<'a>(siblings: &[&'a Value], before: &str, are_roots: bool) -> Vec<Branch<'a>> {
    let last = siblings.len() - 1;
    let branch = |(place, shard): (usize, &&'a Value)| {
        let shard = *shard;
        // A chain of single children is not indented, because a day of rotations would not fit the terminal.
        let (fork, below) = match (are_roots, last, place == last) {
            (true, ..) => ("", String::new()),
            (false, 0, _) => ("", before.to_owned()),
            (false, _, true) => ("└─ ", format!("{before}   ")),
            (false, _, false) => ("├─ ", format!("{before}│  ")),
        };
        Branch { shard, prefix: format!("{before}{fork}"), below }
    };
    let mut branches: Vec<_> = siblings.iter().enumerate().map(branch).collect();
    branches.reverse();
    branches
}

fn described(shard: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let is_open = shard["SequenceNumberRange"]["EndingSequenceNumber"].is_null();
    format!("{}  {}", text(&shard["ShardId"]), if is_open { "open" } else { "closed" })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shard(id: &str, parent: Option<&str>, end: Option<&str>) -> Value {
        json!({ "ShardId": id, "ParentShardId": parent, "SequenceNumberRange": { "EndingSequenceNumber": end } })
    }

    #[test]
    fn children_stand_below_their_parents() {
        let shards = [
            shard("a", None, Some("1")),
            shard("b", Some("a"), Some("2")),
            shard("c", Some("b"), None),
            shard("d", Some("b"), Some("3")),
            shard("e", Some("d"), None),
            shard("f", Some("d"), None),
            shard("x", Some("gone"), None),
        ];
        assert_eq!(
            lines(&shards),
            [
                "a  closed",
                "b  closed",
                "├─ c  open",
                "└─ d  closed",
                "   ├─ e  open",
                "   └─ f  open",
                "x  open",
            ]
        );
        assert!(lines(&[]).is_empty());
    }

    /// No endpoint should list a shard as its own ancestor, but if one does, the program must still end.
    #[test]
    fn a_circle_of_parents_ends() {
        assert!(lines(&[shard("a", Some("b"), None), shard("b", Some("a"), None)]).is_empty());
    }
}
