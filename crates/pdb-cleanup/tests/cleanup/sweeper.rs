//! Sweeps, by hand and on a thread.

use crate::harness::{DAY, Db, HOUR};
use pdb_cleanup::{CleanupOptions, SweepReport, Sweeper, Throttle, TrimReport, sweep};
use pdb_store::TokenRow;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

#[test]
fn a_sweep_does_all_that_is_due() {
    let (db, _) = Db::streaming();
    db.put("a");
    db.put_expiring("b", db.now().seconds() + 60);
    assert_eq!(db.sweep(), SweepReport::default());
    db.advance(DAY);
    let trimmed = TrimReport { records: 2, shards: 0, streams: 0 };
    assert_eq!(db.sweep(), SweepReport { rotated: 1, expired: 1, trimmed, trimmed_changes: 0 });
    assert_eq!(db.sweep(), SweepReport::default());
    assert_eq!(db.keys(), ["a"]);
    assert_eq!(db.records().len(), 1);
}

#[test]
fn old_tokens_are_forgotten() {
    let db = Db::new();
    let expires = db.now().plus(HOUR);
    for token in ["a", "b", "c"] {
        let row = TokenRow { fingerprint: Vec::new(), answer: String::new(), expires };
        let now = db.now();
        db.test.write(move |tx| tx.remember_token(token, now, &row));
    }
    db.advance(HOUR);
    let options = CleanupOptions::default();
    sweep(&db.test.store, &db.test.env, &options, &Throttle::new(2)).unwrap();
    assert_eq!(db.test.write(move |tx| tx.forget_tokens(expires.plus(HOUR), 10)), 0);
}

fn options(interval: Duration) -> CleanupOptions {
    CleanupOptions { interval, ..Default::default() }
}

/// Waits until the database commits something.
fn next_commit(db: &Db) -> mpsc::Receiver<()> {
    let (sender, commits) = mpsc::channel();
    db.test.store.watch(move || sender.send(()).is_ok());
    commits
}

#[test]
fn the_thread_sweeps_when_it_starts_and_at_its_interval() {
    let (db, _) = Db::streaming();
    let commits = next_commit(&db);
    db.put("a");
    db.advance(DAY);
    let sweeper =
        Sweeper::start(db.test.store.clone(), db.test.env.clone(), options(Duration::from_millis(1)))
            .unwrap();
    while !db.records().is_empty() {
        commits.recv().unwrap();
    }
    db.put("b");
    db.advance(DAY);
    while !db.records().is_empty() {
        commits.recv().unwrap();
    }
    sweeper.stop();
}

#[test]
fn a_thread_that_does_not_sweep_at_its_start_sweeps_at_its_interval() {
    let (db, _) = Db::streaming();
    let commits = next_commit(&db);
    let later = CleanupOptions { at_start: false, ..options(Duration::from_millis(1)) };
    let sweeper = Sweeper::start(db.test.store.clone(), db.test.env.clone(), later).unwrap();
    db.put("a");
    db.advance(DAY);
    while !db.records().is_empty() {
        commits.recv().unwrap();
    }
    sweeper.stop();
}

#[test]
fn the_thread_looks_for_expired_items_between_sweeps() {
    let (db, _) = Db::streaming();
    let commits = next_commit(&db);
    let often = CleanupOptions { expiry_interval: Duration::from_millis(1), ..options(HOUR) };
    let sweeper = Sweeper::start(db.test.store.clone(), db.test.env.clone(), often).unwrap();
    for key in ["a", "b"] {
        db.put_expiring(key, db.now().seconds() + 60);
        db.advance(Duration::from_secs(60));
        while !db.keys().is_empty() {
            commits.recv().unwrap();
        }
    }
    sweeper.stop();
}

#[test]
fn the_thread_follows_a_clock_that_runs_faster() {
    let (db, _) = Db::streaming();
    let commits = next_commit(&db);
    db.test.clock.run();
    let sweeper = Sweeper::start(db.test.store.clone(), db.test.env.clone(), options(HOUR)).unwrap();
    db.put("a");
    // The thread waits for an hour, and hears that the hour has become 36 ms.
    db.test.clock.run_at(100_000.0).unwrap();
    while !db.records().is_empty() {
        commits.recv().unwrap();
    }
    // It waits for an hour again.
    db.test.clock.run();
    sweeper.stop();
}

#[test]
fn what_is_due_can_be_asked_for() {
    let (db, _) = Db::streaming();
    let sweeper = Sweeper::start(db.test.store.clone(), db.test.env.clone(), options(HOUR)).unwrap();
    sweeper.run_due().unwrap();
    db.put("a");
    db.advance(DAY);
    // The thread may have begun its first sweep only now, and have done it: what counts is that it is done.
    sweeper.run_due().unwrap();
    assert_eq!(db.sweep(), SweepReport::default());
    // Dropping it ends the thread at once, though it waits for an hour.
    drop(sweeper);
}

#[test]
fn a_failed_sweep_does_not_end_the_thread() {
    let db = Db::new();
    db.test.store.close();
    let sweeper = Sweeper::start(db.test.store.clone(), db.test.env.clone(), options(HOUR)).unwrap();
    assert!(sweeper.run_due().is_err());
    sweeper.stop();
}

#[test]
fn sweeps_never_overlap() {
    let (db, _) = Db::streaming();
    let (running, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let (store, env, running, most) =
                (db.test.store.clone(), &db.test.env, running.clone(), most.clone());
            scope.spawn(move || {
                for _ in 0..20 {
                    store.maintain(|| {
                        most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        running.fetch_sub(1, Ordering::SeqCst);
                    });
                    sweep(&store, env, &CleanupOptions::default(), &Throttle::default()).unwrap();
                }
            });
        }
    });
    assert_eq!(most.load(Ordering::SeqCst), 1);
}
