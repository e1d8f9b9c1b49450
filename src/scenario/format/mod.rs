//! A scenario's text: words, steps, and errors that show where a mistake is.

pub mod directory;
pub mod error;
pub mod host_fault;
mod lines;
pub mod message;
pub mod parse;
mod parse_peer;
mod parse_program;
mod parse_speaker;
pub mod parse_pace;
pub mod parse_tcp;
mod parse_topology;
mod parse_verbatim;
mod routed;
pub mod script;
pub mod topology;
pub mod values;
