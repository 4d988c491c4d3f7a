//! Shrinking: from a history that fails to a small one that fails.

use crate::generate::Config;
use crate::planted::Bug;
use crate::run::run;
use crate::step::Step;

/// Returns a part of a failing history that fails, too, of which no step can be left out, as far as `rounds` runs suffice.
///
/// This is delta debugging: it leaves out ever smaller parts as long as the rest fails in the same way. A violation of another kind may
/// be a mistake of the model that only odd histories show, and would hide the bug.
#[must_use]
pub fn shrink(config: &Config, history: &[Step], bug: Bug, mut rounds: usize) -> Vec<Step> {
    let mut smallest = history.to_vec();
    let Some((steps, violation)) = run(config, &smallest, bug).failure else { return smallest };
    smallest.truncate(steps);
    let mut size = smallest.len().div_ceil(2).max(1);
    loop {
        let mut at = 0;
        let mut has_shrunk = false;
        while at < smallest.len() && rounds > 0 {
            let end = (at + size).min(smallest.len());
            let rest: Vec<Step> = smallest[..at].iter().chain(&smallest[end..]).cloned().collect();
            rounds -= 1;
            match run(config, &rest, bug).failure {
                Some((steps, found)) if found.kind() == violation.kind() => {
                    smallest = rest;
                    smallest.truncate(steps.max(1));
                    has_shrunk = true;
                }
                Some(_) | None => at = end,
            }
        }
        if rounds == 0 || (size == 1 && !has_shrunk) {
            return smallest;
        }
        if !has_shrunk || size > smallest.len() {
            size = size.div_ceil(2).min(smallest.len().max(1));
        }
    }
}
