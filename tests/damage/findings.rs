//! Each kind of finding, in a file that was damaged by SQL.

use crate::file::Copy;

/// Damages a copy; what is found must begin with one of these texts, and all of these texts must be found.
#[track_caller]
fn check(damage: &str, expected: &[&str]) {
    let copy = Copy::new();
    copy.sql(damage);
    let (report, findings) = copy.check().unwrap();
    let found: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(report.findings, found.len() as u64, "{found:#?}");
    for text in &found {
        assert!(expected.iter().any(|start| text.starts_with(start)), "not expected: {text}");
    }
    for start in expected {
        assert!(found.iter().any(|text| text.starts_with(start)), "not found: {start}\n{found:#?}");
    }
}

#[test]
fn rows() {
    check(
        "UPDATE pdb_item_whole SET item = replace(item, '1', '7')",
        &["row: items of whole: stored item of table `whole` cannot be read"],
    );
    check(
        "UPDATE pdb_stream_whole SET keys_json = '{}' WHERE event_type = 'MODIFY'",
        &["row: stream records of whole: stored stream record of table `whole` cannot be read"],
    );
    check(
        "UPDATE pdb_index_quiet_by_n SET size_bytes = 1",
        &["row: index by_n of quiet: stored index entry of table `quiet` cannot be read"],
    );
}

/// Rows as earlier versions wrote them have no checksum: what is in them is still looked at.
#[test]
fn texts_keys_sizes_and_expiry_of_rows_without_a_checksum() {
    let table = |set: &str| format!("UPDATE pdb_item_quiet SET checksum = NULL, {set}");
    check(&table("item = 'x'"), &["text: items of quiet: an item is not DynamoDB JSON: "]);
    check(
        &table("item = replace(item, ',', ', ')"),
        &["text: items of quiet: {\"pk\":{\"S\":\"a\"}}: the text is not in its canonical form"],
    );
    check(
        &table("item = replace(item, '\"a\"', '\"b\"')"),
        &[
            "key: items of quiet: {\"pk\":{\"S\":\"b\"}} is stored under another key",
            "index: index by_n of quiet: the entry of {\"pk\":{\"S\":\"b\"}} is missing",
            "index: index by_n of quiet: an entry is not where its item says: {\"pk\":{\"S\":\"a\"}}",
        ],
    );
    check(
        &table("size_bytes = size_bytes + 1"),
        &[
            "size: items of quiet: {\"pk\":{\"S\":\"a\"}}: its size is noted as ",
            "count: items of quiet: 1 rows of ",
        ],
    );
    check(
        &table("expires_at = 7"),
        &["expiry: items of quiet: {\"pk\":{\"S\":\"a\"}}: expiry is noted as Some(7), the item says None"],
    );
}

#[test]
fn expiry() {
    let copy = Copy::new();
    let connection = rusqlite::Connection::open(&copy.path).unwrap();
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'index' AND name LIKE 'pdb_expiry_%'";
    let index: String = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    check(
        &format!("DROP INDEX \"{index}\""),
        &["expiry: items of Orders: the SQL index that finds expired items is missing"],
    );
}

#[test]
fn counts() {
    check(
        "UPDATE pdb_statistic SET item_count = item_count + 1 WHERE index_name = 'by_n'",
        &["count: index by_n of quiet: 2 rows of "],
    );
    check(
        "UPDATE pdb_document SET checksum = NULL, value = replace(value, '\"size_bytes\":', '\"size_bytes\":1')",
        &["count: backup arn:aws:dynamodb:"],
    );
}

#[test]
fn indexes() {
    let missing = "index: index by_n of quiet: the entry of {\"pk\":{\"S\":\"a\"}} is missing";
    check("DELETE FROM pdb_index_quiet_by_n", &[missing, "count: index by_n of quiet: 1 rows of "]);
    check(
        "UPDATE pdb_index_quiet_by_n SET checksum = NULL, item = '{}'",
        &["index: index by_n of quiet: the entry of {\"pk\":{\"S\":\"a\"}} is not what the item says"],
    );
    check(
        "INSERT INTO pdb_index_quiet_by_n (entry, base, item, size_bytes) VALUES (x'0102', x'09', '{}', 0)",
        &[
            "index: index by_n of quiet: an entry is of an item that is not there: {}",
            "count: index by_n of quiet: 1 rows of ",
        ],
    );
}

