//! Damaged files: bytes, sectors and pages of a database, of its log or of what lies beside it are not what was written. Nothing may crash; a
//! database that opens, and that the check calls sound, gives true answers.

use std::fs;
use std::path::Path;

use pretender::Durability;

use crate::campaign::{Outcome, Part, check_file, guarded};
use crate::dice::Dice;
use crate::history::{FILE, LOCK, open, write};
use crate::ledger::{Ledger, Step};
use crate::seen::Seen;
use crate::verify::verify;
use crate::writer::{Habits, OnError, create_table};

/// Damaged copies of one database.
const COPIES: u64 = 50;
const LOG: &str = "torture.db-wal";
/// The files that are damaged, the database and its log more often.
const FILES: [&str; 7] = [FILE, FILE, FILE, LOG, LOG, LOCK, "torture.db-shm"];

/// What became of a damaged copy.
enum Fate {
    Refused,
    Found,
    Harmless,
}

/// Runs this part.
pub(crate) fn run(part: &mut Part) -> Outcome {
    while part.budget.goes_on(part.counted("damaged files")) {
        let mut dice = part.dice.split();
        let folder = part.fresh("whole")?;
        let world = open(&folder, Durability::Normal, 0)?;
        create_table(&world)?;
        let ledger = Ledger::starting_at(1, None);
        let habits = Habits { steps: 8, on_error: OnError::End, longest: 9_000 };
        write(&world, &ledger, 4, habits, &mut dice)?;
        let in_file = Seen::of(&world)?;
        world.db.close();
        drop(world);
        // The rest is in the log only: the copies are made of an open database.
        let world = open(&folder, Durability::Normal, 1)?;
        let ledger = Ledger::starting_at(ledger.next_op(), None);
        write(&world, &ledger, 4, habits, &mut dice)?;
        let whole = Seen::of(&world)?;
        // Once, because an idle database soon copies its log back and empties it.
        let still = part.fresh("still")?;
        copy_files(&folder, &still)?;
        world.db.close();
        for _ in 0..COPIES {
            let copy = part.fresh("copy")?;
            copy_files(&still, &copy)?;
            let told = damage(&copy, &mut dice)?;
            let judged = guarded(|| judge(&copy, told.starts_with(LOG), &in_file, &whole, &ledger.steps()));
            part.count("damaged files", 1);
            match judged.map_err(|why| format!("{told}: {why}"))? {
                Fate::Refused => part.count("not opened", 1),
                Fate::Found => part.count("found by the check", 1),
                Fate::Harmless => part.count("without effect", 1),
            }
        }
    }
    Ok(())
}

fn copy_files(from: &Path, to: &Path) -> Outcome {
    // The log first: what is copied back meanwhile is then in the file, too.
    for name in [LOG, FILE, LOCK, "torture.db-shm"] {
        match fs::read(from.join(name)).and_then(|bytes| fs::write(to.join(name), bytes)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(format!("{name}: {error}"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Damages a file of a folder; returns what was done.
fn damage(folder: &Path, dice: &mut Dice) -> Outcome<String> {
    let name = *dice.pick(&FILES);
    let path = folder.join(name);
    let mut bytes = fs::read(&path).unwrap_or_default();
    let length = bytes.len().max(1) as u64;
    bytes.resize(length as usize, 0);
    let at = dice.below(length) as usize;
    let told = match dice.below(6) {
        0 | 1 => {
            bytes[at] ^= 1 << dice.below(8);
            format!("a bit at {at}")
        }
        2 => {
            let (from, to) = (at / 512 * 512, (at / 512 * 512 + 512).min(bytes.len()));
            let fill = *dice.pick(&[0, 0xff, b'x']);
            bytes[from..to].fill(fill);
            format!("the sector at {from}, with {fill}")
        }
        3 => {
            bytes.truncate(at);
            format!("cut to {at}")
        }
        4 => {
            let other = dice.below(length) as usize / 8192 * 8192;
            let (from, to) = (at / 8192 * 8192, (at / 8192 * 8192 + 8192).min(bytes.len()));
            let count = (to - from).min(bytes.len() - other);
            bytes.copy_within(other..other + count, from);
            format!("the page at {from}, with the one at {other}")
        }
        _ => {
            for _ in 0..1 + dice.below(64) {
                let at = dice.below(length) as usize;
                bytes[at] = dice.next() as u8;
            }
            "some bytes".to_owned()
        }
    };
    fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(format!("{name}: {told}"))
}

/// Opens a damaged copy, and looks whether what it says is true.
fn judge(folder: &Path, in_log: bool, in_file: &Seen, whole: &Seen, steps: &[Step]) -> Outcome<Fate> {
    let is_sound = check_file(&folder.join(FILE)).is_ok();
    let Ok(world) = open(folder, Durability::Normal, 2) else { return Ok(Fate::Refused) };
    let seen = Seen::of(&world);
    // Also what finds damage goes on with what is sound.
    let ledger = Ledger::starting_at(1_000_000, None);
    let habits = Habits { steps: 2, on_error: OnError::End, longest: 100 };
    let written = write(&world, &ledger, 2, habits, &mut Dice::new(1));
    world.db.close();
    if !is_sound {
        return Ok(Fate::Found);
    }
    let seen = seen.map_err(|why| format!("the check calls it sound, but {why}"))?;
    written?;
    if in_log {
        // The log holds as far as it is whole, which is some commit.
        verify(in_file, &seen, steps, &|_| false)?;
        return Ok(Fate::Harmless);
    }
    let is_same = seen.items == whole.items && seen.indexed == whole.indexed;
    if !is_same || !seen.records().map(|(_, record)| record).eq(whole.records().map(|(_, record)| record)) {
        return Err("the check calls it sound, and the answers are wrong".to_owned());
    }
    Ok(Fate::Harmless)
}
