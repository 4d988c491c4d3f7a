//! `pretender check`, as a process.

use std::path::Path;
use std::process::Output;

use pretender::Pretender;
use pretender::items::PutItemInput;
use pretender::model::{Item, ScalarType, TableName};
use pretender::tables::CreateTableInput;

use crate::binary::pretender;

fn check(file: &Path, options: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        pretender().arg("check").arg(file).args(options).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

fn fill(db: &Pretender) {
    let table = TableName::new("Orders").unwrap();
    db.create_table(CreateTableInput::new(table.clone(), ("pk", ScalarType::S), None)).unwrap();
    for pk in ["one", "two", "three"] {
        db.put_item(PutItemInput::new(table.clone(), Item::new().with("pk", pk).with("n", "needle")))
            .unwrap();
    }
}

/// Changes a letter in the last item that was written.
fn damage(file: &Path) {
    let mut bytes = std::fs::read(file).unwrap();
    let at = bytes.windows(6).position(|window| window == b"needle").unwrap();
    bytes[at] = b'x';
    std::fs::write(file, bytes).unwrap();
}

#[test]
fn the_exit_code_tells_whether_a_database_is_sound() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orders.db");
    let (code, stdout, stderr) = check(&file, &[]);
    assert_eq!((code, &*stdout), (Some(2), ""), "{stderr}");
    assert!(stderr.starts_with("pretender: the database cannot be checked: `"), "{stderr}");
    assert!(!file.exists());

    let db = Pretender::open(&file).unwrap();
    fill(&db);
    let (code, stdout, stderr) = check(&file, &[]);
    assert_eq!((code, &*stdout), (Some(2), ""), "{stderr}");
    assert!(stderr.contains("is in use by "), "{stderr}");
    db.close();

    let before = std::fs::read(&file).unwrap();
    let sound = "Sound: 1 table, 0 streams, 3 rows checked.\n";
    assert_eq!(check(&file, &[]), (Some(0), sound.to_owned(), String::new()));
    let (code, _, stderr) = check(&file, &["--progress"]);
    assert_eq!(code, Some(0));
    assert!(stderr.lines().any(|line| line == "100 % items of Orders: 3 rows"), "{stderr}");
    assert_eq!(std::fs::read(&file).unwrap(), before);

    damage(&file);
    let (code, stdout, stderr) = check(&file, &[]);
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!((code, lines.len(), &*stderr), (Some(1), 2, ""), "{stdout}");
    assert!(
        lines[0].starts_with("row: items of Orders: stored item of table `Orders` cannot be read"),
        "{stdout}"
    );
    assert_eq!(lines[1], "1 finding: 1 table, 0 streams, 3 rows checked.");
    let (code, stdout, _) = check(&file, &["--json"]);
    let said: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &said["sound"], &said["finding_count"]), (Some(1), &false.into(), &1.into()));
    assert_eq!((&said["findings"][0]["kind"], &said["rows"]), (&"row".into(), &3.into()));
}

/// The client is told no more than that something failed; the log names the table and the file.
#[test]
#[cfg(unix)]
fn a_damaged_item_is_an_internal_error_that_the_log_explains() {
    use crate::binary::Process;
    use crate::harness::{exchange, request};
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orders.db");
    let db = Pretender::open(&file).unwrap();
    fill(&db);
    db.close();
    damage(&file);
    let mut process = Process::start(pretender().args(["serve", "--port", "0", "--db"]).arg(&file));
    let address = process.address();
    let scan = exchange(address, request("DynamoDB_20120810.Scan", r#"{"TableName":"Orders"}"#));
    let answer = scan.text();
    assert_eq!(scan.status, 500, "{answer}");
    assert!(answer.contains("InternalServerError") && !answer.contains("orders.db"), "{answer}");
    let (_, log) = process.stop_and_read("-TERM");
    let file = std::fs::canonicalize(&file).unwrap();
    let told = format!("stored item of table `Orders` in `{}` cannot be read", file.display());
    assert!(log.contains(&told), "{log}");
}
