//! Running cases: in parallel, then those that move the clock, one at a time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crate::case::{Case, Needs};
use crate::context::{Context, Field};
use crate::outcome::Stop;

/// How one case ended.
#[derive(Clone, Debug)]
pub struct CaseResult {
    /// Its group.
    pub group: &'static str,
    /// Its name.
    pub name: String,
    /// The lines of the checklist that it covers.
    pub checklist: &'static [u8],
    /// What it needs.
    pub needs: Needs,
    /// Whether its demand is inferred.
    pub inferred: bool,
    /// How it ended.
    pub verdict: Verdict,
    /// How long it took.
    pub millis: u128,
}

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As demanded.
    Passed,
    /// Otherwise, with the reason.
    Failed(String),
    /// It did not run, or could tell nothing, with the reason.
    Skipped(String),
}

/// Runs the cases, `jobs` at a time; tells `done` of each as it ends, and returns the results in the order of the cases.
pub fn run(
    field: &Field,
    cases: &[Case],
    jobs: usize,
    done: &(dyn Fn(&CaseResult) + Sync),
) -> Vec<CaseResult> {
    let results: Mutex<Vec<(usize, CaseResult)>> = Mutex::default();
    let run_one = |index: usize| {
        let result = run_case(field, &cases[index]);
        done(&result);
        results.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((index, result));
    };
    let (last, parallel): (Vec<usize>, Vec<usize>) =
        (0..cases.len()).partition(|&index| cases[index].needs == Needs::Clock);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while let Some(&index) = parallel.get(next.fetch_add(1, Ordering::Relaxed)) {
                    run_one(index);
                }
            });
        }
    });
    let clock = field.control.as_ref().filter(|_| !last.is_empty());
    let before = clock.and_then(|control| control.clock().ok()).map(|(now, _)| (now, Instant::now()));
    last.into_iter().for_each(run_one);
    field.clean_up();
    if let (Some(control), Some((then, at))) = (clock, before) {
        // The cases have moved the clock by days. What a server makes of time that goes back is its own affair, so a
        // refusal is no failure of anything.
        let now = then.saturating_add(i64::try_from(at.elapsed().as_millis()).unwrap_or_default());
        let _ = control.hold().and_then(|clock| clock.set(now));
    }
    let mut results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

fn run_case(field: &Field, case: &Case) -> CaseResult {
    let started = Instant::now();
    let verdict = match missing(field, case.needs) {
        Some(why) => Verdict::Skipped(why.to_owned()),
        None => {
            let context = Context::new(field);
            match catch_unwind(AssertUnwindSafe(|| (case.run)(&context))) {
                Ok(Ok(())) => Verdict::Passed,
                Ok(Err(Stop::Failed(why))) => Verdict::Failed(why),
                Ok(Err(Stop::Skipped(why))) => Verdict::Skipped(why),
                Err(panic) => {
                    let text = panic.downcast_ref::<String>().cloned();
                    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
                    Verdict::Failed(format!("the case panicked: {}", text.unwrap_or_default()))
                }
            }
        }
    };
    CaseResult {
        group: case.group,
        name: case.name.clone(),
        checklist: case.checklist,
        needs: case.needs,
        inferred: case.inferred,
        verdict,
        millis: started.elapsed().as_millis(),
    }
}

fn missing(field: &Field, needs: Needs) -> Option<&'static str> {
    match needs {
        Needs::Control | Needs::Clock if field.control.is_none() => {
            Some("needs a control interface (--control)")
        }
        Needs::Server if field.server.is_none() => Some("needs the server's binary (--server)"),
        Needs::ReplicaRegion if field.replica_region.is_none() => {
            Some("needs a second region (--replica-region)")
        }
        _ => None,
    }
}
