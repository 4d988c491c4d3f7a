//! Images: what a power failure leaves.

use std::{collections::BTreeMap, fs, io, path::Path};

use crate::log::{Change, Event, Log};

/// Draws a number below the one it gets.
pub type Dice<'d> = &'d mut dyn FnMut(u64) -> u64;

/// What is lost of that which was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nothing, as if only the process had died.
    Nothing,
    /// All.
    Unsynced,
    /// All from some moment on, with the write of that moment torn somewhere: a disk that writes in the order in which it is told.
    Torn,
    /// Some writes, in any order.
    Subset,
    /// Some sectors of this length of any writes.
    Sectors(u32),
}

/// Files as a power failure left them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// By their names.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Image {
    /// Writes the files into a folder, which is created or emptied.
    ///
    /// # Errors
    ///
    /// Of the operating system.
    pub fn save(&self, folder: &Path) -> io::Result<()> {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir_all(folder)?,
        }
        self.files.iter().try_for_each(|(name, bytes)| fs::write(folder.join(name), bytes))
    }
}

/// How sure it is that a change is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doubt {
    /// Nothing was said about it.
    Unsynced,
    /// A sync of it has failed: no later one makes it safe.
    Stuck,
    /// It is there, and lies over something that is stuck.
    Certain,
}

/// A change that is not, or not only, part of what is on the disk for sure.
#[derive(Clone, Copy, Debug)]
struct Pending<'l> {
    /// The number of its event.
    number: usize,
    change: &'l Change,
    doubt: Doubt,
}

#[derive(Clone, Debug, Default)]
struct File<'l> {
    /// What is on the disk for sure; `None`: no file of this name.
    synced: Option<Vec<u8>>,
    /// In order.
    pending: Vec<Pending<'l>>,
}

impl File<'_> {
    /// A sync was successful: what it covers is on the disk. What was stuck stays in doubt, until something else is there in its place.
    fn sync(&mut self) {
        for pending in &mut self.pending {
            if pending.doubt == Doubt::Unsynced {
                pending.doubt = Doubt::Certain;
            }
        }
        let all = std::mem::take(&mut self.pending);
        for (at, pending) in all.iter().enumerate() {
            if pending.doubt == Doubt::Stuck && is_overwritten(pending.change, &all[at + 1..]) {
                continue;
            }
            if pending.doubt == Doubt::Certain && self.pending.is_empty() {
                apply(&mut self.synced, pending.change);
            } else {
                self.pending.push(*pending);
            }
        }
    }

    /// A sync has failed: the bytes that it covers may never get there. Lengths and names are kept apart from them, in a journal.
    fn sync_failed(&mut self) {
        for pending in &mut self.pending {
            if pending.doubt == Doubt::Unsynced && matches!(pending.change, Change::Written { .. }) {
                pending.doubt = Doubt::Stuck;
            }
        }
    }

    fn doubtful(&self) -> impl Iterator<Item = &Pending<'_>> {
        self.pending.iter().filter(|pending| pending.doubt != Doubt::Certain)
    }
}

/// Whether a change that is stuck has no effect any more, as later ones that are certain lie over all of it.
fn is_overwritten(stuck: &Change, later: &[Pending<'_>]) -> bool {
    let Change::Written { at, bytes } = stuck else { return false };
    let mut missing = vec![true; bytes.len()];
    for later in later.iter().filter(|later| later.doubt == Doubt::Certain) {
        match later.change {
            Change::Written { at: over, bytes: other } => {
                let (from, to) = (over.saturating_sub(*at), (over + other.len() as u64).saturating_sub(*at));
                let (from, to) = (from.min(missing.len() as u64), to.min(missing.len() as u64));
                missing[from as usize..to as usize].fill(false);
            }
            Change::Truncated(length) => {
                let from = length.saturating_sub(*at).min(missing.len() as u64);
                missing[from as usize..].fill(false);
            }
            _ => missing.fill(false),
        }
    }
    !missing.contains(&true)
}

fn apply(file: &mut Option<Vec<u8>>, change: &Change) {
    match change {
        Change::Found(bytes) => *file = Some(bytes.clone()),
        Change::Created => *file = Some(Vec::new()),
        Change::Written { at, bytes } => put(file, *at, bytes),
        Change::Truncated(length) => {
            // A file whose creation was lost has nothing to cut.
            if let Some(file) = file {
                file.resize(*length as usize, 0);
            }
        }
        Change::Deleted { .. } => *file = None,
        Change::Synced | Change::SyncFailed | Change::Marked(_) => {}
    }
}

fn put(file: &mut Option<Vec<u8>>, at: u64, bytes: &[u8]) {
    let file = file.get_or_insert_default();
    let (from, to) = (at as usize, at as usize + bytes.len());
    if file.len() < to {
        file.resize(to, 0);
    }
    file[from..to].copy_from_slice(bytes);
}

/// Goes through a log, and knows what is on the disk at each moment.
#[derive(Debug)]
pub struct Replay<'l> {
    events: &'l [Event],
    next: usize,
    files: BTreeMap<&'l str, File<'l>>,
}

