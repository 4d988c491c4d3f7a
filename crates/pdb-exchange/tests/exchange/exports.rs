//! Exports through any place that takes files: keys, manifests, and what the lines say.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::ops::ControlFlow;

use pdb_exchange::{
    ChangeLine, Compression, Decompressor, ExportFolder, ExportKind, ExportSummary, ExportTarget,
    ExportWriter, Format, ReadOptions, Record, read,
};
use pdb_model::{EpochMillis, Item};

/// Files in memory, in the order in which they were completed.
#[derive(Debug, Default)]
struct Files(Vec<(String, Vec<u8>)>);

impl ExportTarget for Files {
    type Error = Infallible;
    type File = Vec<u8>;

    fn create(&mut self, _key: &str) -> Result<Vec<u8>, Infallible> {
        Ok(Vec::new())
    }

    fn finish(&mut self, key: &str, file: Vec<u8>) -> Result<Option<String>, Infallible> {
        self.0.push((key.to_owned(), file));
        Ok(key.contains("/data/").then(|| "tag-2".to_owned()))
    }

    fn failed(&self, key: &str, error: io::Error) -> Infallible {
        panic!("{key}: {error}")
    }
}

impl Files {
    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(key, _)| key.as_str()).collect()
    }

    fn text(&self, key: &str) -> String {
        let file = self.0.iter().find(|(known, _)| known.ends_with(key)).unwrap();
        let mut reader = Decompressor::new(&*file.1, Compression::of_head(&file.1)).unwrap();
        io::read_to_string(&mut reader).unwrap()
    }

    fn into_folder(self) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (key, content) in self.0 {
            let path = folder.path().join(key);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        folder
    }
}

const ID: &str = "01772356542017-a1b2c3d4";

fn begin(prefix: Option<&str>, kind: ExportKind, format: Format) -> ExportWriter<Files> {
    ExportWriter::begin(Files::default(), prefix, ID, kind, format).unwrap()
}

