//! Which columns the SQL tables have that are made at run time.

use crate::params::Param;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    Integer,
    Text,
    Blob,
    /// The key of an item or an index entry, the first column; an engine that divides keys has several in its place
    /// ([`KeyColumns`](crate::key_columns::KeyColumns)).
    Key,
}

/// A type of values, by the columns that take them.
trait Column {
    const KIND: ColumnKind;
}

impl Column for i64 {
    const KIND: ColumnKind = ColumnKind::Integer;
}

impl Column for &str {
    const KIND: ColumnKind = ColumnKind::Text;
}

impl Column for Option<&str> {
    const KIND: ColumnKind = ColumnKind::Text;
}

/// Defines a row whose fields are named as its columns are, so that names, kinds and values cannot get out of step: parameter `?n`
/// of a statement is the `n`th of `COLUMNS`, and so is the `n`th of the values.
macro_rules! row_of_columns {
    ($(#[$doc:meta])* $name:ident { $($column:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $name<'r> {
            $(pub(crate) $column: $type,)*
        }

        impl<'r> $name<'r> {
            /// The names of all columns, in the order of the table, and what they hold.
            pub(crate) const COLUMNS: &'static [(&'static str, ColumnKind)] =
                &[$((stringify!($column), <$type as Column>::KIND),)*];

            /// Returns the values of all columns, in the order of [`COLUMNS`](Self::COLUMNS).
            pub(crate) fn params(&self) -> [Param<'r>; <$name<'static>>::COLUMNS.len()] {
                [$(self.$column.into(),)*]
            }
        }
    };
}

row_of_columns! {
    /// The row of a stream record, as both engines insert it.
    ///
    /// Where the sequence number is drawn by the statement that inserts the row, three columns depend on it and are completed there:
    /// `sequence_number` is what the drawn counter is added to, `event_id` its first half, `checksum` that of the other columns.
    RecordColumns {
        sequence_number: i64,
        shard: i64,
        event_id: &'r str,
        event_type: &'r str,
        event_timestamp: i64,
        approximate_creation_time: i64,
        hash_key_value: &'r str,
        sort_key_value: Option<&'r str>,
        keys_json: &'r str,
        old_image_json: Option<&'r str>,
        new_image_json: Option<&'r str>,
        keys_size_bytes: i64,
        old_image_size_bytes: i64,
        size_bytes: i64,
        user_identity: Option<&'r str>,
        create_date: &'r str,
        checksum: i64,
    }
}

/// The columns of a history, in the order in which both engines insert them.
///
/// What a trim looks at stands before the items, so that it reads none of their pages.
pub(crate) const HISTORY: &[(&str, ColumnKind)] = &[
    ("number", ColumnKind::Integer),
    ("changed_at", ColumnKind::Integer),
    ("key", ColumnKind::Key),
    ("item", ColumnKind::Text),
    ("size_bytes", ColumnKind::Integer),
    ("checksum", ColumnKind::Integer),
];

/// Returns the names of columns, separated by commas.
pub(crate) fn names_of(columns: &[(&str, ColumnKind)]) -> String {
    columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}
