//! Checksums of rows, so that damage is an error and never an answer.
//!
//! Items, index entries, records and the items of backups have one in the column `checksum`, over everything that is read
//! of the row, its key included. NULL is a row of schema 1, which had none: it is read without a check, and has a checksum
//! once it is written again.
//!
//! The format is stored, so it never changes:
//!
//! * `content` mixes the XXH3 (64 bits) of each text and the numbers of the row; see [`Checksum`].
//! * The stored number is `content + fold(sequence number, 0 unless it is a record) + salt`, modulo 2^32. The salt is a hash
//!   of the name of the SQL table: a row of another table does not fit, should SQLite's schema name the wrong page. Salt and
//!   sequence number are added so that SQL can add them too, where we do not know them: PostgreSQL draws sequence numbers while it
//!   inserts, and backups copy rows between tables without a look at them.
//! * The number and the time of a change in a history are added too, because a restore copies what it has replaced without a look at it.
//! * All stored numbers are below 2^32. Should another format be needed, its numbers lie above.

use pdb_model::{EncodedItem, text_hash};

use crate::{error::StoreError, names};

/// Stored checksums are below it.
const MODULUS: u64 = 1 << 32;
/// What makes a stored checksum of a sum, in SQL: `(...) & MASK`.
pub(crate) const MASK: u64 = MODULUS - 1;

/// What the time of a change in a history is multiplied by before it is added. Odd, and so small that no product overflows in SQL.
const TIME_WEIGHT: u64 = 786_431;
/// An odd number whose bits look random: 2^64 divided by the golden ratio.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
/// What a value that is absent counts as; no text and no number of a row is likely to.
const ABSENT: u64 = 0x6a09_e667_f3bc_c908;

/// Mixes the contents of one row, value by value in a fixed order.
#[derive(Clone, Copy)]
pub(crate) struct Checksum(u64);

impl Checksum {
    pub(crate) fn new() -> Self {
        Self(FACTOR)
    }

    #[inline]
    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        self.mix(text_hash(bytes))
    }

    #[inline]
    pub(crate) fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    #[inline]
    pub(crate) fn optional_text(self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(text),
            None => self.mix(ABSENT),
        }
    }

    /// As [`text`](Self::text), of a text whose hash may be known.
    #[inline]
    pub(crate) fn item(self, item: &EncodedItem) -> Self {
        self.mix(item.text_hash())
    }

    /// As [`optional_text`](Self::optional_text), likewise.
    #[inline]
    pub(crate) fn optional_item(self, item: Option<&EncodedItem>) -> Self {
        self.mix(item.map_or(ABSENT, EncodedItem::text_hash))
    }

    #[inline]
    pub(crate) fn number(self, number: u64) -> Self {
        self.mix(number)
    }

    #[inline]
    fn mix(self, value: u64) -> Self {
        Self((self.0 ^ value).wrapping_mul(FACTOR).rotate_left(29))
    }

    /// All bits, for sums over rows that are not stored.
    pub(crate) fn whole(self) -> u64 {
        self.0.wrapping_mul(FACTOR)
    }

    /// What the contents are worth, below 2^32.
    #[inline]
    fn content(self) -> u64 {
        self.0.wrapping_mul(FACTOR) >> 32
    }

    /// What is stored beside the contents in a table with this salt.
    #[inline]
    pub(crate) fn stored(self, salt: Salt) -> i64 {
        reduced(self.content() + salt.0)
    }

    /// What is stored beside the contents of a record.
    #[inline]
    pub(crate) fn stored_of_record(self, salt: Salt, sequence_number: i64) -> i64 {
        reduced(self.content() + salt.0 + fold(sequence_number))
    }

    /// What is stored beside the contents of a change in a history.
    #[inline]
    pub(crate) fn stored_of_change(self, salt: Salt, number: i64, changed_at: i64) -> i64 {
        let time = fold_time(changed_at).wrapping_mul(TIME_WEIGHT);
        reduced(self.content().wrapping_add(salt.0).wrapping_add(fold(number)).wrapping_add(time))
    }

    /// What is stored beside the contents in a fixed table.
    pub(crate) fn fixed(self) -> i64 {
        reduced(self.content())
    }

    /// As [`verify`](Self::verify), of a row whose checksum is known.
    pub(crate) fn verify_shard(computed: i64, stored: Option<i64>) -> Result<(), StoreError> {
        match stored {
            Some(stored) if stored != computed => Err(mismatch("shard")),
            _ => Ok(()),
        }
    }

    /// As [`verify`](Self::verify), of a row in a fixed table.
    pub(crate) fn verify_fixed(self, stored: Option<i64>, what: &'static str) -> Result<(), StoreError> {
        match stored {
            Some(stored) if stored != self.fixed() => Err(mismatch(what)),
            _ => Ok(()),
        }
    }

    /// An error unless the contents are what was written. `stored` is none for a row of schema 1.
    #[inline]
    pub(crate) fn verify(
        self,
        salt: Salt,
        stored: Option<i64>,
        what: &'static str,
    ) -> Result<(), StoreError> {
        match stored {
            Some(stored) if stored != self.stored(salt) => Err(mismatch(what)),
            _ => Ok(()),
        }
    }

    /// As [`verify`](Self::verify), of a change in a history.
    pub(crate) fn verify_change(
        self,
        salt: Salt,
        (number, changed_at): (i64, i64),
        stored: Option<i64>,
    ) -> Result<(), StoreError> {
        match stored {
            Some(stored) if stored == self.stored_of_change(salt, number, changed_at) => Ok(()),
            Some(_) | None => Err(mismatch("change in a history")),
        }
    }

    /// As [`verify`](Self::verify), of a record.
    #[inline]
    pub(crate) fn verify_record(
        self,
        salt: Salt,
        sequence_number: i64,
        stored: Option<i64>,
    ) -> Result<(), StoreError> {
        match stored {
            Some(stored) if stored != self.stored_of_record(salt, sequence_number) => {
                Err(mismatch("stream record"))
            }
            _ => Ok(()),
        }
    }
}

