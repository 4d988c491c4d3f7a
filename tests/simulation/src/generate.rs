//! From a seed to a history: the configuration of a run and its steps.

use pretender::faults::{FaultKind, OperationGroup};
use pretender::streams::StreamViewType;

use crate::random::Random;
use crate::shape::SHAPES;
use crate::step::{Action, Attributes, Begin, Change, Condition, READERS, SNAPSHOTS, Step, TABLES, Write};

/// Where the database of a run lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In memory.
    Memory,
    /// In a file, which is closed and opened again.
    File,
}

/// What follows from the seed of a run besides its steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The seed.
    pub seed: u64,
    /// Where the database lies.
    pub place: Place,
    /// How many keys the writers use.
    pub keys: u8,
    /// The weight of each kind of step. Some are 0: a run without resets gets further.
    weights: Vec<(Kind, u64)>,
    /// The batch size of the trigger.
    pub batch_size: u32,
    /// The parallelization factor of the trigger.
    pub parallelization_factor: u32,
    /// Whether the trigger splits batches that fail.
    pub bisects: bool,
    /// Whether its function names the records that failed.
    pub reports_failures: bool,
    /// How often it retries; -1 for ever. With a limit it has a destination.
    pub retries: i32,
    /// How many percent of the invocations fail.
    pub failures: u8,
    /// The page limit of the subscription.
    pub page_limit: u32,
    /// How many open shards a stream begins with.
    pub shards_per_stream: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Write,
    Statement,
    Batch,
    Transact,
    Get,
    Query,
    CreateTable,
    DeleteTable,
    Stream,
    Index,
    Expiry,
    Backup,
    RestoreBackup,
    SaveSnapshot,
    RestoreSnapshot,
    Reset,
    ResetTable,
    Rotate,
    Split,
    Trim,
    Advance,
    Sweep,
    Reopen,
    Begin,
    Poll,
    Follow,
    ResumeFollower,
    Trigger,
    Invoke,
    RestartTrigger,
    Fault,
    ClearFaults,
}

/// The usual weights. The first group is never left out.
const ALWAYS: &[(Kind, u64)] = &[
    (Kind::Write, 2400),
    (Kind::Get, 200),
    (Kind::CreateTable, 60),
    (Kind::Stream, 20),
    (Kind::Advance, 300),
    (Kind::Begin, 300),
    (Kind::Poll, 1600),
];

const SOMETIMES: &[(Kind, u64)] = &[
    (Kind::Statement, 300),
    (Kind::Batch, 300),
    (Kind::Transact, 400),
    (Kind::Query, 200),
    (Kind::DeleteTable, 8),
    (Kind::Index, 12),
    (Kind::Expiry, 20),
    (Kind::Backup, 6),
    (Kind::RestoreBackup, 8),
    (Kind::SaveSnapshot, 8),
    (Kind::RestoreSnapshot, 8),
    (Kind::Reset, 2),
    (Kind::ResetTable, 6),
    (Kind::Rotate, 30),
    (Kind::Split, 15),
    (Kind::Trim, 12),
    (Kind::Sweep, 60),
    (Kind::Reopen, 10),
    (Kind::Follow, 500),
    (Kind::ResumeFollower, 15),
    (Kind::Trigger, 600),
    (Kind::Invoke, 600),
    (Kind::RestartTrigger, 6),
    (Kind::Fault, 20),
    (Kind::ClearFaults, 15),
];

const VIEWS: [StreamViewType; 4] = [
    StreamViewType::NewAndOldImages,
    StreamViewType::KeysOnly,
    StreamViewType::NewImage,
    StreamViewType::OldImage,
];

