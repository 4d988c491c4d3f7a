//! Fuzzes `fuzzing::Target::Console`.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzzing::Target::Console.run(input));
