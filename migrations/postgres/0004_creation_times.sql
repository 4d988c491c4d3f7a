-- Records are found by their creation times. These never decrease within a shard, except at the steps that its row notes: the counters of the
-- records before which the clock had been set back, each with a comma behind it. NULL is a shard from before, or one with too many steps.
-- The time of the newest record is kept here where several processes write. It is NULL in a shard from before that has had no record since.

ALTER TABLE pdb_shard ADD COLUMN time_steps TEXT;
ALTER TABLE pdb_shard ADD COLUMN newest_record_at BIGINT;
