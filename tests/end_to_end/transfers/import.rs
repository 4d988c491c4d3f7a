//! ImportTable.

use std::io::Write;

use pretender::errors::ErrorCode;
use pretender::items::GetItemInput;
use pretender::model::{AttributeValue, Item, ScalarType};
use pretender::objects::ObjectStore;
use pretender::tables::{
    AttributeDefinition, CreateTableInput, DistanceFunction, GlobalIndexInput, KeySchemaElement,
    ProjectionInput, ProjectionType, TableStatus, VectorIndexInput,
};
use pretender::transfers::{
    CsvInput, ErrorEvent, ImportStatus, InputCompression, InputFormat, ListImportsInput,
};

use super::{LONG, Objects, import_of, imported, items, lines, open, orders, table};
use crate::place::Place;

fn order(id: &str, total: u32) -> Item {
    Item::new().with("id", id).with("total", total)
}

#[test]
fn an_import_fills_a_new_table_and_its_indexes() {
    let (place, objects) = (Place::new(), Objects::new());
    objects.put_text("data/1.json", &lines([order("a", 1), order("b", 2)]));
    objects.put_text("data/2.json", &lines([order("c", 2)]));
    objects.put_text("other/3.json", &lines([order("d", 2)]));
    let db = open(&place, &objects);
    let mut wanted = orders();
    wanted
        .attribute_definitions
        .push(AttributeDefinition { name: "total".to_owned(), scalar_type: ScalarType::N });
    wanted.global_secondary_indexes =
        Some(vec![GlobalIndexInput::new("by_total".parse().unwrap(), vec![KeySchemaElement::hash("total")])]);
    let import = imported(&db, import_of("data/", InputFormat::DynamoDbJson, wanted));
    assert_eq!(import.import_status, ImportStatus::Completed);
    assert_eq!((import.processed_item_count, import.imported_item_count, import.error_count), (3, 3, 0));
    let size = lines([order("a", 1), order("b", 2), order("c", 2)]).len() as u64;
    assert_eq!(import.processed_size_bytes, size);
    assert!(import.end_time.is_some() && import.failure.is_none());
    let described = db.describe_table(&table("Orders")).unwrap();
    assert_eq!((described.table_status, described.item_count), (TableStatus::Active, 3));
    assert_eq!(described.table_id, import.table_id);
    assert_eq!(described.global_secondary_indexes[0].item_count, 3);
    assert_eq!(items(&db, "Orders").len(), 3);
    assert_eq!(db.check(&mut |_| ()).unwrap().findings, 0);
}

/// The items are those that were read, with all attributes, and every kind of index has what it should.
#[test]
fn an_import_fills_every_kind_of_index() {
    let (place, objects) = (Place::new(), Objects::new());
    let vector = |n: i64| AttributeValue::L(vec![n.into(), (n + 1).into()]);
    let item = |n: i64| {
        let item = order(&format!("o{n}"), 7).with("state", "open").with("note", "x").with("rest", "y");
        item.with("vector", vector(n))
    };
    objects.put_text(
        "a",
        &lines((0..1_000).map(item).chain([order("none", 1), Item::new().with("id", "bare")])),
    );
    let db = open(&place, &objects);
    let mut wanted = orders();
    wanted
        .attribute_definitions
        .push(AttributeDefinition { name: "total".to_owned(), scalar_type: ScalarType::N });
    let index = |name: &str, projection| GlobalIndexInput {
        projection,
        ..GlobalIndexInput::new(name.parse().unwrap(), vec![KeySchemaElement::hash("total")])
    };
    wanted.global_secondary_indexes = Some(vec![
        index("all", ProjectionInput::of(ProjectionType::All)),
        index("keys", ProjectionInput::of(ProjectionType::KeysOnly)),
        index("some", ProjectionInput::include(["note"])),
    ]);
    let by_vector = |name: &str, projection| VectorIndexInput {
        projection,
        ..VectorIndexInput::new(name.parse().unwrap(), "vector", 2, DistanceFunction::Euclidean)
    };
    wanted.vector_indexes = Some(vec![
        by_vector("near", ProjectionInput::of(ProjectionType::All)),
        by_vector("near-some", ProjectionInput::include(["state"])),
    ]);
    let import = imported(&db, import_of("a", InputFormat::DynamoDbJson, wanted));
    assert_eq!((import.import_status, import.imported_item_count), (ImportStatus::Completed, 1_002));
    let mut expected: Vec<String> = (0..1_000).map(|n| item(n).to_string()).collect();
    expected.extend([order("none", 1).to_string(), Item::new().with("id", "bare").to_string()]);
    expected.sort();
    assert_eq!(items(&db, "Orders"), expected);
    let described = db.describe_table(&table("Orders")).unwrap();
    let counts = described.global_secondary_indexes.iter().map(|index| index.item_count);
    assert_eq!(counts.collect::<Vec<_>>(), [1_001; 3]);
    assert_eq!(db.check(&mut |_| ()).unwrap().findings, 0);
}

