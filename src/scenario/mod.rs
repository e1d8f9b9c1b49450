//! A scenario's files to steps, their run in a mode on a network, the verdict.
//!
//! Start at [`script::Scenario`] for what a scenario says and at [`parse::load`] for how it is
//! read; actors ([`peer`], [`program`]) play their scripts on a [`stage::Stage`] that a conductor watches.

mod conductor;
mod duplex;
mod lines;
mod parse_peer;
mod parse_program;
mod parse_recital;

pub mod error;
pub mod expected;
pub mod external;
pub mod golden;
pub mod manifest;
pub mod mark;
pub mod message;
pub mod parse;
pub mod peer;
pub mod pending;
pub mod played;
pub mod program;
pub mod record;
pub mod script;
pub mod sight;
pub mod stage;
pub mod table;
pub mod transcript;
pub mod transcripts;
pub mod upset;
pub mod verdict;
pub mod play;
pub mod production;
pub mod scripted;
pub mod story;
pub mod suite;
pub mod turmoil;
