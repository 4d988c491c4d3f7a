//! What every store of objects promises, and what can go wrong with each.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

mod broken;
mod contract;
mod faults;
mod folder;
mod property;
mod stores;
mod tls;
mod unfaithful;

use std::ops::ControlFlow;

use pdb_objects::{Object, ObjectError, ObjectStore};

/// Returns the keys and sizes of a list.
fn listed(store: &dyn ObjectStore, bucket: &str, prefix: &str) -> Result<Vec<(String, u64)>, ObjectError> {
    let mut found = Vec::new();
    store.list(bucket, prefix, &mut |Object { key, size }| {
        found.push((key, size));
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// Returns the keys of a list.
fn keys(store: &dyn ObjectStore, bucket: &str, prefix: &str) -> Vec<String> {
    listed(store, bucket, prefix).unwrap().into_iter().map(|(key, _)| key).collect()
}

/// Returns bytes that differ from place to place.
fn noise(length: usize) -> Vec<u8> {
    (0..length as u64).map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
}
