//! Fuzzes `fuzzing::Target::Partiql`.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzzing::Target::Partiql.run(input));
