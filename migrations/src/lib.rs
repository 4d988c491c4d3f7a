#![doc = include_str!("../README.md")]

/// The migrations of SQLite databases, in order: the first leads to schema version 1.
pub const SQLITE: [&str; 6] = [
    include_str!("../sqlite/0001_tables.sql"),
    include_str!("../sqlite/0002_checksums.sql"),
    include_str!("../sqlite/0003_scan_order.sql"),
    include_str!("../sqlite/0004_creation_times.sql"),
    include_str!("../sqlite/0005_vectors.sql"),
    include_str!("../sqlite/0006_history.sql"),
];

/// The migrations of PostgreSQL databases, in order: the first leads to schema version 1.
pub const POSTGRES: [&str; 6] = [
    include_str!("../postgres/0001_tables.sql"),
    include_str!("../postgres/0002_checksums.sql"),
    include_str!("../postgres/0003_scan_order.sql"),
    include_str!("../postgres/0004_creation_times.sql"),
    include_str!("../postgres/0005_vectors.sql"),
    include_str!("../postgres/0006_history.sql"),
];
