//! Fuzzes `fuzzing::Target::Pattern`.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzzing::Target::Pattern.run(input));
