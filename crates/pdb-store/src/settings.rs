//! Small facts about the database itself.

use crate::{
    driver::{Driver, Param},
    error::{During, StoreError},
};

/// Makes the secret that seals shard iterators, once for ever. The randomness is the operating system's, by way of the
/// keys of the standard library's hash maps.
pub(crate) fn ensure_iterator_key(driver: Driver<'_>) -> Result<(), StoreError> {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let half = || RandomState::new().build_hasher().finish().to_be_bytes();
    let key = [half(), half()].concat();
    driver
        .execute(
            "INSERT INTO pdb_setting (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING",
            &[Param::Text("iterator_key"), Param::Blob(&key)],
        )
        .during("make the key of shard iterators")?;
    Ok(())
}
