//! The server over real sockets, and the binary.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

mod admission;
mod archive;
mod backup;
mod backup_remote;
mod binary;
mod browser;
mod check;
mod connection;
mod console;
mod control;
mod crash;
mod ctl;
mod data;
mod databases;
mod exchange;
mod faults;
mod files;
#[cfg(unix)]
mod first_errors;
mod habits;
mod harness;
mod help;
mod launcher;
#[cfg(unix)]
mod life;
mod limits;
#[cfg(unix)]
mod log;
mod metrics;
#[cfg(feature = "objects")]
mod objects;
mod packing;
mod protocol;
mod regions;
mod replay;
mod robustness;
mod run;
mod seeding;
mod signatures;
mod signed;
mod slow_clients;
mod slow_programs;
mod snapshots;
mod survive;
mod tail;
mod tail_elsewhere;
mod tails;
mod time;
#[cfg(feature = "https")]
mod tls;
mod top;
#[cfg(feature = "objects")]
mod transfers;
mod trigger;
mod warm_shards;