impl Config {
    /// Returns the configuration of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        // Another sequence than that of the steps.
        let random = &mut Random::new(seed ^ 0x5151_5151);
        let place = if random.percent(5) { Place::File } else { Place::Memory };
        let mut weights = ALWAYS.to_vec();
        for (kind, weight) in SOMETIMES {
            let of_file = *kind == Kind::Reopen;
            match random.below(6) {
                _ if of_file && place == Place::Memory => {}
                0 => {}
                5 => weights.push((*kind, weight * 4)),
                _ => weights.push((*kind, *weight)),
            }
        }
        Self {
            seed,
            place,
            keys: random.pick(&[3, 6, 9, 24]),
            weights,
            batch_size: random.pick(&[1, 2, 5, 100]),
            parallelization_factor: random.pick(&[1, 1, 2, 4]),
            bisects: random.percent(50),
            reports_failures: random.percent(50),
            retries: random.pick(&[-1, -1, 0, 2]),
            failures: random.pick(&[0, 20, 50]),
            page_limit: random.pick(&[1, 3, 10, 1000]),
            shards_per_stream: random.pick(&[1, 1, 1, 3]),
        }
    }

    /// Returns the first steps of the seed.
    #[must_use]
    pub fn history(&self, steps: usize) -> Vec<Step> {
        let mut generator = Generator { random: Random::new(self.seed), keys: self.keys };
        let total = self.weights.iter().map(|(_, weight)| weight).sum();
        let mut history = Vec::with_capacity(steps);
        // Every run begins with a table that has a stream. All else comes from the seed.
        history.push(Step::CreateTable(0, generator.random.small(SHAPES), Some(VIEWS[0])));
        while history.len() < steps {
            let mut drawn = generator.random.below(total);
            let kind = self.weights.iter().find(|(_, weight)| {
                let is_it = drawn < *weight;
                drawn = drawn.saturating_sub(*weight);
                is_it
            });
            history.push(generator.step(kind.map_or(Kind::Write, |(kind, _)| *kind)));
        }
        history
    }
}

struct Generator {
    random: Random,
    keys: u8,
}

impl Generator {
    fn step(&mut self, kind: Kind) -> Step {
        let table = self.table();
        let random = &mut self.random;
        match kind {
            Kind::Write => Step::Write(self.action(true)),
            Kind::Statement => Step::Statement(self.action(true)),
            Kind::Batch => Step::Batch(self.actions(8)),
            Kind::Transact => {
                let actions = self.actions(5);
                Step::Transact(actions, self.random.maybe(15, |random| random.small(3)))
            }
            Kind::Get => Step::Get(table, random.small(self.keys)),
            Kind::Query => Step::Query(table, random.small(4), random.small(3)),
            Kind::CreateTable => {
                let view = random.maybe(80, view_type);
                Step::CreateTable(table, random.small(SHAPES), view)
            }
            Kind::DeleteTable => Step::DeleteTable(table),
            Kind::Stream => Step::Stream(table, random.maybe(60, view_type)),
            Kind::Index => Step::Index(table, random.small(2), random.percent(60)),
            Kind::Expiry => Step::Expiry(table, random.percent(70)),
            Kind::Backup => Step::Backup(table),
            Kind::RestoreBackup => Step::RestoreBackup(random.small(4), table),
            Kind::SaveSnapshot => Step::SaveSnapshot(random.small(SNAPSHOTS)),
            Kind::RestoreSnapshot => Step::RestoreSnapshot(random.small(SNAPSHOTS)),
            Kind::Reset => Step::Reset,
            Kind::ResetTable => Step::ResetTable(table),
            Kind::Rotate => Step::Rotate(random.small(4), random.maybe(50, |random| random.small(4))),
            Kind::Split => Step::Split(random.small(4), random.maybe(80, |random| random.small(4))),
            Kind::Trim => Step::Trim(random.small(4), random.maybe(70, |random| random.small(200))),
            Kind::Advance => Step::Advance(match random.below(100) {
                0..60 => random.below(5_000),
                60..85 => random.below(20 * 60) * 1000,
                85..97 => random.below(6 * 3600) * 1000,
                _ => random.below(30 * 3600) * 1000,
            }),
            Kind::Sweep => Step::Sweep,
            Kind::Reopen => Step::Reopen,
            Kind::Begin => {
                let begin = match random.below(8) {
                    0..3 => Begin::Horizon,
                    3 => Begin::Latest,
                    4 => Begin::At(random.small(250)),
                    5 => Begin::After(random.small(250)),
                    6 => Begin::Time(random.small(250).into()),
                    _ => Begin::Checkpoint,
                };
                Step::Begin(random.small(READERS), random.small(4), random.small(6), begin)
            }
            Kind::Poll => Step::Poll(random.small(READERS), random.pick(&[1, 2, 3, 10, 1000])),
            Kind::Follow => Step::Follow(random.pick(&[1, 3, 20])),
            Kind::ResumeFollower => Step::ResumeFollower,
            Kind::Trigger => Step::Trigger(random.pick(&[0, 60, 300, 5000])),
            Kind::Invoke => Step::Invoke(random.small(4)),
            Kind::RestartTrigger => Step::RestartTrigger,
            Kind::Fault => self.fault(),
            Kind::ClearFaults => Step::ClearFaults,
        }
    }

