//! Fuzzes `fuzzing::Target::Value`.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzzing::Target::Value.run(input));
