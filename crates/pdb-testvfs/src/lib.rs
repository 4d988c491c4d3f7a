#![doc = include_str!("../README.md")]

mod disk;
mod faults;
mod image;
mod log;
mod shim;

pub use disk::Disk;
pub use faults::{Fault, FaultCounts};
pub use image::{Dice, Image, Loss, Replay};
pub use log::{Change, Event, Log};
