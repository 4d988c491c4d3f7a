//! Tests of exports' folders: what is written can be opened, and what is not sound is refused.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use pdb_model::{EpochMillis, Item};

use super::*;
use crate::{Compression, Decompressor, Format, ReadOptions, read};

fn write(into: &Path, id: &str, items: u32) -> ExportSummary {
    let mut writer = ExportFolderWriter::create(into, id, Format::DynamoDbJson).unwrap();
    for n in 0..items {
        writer.write(&Item::from([("id", n.into())])).unwrap();
    }
    let table_arn = "arn:aws:dynamodb:us-east-1:000000000000:table/orders".to_owned();
    writer.finish(ExportSummary { table_arn, ..ExportSummary::default() }).unwrap()
}

fn refused(folder: &Path) -> String {
    let opened = ExportFolder::open(folder);
    let outcome = opened.and_then(|folder| folder.unwrap().verify(&mut |_| ControlFlow::Continue(())));
    outcome.unwrap_err().to_string()
}

#[test]
fn what_is_written_is_what_aws_writes() {
    let folder = tempfile::tempdir().unwrap();
    let id = export_id(EpochMillis(1_772_356_542_017), 0xdead_beef_a1b2_c3d4);
    assert_eq!(id, "01772356542017-a1b2c3d4");
    assert_eq!(ExportSummary::time(EpochMillis(1_772_356_542_017)), "2026-03-01T09:15:42.017Z");
    let summary = write(folder.path(), &id, 3);
    assert_eq!((summary.item_count, summary.table_name()), (3, Some("orders")));
    let export = folder.path().join("AWSDynamoDB").join(&id);
    let mut names: Vec<_> = fs::read_dir(&export)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let expected = [
        "_started",
        "data",
        "manifest-files.checksum",
        "manifest-files.json",
        "manifest-summary.checksum",
        "manifest-summary.json",
    ];
    assert_eq!(names, expected);
    for place in [folder.path(), &folder.path().join("AWSDynamoDB"), &export] {
        let opened = ExportFolder::open(place).unwrap().unwrap();
        assert_eq!(opened.summary, summary);
        assert!(opened.verify(&mut |_| ControlFlow::Continue(())).unwrap());
        let [file] = opened.files.as_slice() else { panic!("{opened:?}") };
        let name = file.path.file_name().unwrap().to_str().unwrap();
        assert!(name.len() == 26 + ".json.gz".len() && name.ends_with(".json.gz"), "{name}");
        let unpacked = Decompressor::new(fs::File::open(&file.path).unwrap(), Compression::Gzip).unwrap();
        let mut count = 0;
        read(unpacked, &ReadOptions::new(Format::DynamoDbJson), &mut |entry| {
            assert!(entry.record.is_ok());
            count += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!((count, file.item_count), (3, 3));
    }
}

#[test]
fn an_empty_table_has_a_data_file_too() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "01772356542017-00000000", 0);
    let opened = ExportFolder::open(folder.path()).unwrap().unwrap();
    assert_eq!((opened.files.len(), opened.files[0].item_count), (1, 0));
}

#[test]
fn what_is_not_sound_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(ExportFolder::open(folder.path()).unwrap().is_none());
    write(folder.path(), "01772356542017-00000001", 100);
    let opened = ExportFolder::open(folder.path()).unwrap().unwrap();
    let data = &opened.files[0].path;
    let export = data.parent().unwrap().parent().unwrap();

    let bytes = fs::read(data).unwrap();
    fs::write(data, &bytes[..bytes.len() / 2]).unwrap();
    assert!(refused(folder.path()).contains("cut short or was changed"));
    fs::remove_file(data).unwrap();
    assert!(refused(folder.path()).contains("there is no such file"));
    fs::write(data, &bytes).unwrap();

    let files = fs::read_to_string(export.join(FILES)).unwrap();
    fs::write(export.join(FILES), files.replace("\"itemCount\":100", "\"itemCount\":99")).unwrap();
    assert!(refused(folder.path()).contains("the checksum beside it is another"));
    fs::remove_file(export.join(FILES_CHECKSUM)).unwrap();
    fs::write(export.join(FILES), files.replace(data.file_name().unwrap().to_str().unwrap(), "..")).unwrap();
    assert!(refused(folder.path()).contains("is not the key of a data file"));
    fs::write(export.join(FILES), "{}").unwrap();
    assert!(refused(folder.path()).contains("line 1: this is not a data file"));

    fs::remove_file(export.join(SUMMARY)).unwrap();
    assert!(refused(folder.path()).contains("the export is not complete"));
    write(folder.path(), "01772356542017-00000002", 1);
    assert!(refused(folder.path()).contains("there are several exports"));
}
