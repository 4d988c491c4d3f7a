//! A manual clock, counting ids and a database for each test.
