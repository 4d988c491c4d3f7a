//! Exports: what is read of them is what the table was, in spite of writes, kills and failing buckets meanwhile.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use pdb_exchange::{Compression, Decompressor, ManifestFile, ReadOptions, Record, checksum, read};
use pretender::Pretender;
use pretender::items::{
    DeleteItemInput, PutItemInput, TransactAction, TransactWrite, TransactWriteItemsInput,
};
use pretender::model::{AttributeValue, Item, ScalarType};
use pretender::objects::ObjectStore;
use pretender::tables::CreateTableInput;
use pretender::time::{Clock, EpochMillis, ManualClock};
use pretender::transfers::{
    ExportDescription, ExportFormat, ExportStatus, ExportTableInput, ExportType, ImportStatus,
    IncrementalExportSpecification, InputCompression, InputFormat,
};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{LONG, Objects, import_of, items, table};
use crate::driver::START;
use crate::place::Place;

const ARN: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/Past";

/// A state of the table: the items by their keys.
type State = BTreeMap<String, Item>;

/// A database with the table `Past` and its recovery, and what its items are.
struct Run {
    db: Pretender,
    clock: Arc<ManualClock>,
    objects: Objects,
    now: State,
    /// Dropped after the database.
    place: Place,
}

fn open(place: &Place, clock: &Arc<ManualClock>, objects: &Objects) -> Pretender {
    let builder = place.builder().clock(clock.clone()).objects(Arc::new(objects.clone()));
    builder.sweep_interval(None).open().unwrap()
}

fn export_input() -> ExportTableInput {
    ExportTableInput { s3_prefix: Some("p".to_owned()), ..ExportTableInput::new(ARN, "out") }
}

impl Run {
    fn new(place: Place) -> Self {
        let (clock, objects) = (Arc::new(ManualClock::held_at(START)), Objects::new());
        let db = open(&place, &clock, &objects);
        db.create_table(CreateTableInput::new(table("Past"), ("pk", ScalarType::S), None)).unwrap();
        db.update_continuous_backups(&table("Past"), true, None).unwrap();
        Self { db, clock, objects, now: State::new(), place }
    }

    fn reopen(&mut self) {
        self.db.close();
        self.db = open(&self.place, &self.clock, &self.objects);
    }

    fn put(&mut self, item: Item) {
        self.db.put_item(PutItemInput::new(table("Past"), item.clone())).unwrap();
        self.now.insert(item["pk"].as_s().unwrap().to_owned(), item);
    }

    fn delete(&mut self, key: &str) {
        let key_item = Item::new().with("pk", key);
        self.db.delete_item(DeleteItemInput::new(table("Past"), key_item)).unwrap();
        self.now.remove(key);
    }

    /// Puts items of about a kilobyte that cannot be packed.
    fn fill(&mut self, count: u64) {
        for n in 0..count {
            let mut seed = n + 1;
            let mut byte = || {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (seed >> 56) as u8
            };
            let bytes: Vec<u8> = (0..1_000).map(|_| byte()).collect();
            self.put(Item::new().with("pk", format!("item {n}")).with("b", AttributeValue::B(bytes)));
        }
    }

    fn export(&self, input: ExportTableInput) -> ExportDescription {
        let started = self.db.export_table_to_point_in_time(input).unwrap();
        assert_eq!(started.export_status, ExportStatus::InProgress);
        self.ended(&started.export_arn)
    }

    fn ended(&self, arn: &str) -> ExportDescription {
        assert!(self.db.wait_for_transfers(LONG));
        self.db.describe_export(arn).unwrap()
    }

    fn object(&self, key: &str) -> Vec<u8> {
        self.objects.memory.get("out", key, 1 << 30).unwrap().unwrap_or_else(|| panic!("no object `{key}`"))
    }

