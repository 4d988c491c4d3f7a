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

/// Writes a setting.
pub(crate) fn set(driver: Driver<'_>, name: &str, value: &[u8]) -> Result<(), StoreError> {
    let sql = "INSERT INTO pdb_setting (name, value) VALUES (?1, ?2) \
               ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    driver.execute(sql, &[Param::Text(name), Param::Blob(value)]).during("write a setting")?;
    Ok(())
}

/// Reads a setting, if there is one.
pub(crate) fn get<T>(
    driver: Driver<'_>,
    name: &str,
    read: impl FnOnce(&[u8]) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let sql = "SELECT value FROM pdb_setting WHERE name = ?1";
    driver.first("read a setting", sql, &[Param::Text(name)], |row| read(row.blob(0)?))
}
