use rusqlite::{Connection, OpenFlags, StatementStatus};

use super::{connect, open_empty};

/// Returns how often the statements of a table of numbers were planned again while they ran with other values.
fn plans_made_again(connection: &Connection) -> i32 {
    connection.execute_batch("CREATE TABLE number (n INTEGER PRIMARY KEY, kind INTEGER) STRICT").unwrap();
    connection.execute_batch("INSERT INTO number VALUES (1, 0), (2, 1), (3, 2)").unwrap();
    let texts = [
        "SELECT n FROM number WHERE n >= 0 ORDER BY n LIMIT ?1",
        "SELECT n FROM number WHERE kind = ?1",
        "DELETE FROM number WHERE n IN (SELECT n FROM number WHERE n > 5 ORDER BY n LIMIT ?1)",
    ];
    let again = |text| {
        for value in [0, 1, 2, 500] {
            let mut statement = connection.prepare_cached(text).unwrap();
            let mut rows = statement.query([value]).unwrap();
            while rows.next().unwrap().is_some() {}
        }
        connection.prepare_cached(text).unwrap().get_status(StatementStatus::RePrepare)
    };
    texts.into_iter().map(again).sum()
}

#[test]
fn a_statement_keeps_its_plan_when_other_values_are_bound() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("numbers.db");
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    assert_eq!(plans_made_again(&connect(&file, flags).unwrap()), 0);
    assert_eq!(plans_made_again(&open_empty().unwrap()), 0);

    // As SQLite does it, if nothing is said. When this is 0 as well, the setting has no purpose any more.
    assert!(plans_made_again(&Connection::open_in_memory().unwrap()) > 0);
}
