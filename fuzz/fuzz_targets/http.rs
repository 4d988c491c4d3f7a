//! Fuzzes `fuzzing::Target::Http`.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzzing::Target::Http.run(input));
