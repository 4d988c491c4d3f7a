//! Small facts about the database itself.

use crate::{
    checksum::{self, Checksum},
    driver::Driver,
    error::{During, StoreError},
    params::Param,
};

/// The setting that marks the target of a copy that is not finished; its value tells from which source.
pub(crate) const COPY_MARK: &str = "copy";

/// Makes the secret that seals shard iterators, once for ever. The randomness is the operating system's, by way of the
/// keys of the standard library's hash maps.
pub(crate) fn ensure_iterator_key(driver: Driver<'_>) -> Result<(), StoreError> {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let half = || RandomState::new().build_hasher().finish().to_be_bytes();
    let key = [half(), half()].concat();
    driver
        .execute(
            "INSERT INTO pdb_setting (name, value, checksum) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO NOTHING",
            &[Param::Text("iterator_key"), Param::Blob(&key), Param::Integer(sum("iterator_key", &key).fixed())],
        )
        .during("make the key of shard iterators")?;
    Ok(())
}

/// Writes a setting.
pub(crate) fn set(driver: Driver<'_>, name: &str, value: &[u8]) -> Result<(), StoreError> {
    let sql = "INSERT INTO pdb_setting (name, value, checksum) VALUES (?1, ?2, ?3) \
               ON CONFLICT (name) DO UPDATE SET value = excluded.value, checksum = excluded.checksum";
    let params = [Param::Text(name), Param::Blob(value), Param::Integer(sum(name, value).fixed())];
    driver.execute(sql, &params).during("write a setting")?;
    Ok(())
}

/// Reads a setting, if there is one.
pub(crate) fn get<T>(
    driver: Driver<'_>,
    name: &str,
    read: impl FnOnce(&[u8]) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let sql = "SELECT value, checksum FROM pdb_setting WHERE name = ?1";
    driver.first("read a setting", sql, &[Param::Text(name)], |row| {
        let value = row.blob(0)?;
        sum(name, value).verify_fixed(row.optional_integer(1)?, "setting")?;
        read(value)
    })
}

fn sum(name: &str, value: &[u8]) -> Checksum {
    checksum::of_fixed("setting", &[name.as_bytes(), value])
}
