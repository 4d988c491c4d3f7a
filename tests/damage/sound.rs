//! Undamaged databases.

use pdb_testkit::Schema;
use pretender::Pretender;
use pretender_tests::formats::build;

use crate::file::{Copy, findings_of};

#[test]
fn nothing_is_found_in_a_sound_file_and_nothing_is_written_to_it() {
    let copy = Copy::new();
    let (report, findings) = copy.check().unwrap();
    assert_eq!(findings, []);
    assert!(report.is_sound() && report.tables == 7 && report.rows > 100, "{report:?}");
    // Only one stream has all changes of its table, and none was trimmed from it.
    assert_eq!((report.streams_replayed, report.rows_without_checksum), (1, 0));
    assert_eq!(std::fs::read(&copy.path).unwrap(), crate::file::SOUND.bytes);
}

#[test]
fn a_file_that_is_in_use_is_not_checked() {
    let copy = Copy::new();
    let db = Pretender::open(&copy.path).unwrap();
    let error = copy.check().unwrap_err();
    assert!(error.to_string().contains("` is in use by "), "{error}");
    // From inside it is.
    assert!(db.check(&mut |_| {}).unwrap().is_sound());
    db.close();
    assert!(copy.check().unwrap().0.is_sound());
}

#[test]
fn nothing_is_found_on_a_server_also_while_it_is_in_use() {
    let Some(schema) = Schema::new() else { return };
    let builder = Pretender::builder().postgres(schema.url());
    let world = build(builder.clone());
    let (report, findings) = findings_of(&builder).unwrap();
    assert_eq!(findings, []);
    assert!(report.rows > 100 && report.rows_without_checksum == 0, "{report:?}");
    // Rows are damaged there as well.
    schema.sql("UPDATE pdb_item_quiet SET item = replace(item, '1', '2')");
    let (report, findings) = findings_of(&builder).unwrap();
    let texts: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(report.findings, 1, "{texts:?}");
    assert!(
        texts[0].starts_with("row: items of quiet: stored item of table `quiet` cannot be read"),
        "{texts:?}"
    );
    world.db.close();
}