#[cold]
fn mismatch(what: &'static str) -> StoreError {
    StoreError::corrupt(what, "it is not what was written: its checksum does not match")
}

fn reduced(sum: u64) -> i64 {
    (sum & MASK) as i64
}

/// The stored checksum of a row of which `old` was mixed, now that `new` is. It fits the row exactly if the old one did.
pub(crate) fn carried_over(stored: i64, old: Checksum, new: Checksum) -> i64 {
    reduced((stored as u64).wrapping_add(new.content()).wrapping_sub(old.content()))
}

/// What a sequence number counts as. SQL that says the same: `(n & 4294967295) + (n >> 32)`.
fn fold(sequence_number: i64) -> u64 {
    let number = sequence_number.unsigned_abs();
    (number & MASK) + (number >> 32)
}

/// What the time of a change counts as, times [`TIME_WEIGHT`]. SQL says the same with the same operators, also before 1970.
fn fold_time(changed_at: i64) -> u64 {
    ((changed_at & MASK as i64) + (changed_at >> 32)) as u64
}

/// SQL of what number and time of a change add to its checksum, by the columns or values that have them.
pub(crate) fn added_to_change(number: &str, changed_at: &str) -> String {
    let folded = |value: &str| format!("(({value} & {MASK}) + ({value} >> 32))");
    format!("({} + {} * {TIME_WEIGHT})", folded(number), folded(changed_at))
}

/// What the checksums of one SQL table have in common, below 2^32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Salt(u64);

impl Salt {
    pub(crate) fn of(sql_table: &str) -> Self {
        let hash = names::hash(&[sql_table]);
        Self(((hash >> 64) as u64 ^ hash as u64) & MASK)
    }

    /// What SQL adds to a checksum of a row, modulo 2^32, when the row is copied from a table with this salt to one with that of
    /// `target`.
    pub(crate) fn difference_to(self, target: Self) -> i64 {
        reduced(target.0 + MODULUS - self.0)
    }
}

/// The checksum of an item, of whose text the hash is known: of its table, or kept by a backup.
#[inline]
pub(crate) fn of_item(key: &[u8], json_hash: u64, size_bytes: u64) -> Checksum {
    Checksum::new().bytes(key).mix(json_hash).number(size_bytes)
}

/// The checksum of an item as it was before a change, or of its absence. While there was an item, it is that of the item: SQL that restores it
/// only has to take out what was added.
#[inline]
pub(crate) fn of_past_item(key: &[u8], json_hash: Option<u64>, size_bytes: u64) -> Checksum {
    of_item(key, json_hash.unwrap_or(ABSENT), size_bytes)
}

/// The checksum of an index entry; its content is the key of the item, or the vector.
#[inline]
pub(crate) fn of_entry(entry: &[u8], content: &[u8], json: &str, size_bytes: u64) -> Checksum {
    Checksum::new().bytes(entry).bytes(content).text(json).number(size_bytes)
}

/// The checksum of a row of one of the fixed tables, which all have an empty salt: the kind tells their rows apart.
pub(crate) fn of_fixed(kind: &str, values: &[&[u8]]) -> Checksum {
    values.iter().fold(Checksum::new().text(kind), |sum, value| sum.bytes(value))
}

/// A column of shards that changes. It is not mixed but added, each with a weight of its own, so that SQL keeps the checksum right
/// where it changes the column. The next number is not part of a checksum, because PostgreSQL counts it up with every record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShardColumn {
    Ending,
    Trimmed,
    Closed,
}

impl ShardColumn {
    /// Odd, and so small that no product overflows in SQL.
    fn weight(self) -> u64 {
        match self {
            Self::Ending => 786_433,
            Self::Trimmed => 524_287,
            Self::Closed => 1_048_573,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Ending => "ending_sequence",
            Self::Trimmed => "trimmed_sequence",
            Self::Closed => "closed_at",
        }
    }
}

/// The stored checksum of a shard whose constant columns are mixed already.
pub(crate) fn of_shard(constant: Checksum, changing: [(ShardColumn, Option<i64>); 3]) -> i64 {
    let added = changing.iter().map(|(column, value)| column.weight() * value.map_or(0, fold)).sum::<u64>();
    reduced(constant.content() + added)
}

/// SQL that sets columns of shards to new values, and the checksum with them.
pub(crate) fn set_shard_columns(changes: &[(ShardColumn, &str)]) -> String {
    let folded = |value: &str| format!("((({value}) & {MASK}) + (({value}) >> 32))");
    let mut set = String::new();
    let mut sum = "checksum".to_owned();
    for (column, new) in changes {
        let (name, weight) = (column.name(), column.weight());
        set.push_str(&format!("{name} = {new}, "));
        let old = format!("coalesce({name}, 0)");
        sum.push_str(&format!(" + ({} - {}) * {weight}", folded(new), folded(&old)));
    }
    format!("{set}checksum = ({sum}) & {MASK}")
}

#[cfg(test)]
mod tests;
