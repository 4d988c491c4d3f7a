//! A database file with a table, its archive, and readers of both.

use crate::objects::FlakyObjects;
use pretender::archive::{
    ArchiveLocation, ArchiveOptions, ArchiveReader, ArchivedStreams, FromArchive, Manifest, NoLiveStreams,
};
use pretender::prelude::*;
use pretender::streams::source::StreamSource;
use pretender::streams::{Subscription, SubscriptionBuilder};
use pretender::{Builder, Durability};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) struct Db {
    pub(crate) pretender: Pretender,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) objects: FlakyObjects,
    pub(crate) options: ArchiveOptions,
    pub(crate) retention: Duration,
    /// Of the database file.
    folder: tempfile::TempDir,
    puts: u64,
}

pub(crate) fn orders() -> TableName {
    "Orders".parse().unwrap()
}

impl Db {
    pub(crate) fn new() -> Self {
        Self::with(FlakyObjects::new(), ArchiveOptions::new("archive").max_delay(4000 * DAY), DAY)
    }

    pub(crate) fn with(objects: FlakyObjects, options: ArchiveOptions, retention: Duration) -> Self {
        // At the beginning of an hour.
        let clock = Arc::new(ManualClock::held_at(EpochMillis(1_772_355_600_000)));
        let folder = tempfile::tempdir().unwrap();
        let builder = builder(&folder, &clock, &objects, &options, retention);
        let db =
            Self { pretender: builder.open().unwrap(), clock, objects, options, retention, folder, puts: 0 };
        db.create_table();
        db
    }

    pub(crate) fn create_table(&self) {
        let input = CreateTableInput {
            stream_specification: Some(StreamSpecification::enabled(StreamViewType::NewAndOldImages)),
            ..CreateTableInput::new(orders(), ("id", ScalarType::S), None)
        };
        self.pretender.create_table(input).unwrap();
    }

    /// Closes the database and opens it again.
    pub(crate) fn reopen(&mut self) {
        self.pretender.close();
        let builder = builder(&self.folder, &self.clock, &self.objects, &self.options, self.retention);
        self.pretender = builder.open().unwrap();
    }

    /// Puts a version of an item that is new, so that there is a record.
    pub(crate) fn put(&mut self, key: &str) {
        self.puts += 1;
        let item = Item::new().with("id", key).with("n", i64::try_from(self.puts).unwrap());
        self.pretender.put_item(PutItemInput::new(orders(), item)).unwrap();
    }

    pub(crate) fn advance(&self, time: Duration) {
        self.pretender.advance(time).unwrap();
    }

    pub(crate) fn arn(&self) -> StreamArn {
        self.pretender.latest_stream(&orders()).unwrap()
    }

    /// Reads all records of the table's streams, from the archive on, and returns their numbers.
    pub(crate) fn read_all(&self) -> Vec<SequenceNumber> {
        let (records, errors) = read(self.pretender.subscribe().from_archive().table("Orders"));
        assert_eq!(errors, [""; 0]);
        numbers(&records)
    }

    pub(crate) fn reader(&self) -> ArchiveReader {
        ArchiveReader::new(Some(ArchiveLocation::new(Arc::new(self.objects.clone()), &self.options)))
    }

    pub(crate) fn manifest(&self) -> Manifest {
        let manifest = self.reader().manifest(&self.arn(), true).unwrap();
        Manifest::clone(&manifest.expect("the stream is in the archive"))
    }

    /// Reads a stream from the archive alone.
    pub(crate) fn read_archive(&self, arn: &StreamArn) -> (Vec<StreamRecord>, Vec<String>) {
        let streams = ArchivedStreams::new(NoLiveStreams::<StreamRecord>::default(), self.reader());
        read(Subscription::builder(streams).stream(arn.to_string()))
    }
}

fn builder(
    folder: &tempfile::TempDir,
    clock: &Arc<ManualClock>,
    objects: &FlakyObjects,
    options: &ArchiveOptions,
    retention: Duration,
) -> Builder {
    let path: PathBuf = folder.path().join("test.db");
    Pretender::builder()
        .file(path)
        .durability(Durability::Off)
        .clock(clock.clone())
        .sweep_interval(None)
        .shard_rotation(None)
        .retention(retention)
        .objects(Arc::new(objects.clone()))
        .archive(options.clone())
}

/// Reads all that is there now: the records, and the errors between them.
pub(crate) fn read<S>(builder: SubscriptionBuilder<S>) -> (Vec<StreamRecord>, Vec<String>)
where
    S: StreamSource<Record = StreamRecord>,
{
    let (mut records, mut errors) = (Vec::new(), Vec::new());
    for event in builder.follow(false).start().unwrap() {
        match event {
            Ok(event) => records.push(event.record),
            Err(error @ TailError::Trimmed { .. }) => errors.push(error.to_string()),
            Err(error) => panic!("{error:?}"),
        }
    }
    (records, errors)
}

pub(crate) fn numbers(records: &[StreamRecord]) -> Vec<SequenceNumber> {
    records.iter().map(|record| record.sequence_number).collect()
}
