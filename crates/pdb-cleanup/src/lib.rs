//! Retention: trimming of stream records, expiry of items, rotation of shards.
