//! PutItem with capture on PostgreSQL, compared with `pgbench` running the same statements in one transaction.
//!
//! Both replace items of 1 KB in a table of 1,000 over 16 connections, with a record of both images each. The statements are
//! those of `pdb-store`, from the server's log, prepared, and with the same number of round trips. pretender does in addition
//! what comes before them: HTTP, JSON, expressions, checks.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use pdb_testpg::{Programs, Server as Postgres, ServerOptions, sql};

use crate::load::{self, Until};
use crate::process::Server;
use crate::report::{Pair, Report};
use crate::requests;
use crate::sizes::Sizes;
use crate::work::Work;

const CONNECTIONS: u64 = 16;
const WORK: Work = Work { item_bytes: 1024, keys: 1_000 };
/// Says that the database is to be one of the benchmark's own, which syncs the disk.
const OWN: &str = "own";

/// What `pgbench` does in a transaction. `\startpipeline` sends two statements at once, as our server does at that place.
const SCRIPT: &str = r"
\set n random(0, 999)
\set slot random(0, 15)
\set shard random(1, :shards)
\startpipeline
BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
SELECT version FROM pdb_catalog WHERE id = 1;
\endpipeline
SELECT CAST(0 AS BIGINT), item, size_bytes FROM pdb_item_bench WHERE key_head = decode(lpad(to_hex(CAST(:n AS BIGINT)), 22, '0'), 'hex') AND key_tail = '' FOR UPDATE;
UPDATE pdb_item_bench SET item = :item, size_bytes = 1024, expires_at = NULL WHERE key_head = decode(lpad(to_hex(CAST(:n AS BIGINT)), 22, '0'), 'hex') AND key_tail = '';
UPDATE pdb_statistic SET item_count = item_count + 0, size_bytes = size_bytes + 0 WHERE id = 1 AND slot = :slot AND version = :version;
WITH drawn AS (UPDATE pdb_shard SET next_sequence = next_sequence + 1 WHERE stream_id = 1 AND number = :shard AND closed_at IS NULL AND next_sequence <= 1099511627775 RETURNING next_sequence - 1 + (CAST(:shard AS BIGINT) << 40) AS sequence_number) INSERT INTO pdb_stream_bench (sequence_number, shard, event_id, event_type, event_timestamp, hash_key_value, sort_key_value, keys_json, old_image_json, new_image_json, approximate_creation_time, keys_size_bytes, old_image_size_bytes, size_bytes, user_identity, create_date) SELECT sequence_number, CAST(:shard AS BIGINT), 'a142ce49b37c1f2a' || lpad(to_hex(sequence_number), 16, '0'), 'MODIFY', 1795376044, 'key-000000000001', NULL, CAST(:keys AS TEXT), CAST(:item AS TEXT), CAST(:item AS TEXT), 1795376044686, 18, 1024, 2066, NULL, '2026-11-22' FROM drawn;
COMMIT;
";

/// Measures one and four shards on the database at `url`, or on one of its own.
pub(crate) fn run(
    report: &mut Report,
    sizes: &Sizes,
    binary: &Path,
    url: &str,
) -> Result<(), Box<dyn Error>> {
    let own = (url == OWN).then(|| Postgres::start(&ServerOptions::default().with_fsync())).transpose()?;
    let url = own.as_ref().map_or_else(|| url.to_owned(), Postgres::url);
    let settings = sql(
        &url,
        "SELECT current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit')",
    )?;
    println!(
        "PutItem with capture on PostgreSQL, 1 KB, {CONNECTIONS} connections, beside pgbench with the same statements"
    );
    println!("  version|fsync|synchronous_commit: {settings}; load average {}", load_average());
    let mut rates = Vec::new();
    for shards in [1, 4] {
        let place = Place::make(&url, shards, binary)?;
        let mut turns = Vec::new();
        for turn in 0..sizes.turns {
            let ours = place.ours(sizes.turn, u64::from(turn))?;
            turns.push((ours, place.pgbench(sizes.turn)?));
        }
        rates.push(crate::report::median(turns.iter().map(|(ours, _)| *ours)));
        let pairs: Vec<Pair> = turns.iter().map(|(ours, beside)| Pair::of_rates(*ours, *beside)).collect();
        report.share(&format!("PutItem on PostgreSQL, {shards} shards, beside pgbench"), &pairs);
        place.remove();
    }
    if let [one, four] = rates[..] {
        report.footprint("PutItem on PostgreSQL, 4 shards to 1", four / one, "x");
    }
    Ok(())
}

fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// Two schemas with the same tables: one for the server, one for `pgbench`.
struct Place {
    url: String,
    server: Server,
    shards: u32,
    script: PathBuf,
    version: String,
    _folder: tempfile::TempDir,
}

impl Place {
    fn make(url: &str, shards: u32, binary: &Path) -> Result<Self, Box<dyn Error>> {
        drop_schemas(url)?;
        let start = |schema: &str| -> Result<Server, Box<dyn Error>> {
            let db = format!("{url}{}schema={schema}", separator(url));
            let server = Server::start(
                binary,
                &["--db", &db, "--shards", &shards.to_string(), "--sweep-interval", "off"],
            )?;
            let (target, body) = requests::create_table("bench", Some("NEW_AND_OLD_IMAGES"), false);
            match load::call(server.address, target, &body)? {
                (200, _) => Ok(server),
                (status, answer) => Err(format!("CreateTable: {status} {answer}").into()),
            }
        };
        let server = start("pretender_bench")?;
        // The other one only makes the tables.
        drop(start("pretender_pgbench")?);
        let item = item();
        sql(
            &pgbench_url(url),
            &format!(
                "INSERT INTO pdb_item_bench (key_head, key_tail, key_rest, item, size_bytes) \
                 SELECT decode(lpad(to_hex(n), 22, '0'), 'hex'), '', '', '{item}', 1024 FROM generate_series(0, 999) AS n"
            ),
        )?;
        let version = sql(&pgbench_url(url), "SELECT version FROM pdb_statistic WHERE id = 1 AND slot = 0")?;
        let folder = tempfile::tempdir()?;
        let script = folder.path().join("put_item.sql");
        std::fs::write(&script, SCRIPT)?;
        let place = Self { url: url.to_owned(), server, shards, script, version, _folder: folder };
        // All keys are there before the first turn, and both have warmed up.
        place.run_ours(Until::Requests(2_000), u64::MAX / 2)?;
        place.pgbench(Duration::from_secs(1))?;
        Ok(place)
    }

    /// Puts a second of our server, over HTTP.
    fn ours(&self, time: Duration, turn: u64) -> Result<f64, Box<dyn Error>> {
        self.run_ours(Until::Elapsed(time), turn * 1_000_000_000)
    }

    fn run_ours(&self, until: Until, first: u64) -> Result<f64, Box<dyn Error>> {
        let make = requests::put_item("bench", WORK, first);
        let result = load::run(self.server.address, CONNECTIONS, until, &make)?;
        if result.failures > 0 {
            return Err(format!("{} of {} puts failed", result.failures, result.requests).into());
        }
        Ok(result.rate())
    }

    /// Transactions a second of `pgbench`.
    fn pgbench(&self, time: Duration) -> Result<f64, Box<dyn Error>> {
        let program =
            Programs::find().map_or_else(|_| PathBuf::from("pgbench"), |programs| programs.path("pgbench"));
        let connections = CONNECTIONS.to_string();
        let output = Command::new(program)
            .args(["-n", "-M", "prepared", "-c", &connections, "-j", "2"])
            .args(["-T", &time.as_secs().max(1).to_string(), "-f"])
            .arg(&self.script)
            .args([
                "-D",
                &format!("shards={}", self.shards),
                "-D",
                &format!("version={}", self.version.trim()),
            ])
            .args(["-D", &format!("item={}", item()), "-D", r#"keys={"pk":{"S":"key-000000000001"}}"#])
            .arg(pgbench_url(&self.url))
            .stdin(Stdio::null())
            .output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        let rate = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
        rate.filter(|_| output.status.success())
            .ok_or_else(|| format!("pgbench: {said}{}", String::from_utf8_lossy(&output.stderr)).into())
    }

    fn remove(self) {
        drop(self.server);
        if let Err(why) = drop_schemas(&self.url) {
            println!("  the schemas of the benchmark stay: {why}");
        }
    }
}

/// An item as large as ours, in the words of `pgbench`, which sends it as a parameter.
fn item() -> String {
    WORK.item_json(1)
}

fn separator(url: &str) -> char {
    if url.contains('?') { '&' } else { '?' }
}

fn pgbench_url(url: &str) -> String {
    format!("{url}{}options=-csearch_path%3Dpretender_pgbench", separator(url))
}

fn drop_schemas(url: &str) -> Result<(), Box<dyn Error>> {
    sql(
        url,
        "DROP SCHEMA IF EXISTS pretender_bench CASCADE; DROP SCHEMA IF EXISTS pretender_pgbench CASCADE",
    )?;
    Ok(())
}
