//! The steps of a history: what each actor does when it is its turn.
//!
//! A step names tables, keys, shards and readers by number. It is carried out as far as what it names exists, so any part of a history
//! is a history: that is what shrinking needs.

use pretender::faults::{FaultKind, OperationGroup};
use pretender::streams::StreamViewType;

/// How many names of tables there are.
pub const TABLES: u8 = 4;
/// How many polling readers there are.
pub const READERS: u8 = 6;
/// How many snapshots have a name.
pub const SNAPSHOTS: u8 = 2;

/// The attributes of an item, besides its key. Few values, so that items often stay the same and index entries collide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// `n`, a number: key of indexes.
    pub n: Option<i8>,
    /// `g`, a text: key of an index.
    pub g: Option<u8>,
    /// `d`, of any type.
    pub d: Option<u8>,
    /// `t`, the time to live, in seconds from the present.
    pub t: Option<i32>,
}

/// A condition of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// None.
    Always,
    /// The item exists.
    Exists,
    /// The item does not exist.
    Absent,
    /// The attribute `n` has this value.
    NumberIs(i8),
}

/// What an update changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Sets `n`.
    SetNumber(i8),
    /// Adds to `n`.
    AddNumber(i8),
    /// Sets `g` and `d`.
    SetTexts(u8, u8),
    /// Removes `g`, and creates nothing.
    RemoveText,
    /// Sets the time to live, and removes `d`.
    SetExpiry(i32),
}

/// What is done to one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// Puts an item.
    Put(Attributes),
    /// Updates it.
    Update(Change),
    /// Deletes it.
    Delete,
    /// Only checks the condition; for transactions.
    Check,
}

/// A write to one item, with its condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    /// The table.
    pub table: u8,
    /// The number of the key.
    pub key: u8,
    /// What is done.
    pub write: Write,
    /// Under which condition.
    pub condition: Condition,
}

/// Where an iterator of a polling reader begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// `TRIM_HORIZON`.
    Horizon,
    /// `LATEST`.
    Latest,
    /// `AT_SEQUENCE_NUMBER` of a record that the shard has, or had: chosen by the number.
    At(u8),
    /// `AFTER_SEQUENCE_NUMBER` of such a record.
    After(u8),
    /// `AT_TIMESTAMP`, so many minutes ago.
    Time(u16),
    /// Where the reader was, as a consumer resumes from its checkpoint.
    Checkpoint,
}

/// One step of a history.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A plain write.
    Write(Action),
    /// A write as a PartiQL statement.
    Statement(Action),
    /// `BatchWriteItem`: puts and deletes of different keys.
    Batch(Vec<Action>),
    /// `TransactWriteItems`, perhaps with a token that was used before.
    Transact(Vec<Action>, Option<u8>),
    /// `GetItem`.
    Get(u8, u8),
    /// `Query` of an index, or of the table.
    Query(u8, u8, u8),
    /// `CreateTable` in one of the shapes, perhaps with a stream.
    CreateTable(u8, u8, Option<StreamViewType>),
    /// `DeleteTable`.
    DeleteTable(u8),
    /// `UpdateTable`: enables a stream, or disables it.
    Stream(u8, Option<StreamViewType>),
    /// `UpdateTable`: adds a global index, and fills it, or removes it.
    Index(u8, u8, bool),
    /// `UpdateTimeToLive`.
    Expiry(u8, bool),
    /// `CreateBackup`.
    Backup(u8),
    /// `RestoreTableFromBackup`.
    RestoreBackup(u8, u8),
    /// Saves a snapshot.
    SaveSnapshot(u8),
    /// Goes back to it.
    RestoreSnapshot(u8),
    /// Removes everything.
    Reset,
    /// Removes the items of a table and the past of its streams.
    ResetTable(u8),
    /// Rotates one open shard of a stream, or all.
    Rotate(u8, Option<u8>),
    /// Splits one open shard, or all.
    Split(u8, Option<u8>),
    /// Trims a stream: all of it, or before a record.
    Trim(u8, Option<u8>),
    /// Moves the clock forward by so many milliseconds.
    Advance(u64),
    /// All background work that is due.
    Sweep,
    /// Closes the database and opens it again; only of a database file.
    Reopen,
    /// A reader gets an iterator: stream, shard, position.
    Begin(u8, u8, u8, Begin),
    /// A reader gets a page, at most so many records.
    Poll(u8, u16),
    /// The subscription takes so many events.
    Follow(u8),
    /// The subscription is dropped, and begins again from its checkpoint.
    ResumeFollower,
    /// The trigger's loop goes on, so many milliseconds later by the machine's clock.
    Trigger(u16),
    /// One of the invocations under way ends.
    Invoke(u8),
    /// The process of the trigger ends, and another begins from the checkpoint if there is one.
    RestartTrigger,
    /// A fault is added: kind, operations, how often, percent, seed.
    Fault(FaultKind, OperationGroup, u8, u8, u64),
    /// All faults are removed.
    ClearFaults,
}

impl Step {
    /// Returns the name of the step, for counts.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Write(_) => "write",
            Self::Statement(_) => "statement",
            Self::Batch(_) => "batch",
            Self::Transact(..) => "transaction",
            Self::Get(..) => "get",
            Self::Query(..) => "query",
            Self::CreateTable(..) => "create table",
            Self::DeleteTable(_) => "delete table",
            Self::Stream(..) => "stream on or off",
            Self::Index(..) => "index on or off",
            Self::Expiry(..) => "expiry on or off",
            Self::Backup(_) => "backup",
            Self::RestoreBackup(..) => "restore backup",
            Self::SaveSnapshot(_) => "save snapshot",
            Self::RestoreSnapshot(_) => "restore snapshot",
            Self::Reset => "reset",
            Self::ResetTable(_) => "reset table",
            Self::Rotate(..) => "rotate",
            Self::Split(..) => "split",
            Self::Trim(..) => "trim",
            Self::Advance(_) => "advance clock",
            Self::Sweep => "sweep",
            Self::Reopen => "reopen",
            Self::Begin(..) => "get iterator",
            Self::Poll(..) => "get records",
            Self::Follow(_) => "subscription",
            Self::ResumeFollower => "resume subscription",
            Self::Trigger(_) => "trigger",
            Self::Invoke(_) => "invocation",
            Self::RestartTrigger => "restart trigger",
            Self::Fault(..) => "fault",
            Self::ClearFaults => "clear faults",
        }
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The names of the variants and of their parts are the readable form.
        write!(f, "{self:?}")
    }
}
