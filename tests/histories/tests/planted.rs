//! A real history is accepted, and is refused after something was planted in it.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use pdb_histories::checker::{Checker, Decision};
use pdb_histories::history::{History, KEYS, Op, Outcome};
use pdb_histories::place::{Kind, Place, Settings};
use pdb_histories::random::Random;
use pdb_histories::run::{GroupLog, Size, run};
use pdb_histories::stream::shown_changes;
use pdb_histories::verdict::{in_stream_order, judge};

/// Builds and starts the checker. Returns `None`, and prints that, if Go or the module is not there.
fn checker(folder: &Path) -> Option<Checker> {
    let program = folder.join("checker");
    let go = |arguments: &[&str]| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("checker");
        Command::new("go").current_dir(source).args(arguments).status().is_ok_and(|status| status.success())
    };
    if std::env::var_os("CI").is_none() && !go(&["mod", "download"]) {
        eprintln!("SKIPPED, for lack of Go or its modules");
        return None;
    }
    assert!(go(&["build", "-o", &program.display().to_string(), "."]), "the checker cannot be built");
    Some(Checker::start(&program, folder, 20).unwrap())
}

/// Lets clients work on a database in memory.
fn history(seed: u64) -> GroupLog {
    let settings = Settings {
        kind: Kind::Memory,
        in_process: true,
        durability: "normal",
        shards: 2,
        rotation: None,
        workers: 1,
    };
    let folder = tempfile::tempdir().unwrap();
    let place = Place::open(settings, Path::new("none"), folder.path(), None, "none").unwrap();
    let size = Size { clients: 4, groups: 1, calls: 400, time: Duration::from_secs(20) };
    let mut log = run(&place, &size, &mut Random::new(seed)).unwrap();
    assert_eq!(log.strange, Vec::<String>::new());
    assert_eq!(place.close().unwrap(), Vec::<String>::new());
    log.groups.remove(0)
}

/// Checks operations alone, and in the order of the stream.
fn decide(checker: &mut Checker, group: &GroupLog, ops: Vec<Op>) -> [Decision; 2] {
    let records = shown_changes(&group.streams.iter().collect::<Vec<_>>()).unwrap();
    let stream = in_stream_order("stream", &ops, records);
    let alone = History { name: "alone".to_owned(), keys: KEYS, ops, records: None };
    [alone, stream].map(|history| checker.check(&history).unwrap().verdict)
}

#[test]
fn what_is_planted_in_a_real_history_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut checker) = checker(folder.path()) else { return };
    let group = history(1);
    let (verdict, histories) = judge("real", &group, &mut checker).unwrap();
    assert_eq!((verdict.wrong, verdict.accepted, verdict.undecided), (Vec::new(), 2, 0));
    let ops = &histories[0].ops;
    assert_eq!(decide(&mut checker, &group, ops.clone()), [Decision::Ok; 2]);

    // A stale read: a read gets the answer of an earlier one, whose value was overwritten in between.
    let mut stale = ops.clone();
    let value = |op: &Op| op.read.as_ref().filter(|_| op.name == "GetItem").and_then(|read| read.found[0]);
    let early = ops.iter().filter(|op| value(op).is_some()).min_by_key(|op| op.call).unwrap();
    let old = early.read.clone().unwrap();
    let differs =
        |op: &Op| op.read.as_ref().is_some_and(|read| read.keys == old.keys && read.found != old.found);
    let late = stale.iter_mut().filter(|op| Some(op.call) > early.returned && differs(op));
    late.max_by_key(|op| op.call).unwrap().read = Some(old.clone());
    assert_eq!(decide(&mut checker, &group, stale), [Decision::Illegal; 2]);

    // A lost update: the counter that an update shows lacks what the one before has added, although a read has seen it.
    let mut lost = ops.clone();
    let read = ops.iter().flat_map(|op| op.read.iter().flat_map(|read| &read.found)).flatten();
    let read: Vec<u32> = read.map(|item| item.v).collect();
    let shown =
        lost.iter_mut().filter(|op| op.name == "UpdateItem" && op.writes().all(|v| read.contains(&v)));
    let n = shown.filter_map(|op| op.parts[0].after.as_mut()?.n.as_mut()).next().unwrap();
    *n -= 1;
    assert_eq!(decide(&mut checker, &group, lost), [Decision::Illegal; 2]);

    // Half a transaction: its last write did not happen.
    let mut half = ops.clone();
    let two =
        |op: &Op| op.name == "TransactWriteItems" && op.outcome == Outcome::Done && op.writes().count() > 1;
    let transaction = half.iter_mut().rfind(|op| two(op) && op.token == 0).unwrap();
    let last = transaction.parts.iter().rposition(|part| part.writes().is_some()).unwrap();
    transaction.parts.remove(last);
    assert_eq!(
        decide(&mut checker, &group, half)[1],
        Decision::Illegal,
        "the stream has a record that nobody wrote"
    );

    // An acknowledged write is gone.
    let mut undone = ops.clone();
    let write = |op: &Op| op.name == "PutItem" && op.outcome == Outcome::Done;
    undone.remove(ops.iter().position(write).unwrap());
    assert_eq!(decide(&mut checker, &group, undone)[1], Decision::Illegal);
}
