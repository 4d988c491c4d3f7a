//! Fuzzes `fuzzing::Target::ExchangeFile`.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzzing::Target::ExchangeFile.run(input));
