//! What is written can be read again, and is equal.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use pdb_exchange::{
    Compression, CsvOptions, Decompressor, ExportFolder, ExportFolderWriter, ExportSummary, Format,
    ItemWriter, Packer, ReadOptions, Record, detect, read,
};
use pdb_model::{AttributeValue, Item, Number, ScalarType};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

fn any_number() -> impl Strategy<Value = Number> {
    let digits = "-?[1-9][0-9]{0,37}e-?[0-9]{1,2}";
    prop_oneof![
        digits.prop_filter_map("out of range", |text| text.parse().ok()),
        any::<i32>().prop_map(Number::from)
    ]
}

/// Texts with everything that formats treat in a special way.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{0,8}",
        "[\\PC\\n\\r\\t\\\\\"'{},;:|#/*$ \u{feff}\u{0}\u{7f}\u{85}\u{2028}]{0,12}",
        any::<String>()
    ]
}

fn any_value(is_plain: bool) -> impl Strategy<Value = AttributeValue> {
    let plain = prop_oneof![
        any_text().prop_map(AttributeValue::S),
        any_number().prop_map(AttributeValue::N),
        any::<bool>().prop_map(AttributeValue::Bool),
        Just(AttributeValue::Null),
    ];
    let bytes = || vec(any::<u8>(), 0..6);
    let typed = prop_oneof![
        bytes().prop_map(AttributeValue::B),
        btree_set(any_text(), 1..4).prop_map(|set| AttributeValue::Ss(set.into_iter().collect())),
        vec(any_number(), 1..4).prop_map(|set| AttributeValue::Ns(set.into_iter().collect())),
        btree_set(bytes(), 1..4).prop_map(|set| AttributeValue::Bs(set.into_iter().collect())),
    ];
    let leaf = if is_plain { plain.boxed() } else { prop_oneof![plain, typed].boxed() };
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(AttributeValue::L),
            btree_map(any_text(), inner, 0..4).prop_map(|map| AttributeValue::M(map.into_iter().collect())),
        ]
    })
}

fn any_items(is_plain: bool) -> impl Strategy<Value = Vec<Item>> {
    let item = (any::<u32>(), btree_map("[\\PC]{1,8}", any_value(is_plain), 0..5));
    let item = item.prop_map(|(id, attributes)| {
        let mut item: Item = attributes.into_iter().collect();
        item.insert("id".to_owned(), id.into());
        item
    });
    vec(item, 0..8)
}

fn written(items: &[Item], format: Format, compression: Compression) -> Vec<u8> {
    let mut writer = ItemWriter::new(Packer::new(Vec::new(), compression).unwrap(), format);
    for (n, item) in items.iter().enumerate() {
        if n % 2 == 0 {
            writer.write(item).unwrap()
        } else {
            writer.write_encoded(&item.to_string()).unwrap()
        }
    }
    writer.finish().unwrap().finish().unwrap()
}

fn items(bytes: &[u8], compression: Compression, options: &ReadOptions) -> Vec<Item> {
    let unpacked = Decompressor::new(bytes, compression).unwrap();
    let mut items = Vec::new();
    read(unpacked, options, &mut |entry| {
        assert_eq!(entry.ordinal, items.len() as u64);
        match entry.record.unwrap() {
            Record::Item { item, condition: None } => items.push(item),
            other => panic!("{other:?}"),
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    items
}

fn check(given: &[Item], format: Format) -> Result<(), TestCaseError> {
    for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
        let bytes = written(given, format, compression);
        if !given.is_empty() {
            prop_assert_eq!(Compression::of_head(&bytes), compression);
        }
        if compression == Compression::None && !given.is_empty() {
            prop_assert_eq!(detect("items", &bytes), Some(format));
        }
        prop_assert_eq!(items(&bytes, compression, &ReadOptions::new(format)), given);
    }
    Ok(())
}

proptest! {
    #[test]
    fn dynamodb_json_keeps_everything(given in any_items(false)) {
        check(&given, Format::DynamoDbJson)?;
    }

    #[test]
    fn ion_keeps_everything(given in any_items(false)) {
        check(&given, Format::Ion)?;
    }

    #[test]
    fn plain_json_keeps_what_it_can_express(given in any_items(true)) {
        check(&given, Format::PlainJson)?;
    }

    /// Texts stay as they are; the key has its type.
    #[test]
    fn csv_keeps_texts(
        columns in btree_set("[\\PC]{1,8}", 0..4),
        rows in vec((any_number(), vec(any_text(), 4)), 0..8),
        delimiter in prop_oneof![Just(b','), Just(b';'), Just(b'|'), Just(b'\t'), Just(b' ')],
    ) {
        let columns: Vec<String> = columns.into_iter().filter(|name| name != "id").collect();
        let given: Vec<Item> = rows
            .iter()
            .map(|(id, texts)| {
                let texts = columns.iter().cloned().zip(texts.iter().map(|text| text.clone().into()));
                texts.chain([("id".to_owned(), AttributeValue::N(*id))]).collect()
            })
            .collect();
        let all = [vec!["id".to_owned()], columns].concat();
        let mut writer = ItemWriter::csv(Vec::new(), all, delimiter).unwrap();
        given.iter().for_each(|item| writer.write(item).unwrap());
        let types: BTreeMap<_, _> = [("id".to_owned(), ScalarType::N)].into();
        let options = ReadOptions {
            csv: CsvOptions { delimiter, header: None, types },
            ..ReadOptions::new(Format::Csv)
        };
        prop_assert_eq!(items(&writer.finish().unwrap(), Compression::None, &options), given);
    }

    #[test]
    fn an_export_folder_keeps_everything(given in any_items(false), is_ion in any::<bool>()) {
        let format = if is_ion { Format::Ion } else { Format::DynamoDbJson };
        let folder = tempfile::tempdir().unwrap();
        let mut writer = ExportFolderWriter::create(folder.path(), "01772356542017-a1b2c3d4", format).unwrap();
        given.iter().for_each(|item| writer.write(item).unwrap());
        writer.finish(ExportSummary::default()).unwrap();
        let opened = ExportFolder::open(folder.path()).unwrap().unwrap();
        prop_assert!(opened.verify(&mut |_| ControlFlow::Continue(())).unwrap());
        prop_assert_eq!(opened.summary.format(), Some(format));
        let mut seen = Vec::new();
        for file in &opened.files {
            let bytes = std::fs::read(&file.path).unwrap();
            seen.extend(items(&bytes, Compression::Gzip, &ReadOptions::new(format)));
        }
        prop_assert_eq!(seen, given);
    }
}

#[test]
fn plain_json_refuses_what_it_cannot_express() {
    let item = Item::from([("id", "1".into()), ("b", AttributeValue::L(vec![AttributeValue::B(vec![1])]))]);
    let mut writer = ItemWriter::new(Vec::new(), Format::PlainJson);
    let error = writer.write(&item).unwrap_err();
    assert!(error.to_string().contains("attribute `b`, which has bytes"), "{error}");
    let mut lossy = writer.lossy(true);
    lossy.write(&item).unwrap();
    assert_eq!(lossy.finish().unwrap(), b"{\"b\":[\"AQ==\"],\"id\":\"1\"}\n");
}
