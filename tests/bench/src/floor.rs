//! The floor: the minimal SQL for the same work, with bare `rusqlite`, the same file format, and the
//! same PRAGMAs, bytes and group commits.

use std::path::Path;
use std::time::Instant;

use rusqlite::{Connection, OptionalExtension, params};

use crate::work::{self, Work};

/// A database with one item table and one stream table, and nothing around it.
pub(crate) struct Floor {
    connection: Connection,
    counter: i64,
}

impl Floor {
    /// Opens a fresh database; `full` syncs at each commit.
    pub(crate) fn open(path: Option<&Path>, full: bool) -> rusqlite::Result<Self> {
        let connection = match path {
            Some(path) => Connection::open(path)?,
            None => Connection::open_in_memory()?,
        };
        connection.set_prepared_statement_cache_capacity(64);
        connection.execute_batch(&format!(
            "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = {};
             PRAGMA cache_size = -65536; PRAGMA mmap_size = 268435456; PRAGMA temp_store = MEMORY;
             CREATE TABLE item (key BLOB NOT NULL, json TEXT NOT NULL, size INTEGER NOT NULL);
             CREATE UNIQUE INDEX item_key ON item (key);
             CREATE TABLE record (sequence_number INTEGER PRIMARY KEY, event TEXT NOT NULL, created INTEGER NOT NULL,
                 keys TEXT NOT NULL, old TEXT, new TEXT, size INTEGER NOT NULL);
             CREATE TABLE shard (id INTEGER PRIMARY KEY, next INTEGER NOT NULL);
             INSERT INTO shard VALUES (1, 1);",
            if full { "FULL" } else { "NORMAL" }
        ))?;
        Ok(Self { connection, counter: 0 })
    }

    /// Upserts the work's items with their records, `group` to a transaction, and returns the seconds it took.
    pub(crate) fn put(&mut self, work: &Work, count: u64, group: u64) -> rusqlite::Result<f64> {
        let started = Instant::now();
        let mut n = 0;
        while n < count {
            self.connection.execute_batch("BEGIN IMMEDIATE")?;
            for _ in 0..group.min(count - n) {
                self.put_one(work, n)?;
                n += 1;
            }
            self.connection
                .prepare_cached("UPDATE shard SET next = ?1 WHERE id = 1")?
                .execute([self.counter])?;
            self.connection.execute_batch("COMMIT")?;
        }
        Ok(started.elapsed().as_secs_f64())
    }

    fn put_one(&mut self, work: &Work, n: u64) -> rusqlite::Result<()> {
        let key = work::key_bytes(work.key(n).as_str());
        let (new, keys) = (work.item_json(n), work.key_json(n));
        let size = i64::try_from(new.len()).unwrap_or(i64::MAX);
        let old = self
            .connection
            .prepare_cached("SELECT rowid, json FROM item WHERE key = ?1")?
            .query_row([&key], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))
            .optional()?;
        let event = match &old {
            Some((rowid, _)) => {
                let sql = "UPDATE item SET json = ?1, size = ?2 WHERE rowid = ?3";
                self.connection.prepare_cached(sql)?.execute(params![new, size, rowid])?;
                "MODIFY"
            }
            None => {
                let sql = "INSERT INTO item (key, json, size) VALUES (?1, ?2, ?3)";
                self.connection.prepare_cached(sql)?.execute(params![key, new, size])?;
                "INSERT"
            }
        };
        self.counter += 1;
        let sql = "INSERT INTO record VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let old = old.map(|(_, json)| json);
        self.connection.prepare_cached(sql)?.execute(params![
            self.counter,
            event,
            0,
            keys,
            old,
            new,
            size
        ])?;
        Ok(())
    }

    /// Reads items by key and returns the seconds it took.
    pub(crate) fn get(&mut self, work: &Work, count: u64) -> rusqlite::Result<f64> {
        let started = Instant::now();
        for n in 0..count {
            let key = work::key_bytes(work.key(n).as_str());
            let json: String = self
                .connection
                .prepare_cached("SELECT json FROM item WHERE key = ?1")?
                .query_row([&key], |row| row.get(0))?;
            std::hint::black_box(json);
        }
        Ok(started.elapsed().as_secs_f64())
    }

    /// Reads all records in pages of `page` and returns the seconds it took and the bytes of their images.
    pub(crate) fn drain(&mut self, page: u64) -> rusqlite::Result<(f64, u64)> {
        let (started, mut after, mut bytes) = (Instant::now(), 0i64, 0u64);
        loop {
            let mut text = String::new();
            let sql = "SELECT sequence_number, event, created, keys, old, new, size FROM record
                       WHERE sequence_number > ?1 ORDER BY sequence_number LIMIT ?2";
            let mut statement = self.connection.prepare_cached(sql)?;
            let mut rows = statement.query(params![after, i64::try_from(page).unwrap_or(i64::MAX)])?;
            while let Some(row) = rows.next()? {
                after = row.get(0)?;
                for column in [1, 3, 4, 5] {
                    text.push_str(
                        row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from)?.unwrap_or(""),
                    );
                }
            }
            if text.is_empty() {
                return Ok((started.elapsed().as_secs_f64(), bytes));
            }
            bytes += text.len() as u64;
        }
    }
}
