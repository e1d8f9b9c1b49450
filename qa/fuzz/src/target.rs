//! Every fuzz target: its name says what it does.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lockstep_fuzz::run(env!("CARGO_BIN_NAME"), data));
