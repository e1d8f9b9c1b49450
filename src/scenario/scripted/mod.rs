//! Peers and API programs that play the steps of a scenario, and what they see.

mod duplex;
pub mod peer;
pub mod program;
pub mod programs;
pub mod progress;
pub mod sight;
pub mod table;
pub mod transcript;
pub mod transcripts;
