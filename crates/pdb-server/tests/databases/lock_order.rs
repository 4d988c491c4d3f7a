//! Finds in the log of a PostgreSQL server in which order transactions lock things, and checks it against the order that
//! `docs/store.md` gives. The log has every statement that reached the server, from every process and connection.

use std::collections::{BTreeMap, BTreeSet};

/// A statement, and the values bound to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) sql: String,
    params: Vec<String>,
}

/// The kinds of documents that describe jobs.
const JOBS: &[&str] = &["import", "bulk operation", "export"];

/// The statements of a transaction that writes, in order.
pub(crate) type Transaction = Vec<Statement>;

/// Something that one transaction can have, and others wait for. They are ordered as they are to be locked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lock {
    /// The document of a job, by its kind and name; before all of them the one for which those wait that begin a job.
    Job(String),
    Catalog,
    /// A whole table of items.
    Items(String),
    /// A table of a backup's items.
    Kept(String),
    /// A row of items, by table and key.
    Item(String, String),
    /// A client's token, a document.
    Beside(String),
    /// A row of counts; those of tables before those of their indexes.
    Counts {
        of_index: bool,
        id: i64,
    },
    /// The row of a table's history, and the right to number its changes.
    History(i64),
    Stream(i64),
    /// A shard, and the right to number its records.
    Shard {
        stream: i64,
        number: i64,
    },
}

/// What a statement means for the order.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Effect {
    /// It locks, and may wait.
    Locks(Lock),
    /// It locks what nobody else has, and does not wait.
    Takes(Lock),
    /// It locks rows of items that nobody else has, and does not wait.
    TakesItems(String),
    /// It makes a table that nobody else knows.
    Makes(String),
    /// It does what only the holder of the catalog may, and so waits for nobody.
    Defines,
    /// It drops a table of index entries. Only who holds an item touches its entries, in between items; so all items come first.
    DropsEntries,
    /// It removes records; trims that would be in the way hold the stream.
    RemovesRecords,
    /// It removes changes of a history, or all of it; trims that would be in the way hold its row.
    RemovesChanges,
    /// It keeps all writers of a table out that have not committed.
    ClosesGate,
    Nothing,
}

/// The transactions that write in a log with the prefix `<%p> `, which may begin in the middle of one.
pub(crate) fn transactions(log: &str) -> Vec<Transaction> {
    let mut done = Vec::new();
    let mut open: BTreeMap<&str, Transaction> = BTreeMap::new();
    for (process, entry) in entries(log) {
        if let Some(params) = entry
            .strip_prefix("DETAIL:  parameters: ")
            .or_else(|| entry.strip_prefix("DETAIL:  Parameters: "))
        {
            if let Some(statement) = open.get_mut(process).and_then(|statements| statements.last_mut()) {
                statement.params = values(params);
            }
            continue;
        }
        let Some(sql) = entry.strip_prefix("LOG:  ").and_then(statement) else { continue };
        let sql = sql.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        if let Some(rest) = sql.strip_prefix("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; ") {
            open.insert(process, vec![Statement { sql: rest.to_owned(), params: Vec::new() }]);
        } else if sql == "COMMIT" || sql == "ROLLBACK" {
            done.extend(open.remove(process));
        } else if let Some(statements) = open.get_mut(process) {
            statements.push(Statement { sql, params: Vec::new() });
        }
    }
    done
}

/// Process and text of each entry; a text of several lines has a tab before each but the first.
fn entries(log: &str) -> Vec<(&str, String)> {
    let mut entries: Vec<(&str, String)> = Vec::new();
    for line in log.lines() {
        if let Some(more) = line.strip_prefix('\t') {
            if let Some((_, text)) = entries.last_mut() {
                text.push(' ');
                text.push_str(more);
            }
        } else if let Some((process, text)) = line.strip_prefix('<').and_then(|line| line.split_once("> ")) {
            entries.push((process, text.to_owned()));
        }
    }
    entries
}

