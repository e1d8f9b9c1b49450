//! A scenario's files to steps, their run in a mode on a network, the verdict.
//!
//! Start at [`script::Scenario`] for what a scenario says and at [`parse::load`] for how it is read.

mod lines;
mod parse_peer;
mod parse_program;

pub mod error;
pub mod manifest;
pub mod message;
pub mod parse;
pub mod script;
pub mod stage;
