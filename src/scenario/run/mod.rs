//! Runs of a scenario: who takes part, on which network, until when, and the verdict.

mod completion;
pub mod error;
pub mod mark;
pub mod play;
pub mod network;
pub mod played;
pub mod record;
pub mod runner;
pub mod story;
mod strict;
pub mod suite;
mod turmoil;
pub mod verdict;