#[test]
fn vector_indexes() {
    let part = "vector index everything of articles";
    let of = |number: u32| format!("{{\"pk\":{{\"S\":\"article {number}\"}}}}");
    let damaged = "UPDATE pdb_vector_articles_everything SET vector = zeroblob(12)";
    let broken = format!("row: {part}: stored index entry of table `articles` cannot be read");
    check(damaged, &[&broken]);
    let wrong = format!("index: {part}: the entry of {} is not what the item says", of(0));
    check(&format!("{damaged}, checksum = NULL WHERE id = 1"), &[&wrong]);
    let missing = format!("index: {part}: the entry of {} is missing", of(0));
    let count = format!("count: {part}: 4 rows of ");
    check("DELETE FROM pdb_vector_articles_everything WHERE id = 1", &[&missing, &count]);
    let alien = "INSERT INTO pdb_vector_articles_everything (entry, vector, item, size_bytes) \
                 VALUES (x'0102', x'00', '{\"pk\":{\"S\":\"nobody\"}}', 0)";
    let lost =
        format!("index: {part}: an entry is of an item that is not there: {{\"pk\":{{\"S\":\"nobody\"}}}}");
    check(alien, &[&lost, &count]);
}

#[test]
fn a_stream_that_has_all_changes_leads_to_its_table() {
    let why = "it has all changes of its table, and they do not lead to what the table has";
    let replay = "replay: stream arn:aws:dynamodb:us-east-1:000000000000:table/whole/stream/";
    check("UPDATE pdb_item_whole SET checksum = NULL, item = replace(item, '2', '9')", &[replay]);
    check("DELETE FROM pdb_item_whole WHERE id = 1", &[replay, "count: items of whole: 2 rows of "]);
    let copy = Copy::new();
    copy.sql("UPDATE pdb_item_whole SET checksum = NULL, item = replace(item, '2', '9')");
    assert!(copy.check().unwrap().1[0].to_string().ends_with(why));
}

#[test]
fn histories() {
    let row = "row: history of whole: stored change in a history of table `whole` cannot be read";
    let broken = "row: history of whole: it cannot be read on: ";
    // The old item of a change, its key, its moment.
    for set in ["item = replace(item, '1', '7')", "key = x'09'", "changed_at = changed_at + 1"] {
        check(&format!("UPDATE pdb_history_whole SET {set} WHERE number = 3"), &[row]);
    }
    // Its number, which makes it the last.
    check("UPDATE pdb_history_whole SET number = 100 WHERE number = 3", &[row, broken]);
    check(
        "UPDATE pdb_history SET earliest_at = 7",
        &[broken, "row: history of Orders: it cannot be read on: "],
    );
    check(
        "DELETE FROM pdb_history WHERE table_id = (SELECT id FROM pdb_metadata WHERE table_name = 'whole')",
        &[broken],
    );
}

#[test]
fn records() {
    // A record of `whole` that says it is another's: without a checksum, since that would tell already.
    let check_record = |set: &str, why: &str| {
        check(
            &format!("UPDATE pdb_stream_whole SET checksum = NULL, {set} WHERE event_type = 'MODIFY'"),
            &[why, "replay: stream arn:aws:dynamodb:us-east-1:000000000000:table/whole/stream/"],
        );
    };
    let check_one = |set: &str, why: &str| {
        let set = format!("UPDATE pdb_stream_whole SET checksum = NULL, {set} WHERE event_type = 'MODIFY'");
        let copy = Copy::new();
        copy.sql(&set);
        let found: Vec<String> = copy.check().unwrap().1.iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 1, "{set}: {found:#?}");
        assert!(found[0].contains(why), "{found:#?}");
    };
    let damaged = "row: stream records of whole: stored stream record cannot be read: ";
    check_one("shard = 9", "its shard is not that of its sequence number");
    check_one("event_timestamp = 9", "its two times differ");
    check_one("event_type = 'CHANGE'", damaged);
    check_one("event_id = '0123456789abcdef0123456789abcdef'", "its event id is not that of its number");
    check_one("keys_json = replace(keys_json, 'a', 'b')", "an image is of another item");
    check_one("keys_json = '{}', keys_size_bytes = 0", "record ");
    check_one("keys_size_bytes = keys_size_bytes + 1", "a size is noted as ");
    check_one("size_bytes = 1", "its sizes do not add up");
    check_one("event_type = 'INSERT'", "it is a INSERT and does not have the images of one");
    check_one(
        "sequence_number = sequence_number + (1 << 40)",
        "its shard is not that of its sequence number",
    );
    check_record("new_image_json = replace(new_image_json, '2', '3')", "replay: stream ");
    check(
        "UPDATE pdb_shard SET checksum = NULL, trimmed_sequence = starting_sequence + 1 \
         WHERE stream_id = (SELECT id FROM pdb_stream WHERE table_name = 'whole')",
        &["record: stream records of whole: record "],
    );
}

