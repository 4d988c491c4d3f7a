//! A run: a history from its first step to its last, or to the first violation.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::digest::Digest;
use crate::generate::Config;
use crate::planted::{Bug, Planted};
use crate::step::Step;
use crate::violation::Violation;
use crate::world::World;

/// After how many steps everything is checked.
pub const CHECK_EVERY: usize = 500;

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How many steps were carried out.
    pub steps: usize,
    /// The digest of everything that was seen.
    pub digest: Digest,
    /// The violation that ended the run: after how many steps, and what.
    pub failure: Option<(usize, Violation)>,
    /// How many steps of each kind.
    pub kinds: BTreeMap<&'static str, u64>,
}

/// Runs a history.
#[must_use]
pub fn run(config: &Config, history: &[Step], bug: Bug) -> Outcome {
    let mut outcome = Outcome { steps: 0, digest: Digest::default(), failure: None, kinds: BTreeMap::new() };
    // A panic is a failure of the step: debug assertions of the database are among what is checked.
    let finished = catch_unwind(AssertUnwindSafe(|| run_steps(config, history, bug, &mut outcome)));
    let violation = match finished {
        Ok(result) => result.err(),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Some(Violation(format!("panic: {}", text.unwrap_or_default())))
        }
    };
    outcome.failure = violation.map(|violation| (outcome.steps, violation));
    outcome
}

fn run_steps(config: &Config, history: &[Step], bug: Bug, outcome: &mut Outcome) -> Result<(), Violation> {
    let mut world = World::new(config.clone(), Planted::new(bug))?;
    for step in history {
        outcome.steps += 1;
        *outcome.kinds.entry(step.name()).or_default() += 1;
        world.take(step)?;
        if outcome.steps.is_multiple_of(CHECK_EVERY) {
            world.check()?;
        }
        outcome.digest = world.digest();
    }
    world.check()?;
    world.check_database()?;
    outcome.digest = world.digest();
    Ok(())
}
