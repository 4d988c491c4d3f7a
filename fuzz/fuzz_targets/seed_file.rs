//! Fuzzes `fuzzing::Target::SeedFile`.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzzing::Target::SeedFile.run(input));