#[test]
fn a_table_is_being_created_until_its_import_has_ended() {
    let (place, objects) = (Place::new(), Objects::new());
    let many = (0..3000).map(|n| order(&format!("o{n}"), n));
    objects.put_text("many.json", &lines(many));
    objects.pause_every.store(1024, std::sync::atomic::Ordering::Relaxed);
    let db = open(&place, &objects);
    let import = db.import_table(import_of("many", InputFormat::DynamoDbJson, orders())).unwrap();
    assert_eq!((import.import_status, import.end_time), (ImportStatus::InProgress, None));
    assert_eq!(db.describe_table(&table("Orders")).unwrap().table_status, TableStatus::Creating);
    let early = db.get_item(GetItemInput::new(table("Orders"), Item::new().with("id", "o1"))).unwrap_err();
    assert_eq!(early.code, ErrorCode::ResourceNotFoundException);
    assert_eq!(db.delete_table(&table("Orders")).unwrap_err().code, ErrorCode::ResourceInUseException);
    // Nobody may take half of the items for all.
    let backup = db.create_backup(&table("Orders"), "half").unwrap_err();
    assert_eq!(backup.code, ErrorCode::TableInUseException);
    let recovery = db.update_continuous_backups(&table("Orders"), true, None).unwrap_err();
    assert_eq!(recovery.code, ErrorCode::ContinuousBackupsUnavailableException);
    let again = db.import_table(import_of("many", InputFormat::DynamoDbJson, orders())).unwrap_err();
    assert_eq!(again.code, ErrorCode::ResourceInUseException);
    assert!(db.wait_for_transfers(LONG));
    let import = db.describe_import(&import.import_arn).unwrap();
    assert_eq!((import.import_status, import.imported_item_count), (ImportStatus::Completed, 3000));
    let again = db.import_table(import_of("many", InputFormat::DynamoDbJson, orders())).unwrap_err();
    assert_eq!(again.message, "Table already exists: Orders");
}

