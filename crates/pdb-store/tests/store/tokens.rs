//! Tokens of transactions, and small documents.

use pdb_model::EpochMillis;
use pdb_store::TokenRow;
use pdb_testkit::TestDb;

#[test]
fn tokens_are_remembered_for_their_time() {
    let db = TestDb::new();
    let row = |expires| TokenRow {
        fingerprint: vec![1, 2],
        answer: "{}".to_owned(),
        expires: EpochMillis(expires),
    };
    db.write(move |tx| tx.remember_token("a", EpochMillis(0), &row(100)));
    db.write(move |tx| tx.remember_token("b", EpochMillis(0), &row(200)));
    assert_eq!(db.read(|tx| tx.token("a", EpochMillis(99))), Some(row(100)));
    assert_eq!(db.read(|tx| tx.token("a", EpochMillis(100))), None);
    assert_eq!(db.read(|tx| tx.token("c", EpochMillis(0))), None);
    db.write(move |tx| tx.remember_token("a", EpochMillis(100), &row(150)));
    assert_eq!(db.read(|tx| tx.token("a", EpochMillis(100))), Some(row(150)));
    assert_eq!(db.write(|tx| tx.forget_tokens(EpochMillis(199), 10)), 1);
    assert_eq!(db.write(|tx| tx.forget_tokens(EpochMillis(200), 10)), 1);
}

#[test]
fn documents_are_listed_by_name() {
    let db = TestDb::new();
    for name in ["b", "a", "c"] {
        db.write(move |tx| tx.put_document("backup", name, "{}"));
    }
    db.write(|tx| tx.put_document("backup", "b", "{\"x\":1}"));
    db.write(|tx| tx.put_document("policy", "d", "{}"));
    assert_eq!(db.read(|tx| tx.document("backup", "b")).as_deref(), Some("{\"x\":1}"));
    let names = |after: Option<&str>, limit| {
        let found = db.read(|tx| tx.documents("backup", after, limit));
        found.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(names(None, 10), ["a", "b", "c"]);
    assert_eq!(names(Some("a"), 1), ["b"]);
    assert!(db.write(|tx| tx.delete_document("backup", "b")));
    assert!(!db.write(|tx| tx.delete_document("backup", "b")));
    assert_eq!(names(None, 10), ["a", "c"]);
}
