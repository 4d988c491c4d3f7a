//! Which crate may name which: the picture in `ARCHITECTURE.md` as a check.

use super::Complaints;
use crate::workspace::Package;

/// What each of our crates may name under `[dependencies]`.
const LAYERS: &[(&str, &[&str])] = &[
    ("pdb-model", &[]),
    ("pdb-expr", &["pdb-model"]),
    ("pdb-exchange", &["pdb-model"]),
    ("pdb-objects", &[]),
    ("pdb-migrations", &[]),
    ("pdb-store", &["pdb-model", "pdb-migrations"]),
    ("pdb-capture", &["pdb-model", "pdb-store"]),
    ("pdb-items", &["pdb-model", "pdb-expr", "pdb-store", "pdb-capture"]),
    ("pdb-transfers", &["pdb-model", "pdb-store", "pdb-items", "pdb-exchange", "pdb-objects"]),
    ("pdb-streams", &["pdb-model", "pdb-store"]),
    ("pdb-cleanup", &["pdb-model", "pdb-store", "pdb-capture"]),
    ("pdb-archive", &["pdb-model", "pdb-store", "pdb-streams", "pdb-cleanup", "pdb-exchange", "pdb-objects"]),
    ("pdb-assert", &["pdb-model", "pdb-streams"]),
    ("pdb-faults", &["pdb-model"]),
    (
        "pretender",
        &[
            "pdb-model",
            "pdb-store",
            "pdb-capture",
            "pdb-items",
            "pdb-streams",
            "pdb-cleanup",
            "pdb-archive",
            "pdb-assert",
            "pdb-faults",
            "pdb-objects",
            "pdb-transfers",
        ],
    ),
    ("pdb-wire", &["pretender", "pdb-model"]),
    ("pdb-trigger", &["pretender", "pdb-model"]),
    ("pdb-console", &["pdb-wire", "pdb-trigger", "pretender", "pdb-model"]),
    ("pdb-seed", &["pdb-wire", "pdb-exchange", "pretender", "pdb-model"]),
    ("pdb-sdk", &["pdb-wire", "pretender"]),
    (
        "pdb-server",
        &["pdb-wire", "pdb-seed", "pdb-exchange", "pdb-trigger", "pdb-console", "pretender", "pdb-model"],
    ),
    ("pdb-testpg", &[]),
    ("pdb-testvfs", &[]),
    ("pdb-testkit", &["pdb-model", "pdb-store", "pdb-testpg"]),
];

/// Crates from outside, and the only ones of ours that may name them under `[dependencies]`.
const FENCES: &[(&str, &[&str])] = &[
    ("rusqlite", &["pdb-store", "pdb-testvfs"]),
    ("postgres", &["pdb-store"]),
    ("object_store", &["pdb-objects"]),
    ("reqwest", &["pdb-objects"]),
    ("rustls", &["pdb-objects", "pdb-store", "pdb-server"]),
    ("tokio-rustls", &["pdb-server"]),
    ("tokio-postgres-rustls", &["pdb-store"]),
    ("r2d2", &["pdb-store"]),
    ("hyper", &["pdb-server"]),
    ("hyper-util", &["pdb-server"]),
    ("http-body-util", &["pdb-objects", "pdb-server", "pdb-sdk"]),
    ("tokio", &["pdb-objects", "pdb-store", "pdb-server", "pdb-sdk"]),
    ("ureq", &["pdb-server"]),
    ("clap", &["pdb-server"]),
    ("ratatui", &["pdb-server"]),
    ("tracing-subscriber", &["pdb-server"]),
    ("flate2", &["pdb-exchange", "pdb-server"]),
    ("saphyr-parser", &["pdb-seed"]),
    ("zstd", &["pdb-exchange"]),
    ("ion-rs", &["pdb-exchange"]),
    ("csv-core", &["pdb-exchange"]),
    ("toml", &["pdb-exchange"]),
    ("crc32fast", &["pdb-wire"]),
    ("twox-hash", &["pdb-model"]),
    ("uuid", &["pdb-model"]),
    ("time", &["pdb-console", "pdb-model", "pdb-server"]),
    ("base64", &["pdb-exchange", "pdb-model", "pdb-expr", "pdb-wire"]),
    (
        "serde",
        &[
            "pdb-archive",
            "pdb-exchange",
            "pdb-model",
            "pdb-store",
            "pdb-items",
            "pdb-transfers",
            "pdb-streams",
            "pdb-wire",
            "pdb-server",
        ],
    ),
    (
        "serde_json",
        &[
            "pdb-archive",
            "pdb-assert",
            "pdb-exchange",
            "pdb-model",
            "pdb-store",
            "pdb-items",
            "pdb-transfers",
            "pdb-streams",
            "pdb-wire",
            "pdb-trigger",
            "pdb-console",
            "pdb-seed",
            "pdb-server",
        ],
    ),
    ("aws-smithy-runtime-api", &["pdb-sdk"]),
    ("aws-types", &["pdb-sdk"]),
    ("aws-sdk-dynamodb", &[]),
    ("bigdecimal", &[]),
    ("proptest", &[]),
    ("tempfile", &["pdb-testkit"]),
];

/// Checks the dependencies of our crates against [`LAYERS`] and [`FENCES`].
///
/// Only normal dependencies count: tests may look across layers. `xtask` and `tests` are no part of the picture.
pub(super) fn check(packages: &[Package]) -> Complaints {
    let mut complaints = Complaints::new();
    for package in packages.iter().filter(|package| package.is_crate()) {
        let name = package.name.as_str();
        let dependencies = package.dependencies.iter().filter(|dependency| dependency.kind.is_none());
        complaints.extend(dependencies.filter_map(|dependency| complaint(name, &dependency.name)));
        if !LAYERS.iter().any(|(layer, _)| *layer == name) {
            complaints.push(format!("crate `{name}` has no place in the layers (xtask/src/tidy/layers.rs)"));
        }
    }
    complaints
}

/// Returns what is wrong with the crate `user` naming the crate `used`, if anything.
fn complaint(user: &str, used: &str) -> Option<String> {
    let ours = LAYERS.iter().any(|(name, _)| *name == used);
    if ours && !LAYERS.iter().any(|(name, below)| *name == user && below.contains(&used)) {
        return Some(format!("crate `{user}` may not name `{used}`: it lies in another layer"));
    }
    let (_, users) = FENCES.iter().find(|(fenced, _)| *fenced == used)?;
    (!users.contains(&user)).then(|| match users {
        [] => format!("crate `{user}` may name `{used}` for its tests only"),
        users => format!("crate `{user}` may not name `{used}`: that is left to {}", users.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_point_downwards() {
        for (at, (name, below)) in LAYERS.iter().enumerate() {
            for used in *below {
                let below = LAYERS.iter().position(|(layer, _)| layer == used);
                assert!(below.is_some_and(|below| below < at), "{name} names {used}");
            }
        }
    }

    #[test]
    fn what_crosses_a_layer_or_a_fence_is_reported() {
        assert_eq!(complaint("pdb-streams", "pdb-store"), None);
        assert!(complaint("pdb-streams", "pdb-items").is_some());
        assert!(complaint("pdb-store", "pretender").is_some());
        assert!(complaint("pretender", "pdb-testkit").is_some());
        assert_eq!(complaint("pdb-store", "rusqlite"), None);
        assert!(complaint("pdb-items", "rusqlite").is_some());
        assert!(complaint("pdb-model", "proptest").is_some());
        assert_eq!(complaint("pdb-model", "thiserror"), None);
    }
}
