//! Fuzzes `fuzzing::Target::Number`.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzzing::Target::Number.run(input));
