//! Trimming the histories of tables with point-in-time recovery.

use crate::harness::{DAY, Db, HOUR, MILLISECOND, orders};
use pdb_cleanup::{CleanupOptions, Throttle, sweep, trim_histories};
use pdb_model::{EpochMillis, PointInTimeRecovery, TableName};
use pdb_store::HistorySpan;

impl Db {
    /// Switches recovery, or changes its period.
    fn recover(&self, days: Option<u32>) {
        let enabled = self.now();
        self.test.write(move |tx| {
            let table = tx.table(&orders())?;
            let mut definition = (*table.definition).clone();
            let known = definition.point_in_time_recovery;
            definition.point_in_time_recovery = days.map(|recovery_period_days| PointInTimeRecovery {
                enabled: known.map_or(enabled, |known| known.enabled),
                recovery_period_days,
            });
            tx.replace_definition(&definition)
        });
    }

    fn span(&self) -> HistorySpan {
        self.test
            .read(|tx| {
                let table = tx.table(&orders())?;
                tx.history_span(&table)
            })
            .unwrap()
    }

    fn trim_histories(&self, step: u32) -> u64 {
        trim_histories(&self.test.store, self.now(), &Throttle::new(step)).unwrap()
    }

    /// The keys that the table had at a moment.
    fn keys_at(&self, moment: EpochMillis) -> Vec<String> {
        self.test.write(move |tx| {
            let table = tx.table(&orders())?;
            let name: TableName = "past".parse().unwrap();
            let mut definition = (*table.definition).clone();
            definition.name = name.clone();
            definition.point_in_time_recovery = None;
            let past = tx.create_table(&definition)?;
            tx.copy_past_items(&table, &past, moment)?;
            let items = tx.next_items(&past, None, 100)?;
            tx.drop_table(&name, moment)?;
            let mut keys: Vec<String> =
                items.iter().map(|(_, item)| crate::harness::key_of(&item.decode().unwrap())).collect();
            keys.sort();
            Ok(keys)
        })
    }
}

#[test]
fn changes_go_when_no_moment_needs_them_and_not_before() {
    let db = Db::new();
    db.put("before");
    db.recover(Some(2));
    let begin = db.now();
    assert_eq!(db.span(), HistorySpan { earliest: Some(begin), newest: None });
    db.advance(HOUR);
    db.put("a");
    db.advance(HOUR);
    db.put("b");
    // The change of `a` is needed for the moment before it, which an export of all changes from `a` on begins with.
    db.advance(2 * DAY - HOUR);
    assert_eq!(db.trim_histories(10), 0);
    assert_eq!(db.keys_at(begin), ["before"]);
    db.advance(MILLISECOND);
    assert_eq!(db.trim_histories(10), 1);
    assert_eq!(db.trim_histories(10), 0);
    let first = begin.plus(HOUR);
    assert_eq!(db.span(), HistorySpan { earliest: Some(first), newest: Some(first.plus(HOUR)) });
    assert_eq!(db.keys_at(first), ["a", "before"]);
    // A clock that is set back, or a longer period, brings nothing back.
    db.recover(Some(35));
    db.test.clock.set(begin);
    assert_eq!(db.trim_histories(10), 0);
    assert_eq!(db.span().earliest, Some(first));
}

#[test]
fn steps_of_every_size_trim_the_same() {
    for step in [1, 2, 3, 4, 5, 6, 100] {
        let db = Db::new();
        db.recover(Some(1));
        (0..5).for_each(|_| db.put("a"));
        db.advance(HOUR);
        db.put("b");
        db.advance(DAY - HOUR + MILLISECOND);
        assert_eq!(db.trim_histories(step), 5, "step {step}");
        assert_eq!(db.keys_at(db.now().minus(DAY)), ["a"]);
    }
}

#[test]
fn numbers_go_on_when_all_changes_are_trimmed() {
    let db = Db::new();
    db.recover(Some(1));
    db.put("a");
    db.advance(2 * DAY);
    let report =
        sweep(&db.test.store, &db.test.env, &CleanupOptions::default(), &Throttle::default()).unwrap();
    assert_eq!(report.trimmed_changes, 1);
    let horizon = db.now().minus(DAY + MILLISECOND);
    assert_eq!(db.span(), HistorySpan { earliest: Some(horizon), newest: None });
    db.put("b");
    assert_eq!(
        (db.keys_at(horizon), db.keys_at(db.now())),
        (vec!["a".to_owned()], vec!["a".to_owned(), "b".to_owned()])
    );
}

#[test]
fn a_history_that_is_not_wanted_costs_nothing_and_leaves_nothing() {
    let db = Db::new();
    db.put("a");
    let span = |db: &Db| {
        db.test.read(|tx| {
            let table = tx.table(&orders())?;
            tx.history_span(&table)
        })
    };
    assert_eq!(span(&db), None);
    db.recover(Some(1));
    db.put("b");
    db.recover(None);
    assert_eq!(span(&db), None);
    db.put("c");
    db.advance(HOUR);
    db.recover(Some(1));
    assert_eq!(span(&db), Some(HistorySpan { earliest: Some(db.now()), newest: None }));
    assert_eq!(db.keys_at(db.now()), ["a", "b", "c"]);
}
