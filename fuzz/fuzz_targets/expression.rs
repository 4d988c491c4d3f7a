//! Fuzzes `fuzzing::Target::Expression`.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzzing::Target::Expression.run(input));
