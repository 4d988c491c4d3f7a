//! Archives of databases: what is written, what a trim waits for, and what readers get.

mod bound;
mod damage;
mod harness;
mod hours;
mod model;
mod objects;
mod restart;
