-- Tables made at run time, of schema 6. Never edited: see dialect/tests.rs.

-- SQLite
CREATE TABLE "pdb_item_t" (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, item TEXT NOT NULL, size_bytes INTEGER NOT NULL, expires_at INTEGER, checksum INTEGER) STRICT;
CREATE INDEX IF NOT EXISTS "pdb_expiry_t" ON "pdb_item_t" (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE "pdb_index_t_i" ( id INTEGER PRIMARY KEY, entry BLOB NOT NULL UNIQUE, base BLOB NOT NULL, item TEXT NOT NULL, size_bytes INTEGER NOT NULL , checksum INTEGER) STRICT;
CREATE TABLE "pdb_vector_t_i" ( id INTEGER PRIMARY KEY, entry BLOB NOT NULL UNIQUE, vector BLOB NOT NULL, item TEXT NOT NULL, size_bytes INTEGER NOT NULL , checksum INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS "pdb_stream_t" ( sequence_number INTEGER PRIMARY KEY, shard INTEGER NOT NULL, event_id TEXT NOT NULL, event_type TEXT NOT NULL, event_timestamp INTEGER NOT NULL, approximate_creation_time INTEGER NOT NULL, hash_key_value TEXT NOT NULL, sort_key_value TEXT, keys_json TEXT NOT NULL, old_image_json TEXT, new_image_json TEXT, keys_size_bytes INTEGER NOT NULL, old_image_size_bytes INTEGER NOT NULL, size_bytes INTEGER NOT NULL, user_identity TEXT, create_date TEXT NOT NULL , checksum INTEGER) STRICT;
CREATE TABLE "pdb_history_t" ( number INTEGER PRIMARY KEY, changed_at INTEGER NOT NULL, key BLOB NOT NULL, item TEXT, size_bytes INTEGER NOT NULL, checksum INTEGER NOT NULL) STRICT;
CREATE TABLE "pdb_backup_b" (key BLOB, item TEXT, size_bytes INTEGER, checksum INTEGER);

-- PostgreSQL
CREATE TABLE "pdb_item_t" (key_head BYTEA NOT NULL, key_tail BYTEA NOT NULL, key_rest BYTEA NOT NULL, item TEXT NOT NULL, size_bytes BIGINT NOT NULL, expires_at BIGINT, checksum BIGINT, CONSTRAINT "pkx_item_t" PRIMARY KEY (key_head, key_tail));
CREATE INDEX IF NOT EXISTS "pdb_expiry_t" ON "pdb_item_t" (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE "pdb_index_t_i" ( entry_head BYTEA NOT NULL, entry_tail BYTEA NOT NULL, entry_rest BYTEA NOT NULL, base BYTEA NOT NULL, item TEXT NOT NULL, size_bytes BIGINT NOT NULL, checksum BIGINT, CONSTRAINT "pkx_index_t_i" PRIMARY KEY (entry_head, entry_tail) );
CREATE TABLE "pdb_vector_t_i" ( entry_head BYTEA NOT NULL, entry_tail BYTEA NOT NULL, entry_rest BYTEA NOT NULL, vector BYTEA NOT NULL, item TEXT NOT NULL, size_bytes BIGINT NOT NULL, checksum BIGINT, CONSTRAINT "pkx_vector_t_i" PRIMARY KEY (entry_head, entry_tail) ); ALTER TABLE "pdb_vector_t_i" ALTER COLUMN vector SET STORAGE EXTERNAL;
CREATE TABLE IF NOT EXISTS "pdb_stream_t" ( sequence_number BIGINT CONSTRAINT "pkx_stream_t" PRIMARY KEY, shard BIGINT NOT NULL, event_id TEXT NOT NULL, event_type TEXT NOT NULL, event_timestamp BIGINT NOT NULL, approximate_creation_time BIGINT NOT NULL, hash_key_value TEXT NOT NULL, sort_key_value TEXT, keys_json TEXT NOT NULL, old_image_json TEXT, new_image_json TEXT, keys_size_bytes BIGINT NOT NULL, old_image_size_bytes BIGINT NOT NULL, size_bytes BIGINT NOT NULL, user_identity TEXT, create_date TEXT NOT NULL , checksum BIGINT);
CREATE TABLE "pdb_history_t" ( number BIGINT CONSTRAINT "pkx_history_t" PRIMARY KEY, changed_at BIGINT NOT NULL, key_head BYTEA NOT NULL, key_tail BYTEA NOT NULL, key_rest BYTEA NOT NULL, item TEXT, size_bytes BIGINT NOT NULL, checksum BIGINT NOT NULL);
CREATE TABLE "pdb_backup_b" (key_head BYTEA, key_tail BYTEA, key_rest BYTEA, item TEXT, size_bytes BIGINT, checksum BIGINT);