    /// Reads an export by its manifests, and checks all that these say.
    fn records(&self, export: &ExportDescription) -> Vec<Record> {
        assert_eq!(export.export_status, ExportStatus::Completed, "{:?}", export.failure);
        let summary_key = export.export_manifest.as_deref().unwrap();
        let summary = self.object(summary_key);
        let sum_key = summary_key.replace(".json", ".checksum");
        assert_eq!(self.object(&sum_key), checksum(&summary).into_bytes());
        let summary: pdb_exchange::ExportSummary = serde_json::from_slice(&summary).unwrap();
        let listed = self.object(&summary.manifest_files_s3_key);
        let format = summary.format().unwrap();
        let mut records = Vec::new();
        for line in String::from_utf8(listed).unwrap().lines() {
            let file: ManifestFile = serde_json::from_str(line).unwrap();
            let packed = self.object(&file.data_file_s3_key);
            assert_eq!(checksum(&packed), file.md5_checksum);
            let before = records.len();
            let unpacked = Decompressor::new(&*packed, Compression::Gzip).unwrap();
            let options = ReadOptions { needs_wrapper: true, ..ReadOptions::new(format) };
            read(unpacked, &options, &mut |entry| {
                records.push(entry.record.unwrap());
                ControlFlow::Continue(())
            })
            .unwrap();
            assert_eq!(file.item_count, (records.len() - before) as u64);
        }
        assert_eq!((summary.item_count, export.item_count), (records.len() as u64, records.len() as u64));
        records
    }

    fn state(&self, export: &ExportDescription) -> State {
        let mut state = State::new();
        for record in self.records(export) {
            let Record::Item { item, .. } = record else { panic!("a change in a full export") };
            let key = item["pk"].as_s().unwrap().to_owned();
            assert_eq!(state.insert(key, item), None, "an item is exported once");
        }
        state
    }

    /// Applies an incremental export to the state at its beginning.
    fn apply(&self, export: &ExportDescription, mut state: State) -> State {
        let mut keys = std::collections::BTreeSet::new();
        for record in self.records(export) {
            let Record::Change { keys: key, new_image, old_image } = record else { panic!("an item") };
            let key = key["pk"].as_s().unwrap().to_owned();
            assert!(keys.insert(key.clone()), "a key is exported once");
            assert_eq!(state.get(&key), old_image.as_ref());
            assert_ne!(new_image, old_image);
            match new_image {
                Some(item) => state.insert(key, item),
                None => state.remove(&key),
            };
        }
        state
    }
}

#[derive(Clone, Debug)]
enum Step {
    Put(u8, i64),
    Delete(u8),
    Transact(Vec<(u8, i64)>),
    /// Milliseconds.
    Pass(u32),
    SetBack(u16),
    Reopen,
}

fn any_step() -> impl Strategy<Value = Step> {
    let (key, number) = (0u8..8, 0i64..4);
    prop_oneof![
        6 => (key.clone(), number.clone()).prop_map(|(k, n)| Step::Put(k, n)),
        3 => key.clone().prop_map(Step::Delete),
        2 => vec((key, number), 1..4).prop_map(|puts| {
            let puts: BTreeMap<_, _> = puts.into_iter().collect();
            Step::Transact(puts.into_iter().collect())
        }),
        4 => (0u32..400_000).prop_map(Step::Pass),
        1 => any::<u16>().prop_map(Step::SetBack),
        1 => Just(Step::Reopen),
    ]
}

fn item(key: u8, n: i64) -> Item {
    Item::new().with("pk", format!("key {key}")).with("n", n)
}

