//! Runs of a scenario: subject, peers and programs, network, completion, and the verdict.

mod adverse;
mod completion;
pub mod between;
pub mod conditions;
pub mod error;
pub mod hosts;
pub mod mark;
mod peers;
pub mod play;
pub mod network;
pub mod played;
pub mod prepare;
pub mod record;
pub mod runner;
pub mod simulated;
pub mod story;
mod strict;
pub mod suite;
mod turmoil;
pub mod verdict;
