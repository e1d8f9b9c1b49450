//! Scripted peers and API programs, and what they observe.

mod duplex;
pub mod peer;
pub mod program;
pub mod programs;
pub mod progress;
pub mod sight;
pub mod table;
pub mod transcript;
pub mod transcripts;
