-- The fixed tables. What belongs to one DynamoDB table (pdb_item_<t>, pdb_index_<t>_<i>, pdb_stream_<t>)
-- is made and dropped with it. SQL fills in no time, no order and no id that a client sees: we do.

-- Small facts about the database itself, such as the key that seals shard iterators.
CREATE TABLE pdb_setting (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- One row a DynamoDB table. AUTOINCREMENT: an id is never used again, also after its table is gone.
CREATE TABLE pdb_metadata (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    table_name       TEXT    NOT NULL UNIQUE,
    item_table       TEXT    NOT NULL UNIQUE,
    definition       TEXT    NOT NULL,
    stream_enabled   INTEGER NOT NULL,
    stream_view_type TEXT,
    stream_arn       TEXT,
    stream_label     TEXT
) STRICT;

-- Item count and size of a table (index_name is empty) or of one of its indexes.
CREATE TABLE pdb_statistic (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    table_id   INTEGER NOT NULL,
    index_name TEXT    NOT NULL,
    item_count INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    UNIQUE (table_id, index_name)
) STRICT;

-- One row a stream ever enabled, until it is purged. It outlives its table, so it names no row of pdb_metadata.
CREATE TABLE pdb_stream (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    table_name   TEXT    NOT NULL,
    record_table TEXT    NOT NULL,
    label        TEXT    NOT NULL,
    arn          TEXT    NOT NULL UNIQUE,
    view_type    TEXT    NOT NULL,
    key_schema   TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    disabled_at  INTEGER,
    UNIQUE (table_name, label)
) STRICT;

-- One row a shard. `number` is unique among all shards of one table name; it is the high part of the records'
-- keys. Hash ranges are inclusive, as 16 hexadecimal digits. While a shard is open its next number is in the writer's
-- memory: `next_sequence` is what it was when the shard was opened, and final once it is closed.
CREATE TABLE pdb_shard (
    stream_id         INTEGER NOT NULL,
    number            INTEGER NOT NULL,
    shard_id          TEXT    NOT NULL,
    parent_shard_id   TEXT,
    hash_from         TEXT    NOT NULL,
    hash_to           TEXT    NOT NULL,
    starting_sequence INTEGER NOT NULL,
    ending_sequence   INTEGER,
    trimmed_sequence  INTEGER NOT NULL,
    next_sequence     INTEGER NOT NULL,
    opened_at         INTEGER NOT NULL,
    closed_at         INTEGER,
    PRIMARY KEY (stream_id, number),
    UNIQUE (stream_id, shard_id)
) STRICT;

-- Transactions that succeeded under a client's token, so that a repetition is not applied again.
CREATE TABLE pdb_token (
    token       TEXT PRIMARY KEY,
    fingerprint BLOB    NOT NULL,
    answer      TEXT    NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX pdb_token_expires_at ON pdb_token (expires_at);

-- Small documents that need no table of their own: backups' descriptions, policies.
CREATE TABLE pdb_document (
    kind  TEXT NOT NULL,
    name  TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
