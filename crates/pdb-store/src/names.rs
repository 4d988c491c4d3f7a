//! SQL names of the tables that belong to one DynamoDB table.
//!
//! Injective: DynamoDB's names are case sensitive, up to 255 characters long, and have `.` and `-`; SQLite folds
//! case, PostgreSQL cuts at 63 bytes. A plain name stays readable (`pdb_item_orders`); any other gets a readable
//! beginning and a 128-bit hash, in a form no plain name has.

/// The longest name PostgreSQL keeps whole.
const MAX_NAME: usize = 63;
/// How much of a name that is not plain stays readable.
const READABLE: usize = 17;

pub(crate) fn item_table(table: &str) -> String {
    dynamic("pdb_item_", &[table])
}

/// The index that finds expired items.
pub(crate) fn expiry_index(table: &str) -> String {
    dynamic("pdb_expiry_", &[table])
}

pub(crate) fn record_table(table: &str) -> String {
    dynamic("pdb_stream_", &[table])
}

/// What changes of a table's items have replaced.
pub(crate) fn history_table(table: &str) -> String {
    dynamic("pdb_history_", &[table])
}

pub(crate) fn index_table(table: &str, index: &str) -> String {
    dynamic("pdb_index_", &[table, index])
}

pub(crate) fn vector_table(table: &str, index: &str) -> String {
    dynamic("pdb_vector_", &[table, index])
}

/// The items a backup keeps.
pub(crate) fn kept_table(name: &str) -> String {
    dynamic("pdb_backup_", &[name])
}

/// Whether an SQL table belongs to one DynamoDB table, stream or backup. No fixed table has such a name.
pub(crate) fn is_made_at_run_time(sql_table: &str) -> bool {
    ["pdb_item_", "pdb_index_", "pdb_vector_", "pdb_stream_", "pdb_history_", "pdb_backup_"]
        .iter()
        .any(|kind| sql_table.starts_with(kind))
}

/// Quotes an identifier.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn dynamic(kind: &str, parts: &[&str]) -> String {
    let readable = parts.join("_");
    // Only the last part may have the separator in it: `a_b` + `c` must not meet `a` + `b_c`.
    let separable = parts[..parts.len() - 1].iter().all(|part| !part.contains('_'));
    if separable
        && parts.iter().all(|part| is_plain(part))
        && kind.len() + readable.len() <= MAX_NAME
        && !looks_hashed(&readable)
    {
        return format!("{kind}{readable}");
    }
    let beginning: String = readable
        .chars()
        .take(READABLE)
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .collect();
    format!("{kind}{beginning}_x{:032x}", hash(parts))
}

fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

fn looks_hashed(name: &str) -> bool {
    name.len() >= 34 && {
        let (_, tail) = name.split_at(name.len() - 34);
        tail.starts_with("_x") && tail[2..].bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    }
}

/// FNV-1a, 128 bits, each part preceded by its length.
pub(crate) fn hash(parts: &[&str]) -> u128 {
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    let mut mix = |byte: u8| hash = (hash ^ u128::from(byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b);
    for part in parts {
        (part.len() as u32).to_be_bytes().into_iter().for_each(&mut mix);
        part.bytes().for_each(&mut mix);
    }
    hash
}

#[cfg(test)]
mod tests;
