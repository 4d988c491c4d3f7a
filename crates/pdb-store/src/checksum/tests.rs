use super::*;

fn item(key: &[u8], json: &str, size_bytes: u64) -> Checksum {
    of_item(key, text_hash(json.as_bytes()), size_bytes)
}

/// Stored for ever: a change of these numbers makes every database that exists damaged.
#[test]
fn the_format_is_for_ever() {
    let salt = Salt::of("pdb_item_orders");
    let long = "x".repeat(1000);
    let record = Checksum::new().text("{}").optional_text(None).optional_text(Some("y")).number(7);
    let numbers = [
        item(b"key", r#"{"pk":{"S":"a"}}"#, 3).stored(salt),
        item(b"", "", 0).stored(salt),
        item(b"key", &long, u64::MAX).stored(Salt::of("pdb_item_o")),
        of_entry(b"entry", b"base", r#"{"pk":{"S":"a"}}"#, 3).stored(Salt::of("pdb_index_orders_by_a")),
        record.stored_of_record(Salt::of("pdb_stream_orders"), 1 << 40 | 2),
    ];
    assert_eq!(numbers, [25_603_242, 2_629_046_652, 4_164_845_687, 1_592_365_594, 2_708_713_171]);
}

#[test]
fn every_bit_and_the_order_count() {
    let salt = Salt::of("pdb_item_orders");
    let (key, json) = (b"some key".to_vec(), r#"{"pk":{"S":"some key"},"n":{"N":"12"}}"#.to_owned());
    let right = item(&key, &json, 12).stored(salt);
    let mut seen = std::collections::BTreeSet::from([right]);
    let mut others = 1;
    for bit in 0..key.len() * 8 {
        let mut key = key.clone();
        key[bit / 8] ^= 1 << (bit % 8);
        seen.insert(item(&key, &json, 12).stored(salt));
        others += 1;
    }
    for cut in 0..json.len() {
        seen.insert(item(&key, &json[..cut], 12).stored(salt));
        others += 1;
    }
    for bit in 0..64 {
        seen.insert(item(&key, &json, 12 ^ 1 << bit).stored(salt));
        others += 1;
    }
    seen.insert(item(json.as_bytes(), "some key", 12).stored(salt));
    seen.insert(item(&key, &json, 12).stored(Salt::of("pdb_item_Orders")));
    assert_eq!(seen.len(), others + 2, "two different rows have one checksum");
}

#[test]
fn sql_can_move_a_row_to_another_table() {
    for (from, to) in [("a", "b"), ("b", "a"), ("a", "a"), ("pdb_backup_x", "pdb_item_y")] {
        let (from, to) = (Salt::of(from), Salt::of(to));
        let row = item(b"key", "{}", 2);
        let moved = (row.stored(from) + from.difference_to(to)) & MASK as i64;
        assert_eq!(moved, row.stored(to));
    }
}

#[test]
fn sql_can_add_a_sequence_number() {
    let salt = Salt::of("pdb_stream_orders");
    let row = Checksum::new().text("{}");
    for number in [0, 1, 7 << 40 | 5, i64::MAX] {
        let added = (row.stored(salt) + (number & 4_294_967_295) + (number >> 32)) & MASK as i64;
        assert_eq!(added, row.stored_of_record(salt, number));
    }
}

#[test]
fn a_row_that_has_none_is_not_checked() {
    let (salt, row) = (Salt::of("a"), item(b"key", "{}", 2));
    row.verify(salt, None, "item").unwrap();
    row.verify(salt, Some(row.stored(salt)), "item").unwrap();
    let error = row.verify(salt, Some(row.stored(salt) ^ 1), "item").unwrap_err();
    assert_eq!(
        error.to_string(),
        "stored item cannot be read: it is not what was written: its checksum does not match"
    );
}

#[cfg(feature = "sqlite")]
#[test]
fn sql_keeps_the_checksum_of_a_shard() {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    connection
        .execute_batch(
            "CREATE TABLE shard (ending_sequence INTEGER, trimmed_sequence INTEGER, closed_at INTEGER, checksum INTEGER);",
        )
        .unwrap();
    let constant = of_fixed("shard", &[b"id"]);
    let sum = |ending, trimmed, closed| {
        let columns = [ShardColumn::Ending, ShardColumn::Trimmed, ShardColumn::Closed];
        of_shard(constant, std::array::from_fn(|at| (columns[at], [ending, trimmed, closed][at])))
    };
    let stored =
        || -> i64 { connection.query_row("SELECT checksum FROM shard", [], |row| row.get(0)).unwrap() };
    connection.execute("INSERT INTO shard VALUES (NULL, 0, NULL, ?1)", [sum(None, Some(0), None)]).unwrap();
    let set = |changes: &[(ShardColumn, &str)]| {
        connection.execute(&format!("UPDATE shard SET {}", set_shard_columns(changes)), []).unwrap();
        stored()
    };
    let (large, time) = ((1_i64 << 40) - 1, 1_772_356_542_017);
    assert_eq!(set(&[(ShardColumn::Trimmed, "7")]), sum(None, Some(7), None));
    let trimmed = set(&[(ShardColumn::Trimmed, "(1 << 40) - 1")]);
    assert_eq!(trimmed, sum(None, Some(large), None));
    let closed =
        set(&[(ShardColumn::Closed, "1772356542017"), (ShardColumn::Ending, "max(3, trimmed_sequence)")]);
    assert_eq!(closed, sum(Some(large), Some(large), Some(time)));
    assert_eq!(set(&[(ShardColumn::Trimmed, "0")]), sum(Some(large), Some(0), Some(time)));
    // A row of schema 1 goes on without.
    connection.execute("UPDATE shard SET checksum = NULL", []).unwrap();
    connection
        .execute(&format!("UPDATE shard SET {}", set_shard_columns(&[(ShardColumn::Trimmed, "5")])), [])
        .unwrap();
    let none: Option<i64> = connection.query_row("SELECT checksum FROM shard", [], |row| row.get(0)).unwrap();
    assert_eq!(none, None);
}
