//! A session on the disk that remembers, and what must be true of every image of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use pdb_testvfs::{Change, Disk, Image, Log, Loss};
use pretender::Durability;
use pretender::Pretender;
use pretender::time::EpochMillis;
use pretender_tests::formats::World;

use crate::campaign::{Outcome, chain, guarded};
use crate::consumer::Consumer;
use crate::dice::Dice;
use crate::ledger::{Ledger, Step, Verdict};
use crate::seen::{Seen, id_of, number_of};
use crate::verify::{steps_of, verify};
use crate::writer::{Habits, Writer};

/// The time of every session.
pub(crate) const NOW: EpochMillis = EpochMillis(1_772_356_542_017);
/// The name of the database in its folder, and of the file beside it that is not SQLite's.
pub(crate) const FILE: &str = "torture.db";
pub(crate) const LOCK: &str = "torture.db-lock";
/// Longer than the store waits before it copies its log back, twice.
pub(crate) const IDLE: Duration = Duration::from_millis(2_300);
/// Numbers of records are counters times this.
const COUNTER: u128 = 100_000_000_000_000_000_000;

/// What can be lost.
pub(crate) const LOSSES: [Loss; 6] =
    [Loss::Nothing, Loss::Unsynced, Loss::Torn, Loss::Subset, Loss::Sectors(512), Loss::Sectors(4096)];

/// Opens the database in a folder. Each `session` has a time and ids of its own; a thousand of them are less than half a day.
pub(crate) fn open(folder: &Path, durability: Durability, session: i64) -> Outcome<World> {
    let builder = Pretender::builder().file(folder.join(FILE)).durability(durability);
    World::try_open(builder, EpochMillis(NOW.0 + session * 40_000))
        .map_err(|error| format!("it does not open: {}", chain(&error)))
}

/// Lets writers work side by side until each has done so many steps.
pub(crate) fn write(
    world: &World,
    ledger: &Ledger,
    writers: u64,
    habits: Habits,
    dice: &mut Dice,
) -> Outcome {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let working: Vec<_> = (0..writers)
            .map(|number| {
                let writer = Writer { number, door: world, ledger, dice: dice.split(), habits };
                let stop = &stop;
                scope.spawn(move || writer.work(stop))
            })
            .collect();
        working
            .into_iter()
            .try_for_each(|writer| writer.join().unwrap_or_else(|_| Err("a writer panicked".to_owned())))
    })
}

/// A session that is over, with all that was written to the disk in it.
pub(crate) struct History {
    pub(crate) durability: Durability,
    /// The table before the session, which was on the disk.
    pub(crate) before: Seen,
    /// The table at its end.
    pub(crate) last: Seen,
    pub(crate) steps: Vec<Step>,
    pub(crate) log: Log,
    pub(crate) next_op: u64,
}

/// What became of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It kept its promises.
    Held,
    /// It kept them, and was sealed: nothing was missing.
    HeldSealed,
    /// It could not be opened, or the check found damage; nothing was promised.
    Broken,
}

impl History {
    /// Moments that are worth an image: any, those just after a sync or an acknowledgement, and those between a failed sync and the
    /// next changes of the same file.
    pub(crate) fn moments(&self, count: u64, dice: &mut Dice) -> Vec<usize> {
        let events = &self.log.events;
        // Before that, there is not even all that was there at the beginning.
        let begin = events.iter().take_while(|event| matches!(event.change, Change::Found(_))).count();
        let all = |is_meant: &dyn Fn(&Change) -> bool| -> Vec<usize> {
            (begin..events.len()).filter(|at| is_meant(&events[*at].change)).collect()
        };
        let worth = all(&|change| !matches!(change, Change::Written { .. } | Change::Found(_)));
        let failed = all(&|change| *change == Change::SyncFailed);
        let mut moments: Vec<usize> = (0..count)
            .map(|_| match dice.below(3) {
                0 if !failed.is_empty() => {
                    events.len().min(*dice.pick(&failed) + 1 + dice.below(40) as usize)
                }
                0 | 1 if !worth.is_empty() => *dice.pick(&worth) + 1,
                _ => begin + dice.below((events.len() - begin) as u64 + 1) as usize,
            })
            .collect();
        moments.sort_unstable();
        moments
    }