#[test]
fn items_that_do_not_fit_are_left_out_and_reported() {
    let (place, objects) = (Place::new(), Objects::new());
    let text = "{\"Item\":{\"id\":{\"S\":\"a\"}}}\n\
                {\"Item\":{\"no\":{\"S\":\"b\"}}}\n\
                nonsense\n\
                {\"id\":{\"S\":\"bare\"}}\n\
                {\"Item\":{\"id\":{\"S\":\"c\"}},\"ConditionExpression\":\"attribute_not_exists(id)\"}\n\
                {\"Item\":{\"id\":{\"S\":\"a\"},\"x\":{\"N\":\"1\"}}}\n";
    objects.put_text("mixed.json", text);
    let db = open(&place, &objects);
    let import = imported(&db, import_of("mixed", InputFormat::DynamoDbJson, orders()));
    assert_eq!(import.import_status, ImportStatus::Failed);
    assert_eq!((import.processed_item_count, import.imported_item_count, import.error_count), (6, 2, 4));
    let failure = import.failure.unwrap();
    assert_eq!(failure.code, "ItemValidationError");
    assert_eq!(
        failure.message,
        "Some of the items failed validation checks and were not imported. Please check CloudWatch error logs for more details."
    );
    let places: Vec<u64> = import.first_errors.iter().map(|error| error.item_index).collect();
    assert_eq!(places, [1, 2, 3, 4]);
    assert_eq!(
        import.first_errors[0],
        ErrorEvent {
            key: "mixed.json".to_owned(),
            item_index: 1,
            message: "line 2: One or more parameter values were invalid: Missing the key id in the item"
                .to_owned(),
        }
    );
    assert_eq!(items(&db, "Orders"), [r#"{"id":{"S":"a"},"x":{"N":"1"}}"#]);
}

#[test]
fn csv_has_texts_but_for_keys() {
    let (place, objects) = (Place::new(), Objects::new());
    objects.put_text("a.csv", "id;n;x\na;1;2\n\"b;c\";2;\n");
    objects.put_text("bad.csv", "id;n\n;1\na;x\n");
    let db = open(&place, &objects);
    let key = || CreateTableInput::new(table("Orders"), ("id", ScalarType::S), Some(("n", ScalarType::N)));
    let mut input = import_of("a.csv", InputFormat::Csv, key());
    input.csv = Some(CsvInput { delimiter: Some(";".to_owned()), header_list: None });
    assert_eq!(imported(&db, input.clone()).import_status, ImportStatus::Completed);
    assert_eq!(
        items(&db, "Orders"),
        [
            r#"{"id":{"S":"a"},"n":{"N":"1"},"x":{"S":"2"}}"#,
            r#"{"id":{"S":"b;c"},"n":{"N":"2"},"x":{"S":""}}"#
        ]
    );
    input.s3_bucket_source.key_prefix = Some("bad.csv".to_owned());
    input.table.table_name = table("Bad");
    let bad = imported(&db, input.clone());
    assert_eq!((bad.import_status, bad.error_count, bad.imported_item_count), (ImportStatus::Failed, 2, 0));
    assert!(items(&db, "Bad").is_empty());
    // With a list of names, the first line is data.
    input.csv.as_mut().unwrap().header_list = Some(vec!["id".to_owned(), "n".to_owned()]);
    input.table.table_name = table("Listed");
    input.s3_bucket_source.key_prefix = Some("bad.csv".to_owned());
    assert_eq!(imported(&db, input.clone()).processed_item_count, 3);
    input.csv.as_mut().unwrap().header_list = Some(vec!["n".to_owned()]);
    input.table.table_name = table("NoKey");
    let error = db.import_table(input).unwrap_err();
    assert_eq!(
        error.message,
        "One or more parameter values were invalid: HeaderList does not have the key attribute id"
    );
}

#[test]
fn objects_may_be_packed_as_the_request_says_and_not_otherwise() {
    let (place, objects) = (Place::new(), Objects::new());
    let text = lines([order("a", 1), order("b", 2)]);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text.as_bytes()).unwrap();
    let packed = gzip.finish().unwrap();
    objects.memory.put("in", "whole", &packed).unwrap();
    objects.memory.put("in", "cut", &packed[..packed.len() - 10]).unwrap();
    let db = open(&place, &objects);
    for (name, prefix, compression, status, imported_items) in [
        ("Gzip", "whole", InputCompression::Gzip, ImportStatus::Completed, 2),
        ("Zstd", "whole", InputCompression::Zstd, ImportStatus::Failed, 0),
        ("None", "whole", InputCompression::None, ImportStatus::Failed, 0),
        ("Cut", "cut", InputCompression::Gzip, ImportStatus::Failed, 2),
    ] {
        let mut input = import_of(prefix, InputFormat::DynamoDbJson, orders());
        input.input_compression_type = Some(compression);
        input.table.table_name = table(name);
        let import = imported(&db, input);
        assert_eq!(import.import_status, status, "{name}");
        assert!(import.imported_item_count <= imported_items, "{name}: {import:?}");
        assert_eq!(items(&db, name).len() as u64, import.imported_item_count, "{name}");
        assert_eq!(import.first_errors.is_empty(), status == ImportStatus::Completed, "{name}");
    }
}

#[test]
fn an_import_that_finds_no_data_leaves_no_table() {
    let (place, objects) = (Place::new(), Objects::new());
    let db = open(&place, &objects);
    let mut input = import_of("nothing/", InputFormat::Ion, orders());
    let import = imported(&db, input.clone());
    assert_eq!(
        (import.import_status, import.failure.unwrap().code.as_str()),
        (ImportStatus::Failed, "S3NoSuchKey")
    );
    input.s3_bucket_source.bucket = "nowhere".to_owned();
    let import = imported(&db, input);
    let failure = import.failure.unwrap();
    assert_eq!(failure.code, "S3NoSuchBucket");
    assert!(failure.message.starts_with(
        "The specified bucket does not exist (Service: Amazon S3; Status Code: 404; Error Code: NoSuchBucket; "
    ));
    assert!(db.describe_table(&table("Orders")).is_err());
}

#[test]
fn without_a_store_of_objects_no_bucket_is_there() {
    let place = Place::new();
    let db = place.builder().open().unwrap();
    let import = imported(&db, import_of("", InputFormat::Ion, orders()));
    assert_eq!(import.failure.unwrap().code, "S3NoSuchBucket");
}

#[test]
fn a_store_that_fails_in_the_middle_leaves_what_is_written() {
    let (place, objects) = (Place::new(), Objects::new());
    objects.put_text("many.json", &lines((0..3000).map(|n| order(&format!("o{n}"), n))));
    objects.fail_after.store(70_000, std::sync::atomic::Ordering::Relaxed);
    let db = open(&place, &objects);
    let import = imported(&db, import_of("many", InputFormat::DynamoDbJson, orders()));
    let failure = import.failure.clone().unwrap();
    assert_eq!((import.import_status, failure.code.as_str()), (ImportStatus::Failed, "S3InternalError"));
    assert!(failure.message.contains("the network is gone") && failure.message.contains("many.json"));
    assert!(import.imported_item_count > 0 && import.imported_item_count < 3000);
    assert_eq!(items(&db, "Orders").len() as u64, import.imported_item_count);
}

#[test]
fn a_token_stands_for_its_import_for_eight_hours() {
    let (place, objects) = (Place::new(), Objects::new());
    objects.put_text("a", &lines([order("a", 1)]));
    let clock = std::sync::Arc::new(pretender::time::ManualClock::held_at(pretender::time::EpochMillis(
        1_772_356_542_017,
    )));
    let db = place
        .builder()
        .clock(clock.clone())
        .objects(std::sync::Arc::new(objects.clone()))
        .sweep_interval(None)
        .open()
        .unwrap();
    let mut input = import_of("a", InputFormat::DynamoDbJson, orders());
    input.client_token = Some("once".to_owned());
    let first = imported(&db, input.clone());
    assert!(first.import_arn.contains(":table/Orders/import/01772356542017-"));
    assert_eq!(db.import_table(input.clone()).unwrap().import_arn, first.import_arn);
    let mut other = input.clone();
    other.table.table_name = table("Other");
    assert_eq!(db.import_table(other.clone()).unwrap_err().code, ErrorCode::ImportConflictException);
    clock.advance(std::time::Duration::from_secs(8 * 60 * 60));
    let second = imported(&db, other);
    assert_ne!(second.import_arn, first.import_arn);

    let listed = db.list_imports(&ListImportsInput { page_size: Some(1), ..Default::default() }).unwrap();
    assert_eq!(listed.import_summary_list[0].import_arn, second.import_arn);
    let next_token = listed.next_token;
    assert!(next_token.is_some());
    let listed = db.list_imports(&ListImportsInput { next_token, ..Default::default() }).unwrap();
    assert_eq!(listed.import_summary_list[0].import_arn, first.import_arn);
    assert_eq!(listed.next_token, None);
    let of_table = ListImportsInput { table_arn: Some(first.table_arn.clone()), ..Default::default() };
    assert_eq!(db.list_imports(&of_table).unwrap().import_summary_list.len(), 1);
    clock.advance(std::time::Duration::from_secs(91 * 24 * 60 * 60));
    assert!(db.list_imports(&ListImportsInput::default()).unwrap().import_summary_list.is_empty());
    let unknown =
        db.describe_import("arn:aws:dynamodb:us-east-1:000000000000:table/Orders/import/0-0").unwrap_err();
    assert_eq!(unknown.code, ErrorCode::ImportNotFoundException);
}

/// The parser of Ion would overflow its stack, and the process would end at each start.
#[test]
fn an_ion_value_that_is_too_deep_is_an_error_like_others() {
    let (place, objects) = (Place::new(), Objects::new());
    let deep = format!("$ion_1_0 {{Item:{{id:\"a\",x:{}{}}}}}\n", "[".repeat(100_000), "]".repeat(100_000));
    objects.put_text("deep.ion", &format!("{deep}$ion_1_0 {{Item:{{id:\"b\"}}}}\n"));
    let db = open(&place, &objects);
    let import = imported(&db, import_of("deep", InputFormat::Ion, orders()));
    assert_eq!((import.import_status, import.error_count), (ImportStatus::Failed, 1));
    assert_eq!(import.first_errors[0].message, "line 1: values are nested deeper than 32 levels");
    assert_eq!(items(&db, "Orders"), [r#"{"id":{"S":"b"}}"#]);
}

/// Also if it breaks off right behind a record that fills a batch.
#[test]
fn the_bytes_of_an_object_that_breaks_off_count() {
    for records in [15_999_u32, 16_000] {
        let (place, objects) = (Place::new(), Objects::new());
        let text = lines((0..records).map(|n| Item::new().with("id", format!("o{n}"))));
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        let mut packed = gzip.finish().unwrap();
        // The checksum at the end is wrong.
        let end = packed.len() - 6;
        packed[end] ^= 1;
        objects.memory.put("in", "1.json.gz", &packed).unwrap();
        let db = open(&place, &objects);
        let mut input = import_of("1", InputFormat::DynamoDbJson, orders());
        input.input_compression_type = Some(InputCompression::Gzip);
        let import = imported(&db, input);
        assert_eq!((import.processed_item_count, import.error_count), (u64::from(records) + 1, 1));
        assert_eq!(import.processed_size_bytes, text.len() as u64);
    }
}