impl<'l> Replay<'l> {
    pub(crate) fn of(log: &'l Log) -> Self {
        Self { events: &log.events, next: 0, files: BTreeMap::new() }
    }

    /// Goes one event further, and returns it; `None` at the end.
    pub fn step(&mut self) -> Option<&'l Event> {
        let event = self.events.get(self.next)?;
        let number = self.next;
        self.next += 1;
        if matches!(event.change, Change::Marked(_)) {
            return Some(event);
        }
        let file = self.files.entry(&event.file).or_default();
        match &event.change {
            Change::Found(_) | Change::Deleted { durably: true } => {
                file.pending.clear();
                apply(&mut file.synced, &event.change);
            }
            Change::Synced => file.sync(),
            Change::SyncFailed => file.sync_failed(),
            change => file.pending.push(Pending { number, change, doubt: Doubt::Unsynced }),
        }
        Some(event)
    }

    /// Returns how many changes are not known to be on the disk.
    #[must_use]
    pub fn unsynced(&self) -> usize {
        self.files.values().map(|file| file.doubtful().count()).sum()
    }

    /// Returns what is on the disk if the power fails here.
    ///
    /// The index of SQLite's log (`-shm`) is never in it: it is made anew.
    pub fn image(&self, loss: Loss, dice: Dice<'_>) -> Image {
        // The moment after which all is lost, among the changes in doubt of all files.
        let mut doubtful: Vec<usize> =
            self.files.values().flat_map(|file| file.doubtful().map(|pending| pending.number)).collect();
        doubtful.sort_unstable();
        let cut = match doubtful.len() {
            0 => 0,
            count => doubtful[dice(count as u64) as usize],
        };
        let mut image = Image::default();
        for (name, file) in &self.files {
            let mut content = file.synced.clone();
            for pending in &file.pending {
                keep(&mut content, pending, loss, cut, dice);
            }
            if let Some(content) = content {
                image.files.insert((*name).to_owned(), content);
            }
        }
        image
    }
}

/// Applies what the power failure leaves of a change in doubt.
fn keep(file: &mut Option<Vec<u8>>, pending: &Pending<'_>, loss: Loss, cut: usize, dice: Dice<'_>) {
    let keeps = match loss {
        _ if pending.doubt == Doubt::Certain => true,
        Loss::Nothing => true,
        Loss::Unsynced => false,
        Loss::Torn if pending.number == cut => {
            if let Change::Written { at, bytes } = pending.change {
                let length = dice(bytes.len() as u64 + 1) as usize;
                put(file, *at, &bytes[..length]);
                return;
            }
            dice(2) == 0
        }
        Loss::Torn => pending.number < cut,
        Loss::Subset => dice(2) == 0,
        Loss::Sectors(length) => {
            if let Change::Written { at, bytes } = pending.change {
                for (from, to) in sectors(*at, bytes.len(), u64::from(length)) {
                    if dice(2) == 0 {
                        put(file, *at + from as u64, &bytes[from..to]);
                    }
                }
                return;
            }
            dice(2) == 0
        }
    };
    if keeps {
        apply(file, pending.change);
    }
}

/// The parts of bytes that lie in one sector each.
fn sectors(at: u64, length: usize, sector: u64) -> Vec<(usize, usize)> {
    let mut parts = Vec::new();
    let mut from = 0;
    while from < length {
        let rest = sector - (at + from as u64) % sector;
        let to = length.min(from + rest as usize);
        parts.push((from, to));
        from = to;
    }
    parts
}

#[cfg(test)]
mod tests;
