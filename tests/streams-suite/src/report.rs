//! Printing results for people and for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::run::{CaseResult, Verdict};

/// How many cases ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// As demanded.
    pub passed: usize,
    /// Otherwise.
    pub failed: usize,
    /// Did not run, or could tell nothing.
    pub skipped: usize,
}

impl Counts {
    /// Counts results.
    pub fn of<'a>(results: impl IntoIterator<Item = &'a CaseResult>) -> Counts {
        let mut counts = Counts::default();
        for result in results {
            match result.verdict {
                Verdict::Passed => counts.passed += 1,
                Verdict::Failed(_) => counts.failed += 1,
                Verdict::Skipped(_) => counts.skipped += 1,
            }
        }
        counts
    }
}

/// Returns the groups in the order of their first case, with their counts.
pub fn groups(results: &[CaseResult]) -> Vec<(&'static str, Counts)> {
    let mut order: Vec<&'static str> = results.iter().map(|result| result.group).collect();
    order.dedup();
    order
        .into_iter()
        .map(|group| (group, Counts::of(results.iter().filter(|result| result.group == group))))
        .collect()
}

/// Returns one line of the table: group, case, result, time, and the reason if there is one.
pub fn line(result: &CaseResult) -> String {
    let (word, why) = match &result.verdict {
        Verdict::Passed => ("ok", ""),
        Verdict::Failed(why) => ("FAILED", why.as_str()),
        Verdict::Skipped(why) => ("skipped", why.as_str()),
    };
    let inferred = if result.inferred && word == "FAILED" { " (inferred)" } else { "" };
    let mut line =
        format!("{:<13} {:<62} {word:<7} {:>6} ms{inferred}", result.group, result.name, result.millis);
    if !why.is_empty() {
        let _ = write!(line, "  {}", why.replace('\n', " "));
    }
    line
}

/// Returns the table of groups and the summary line.
pub fn summary(results: &[CaseResult]) -> String {
    let mut text = format!("\n{:<14}{:>8}{:>8}{:>8}\n", "group", "passed", "failed", "skipped");
    for (group, counts) in groups(results) {
        let _ = writeln!(text, "{group:<14}{:>8}{:>8}{:>8}", counts.passed, counts.failed, counts.skipped);
    }
    let all = Counts::of(results);
    let _ = write!(text, "\n{} passed, {} failed, {} skipped", all.passed, all.failed, all.skipped);
    text
}

/// Returns the results as JSON.
pub fn to_json(endpoint: &str, results: &[CaseResult]) -> Value {
    let all = Counts::of(results);
    let cases: Vec<Value> = results
        .iter()
        .map(|result| {
            let (word, why) = match &result.verdict {
                Verdict::Passed => ("passed", None),
                Verdict::Failed(why) => ("failed", Some(why)),
                Verdict::Skipped(why) => ("skipped", Some(why)),
            };
            json!({
                "group": result.group, "name": result.name, "checklist": result.checklist,
                "needs": result.needs.to_string(), "inferred": result.inferred, "result": word, "why": why,
                "millis": u64::try_from(result.millis).unwrap_or(u64::MAX),
            })
        })
        .collect();
    let by_group: BTreeMap<&str, Value> = groups(results)
        .into_iter()
        .map(|(group, c)| (group, json!({"passed": c.passed, "failed": c.failed, "skipped": c.skipped})))
        .collect();
    json!({
        "suite": "streams-suite", "version": env!("CARGO_PKG_VERSION"), "endpoint": endpoint,
        "passed": all.passed, "failed": all.failed, "skipped": all.skipped, "groups": by_group, "cases": cases,
    })
}