impl Run {
    fn take(&mut self, step: &Step) {
        match step {
            Step::Put(key, n) => self.put(item(*key, *n)),
            Step::Delete(key) => self.delete(&format!("key {key}")),
            Step::Transact(puts) => {
                let put = |(key, n): &(u8, i64)| {
                    TransactWrite::new(table("Past"), TransactAction::Put { item: item(*key, *n) })
                };
                let transact_items = puts.iter().map(put).collect();
                let input = TransactWriteItemsInput { transact_items, ..TransactWriteItemsInput::default() };
                self.db.transact_write_items(input).unwrap();
                for (key, n) in puts {
                    self.now.insert(format!("key {key}"), item(*key, *n));
                }
            }
            Step::Pass(millis) => {
                self.clock.advance(Duration::from_millis((*millis).into()));
            }
            Step::SetBack(millis) => {
                let now = self.clock.now().0 - i64::from(*millis);
                self.clock.set(EpochMillis(now.max(START.0)));
            }
            Step::Reopen => self.reopen(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(pdb_testkit::rounds(32)))]

    /// Random histories, random moments, both formats; and the changes between two moments lead from one to the other.
    #[test]
    fn an_export_is_the_table_as_it_was(
        steps in vec(any_step(), 1..60),
        moments in vec((any::<prop::sample::Index>(), -1i64..=1), 2..5),
        is_ion in any::<bool>(),
    ) {
        let mut run = Run::new(Place::lasting());
        // The last state of each moment with a change. While the clock is behind, changes are noted as of the newest of these.
        let mut states: BTreeMap<EpochMillis, State> = [(START, State::new())].into();
        for step in &steps {
            run.take(step);
            let (newest, last) = states.iter().next_back().unwrap();
            if run.now != *last {
                states.insert(run.clock.now().max(*newest), run.now.clone());
            }
        }
        let newest = run.clock.now().max(*states.keys().next_back().unwrap());
        let export_format = Some(if is_ion { ExportFormat::Ion } else { ExportFormat::DynamoDbJson });
        let known: Vec<EpochMillis> = states.keys().copied().collect();
        let at = |moment: EpochMillis| states.range(..=moment).next_back().unwrap().1.clone();
        let mut chosen: Vec<EpochMillis> = moments
            .iter()
            .map(|(index, offset)| EpochMillis((index.get(&known).0 + offset).clamp(START.0, newest.0)))
            .collect();
        chosen.sort_unstable();
        for moment in &chosen {
            let input = ExportTableInput { export_time: Some(*moment), export_format, ..export_input() };
            prop_assert_eq!(run.state(&run.export(input)), at(*moment), "at {}", moment);
        }
        for pair in chosen.windows(2) {
            let [from, to] = [pair[0], pair[1]];
            let input = ExportTableInput {
                export_type: Some(ExportType::Incremental),
                export_format,
                incremental: Some(IncrementalExportSpecification {
                    export_from_time: Some(from),
                    export_to_time: Some(to),
                    export_view_type: None,
                }),
                ..export_input()
            };
            let length = to.0 - from.0;
            let is_allowed = (15 * 60_000..=24 * 3_600_000).contains(&length);
            if !is_allowed {
                let refused = run.db.export_table_to_point_in_time(input).unwrap_err();
                prop_assert_eq!(refused.code.name(), "ValidationException");
                continue;
            }
            let before = |moment: EpochMillis| if moment == START { State::new() } else { at(EpochMillis(moment.0 - 1)) };
            let applied = run.apply(&run.export(input), before(from));
            prop_assert_eq!(applied, before(to), "from {} to {}", from, to);
        }
        prop_assert!(run.db.check(&mut |_| ()).is_ok());
    }
}

/// An item with everything that formats treat in a special way.
fn special() -> Item {
    let map =
        AttributeValue::M([("in.ner".to_owned(), AttributeValue::B(vec![0, 255]))].into_iter().collect());
    Item::new()
        .with("pk", "sp\"ecial\n")
        .with("n", "1.50e-100".parse::<pretender::model::Number>().unwrap())
        .with("ns", AttributeValue::Ns([1.into(), (-2).into()].into_iter().collect()))
        .with("ss", AttributeValue::Ss(["a".to_owned(), "'b".to_owned()].into_iter().collect()))
        .with("bs", AttributeValue::Bs([vec![1], vec![2, 3]].into_iter().collect()))
        .with("l", AttributeValue::L(vec![map, AttributeValue::Null, AttributeValue::Bool(false)]))
}

#[test]
fn an_export_is_imported_bit_for_bit() {
    for (format, input_format) in
        [(ExportFormat::DynamoDbJson, InputFormat::DynamoDbJson), (ExportFormat::Ion, InputFormat::Ion)]
    {
        let mut run = Run::new(Place::new());
        run.fill(50);
        run.put(special());
        let export = run.export(ExportTableInput {
            export_format: Some(format),
            s3_bucket: "in".to_owned(),
            ..export_input()
        });
        let manifest = export.export_manifest.unwrap();
        let data = manifest.replace("manifest-summary.json", "data/");
        let new = CreateTableInput::new(table("Copy"), ("pk", ScalarType::S), None);
        let mut input = import_of(&data, input_format, new);
        input.input_compression_type = Some(InputCompression::Gzip);
        let import = run.db.import_table(input).unwrap();
        assert!(run.db.wait_for_transfers(LONG));
        let import = run.db.describe_import(&import.import_arn).unwrap();
        assert_eq!((import.import_status, import.imported_item_count), (ImportStatus::Completed, 51));
        assert_eq!(items(&run.db, "Copy"), items(&run.db, "Past"));
    }
}

/// Closed again and again in the middle, while others write. The state and the objects are those of the beginning.
#[test]
fn an_interrupted_export_begins_anew() {
    let mut run = Run::new(Place::lasting());
    run.fill(1_500);
    let expected = run.now.clone();
    run.objects.pause_writes.store(5, Ordering::Relaxed);
    let arn = run.db.export_table_to_point_in_time(export_input()).unwrap().export_arn;
    for n in 0..4 {
        run.objects.wait_for_bytes(100_000 * n);
        // At the same moment: what is committed later is not part of the state.
        run.put(item(n as u8, 1));
        run.delete(&format!("item {n}"));
        run.reopen();
    }
    let going_on = run.db.describe_export(&arn).unwrap();
    assert_eq!(going_on.export_status, ExportStatus::InProgress);
    run.objects.pause_writes.store(0, Ordering::Relaxed);
    let export = run.ended(&arn);
    assert_eq!(run.state(&export), expected);
    let listed = run.objects.report();
    let data = listed.keys().filter(|key| key.contains("/data/")).count();
    assert_eq!((data, listed.len()), (1, 6), "nothing is left over: {:?}", listed.keys());
}

/// What a kill leaves: a copy of the files in the middle of the export.
#[test]
fn an_export_goes_on_after_a_kill() {
    let mut run = Run::new(Place::File(tempfile::tempdir().unwrap()));
    run.fill(1_500);
    run.objects.pause_writes.store(5, Ordering::Relaxed);
    let arn = run.db.export_table_to_point_in_time(export_input()).unwrap().export_arn;
    run.objects.wait_for_bytes(200_000);
    let image = tempfile::tempdir().unwrap();
    let Place::File(folder) = &run.place else { unreachable!() };
    for file in ["test.db", "test.db-wal"] {
        std::fs::copy(folder.path().join(file), image.path().join(file)).unwrap();
    }
    run.db.close();
    run.place = Place::File(image);
    run.objects.pause_writes.store(0, Ordering::Relaxed);
    run.db = open(&run.place, &run.clock, &run.objects);
    assert_eq!(run.state(&run.ended(&arn)), run.now);
}

#[test]
fn an_export_fails_when_the_past_is_gone() {
    for is_deleted in [false, true] {
        let mut run = Run::new(Place::new());
        run.fill(1_500);
        run.objects.pause_writes.store(20, Ordering::Relaxed);
        let arn = run.db.export_table_to_point_in_time(export_input()).unwrap().export_arn;
        let (code, message) = if is_deleted {
            run.db.delete_table(&table("Past")).unwrap();
            ("TableNotFound", "Table not found: Past")
        } else {
            run.db.update_continuous_backups(&table("Past"), false, None).unwrap();
            (
                "PointInTimeRecoveryUnavailable",
                "Point in time recovery of table 'Past' no longer leads back to the time of the export: it was disabled, or \
                 the recovery period has passed",
            )
        };
        run.objects.pause_writes.store(0, Ordering::Relaxed);
        let export = run.ended(&arn);
        let failure = export.failure.unwrap();
        assert_eq!((failure.code.as_str(), failure.message.as_str()), (code, message));
        assert_eq!((export.export_status, export.export_manifest), (ExportStatus::Failed, None));
    }
}

/// The first moment that can be restored is one from which changes can be exported, also when what was before it has been trimmed.
#[test]
fn changes_are_exported_from_the_first_moment_on() {
    const HOUR: Duration = Duration::from_secs(60 * 60);
    let mut run = Run::new(Place::new());
    run.db.update_continuous_backups(&table("Past"), true, Some(1)).unwrap();
    let item = |key: &str| Item::new().with("pk", key);
    run.put(item("trimmed"));
    run.clock.advance(HOUR);
    run.put(item("first"));
    run.clock.advance(HOUR);
    run.put(item("second"));
    run.clock.advance(22 * HOUR);
    let (first, mut state) = (START.plus(HOUR), run.now.clone());
    state.retain(|key, _| key == "trimmed");
    for (passed, days) in [(HOUR, 1), (HOUR, 35)] {
        run.clock.advance(passed);
        // The period is longer at the end, and brings nothing back.
        run.db.run_due_work().unwrap();
        run.db.update_continuous_backups(&table("Past"), true, Some(days)).unwrap();
        let recovery = run.db.describe_continuous_backups(&table("Past")).unwrap().unwrap();
        let from = recovery.earliest_restorable_date_time;
        let expected = if days == 1 { first } else { first.plus(HOUR) };
        assert_eq!(from, expected);
        if days == 35 {
            state.insert("first".to_owned(), item("first"));
        }
        let incremental = |from| ExportTableInput {
            export_type: Some(ExportType::Incremental),
            incremental: Some(IncrementalExportSpecification {
                export_from_time: Some(from),
                export_to_time: Some(from.plus(24 * HOUR)),
                export_view_type: None,
            }),
            ..export_input()
        };
        let early = incremental(from.minus(Duration::from_millis(1)));
        let refused = run.db.export_table_to_point_in_time(early).unwrap_err();
        assert_eq!(refused.code.name(), "InvalidExportTimeException");
        let applied = run.apply(&run.export(incremental(from)), state.clone());
        assert_eq!(applied, run.now, "from {from}");
    }
}

#[test]
fn an_export_fails_when_its_bucket_does() {
    let mut run = Run::new(Place::new());
    run.fill(500);
    run.objects.fail_writes_after.store(100_000, Ordering::Relaxed);
    let export = run.export(export_input());
    let failure = export.failure.unwrap();
    assert_eq!((export.export_status, failure.code.as_str()), (ExportStatus::Failed, "S3InternalError"));
    assert!(failure.message.ends_with("in the bucket `out`: the disk is full"), "{}", failure.message);
    assert!(!run.objects.report().keys().any(|key| key.contains("manifest")), "it is not complete");
}

/// Neither in memory, where there is one connection, nor in a file does an export hold writers while its bucket is slow.
#[test]
fn writers_do_not_wait_for_an_export() {
    for place in [Place::Memory, Place::lasting()] {
        let mut run = Run::new(place);
        run.fill(1_000);
        run.objects.pause_writes.store(50, Ordering::Relaxed);
        let arn = run.db.export_table_to_point_in_time(export_input()).unwrap().export_arn;
        let begin = Instant::now();
        let mut written = 0;
        while run.db.describe_export(&arn).unwrap().export_status == ExportStatus::InProgress {
            run.put(item(written as u8 % 8, written));
            written += 1;
            if begin.elapsed() > Duration::from_millis(500) {
                run.objects.pause_writes.store(0, Ordering::Relaxed);
            }
        }
        assert!(begin.elapsed() > Duration::from_millis(400), "the export was slow");
        // If each write had waited for an object's, there would be some twenty.
        assert!(written > 60, "{written} writes in {:?}", begin.elapsed());
        assert_eq!(run.state(&run.ended(&arn)).len(), 1_000);
    }
}
