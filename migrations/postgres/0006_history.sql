-- The history of a table with point-in-time recovery: what each change has replaced is in a table of its own (pdb_history_<t>), which the program
-- makes. Here is one row for each history, as long as it is kept.
--
-- Every moment from `earliest_at` on can be restored; NULL is a history that began when an earlier version's database was migrated, at a moment that
-- nobody has noted. The next number and the time of the newest change are kept up where several processes write.

CREATE TABLE pdb_history (
    table_id    BIGINT PRIMARY KEY,
    earliest_at BIGINT,
    next_number BIGINT NOT NULL,
    newest_at   BIGINT NOT NULL,
    checksum    BIGINT NOT NULL
);