    /// Builds an image at each of these moments, in order, and checks it. `told` gets each, before a failure ends the work.
    pub(crate) fn check_images(
        &self,
        moments: &[usize],
        folder: &Path,
        dice: &mut Dice,
        told: &mut dyn FnMut(Loss, Fate),
    ) -> Outcome {
        let mut replay = self.log.replay();
        let mut acknowledged = BTreeSet::new();
        // Those among them whose writes are on the disk for sure: a sync of the log has covered them. Once one has failed, only what was
        // copied back after that is sure.
        let mut synced = BTreeSet::new();
        let mut at_log_sync = BTreeSet::new();
        let mut has_failed = false;
        let mut at = 0;
        for moment in moments {
            while at < *moment {
                let Some(event) = replay.step() else { break };
                at += 1;
                match event.change {
                    Change::Marked(op) => drop(acknowledged.insert(op)),
                    Change::SyncFailed => has_failed = true,
                    Change::Synced if event.file.ends_with("-wal") => {
                        at_log_sync.clone_from(&acknowledged);
                        if !has_failed {
                            synced.clone_from(&acknowledged);
                        }
                    }
                    Change::Synced if event.file == FILE => synced.clone_from(&at_log_sync),
                    _ => {}
                }
            }
            let loss = *dice.pick(&LOSSES);
            let image = replay.image(loss, &mut |end| dice.below(end));
            let promised = match (self.durability, loss) {
                (Durability::Full, _) | (_, Loss::Nothing) => &acknowledged,
                (Durability::Normal, _) => &synced,
                (Durability::Off, _) => &BTreeSet::new(),
            };
            // Without syncs, nobody promises anything for the case that the power fails.
            let may_break = self.durability == Durability::Off && loss != Loss::Nothing;
            let is_whole = replay.unsynced() == 0;
            let checked =
                guarded(|| self.check_image(&image, &acknowledged, promised, is_whole, folder, dice));
            match checked {
                Ok(fate) => told(loss, fate),
                Err(_) if may_break => told(loss, Fate::Broken),
                Err(why) => {
                    // As the power failure left it, and not as this program has.
                    let kept = folder.with_extension("image");
                    let saved = image.save(&kept);
                    return Err(format!(
                        "{:?}, {loss:?}, after event {at} of {}: {why}; the image is in {} {saved:?}",
                        self.durability,
                        self.log.events.len(),
                        kept.display(),
                    ));
                }
            }
        }
        Ok(())
    }