    /// The first table is used most.
    fn table(&mut self) -> u8 {
        if self.random.percent(60) { 0 } else { self.random.small(TABLES) }
    }

    fn attributes(&mut self) -> Attributes {
        let random = &mut self.random;
        Attributes {
            n: random.maybe(60, |random| random.small(3) as i8),
            g: random.maybe(60, |random| random.small(3)),
            d: random.maybe(50, |random| random.small(16)),
            t: random.maybe(20, |random| i32::from(random.small(200)) * 60 - 3000),
        }
    }

    fn action(&mut self, may_update: bool) -> Action {
        let (table, key) = (self.table(), self.random.small(self.keys));
        let write = match self.random.below(if may_update { 10 } else { 6 }) {
            0..4 => Write::Put(self.attributes()),
            4..6 => Write::Delete,
            _ => Write::Update(match self.random.below(5) {
                0 => Change::SetNumber(self.random.small(3) as i8),
                1 => Change::AddNumber(self.random.small(3) as i8 - 1),
                2 => Change::SetTexts(self.random.small(3), self.random.small(16)),
                3 => Change::RemoveText,
                _ => Change::SetExpiry(i32::from(self.random.small(200)) * 60 - 3000),
            }),
        };
        let condition = match self.random.below(12) {
            0 => Condition::Exists,
            1 => Condition::Absent,
            2 => Condition::NumberIs(self.random.small(3) as i8),
            _ => Condition::Always,
        };
        Action { table, key, write, condition }
    }

    fn actions(&mut self, most: u8) -> Vec<Action> {
        let count = 1 + self.random.small(most);
        let mut actions: Vec<Action> = Vec::new();
        for _ in 0..count {
            let mut action = self.action(true);
            if self.random.percent(5) {
                action.write = Write::Check;
            }
            // One action an item: AWS refuses two.
            if !actions.iter().any(|other| (other.table, other.key) == (action.table, action.key)) {
                actions.push(action);
            }
        }
        actions
    }

    fn fault(&mut self) -> Step {
        use FaultKind as F;
        use OperationGroup as G;
        let (kind, group) = self.random.pick(&[
            (F::Throttling, G::Items),
            (F::Throttling, G::Streams),
            (F::Throttling, G::Tables),
            (F::InternalError, G::Items),
            (F::InternalError, G::Streams),
            (F::Unavailable, G::All),
            (F::ProvisionedThroughputExceeded, G::Writes),
            (F::RequestLimitExceeded, G::Items),
            (F::LimitExceeded, G::Streams),
            (F::ExpiredIterator, G::Streams),
            (F::TrimmedData, G::Streams),
            (F::EmptyPage, G::Streams),
            (F::Duplicate, G::Streams),
            (F::Unprocessed, G::Batches),
            (F::Conflict, G::Transactions),
        ]);
        let (times, percent) = (1 + self.random.small(4), self.random.pick(&[20, 100]));
        Step::Fault(kind, group, times, percent, self.random.number())
    }
}

fn view_type(random: &mut Random) -> StreamViewType {
    // Most, because only these can be replayed.
    if random.percent(50) { VIEWS[0] } else { random.pick(&VIEWS) }
}
