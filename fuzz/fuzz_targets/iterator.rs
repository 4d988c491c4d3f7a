//! Fuzzes `fuzzing::Target::Iterator`.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzzing::Target::Iterator.run(input));