#[test]
fn shards() {
    let stream = "shard: stream arn:aws:dynamodb:us-east-1:000000000000:table/whole/stream/";
    let check = |set: &str, why: &str, others: &str| {
        let copy = Copy::new();
        let of = "WHERE stream_id = (SELECT id FROM pdb_stream WHERE table_name = 'whole')";
        copy.sql(&format!("UPDATE pdb_shard SET checksum = NULL, {set} {of}"));
        let found: Vec<String> = copy.check().unwrap().1.iter().map(ToString::to_string).collect();
        assert!(found.iter().any(|text| text.starts_with(stream) && text.contains(why)), "{set}: {found:#?}");
        let is_known = |text: &String| text.starts_with(stream) || text.starts_with(others);
        assert!(found.iter().all(is_known), "{set}: {found:#?}");
    };
    let records = "record: stream records of whole: record ";
    check("hash_to = '7fffffffffffffff'", "no open shard owns the keys from 8000000000000000 on", records);
    check("hash_from = '0000000000000001'", "no open shard owns the keys from 0000000000000000 on", records);
    check(
        "closed_at = 9, ending_sequence = 1",
        "no open shard owns the keys from 0000000000000000 on",
        records,
    );
    check("closed_at = 9", "is closed and has no ending number", records);
    check("ending_sequence = 9", "is open and has an ending number", records);
    check("hash_to = '0000000000000000', hash_from = '0000000000000001'", "owns no keys", records);
}

#[test]
fn orphans() {
    check(
        "CREATE TABLE \"pdb_item_nobody\" (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, \
         item TEXT NOT NULL, size_bytes INTEGER NOT NULL, expires_at INTEGER, checksum INTEGER) STRICT",
        &["orphan: the database: the SQL table `pdb_item_nobody` belongs to nothing"],
    );
    check(
        "DROP TABLE pdb_index_quiet_by_n",
        &[
            "orphan: the database: the SQL table `pdb_index_quiet_by_n` is missing",
            "row: index by_n of quiet: it cannot be read on: ",
            "count: index by_n of quiet: ",
        ],
    );
    check(
        "UPDATE pdb_shard SET stream_id = 99 WHERE stream_id = (SELECT id FROM pdb_stream WHERE table_name = 'gone')",
        &["orphan: the database: 2 shards belong to no stream", "record: stream records of gone: record "],
    );
    check(
        "INSERT INTO pdb_statistic (table_id, index_name, item_count, size_bytes) VALUES (99, '', 0, 0)",
        &["orphan: the database: 1 counts belong to no table"],
    );
}

#[test]
fn small_things() {
    check(
        "UPDATE pdb_token SET checksum = NULL, answer = '{'",
        &["text: client request tokens: a text is not JSON"],
    );
    check(
        "UPDATE pdb_token SET expires_at = 7",
        &["row: client request tokens: stored token cannot be read"],
    );
    check(
        "INSERT INTO pdb_document (kind, name, value) VALUES ('other', 'name', '{')",
        &["text: documents: a text is not JSON"],
    );
}

#[test]
fn the_structure_of_the_file() {
    let mut bytes = crate::file::SOUND.bytes.clone();
    // The number of free pages in the header: https://www.sqlite.org/fileformat.html.
    bytes[39] ^= 1;
    let (report, findings) = Copy::of(&bytes).check().unwrap();
    assert!(!report.is_sound());
    assert!(
        findings.iter().all(|finding| finding.to_string().starts_with("file: the file: ")),
        "{findings:#?}"
    );
}

#[test]
fn what_cannot_be_opened_is_not_checked() {
    let refused = |copy: &Copy| copy.check().unwrap_err().to_string();
    let copy = Copy::new();
    copy.sql("UPDATE pdb_metadata SET definition = '{' WHERE table_name = 'whole'");
    assert!(refused(&copy).contains("stored table definition in `"), "{}", refused(&copy));
    let copy = Copy::new();
    copy.sql("CREATE TRIGGER t AFTER INSERT ON pdb_item_whole BEGIN SELECT 1; END");
    assert!(refused(&copy).contains("trigger"), "{}", refused(&copy));
    let copy = Copy::of(b"Dear diary");
    assert!(refused(&copy).contains("is not a database"), "{}", refused(&copy));
}

/// Many findings of a kind are counted, not told one by one.
#[test]
fn what_is_told_has_an_end() {
    let copy = Copy::new();
    let connection = rusqlite::Connection::open(&copy.path).unwrap();
    for n in 0..100 {
        let sql = "INSERT INTO pdb_index_quiet_by_n (entry, base, item, size_bytes) VALUES (?1, ?1, '{', 0)";
        connection.execute(sql, [format!("entry {n}").into_bytes()]).unwrap();
    }
    drop(connection);
    let (report, findings) = copy.check().unwrap();
    // The strays, and their number, which is not that of the count.
    assert_eq!((report.findings, findings.len()), (101, 22), "{findings:#?}");
    assert!(findings.iter().any(|finding| finding.detail == "and 80 more like these"), "{findings:#?}");
}