fn statement(entry: &str) -> Option<&str> {
    entry
        .strip_prefix("statement: ")
        .or_else(|| entry.strip_prefix("execute ")?.split_once(": ").map(|(_, sql)| sql))
}

/// `$1 = 'it''s', $2 = NULL` as values.
fn values(params: &str) -> Vec<String> {
    let mut values = Vec::new();
    let mut left = params;
    while let Some((_, rest)) = left.split_once(" = ") {
        let Some(text) = rest.strip_prefix('\'') else {
            values.push("NULL".to_owned());
            left = rest;
            continue;
        };
        let mut end = 0;
        while let Some(at) = text[end..].find('\'') {
            end += at;
            if text[end + 1..].starts_with('\'') { end += 2 } else { break }
        }
        values.push(text[..end].to_owned());
        left = &text[end..];
    }
    values
}

/// The order of locks of a transaction, as a text that says what is wrong with it.
pub(crate) fn check(transaction: &[Statement]) -> Result<(), String> {
    let mut state = State::default();
    for statement in transaction {
        for effect in effects(statement) {
            state.apply(effect).map_err(|why| {
                let told: Vec<&str> = transaction.iter().map(|statement| statement.sql.as_str()).collect();
                format!("{why}\nat: {statement:?}\nin:\n  {}", told.join("\n  "))
            })?;
        }
    }
    Ok(())
}

/// What a transaction has.
#[derive(Default)]
struct State {
    held: BTreeSet<Lock>,
    last: Option<Lock>,
    made: BTreeSet<String>,
    /// Tables some of whose rows it took from under others; it locks no more of them.
    taken: BTreeSet<String>,
    is_gate_closed: bool,
}

impl State {
    fn apply(&mut self, effect: Effect) -> Result<(), String> {
        match effect {
            Effect::Nothing => {}
            Effect::Makes(table) => {
                self.made.insert(table);
            }
            Effect::Takes(lock) => {
                self.held.insert(lock);
            }
            Effect::TakesItems(table) => {
                self.taken.insert(table);
            }
            Effect::Defines if self.held.contains(&Lock::Catalog) => {}
            Effect::Defines => return Err("the catalog is not held".to_owned()),
            Effect::DropsEntries => {
                if !self.held.iter().any(|lock| matches!(lock, Lock::Items(_))) {
                    return Err("the items of the index are not held".to_owned());
                }
            }
            Effect::RemovesRecords => {
                let holds_stream = self.held.iter().any(|lock| matches!(lock, Lock::Stream(_)));
                if !holds_stream {
                    return Err("the stream is not held".to_owned());
                }
            }
            Effect::RemovesChanges => {
                if !self.held.iter().any(|lock| matches!(lock, Lock::History(_))) {
                    return Err("the row of the history is not held".to_owned());
                }
            }
            Effect::ClosesGate => self.is_gate_closed = true,
            Effect::Locks(lock) => {
                if self.waits_for_nobody(&lock) {
                    self.held.insert(lock);
                    return Ok(());
                }
                if let Some(last) =
                    self.last.as_ref().filter(|last| **last > lock && !self.are_apart(last, &lock))
                {
                    return Err(format!("{lock:?} is locked after {last:?}"));
                }
                self.last = Some(lock.clone());
                self.held.insert(lock);
            }
        }
        Ok(())
    }

    /// Whether nobody who waits for the one has the other: trims, the only ones that lock streams without the catalog, are
    /// about one stream.
    fn are_apart(&self, last: &Lock, next: &Lock) -> bool {
        let of = |lock: &Lock| match lock {
            Lock::Stream(stream) | Lock::Shard { stream, .. } => Some(*stream),
            _ => None,
        };
        let is_another = of(last).zip(of(next)).is_some_and(|(last, next)| last != next);
        self.held.contains(&Lock::Catalog) && is_another && matches!(next, Lock::Stream(_))
    }

