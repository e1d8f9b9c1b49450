//! An API program's pipe as a value: lines in, lines out, and whether it may be started again.

mod lines;
mod outbox;
mod respawn;

pub use lines::{LineBuffer, Oversized};
pub use outbox::Outbox;
pub use respawn::RespawnBudget;
