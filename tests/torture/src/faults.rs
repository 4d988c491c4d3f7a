//! A disk that fails under load: full, with errors of reads, writes and syncs, with writes that are cut short, and slow. Clients get a clear
//! error, nothing is half done, and once the disk works again everything acknowledged is there, also after a power failure.

use std::time::Duration;

use pdb_testvfs::{Disk, Fault};
use pretender::Durability;

use crate::campaign::{Outcome, Part, check_file, guarded, pause};
use crate::dice::Dice;
use crate::history::{FILE, History, IDLE, check_open, open, watch, write};
use crate::ledger::{Ledger, Verdict};
use crate::seen::Seen;
use crate::verify::verify;
use crate::writer::{Habits, OnError, create_table};

/// Images of each session: what a power failure after the fault leaves.
const IMAGES_A_FAULT: u64 = 10;
const WRITERS: u64 = 4;

/// Runs this part.
pub(crate) fn run(part: &mut Part, disk: &Disk) -> Outcome {
    while part.budget.goes_on(part.counted("faults")) {
        let mut dice = part.dice.split();
        let durability = *dice.pick(&[Durability::Full, Durability::Normal]);
        let (fault, name) = draw(&mut dice);
        let outcome = guarded(|| one_fault(part, disk, durability, fault, &mut dice));
        disk.fail(None);
        outcome.map_err(|why| format!("{durability:?}, {fault:?}: {why}"))?;
        part.count("faults", 1);
        part.count(name, 1);
    }
    Ok(())
}

fn draw(dice: &mut Dice) -> (Fault, &'static str) {
    let after = dice.spread(1, 120) - 1;
    let times = *dice.pick(&[1, 1, 3, u64::MAX]);
    match dice.below(12) {
        0..2 => (Fault::Full { room: dice.spread(1, 400_000) }, "full disk"),
        2..4 => (Fault::Read { after, times }, "failed reads"),
        4..6 => (Fault::Write { after, times }, "failed writes"),
        6..8 => (Fault::ShortWrite { after, times }, "short writes"),
        8..11 => (Fault::Sync { after: after.min(dice.below(6)), times }, "failed syncs"),
        _ => (Fault::SlowSync { by: Duration::from_millis(dice.spread(1, 30)) }, "slow syncs"),
    }
}

fn one_fault(part: &mut Part, disk: &Disk, durability: Durability, fault: Fault, dice: &mut Dice) -> Outcome {
    let folder = part.fresh("faults")?;
    let world = open(&folder, durability, 0)?;
    create_table(&world)?;
    let ledger = Ledger::starting_at(1, None);
    write(&world, &ledger, WRITERS, Habits { steps: 5, on_error: OnError::End, longest: 1_000 }, dice)?;
    let before = Seen::of(&world)?;
    world.db.close();
    drop(world);

    watch(disk, &folder);
    let ledger = Ledger::starting_at(ledger.next_op(), Some(disk.clone()));
    let mut session = 1;
    if dice.one_of(5) {
        // While it is opened.
        disk.fail(Some(fault));
        match open(&folder, durability, session) {
            Ok(world) => world.db.close(),
            Err(_) => part.count("refused to open", 1),
        }
        disk.fail(None);
        session += 1;
    }
    let mut world = open(&folder, durability, session)?;
    let habits = Habits { steps: dice.spread(4, 12), on_error: OnError::ReadAndGoOn, longest: 4_000 };
    disk.fail(Some(fault));
    write(&world, &ledger, WRITERS, habits, dice)?;
    if matches!(fault, Fault::Sync { .. }) && dice.one_of(4) {
        // While the log is copied back.
        pause(IDLE);
    }
    if dice.one_of(3) {
        // While it is closed, and opened again.
        world.db.close();
        drop(world);
        disk.fail(None);
        session += 1;
        world = open(&folder, durability, session)?;
    }
    disk.fail(None);
    let failed = disk.counts().failed;
    part.count("calls of the disk that failed", failed);
    let so_far = ledger.done();
    write(&world, &ledger, WRITERS, Habits { steps: 4, ..habits }, dice)?;
    if ledger.done() == so_far {
        part.count("went on after a restart only", 1);
        world.db.close();
        drop(world);
        session += 1;
        world = open(&folder, durability, session)?;
        write(&world, &ledger, WRITERS, Habits { steps: 4, ..habits }, dice)?;
        if ledger.done() == so_far {
            return Err("nothing can be written after a restart".to_owned());
        }
    }
    let steps = ledger.steps();
    let unknown = steps.iter().filter(|step| step.verdict == Verdict::Unknown).count() as u64;
    part.count("steps that failed", unknown);
    part.count("acknowledged steps", ledger.done());
    check_open(&world)?;
    let last = Seen::of(&world)?;
    verify(&before, &last, &steps, &|_| true)?;
    world.db.close();
    drop(world);
    let history =
        History { durability, before, last, steps, log: disk.take_log(), next_op: ledger.next_op() };

    check_file(&folder.join(FILE))?;
    let world = open(&folder, durability, session + 1)?;
    let now = Seen::of(&world)?;
    verify(&history.before, &now, &history.steps, &|_| true)?;
    world.db.close();
    drop(world);
    let moments = history.moments(IMAGES_A_FAULT, dice);
    let image = part.folder.join("image");
    history.check_images(&moments, &image, dice, &mut |_, _| part.count("images", 1))
}