    /// Whether nobody can have it, because of what this transaction has.
    fn waits_for_nobody(&self, lock: &Lock) -> bool {
        self.held.contains(lock)
            || match lock {
                Lock::Item(table, _) => {
                    self.made.contains(table)
                        || self.taken.contains(table)
                        || self.held.contains(&Lock::Items(table.clone()))
                }
                Lock::Counts { .. } => self.is_gate_closed,
                // Writers have passed the gate before; trims wait for nobody once they have a shard.
                Lock::Shard { .. } => self.is_gate_closed,
                Lock::Items(table) | Lock::Kept(table) => self.made.contains(table),
                Lock::Job(_) | Lock::Catalog | Lock::Beside(_) | Lock::History(_) | Lock::Stream(_) => false,
            }
    }
}

/// What a statement does. One that is not known here is an error of the test, which must not overlook it.
fn effects(Statement { sql, params }: &Statement) -> Vec<Effect> {
    let number = |at: usize| params.get(at).and_then(|value| value.parse().ok()).unwrap_or(i64::MIN);
    let key = || params.iter().take(2).cloned().collect::<Vec<_>>().join(" ");
    let table = table_of(sql);
    let is_of = |kind: &str| table.as_deref().is_some_and(|table| table.starts_with(kind));
    let name = || table.clone().unwrap_or_default();
    let begins = |text: &str| sql.starts_with(text);
    let locks = |lock| vec![Effect::Locks(lock)];

    if begins("SELECT") {
        return match (
            sql.contains("FOR UPDATE SKIP LOCKED"),
            sql.contains("FOR UPDATE") || sql.contains("FOR SHARE"),
        ) {
            (true, _) if is_of("pdb_item_") => vec![Effect::TakesItems(name())],
            (true, _) if is_of("pdb_stream") => vec![Effect::Takes(Lock::Stream(number(0)))],
            (false, true) if is_of("pdb_catalog") => locks(Lock::Catalog),
            (false, true) if is_of("pdb_item_") => locks(Lock::Item(name(), key())),
            (false, true) if name() == "pdb_stream" => locks(Lock::Stream(number(0))),
            (false, true) if is_of("pdb_document") => locks(Lock::Beside(name())),
            (false, false) => vec![Effect::Nothing],
            _ => panic!("unknown: {sql}"),
        };
    }
    if begins("LOCK TABLE") && sql.ends_with("IN EXCLUSIVE MODE") && is_of("pdb_item_") {
        return locks(Lock::Items(name()));
    }
    if begins("CREATE TABLE") {
        return match is_of("pdb_backup_") {
            true => vec![Effect::Makes(name())],
            false => vec![Effect::Defines, Effect::Makes(name())],
        };
    }
    if begins("CREATE INDEX") || begins("DROP INDEX") {
        // Its table is locked as a whole already: what it would wait for holds it.
        return vec![Effect::Defines];
    }
    if begins("DROP TABLE") {
        return match name() {
            items if is_of("pdb_item_") => vec![Effect::Defines, Effect::Locks(Lock::Items(items))],
            _ if is_of("pdb_index_") || is_of("pdb_vector_") => vec![Effect::Defines, Effect::DropsEntries],
            kept if is_of("pdb_backup_") => locks(Lock::Kept(kept)),
            _ if is_of("pdb_stream_") => vec![Effect::Defines, Effect::RemovesRecords],
            _ if is_of("pdb_history_") => vec![Effect::Defines, Effect::RemovesChanges],
            _ => panic!("unknown: {sql}"),
        };
    }
    if begins("WITH drawn AS (UPDATE pdb_shard") {
        return locks(Lock::Shard { stream: number(14), number: number(1) });
    }
    if begins("WITH drawn AS (UPDATE pdb_history") {
        return locks(Lock::History(number(3)));
    }
    if begins("WITH gone AS (SELECT token FROM pdb_token") && sql.contains("SKIP LOCKED") {
        return vec![Effect::Nothing];
    }
    match name().as_str() {
        "pdb_catalog" => locks(Lock::Catalog),
        "pdb_metadata" => vec![Effect::Defines],
        "pdb_statistic" | "pdb_stream" | "pdb_shard" if begins("INSERT") => {
            let shard = Lock::Shard { stream: number(0), number: number(1) };
            vec![Effect::Defines, if is_of("pdb_shard") { Effect::Takes(shard) } else { Effect::Nothing }]
        }
        "pdb_statistic" if begins("UPDATE pdb_statistic SET version") || sql.contains("WHERE table_id") => {
            let first = Lock::Counts { of_index: false, id: i64::MIN };
            vec![Effect::Defines, Effect::Locks(first), Effect::ClosesGate]
        }
        "pdb_statistic" => locks(Lock::Counts { of_index: !sql.contains("version ="), id: number(0) }),
        "pdb_history" if begins("INSERT") => vec![Effect::Defines, Effect::Takes(Lock::History(number(0)))],
        "pdb_history" => locks(Lock::History(number(0))),
        "pdb_stream" if begins("UPDATE pdb_stream SET version") => {
            // Its own, or one that is locked like this first.
            vec![Effect::Defines, Effect::Locks(Lock::Stream(number(0)))]
        }
        "pdb_stream" => locks(Lock::Stream(number(0))),
        "pdb_shard" if sql.contains("stream_id IN") => locks(Lock::Shard { stream: 0, number: number(1) }),
        "pdb_shard" => locks(Lock::Shard { stream: number(0), number: number(1) }),
        "pdb_document" if params.first().is_some_and(|kind| kind == "transfers") => {
            locks(Lock::Job(String::new()))
        }
        "pdb_document" if params.first().is_some_and(|kind| JOBS.contains(&kind.as_str())) => {
            let job = Lock::Job(key());
            // One that is locked is updated first; else it is new.
            if begins("INSERT") { vec![Effect::Takes(job)] } else { locks(job) }
        }
        "pdb_token" | "pdb_document" | "pdb_setting" => locks(Lock::Beside(name())),
        items if is_of("pdb_item_") => locks(Lock::Item(items.to_owned(), key())),
        _ if is_of("pdb_index_") || is_of("pdb_vector_") => vec![Effect::Nothing],
        kept if is_of("pdb_backup_") => locks(Lock::Kept(kept.to_owned())),
        _ if is_of("pdb_history_") && begins("DELETE") => vec![Effect::RemovesChanges],
        _ if is_of("pdb_stream_") && begins("DELETE") => vec![Effect::RemovesRecords],
        _ => panic!("unknown: {sql}"),
    }
}

