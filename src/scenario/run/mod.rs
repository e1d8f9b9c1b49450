//! Runs of a scenario: who takes part, on which network, until when, and the verdict.

mod completion;
pub mod external;
pub mod mark;
pub mod play;
pub mod played;
pub mod record;
pub mod runner;
pub mod story;
pub mod suite;
pub mod turmoil;
pub mod verdict;
