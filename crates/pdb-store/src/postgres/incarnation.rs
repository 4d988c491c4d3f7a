//! Which run of a server a connection is to, and on which tables: a database on a server may have lost its end, too.
//!
//! With `synchronous_commit = off` a crash costs the last commits; a standby that is promoted need not have had them; a dump, or a
//! point in time, that is restored has none of what came later. In each of these cases the server was started, has recovered from a
//! crash, or its tables were made anew. So each connection asks whether these are ones that the database knows, and if not raises
//! the counters of all open shards (`leap.rs`). Connections do not outlive a server, so none draws a number before that.
//!
//! The same holds for the catalog: a process may have cached versions of it that are lost, and whose numbers would be given out again for other
//! changes. So its version leaps too, and everything in it counts as changed.
//!
//! What is known is a set: where several servers share a database, none is taken for a new one each time.

use pdb_model::EpochMillis;
use postgres::{Client, error::SqlState};

use crate::{dialect::Dialect, params::Param, sequence::leap, sql::settings::COPY_MARK};

/// The name of this run, whether it is known (or of no importance, in the target of a copy that is not finished), and the time. Statistics are reset when a server recovers from a crash without being started.
/// The table's number tells one that a dump has made from the one it was taken of.
const WHICH: &str = "SELECT which, EXISTS (SELECT 1 FROM pdb_setting WHERE name IN (which, $1)), \
     CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) FROM (SELECT 'server ' \
     || CAST(CAST(extract(epoch FROM pg_postmaster_start_time()) * 1000000 AS BIGINT) AS TEXT) || ' ' \
     || CAST(CAST(coalesce(extract(epoch FROM (SELECT stats_reset FROM pg_stat_bgwriter)), 0) * 1000000 AS BIGINT) AS TEXT) \
     || ' ' || CAST(CAST(CAST('pdb_shard' AS regclass) AS oid) AS TEXT) AS which) AS this";
/// Makes every process read the whole catalog again, and gives it a version above all that were lost. In the order in which writers lock.
const RENEW_CATALOG: &str = "UPDATE pdb_catalog SET version = version + 1048576 WHERE id = 1; \
     UPDATE pdb_metadata SET version = (SELECT version FROM pdb_catalog WHERE id = 1); \
     UPDATE pdb_statistic SET version = (SELECT version FROM pdb_catalog WHERE id = 1) WHERE index_name = ''; \
     UPDATE pdb_stream SET version = (SELECT version FROM pdb_catalog WHERE id = 1)";
/// In the order in which writers lock them.
const LOCK: &str =
    "SELECT number FROM pdb_shard WHERE closed_at IS NULL ORDER BY stream_id, number FOR UPDATE";

/// Makes sure that no number is drawn which this database may have given out before it lost that.
pub(crate) fn check(client: &mut Client) -> Result<(), postgres::Error> {
    let checked = leap_if_new(client);
    if let Err(error) = &checked
        && error.code().is_some_and(needs_no_leap)
    {
        tracing::debug!(
            error = error as &dyn std::error::Error,
            "it cannot be told which run of the server this is"
        );
        return Ok(());
    }
    checked
}

/// There are no tables yet; the server is a standby, where nothing is written; or it is another product, which has no such
/// functions.
fn needs_no_leap(code: &SqlState) -> bool {
    [
        SqlState::UNDEFINED_TABLE,
        SqlState::INVALID_SCHEMA_NAME,
        SqlState::READ_ONLY_SQL_TRANSACTION,
        SqlState::UNDEFINED_FUNCTION,
        SqlState::UNDEFINED_COLUMN,
        SqlState::FEATURE_NOT_SUPPORTED,
        SqlState::INSUFFICIENT_PRIVILEGE,
    ]
    .contains(code)
}

fn leap_if_new(client: &mut Client) -> Result<(), postgres::Error> {
    let row = client.query_one(WHICH, &[&COPY_MARK])?;
    let (which, is_known, now): (String, bool, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    if is_known {
        return Ok(());
    }
    let mut tx = client.transaction()?;
    // A leap that is lost itself would be of no use.
    tx.batch_execute("SET LOCAL synchronous_commit = on")?;
    let note = "INSERT INTO pdb_setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    // A second connection waits here for the first, and then finds nothing left to do.
    if tx.execute(note, &[&which, &Param::Blob(b"seen")])? == 1 {
        tx.batch_execute(RENEW_CATALOG)?;
        tx.batch_execute(LOCK)?;
        let [length, most, floor] = leap::values(Some(EpochMillis(now)));
        let sql = leap::raise_all_stored(Dialect::Postgres).replace('?', "$");
        let shards = tx.execute(&sql, &[&length, &most, &floor])?;
        if shards > 0 {
            tracing::info!(
                shards,
                "the server was started, or its data restored: sequence numbers go on far above"
            );
        }
    }
    tx.commit()
}