/// The first table that a statement names.
fn table_of(sql: &str) -> Option<String> {
    let words = sql.split_ascii_whitespace().map(|word| word.trim_matches(['"', '(', ')', ',']));
    words.into_iter().find(|word| word.starts_with("pdb_")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transaction(statements: &[(&str, &[&str])]) -> Transaction {
        let statement = |(sql, params): &(&str, &[&str])| Statement {
            sql: (*sql).to_owned(),
            params: params.iter().map(|param| (*param).to_owned()).collect(),
        };
        statements.iter().map(statement).collect()
    }

    const CATALOG: (&str, &[&str]) = ("SELECT version FROM pdb_catalog WHERE id = 1 FOR UPDATE", &[]);
    const WHOLE: (&str, &[&str]) = ("LOCK TABLE \"pdb_item_a\" IN EXCLUSIVE MODE", &[]);
    const GATE: (&str, &[&str]) =
        ("UPDATE pdb_statistic SET version = $2 WHERE table_id = $1 AND index_name = ''", &["1", "2"]);
    const ITEM_A: (&str, &[&str]) =
        ("SELECT 1 FROM \"pdb_item_a\" WHERE key = $1 FOR UPDATE", &["\\x61", ""]);
    const ITEM_B: (&str, &[&str]) = ("INSERT INTO \"pdb_item_a\" (key) VALUES ($1)", &["\\x62", ""]);
    const ENTRY: (&str, &[&str]) = ("INSERT INTO \"pdb_index_a_i\" (entry) VALUES ($1)", &["\\x62", ""]);
    const COUNT: (&str, &[&str]) = ("UPDATE pdb_statistic SET x = 1 WHERE id = $1 AND version = $3", &["1"]);
    const STREAM: (&str, &[&str]) = ("SELECT id FROM pdb_stream WHERE id = $1 FOR UPDATE", &["1"]);
    const SHARD: (&str, &[&str]) =
        ("UPDATE pdb_shard SET x = 1 WHERE stream_id = $1 AND number = $2", &["1", "1"]);
    const CHANGE: (&str, &[&str]) =
        ("WITH drawn AS (UPDATE pdb_history SET x = 1) INSERT", &["\\x61", "", "", "1", "5"]);
    const TRIMMED: (&str, &[&str]) = ("UPDATE pdb_history SET earliest_at = $2 WHERE table_id = $1", &["1"]);
    const TRIM: (&str, &[&str]) = ("DELETE FROM \"pdb_history_a\" WHERE number <= $1", &["7"]);
    const DROP: (&str, &[&str]) = ("DROP TABLE \"pdb_index_a_i\"", &[]);

    #[test]
    fn what_waits_in_the_right_order_passes() {
        for right in [
            &[ITEM_A, ENTRY, ITEM_B, ENTRY, COUNT, SHARD][..],
            &[CATALOG, GATE, SHARD],
            &[CATALOG, WHOLE, GATE, ITEM_B, ITEM_A, ENTRY],
            &[CATALOG, WHOLE, DROP, GATE],
            &[STREAM, SHARD],
            &[ITEM_A, COUNT, CHANGE, CHANGE, SHARD],
            &[TRIMMED, TRIM],
        ] {
            check(&transaction(right)).unwrap();
        }
    }

    /// What led to deadlocks, one for each pair.
    #[test]
    fn what_waits_in_the_wrong_order_is_found() {
        for wrong in [
            // A definition that reads the items with locks behind its gate.
            &[CATALOG, GATE, ITEM_A][..],
            // A write that rotates a shard.
            &[ITEM_A, CATALOG, GATE],
            // Keys in the order of the request.
            &[ITEM_B, ITEM_A],
            &[COUNT, ITEM_A],
            &[SHARD, STREAM],
            &[SHARD, COUNT],
            &[CHANGE, COUNT],
            &[SHARD, CHANGE],
            &[TRIM],
            &[CATALOG, DROP, WHOLE],
            // What nobody may do without the catalog.
            &[DROP],
            &[GATE],
        ] {
            assert!(check(&transaction(wrong)).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_log_is_taken_apart() {
        let log = "<7> LOG:  statement: BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT version FROM pdb_catalog\n\
                   <8> LOG:  statement: BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1\n\
                   <7> LOG:  execute s0: INSERT INTO \"pdb_item_a\"\n\t(key) VALUES ($1, $2, $3)\n\
                   <7> DETAIL:  parameters: $1 = '\\x61', $2 = 'it''s, $9 = x', $3 = NULL\n\
                   <8> LOG:  statement: COMMIT\n\
                   <7> LOG:  statement: COMMIT\n";
        let found = transactions(log);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0][0].sql, "SELECT version FROM pdb_catalog");
        assert_eq!(found[0][1].sql, "INSERT INTO \"pdb_item_a\" (key) VALUES ($1, $2, $3)");
        assert_eq!(found[0][1].params, ["\\x61", "it''s, $9 = x", "NULL"]);
    }
}
