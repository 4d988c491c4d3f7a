//! The cases: their functions and descriptions.

use std::fmt;

use crate::context::Context;
use crate::outcome::Outcome;

/// What an endpoint must offer for a case to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// The two APIs.
    Nothing,
    /// The control interface, for the case's own stream: rotation, split, trim.
    Control,
    /// The control interface, for the clock: runs after all others, alone.
    Clock,
    /// The server's binary, which the case starts by itself.
    Server,
    /// A second region for a global table: AWS, or an emulator that has them.
    ReplicaRegion,
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "nothing",
            Self::Control => "control",
            Self::Clock => "control (clock)",
            Self::Server => "server binary",
            Self::ReplicaRegion => "replica region",
        })
    }
}

/// One scenario: it makes what it needs, checks one thing, and depends on no other case.
pub struct Case {
    /// The group, as in the table of results.
    pub group: &'static str,
    /// The name, unique in the group.
    pub name: String,
    /// The lines of the [checklist](crate::CHECKLIST) that it covers.
    pub checklist: &'static [u8],
    /// What it needs besides the two APIs.
    pub needs: Needs,
    /// Whether it rests on inference or on Amazon's emulator, and not on an observation of the service.
    pub inferred: bool,
    /// Does it.
    pub run: Box<dyn Fn(&Context<'_>) -> Outcome + Send + Sync>,
}

impl Case {
    /// Marks a case whose demand nobody has seen the service fulfil.
    pub fn inferred(&mut self) {
        self.inferred = true;
    }

    /// Returns `group/name`, by which a filter picks it.
    pub fn path(&self) -> String {
        format!("{}/{}", self.group, self.name)
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} (needs {})", self.path(), self.checklist, self.needs)
    }
}

/// The cases of one group, while they are being listed.
#[derive(Debug)]
pub struct Group {
    name: &'static str,
    cases: Vec<Case>,
}

impl Group {
    /// Begins a group.
    pub fn new(name: &'static str) -> Group {
        Group { name, cases: Vec::new() }
    }

    /// Returns the cases listed.
    pub fn into_cases(self) -> Vec<Case> {
        self.cases
    }

    /// Adds a case that runs anywhere.
    pub fn case(
        &mut self,
        name: impl Into<String>,
        checklist: &'static [u8],
        run: impl Fn(&Context<'_>) -> Outcome + Send + Sync + 'static,
    ) -> &mut Case {
        self.case_that_needs(Needs::Nothing, name, checklist, run)
    }

    /// Adds a case that rotates, splits or trims its own stream.
    pub fn control(
        &mut self,
        name: impl Into<String>,
        checklist: &'static [u8],
        run: impl Fn(&Context<'_>) -> Outcome + Send + Sync + 'static,
    ) -> &mut Case {
        self.case_that_needs(Needs::Control, name, checklist, run)
    }

    /// Adds a case that moves the clock.
    pub fn clock(
        &mut self,
        name: impl Into<String>,
        checklist: &'static [u8],
        run: impl Fn(&Context<'_>) -> Outcome + Send + Sync + 'static,
    ) -> &mut Case {
        self.case_that_needs(Needs::Clock, name, checklist, run)
    }

    /// Adds a case with any need.
    pub fn case_that_needs(
        &mut self,
        needs: Needs,
        name: impl Into<String>,
        checklist: &'static [u8],
        run: impl Fn(&Context<'_>) -> Outcome + Send + Sync + 'static,
    ) -> &mut Case {
        let (group, name, run) = (self.name, name.into(), Box::new(run));
        self.cases.push(Case { group, name, checklist, needs, inferred: false, run });
        let last = self.cases.len() - 1;
        &mut self.cases[last]
    }
}
