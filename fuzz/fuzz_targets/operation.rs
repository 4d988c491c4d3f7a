//! Fuzzes `fuzzing::Target::Operation`.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzzing::Target::Operation.run(input));
