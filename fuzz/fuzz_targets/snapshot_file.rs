//! Fuzzes `fuzzing::Target::SnapshotFile`.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzzing::Target::SnapshotFile.run(input));
