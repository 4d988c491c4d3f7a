//! Power failures: a session on a disk that remembers, and images of what could be left of it at any moment, each opened, checked, written to
//! and read by a consumer that goes on.

use pdb_testvfs::{Disk, Loss};
use pretender::Durability;
use pretender_tests::formats::World;

use crate::campaign::{Outcome, Part, pause};
use crate::dice::Dice;
use crate::history::{Fate, History, IDLE, open, watch, write};
use crate::ledger::Ledger;
use crate::seen::{Seen, stream_of};
use crate::writer::{Habits, OnError, create_table};

/// Images of one session.
const IMAGES_A_SESSION: u64 = 60;
/// The durabilities, each with what its images are counted as.
const DURABILITIES: [(Durability, &str); 3] = [
    (Durability::Full, "images full"),
    (Durability::Normal, "images normal"),
    (Durability::Off, "images off"),
];

/// Runs this part.
pub(crate) fn run(part: &mut Part, disk: &Disk) -> Outcome {
    for (durability, counted) in DURABILITIES.iter().cycle() {
        let least = DURABILITIES.iter().map(|(_, name)| part.counted(name)).min().unwrap_or(0);
        if !part.budget.goes_on(least) {
            return Ok(());
        }
        let mut dice = part.dice.split();
        let history = session(part, disk, *durability, &mut dice)?;
        part.count("sessions", 1);
        let moments = history.moments(IMAGES_A_SESSION, &mut dice);
        let folder = part.folder.join("image");
        let mut told = Vec::new();
        let outcome =
            history.check_images(&moments, &folder, &mut dice, &mut |loss, fate| told.push((loss, fate)));
        for (loss, fate) in told {
            part.count(counted, 1);
            part.count(name_of(loss), 1);
            match fate {
                Fate::Held => {}
                Fate::HeldSealed => part.count("sealed", 1),
                Fate::Broken => part.count("broken without promise", 1),
            }
        }
        outcome?;
    }
    Ok(())
}

fn name_of(loss: Loss) -> &'static str {
    match loss {
        Loss::Nothing => "lost nothing",
        Loss::Unsynced => "lost all unsynced",
        Loss::Torn => "lost the end, torn",
        Loss::Subset => "lost some writes",
        Loss::Sectors(_) => "lost some sectors",
    }
}

/// A session with writers, changes of shards, copies of the log and restarts.
fn session(part: &Part, disk: &Disk, durability: Durability, dice: &mut Dice) -> Outcome<History> {
    let folder = part.fresh("session")?;
    let world = open(&folder, durability, 0)?;
    create_table(&world)?;
    let ledger = Ledger::starting_at(1, None);
    let short = Habits { steps: 4, on_error: OnError::End, longest: 300 };
    write(&world, &ledger, 3, short, dice)?;
    let before = Seen::of(&world)?;
    world.db.close();
    drop(world);

    watch(disk, &folder);
    let ledger = Ledger::starting_at(ledger.next_op(), Some(disk.clone()));
    // So much is written now and then that the log is copied back while there are writers.
    let is_large = dice.one_of(12);
    let habits = Habits { steps: dice.spread(3, 16), on_error: OnError::End, longest: 1_500 };
    let habits = if is_large { Habits { steps: 40, longest: 390_000, ..habits } } else { habits };
    let mut world = open(&folder, durability, 1)?;
    let phases = if is_large { 1 } else { 1 + dice.below(4) };
    for phase in 0..phases {
        write(&world, &ledger, dice.spread(1, 6), habits, dice)?;
        match dice.below(8) {
            0 => drop(shards(&world, true)?),
            1 => drop(shards(&world, false)?),
            2 if phase == 0 => pause(IDLE),
            3 | 4 => {
                world.db.close();
                drop(world);
                world = open(&folder, durability, 2 + phase as i64)?;
            }
            5 => drop(world.db.compact().map_err(|error| error.to_string())?),
            _ => {}
        }
    }
    let last = Seen::of(&world)?;
    world.db.close();
    drop(world);
    let (steps, next_op) = (ledger.steps(), ledger.next_op());
    Ok(History { durability, before, last, steps, log: disk.take_log(), next_op })
}

/// Splits or rotates all shards.
fn shards(world: &World, splits: bool) -> Outcome {
    let stream = stream_of(world)?.parse().map_err(|_| "an ARN that is none".to_owned())?;
    let done = match splits {
        true => world.db.split_shards(&stream, None),
        false => world.db.rotate_shards(&stream, None),
    };
    done.map(drop).map_err(|error| error.to_string())
}
