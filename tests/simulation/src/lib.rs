//! Deterministic simulation of pretender: the store, capture, streams, cleanup, a trigger and consumers on one simulated clock, one seed
//! and one thread.
//!
//! A seed gives a configuration and a history of [steps](step::Step). The [world](world::World) carries them out one after the other: each
//! is the turn of one actor (a writer, an administrator, a reader, a subscription, a trigger, the background work, a fault). It compares
//! each answer with a [model] in plain maps, and everything else every few hundred steps. A history that fails is [shrunk](shrink::shrink).
//!
//! Nothing in a run comes from the machine: neither time, nor ids, nor the order of threads, of which there is one. The one exception is
//! the secret that signs shard iterators, so the texts of iterators are not part of the [digest].

mod check;
pub mod deliveries;
pub mod digest;
pub mod follower;
pub mod generate;
pub mod mapping;
pub mod model;
pub mod planted;
pub mod random;
pub mod reader;
pub mod run;
pub mod shape;
pub mod shrink;
pub mod step;
pub mod violation;
pub mod world;
