//! Fuzzes `fuzzing::Target::StreamFile`.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzzing::Target::StreamFile.run(input));