#[test]
fn the_manifests_come_last() {
    let mut writer = begin(Some("p"), ExportKind::Full, Format::DynamoDbJson).with_max_file_bytes(1);
    let next = writer.next_data_key();
    writer.write_encoded(r#"{"id":{"S":"1"}}"#).unwrap();
    writer.write_encoded(r#"{"id":{"S":"2"}}"#).unwrap();
    assert_eq!(writer.summary_key(), format!("p/AWSDynamoDB/{ID}/manifest-summary.json"));
    let beyond = writer.next_data_key();
    let (summary, files) = writer.finish(ExportSummary::default()).unwrap();
    assert_eq!((summary.item_count, summary.version.as_str()), (2, "2020-06-30"));
    let own = format!("p/AWSDynamoDB/{ID}");
    let keys = files.keys();
    assert_eq!(keys[0], format!("{own}/_started"));
    assert_eq!(keys[1], next);
    assert!(keys[1..3].iter().all(|key| key.starts_with(&format!("{own}/data/"))), "{keys:?}");
    assert!(!keys.contains(&beyond.as_str()));
    let manifests = [
        "manifest-files.json",
        "manifest-files.checksum",
        "manifest-summary.checksum",
        "manifest-summary.json",
    ];
    assert_eq!(keys[3..], manifests.map(|name| format!("{own}/{name}")));
    // The tag is the place's, if it has one.
    assert!(files.text("manifest-files.json").lines().all(|line| line.contains(r#""etag":"tag-2""#)));
}

#[test]
fn a_prefix_is_a_folder() {
    for (prefix, expected) in [(None, ""), (Some(""), ""), (Some("a/b"), "a/b/"), (Some("a/"), "a/")] {
        let writer = begin(prefix, ExportKind::Full, Format::Ion);
        assert_eq!(writer.summary_key(), format!("{expected}AWSDynamoDB/{ID}/manifest-summary.json"));
        assert!(writer.next_data_key().ends_with(".ion.gz"));
    }
}

#[test]
fn changes_are_written_as_aws_writes_them_and_read_again() {
    let key = Item::from([("pk", "a".into())]);
    let (old, new) = (key.clone().with("n", 1), key.clone().with("n", 2));
    let (old_json, new_json) = (old.to_string(), new.to_string());
    let changed = EpochMillis(1_772_356_542_017);
    let cases = [(Some(&new), None), (Some(&new), Some(&old)), (None, Some(&old)), (None, None)];
    for format in [Format::DynamoDbJson, Format::Ion] {
        let mut writer = begin(None, ExportKind::Incremental, format);
        for (new, old) in cases {
            let line = ChangeLine {
                changed,
                keys: &key,
                new_image: new.map(|_| new_json.as_str()),
                old_image: old.map(|_| old_json.as_str()),
            };
            writer.write_change(&line).unwrap();
        }
        let data = writer.next_data_key();
        let (summary, files) = writer.finish(ExportSummary::default()).unwrap();
        assert_eq!((summary.item_count, summary.version.as_str()), (4, "2023-08-01"));
        assert!(data.starts_with("AWSDynamoDB/data/"), "all incremental exports share a folder");
        let text = files.text(files.keys()[1]);
        let lines: Vec<&str> = text.lines().collect();
        let expected = match format {
            Format::Ion => [
                r#"$ion_1_0 {Record:{Keys:{pk:"a"},Metadata:{WriteTimestampMicros:1772356542017000.},NewImage:{n:2.,pk:"a"}}}"#,
                r#"$ion_1_0 {Record:{Keys:{pk:"a"},Metadata:{WriteTimestampMicros:1772356542017000.},OldImage:{n:1.,pk:"a"},NewImage:{n:2.,pk:"a"}}}"#,
                r#"$ion_1_0 {Record:{Keys:{pk:"a"},Metadata:{WriteTimestampMicros:1772356542017000.},OldImage:{n:1.,pk:"a"}}}"#,
                r#"$ion_1_0 {Record:{Keys:{pk:"a"},Metadata:{WriteTimestampMicros:1772356542017000.}}}"#,
            ],
            _ => [
                r#"{"Metadata":{"WriteTimestampMicros":{"N":"1772356542017000"}},"Keys":{"pk":{"S":"a"}},"NewImage":{"n":{"N":"2"},"pk":{"S":"a"}}}"#,
                r#"{"Metadata":{"WriteTimestampMicros":{"N":"1772356542017000"}},"Keys":{"pk":{"S":"a"}},"OldImage":{"n":{"N":"1"},"pk":{"S":"a"}},"NewImage":{"n":{"N":"2"},"pk":{"S":"a"}}}"#,
                r#"{"Metadata":{"WriteTimestampMicros":{"N":"1772356542017000"}},"Keys":{"pk":{"S":"a"}},"OldImage":{"n":{"N":"1"},"pk":{"S":"a"}}}"#,
                r#"{"Metadata":{"WriteTimestampMicros":{"N":"1772356542017000"}},"Keys":{"pk":{"S":"a"}}}"#,
            ],
        };
        assert_eq!(lines, expected);
        let mut seen = Vec::new();
        read(text.as_bytes(), &ReadOptions::new(format), &mut |entry| {
            seen.push(entry.record.unwrap());
            ControlFlow::Continue(())
        })
        .unwrap();
        let record = |(new, old): (Option<&Item>, Option<&Item>)| Record::Change {
            keys: key.clone(),
            new_image: new.cloned(),
            old_image: old.cloned(),
        };
        assert_eq!(seen, cases.map(record));
        // And the folder opens, wherever it was downloaded to.
        let folder = files.into_folder();
        let opened = ExportFolder::open(folder.path()).unwrap().unwrap();
        assert!(opened.verify(&mut |_| ControlFlow::Continue(())).unwrap());
        let by_name: BTreeMap<_, _> =
            opened.files.iter().map(|file| (file.path.clone(), file.item_count)).collect();
        assert_eq!(by_name.into_values().collect::<Vec<_>>(), [4]);
    }
}
