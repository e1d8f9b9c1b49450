//! Runs of a scenario: subject, peers and programs, network, completion, and the verdict.

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
