-- Checksums of rows: damage becomes an error and never an answer. NULL is a row from before, which is read without a check
-- and has a checksum once it is written again. The tables of items, index entries, records and backups get the same column; the
-- program adds it, since it knows their names.

ALTER TABLE pdb_setting ADD COLUMN checksum BIGINT;
ALTER TABLE pdb_metadata ADD COLUMN checksum BIGINT;
ALTER TABLE pdb_statistic ADD COLUMN checksum BIGINT;
ALTER TABLE pdb_stream ADD COLUMN checksum BIGINT;
ALTER TABLE pdb_shard ADD COLUMN checksum BIGINT;
ALTER TABLE pdb_token ADD COLUMN checksum BIGINT;
ALTER TABLE pdb_document ADD COLUMN checksum BIGINT;