    fn check_image(
        &self,
        image: &Image,
        acknowledged: &BTreeSet<u64>,
        promised: &BTreeSet<u64>,
        is_whole: bool,
        folder: &Path,
        dice: &mut Dice,
    ) -> Outcome<Fate> {
        image.save(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let is_sealed = reseal(folder).map_err(|error| format!("the seal: {error}"))?;
        let session = 10 + dice.below(500) as i64;
        let world = open(folder, self.durability, session)?;
        check_open(&world)?;
        let now = Seen::of(&world)?;
        let steps: Vec<Step> = self.steps.iter().map(|step| step_at(step, acknowledged)).collect();
        verify(&self.before, &now, &steps, &|step| promised.contains(&step.op))?;
        self.is_of_this_history(&now)?;
        let mut consumer = self.consumer(acknowledged)?;
        let ledger = Ledger::starting_at(self.next_op, None);
        let habits = Habits { steps: 4, on_error: crate::writer::OnError::End, longest: 200 };
        write(&world, &ledger, 2, habits, dice)?;
        let after = Seen::of(&world)?;
        verify(&now, &after, &ledger.steps(), &|_| true)?;
        is_new(&now, &after, &consumer, is_sealed && is_whole)?;
        let there: BTreeSet<&str> = now.records().map(|(_, record)| id_of(record)).collect();
        let lost = consumer.got.iter().filter(|id| !there.contains(id.as_str())).cloned().collect();
        consumer.finish(&world, &after, &lost)?;
        world.db.close();
        drop(world);
        if dice.one_of(8) {
            let world = open(folder, self.durability, session + 600)?;
            verify(&now, &Seen::of(&world)?, &ledger.steps(), &|_| true)?;
        }
        Ok(if is_sealed { Fate::HeldSealed } else { Fate::Held })
    }

    /// All records are ones that the session wrote, or were there before it.
    fn is_of_this_history(&self, now: &Seen) -> Outcome {
        let known: BTreeMap<&str, (&str, &serde_json::Value)> =
            self.last.records().map(|(shard, record)| (id_of(record), (shard.id.as_str(), record))).collect();
        for (shard, record) in now.records() {
            if known.get(id_of(record)).is_some_and(|found| *found != (shard.id.as_str(), record)) {
                return Err(format!("a record is another one than it was: {record}"));
            }
        }
        Ok(())
    }

    /// A consumer that has read all that was acknowledged, as of the moment of the failure.
    fn consumer(&self, acknowledged: &BTreeSet<u64>) -> Outcome<Consumer> {
        let before: BTreeSet<&str> = self.before.records().map(|(_, record)| id_of(record)).collect();
        let mut consumer = Consumer::default();
        for shard in &self.last.shards {
            let mut read = 0;
            for (at, record) in shard.records.iter().enumerate() {
                let is_read = before.contains(id_of(record))
                    || steps_of(record, &self.steps)?.iter().any(|step| acknowledged.contains(&step.op));
                if is_read {
                    read = at + 1;
                }
            }
            consumer.take(&shard.id, &shard.records[..read]);
        }
        Ok(consumer)
    }
}

/// A step as it was at the moment of the failure.
fn step_at(step: &Step, acknowledged: &BTreeSet<u64>) -> Step {
    let verdict = match step.verdict {
        Verdict::Done if !acknowledged.contains(&step.op) => Verdict::Open,
        verdict => verdict,
    };
    Step { verdict, ..step.clone() }
}

/// What was written after the failure has numbers and ids that the consumer has not seen.
fn is_new(now: &Seen, after: &Seen, consumer: &Consumer, without_gap: bool) -> Outcome {
    let there: BTreeSet<&str> = now.records().map(|(_, record)| id_of(record)).collect();
    let got: BTreeSet<&str> = consumer.got.iter().map(String::as_str).collect();
    for shard in &after.shards {
        let checkpoint = consumer.checkpoints.get(&shard.id).and_then(|number| number.parse().ok());
        let mut previous: Option<u128> = None;
        for record in &shard.records {
            let number = number_of(record);
            if !there.contains(id_of(record)) {
                if got.contains(id_of(record)) {
                    return Err(format!("an event id is given out twice: {record}"));
                }
                if checkpoint.is_some_and(|checkpoint| number <= checkpoint) {
                    return Err(format!(
                        "a number not above the one that was read, {checkpoint:?}: {record}"
                    ));
                }
                if without_gap && previous.is_some_and(|previous| number / COUNTER != previous / COUNTER + 1)
                {
                    return Err(format!("a sealed database leaps from {previous:?}: {record}"));
                }
            }
            previous = Some(number);
        }
    }
    Ok(())
}

/// Checks an open database.
pub(crate) fn check_open(world: &World) -> Outcome {
    let mut findings = Vec::new();
    let report = world.db.check(&mut |event| {
        if let pretender::maintenance::CheckEvent::Finding(finding) = event {
            findings.push(finding.to_string());
        }
    });
    match report {
        Ok(report) if report.is_sound() => Ok(()),
        Ok(_) => Err(format!("the check finds: {findings:#?}")),
        Err(error) => Err(format!("it cannot be checked: {}", chain(&error))),
    }
}

/// Has the seal of an image, if there is one, describe the file of the image, as it described the file that the image is of. Returns
/// whether there is one.
fn reseal(folder: &Path) -> std::io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let path: PathBuf = folder.join(LOCK);
    let Ok(text) = fs::read_to_string(&path) else { return Ok(false) };
    let Some((first, rest)) = text.split_once('\n') else { return Ok(false) };
    if !first.starts_with("closed: ") {
        return Ok(false);
    }
    let found = fs::metadata(folder.join(FILE))?;
    let line = format!(
        "closed: file {}, {} bytes, written {}.{:09}, changed {}.{:09}\n{rest}",
        found.ino(),
        found.size(),
        found.mtime(),
        found.mtime_nsec(),
        found.ctime(),
        found.ctime_nsec(),
    );
    fs::write(path, line)?;
    Ok(true)
}

/// Begins to watch a folder whose database is closed.
pub(crate) fn watch(disk: &Disk, folder: &Path) {
    disk.watch(folder, &[LOCK]);
}
