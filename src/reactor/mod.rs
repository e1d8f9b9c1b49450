//! The two schedulers of the pure speaker.
//!
//! [`polled`] takes turns over what is ready, as ExaBGP's loop of generators does; [`tasks`] gives each peer and
//! each program a task. They have in common the pure core and the values below, and no line of scheduling:
//! what they read and write at once, in which order, when they accept, connect again and close is each one's own.
//!
//! The contract that both keep:
//! 1. Commands of one program apply in order; those that one read brought apply together, before any peer takes changes.
//! 2. One answer per command, in order, and none before every established peer has taken the changes made so far
//!    (taken, not sent: a stalled peer holds back nothing).
//! 3. UPDATEs leave in the order in which the Adj-RIB-Out queued them.
//! 4. Timers never wait behind commands or routes.
//! 5. A close sends the NOTIFICATION, and does not turn into RST because something was left unread.
//! 6. Octets that were read belong to the session: nothing is lost between two reads.

mod arrival;
mod socket_options;
mod subscriptions;
mod cease;
pub mod defects;
pub mod control;
mod defect;
mod mode;
pub mod observer;
pub mod order;
pub mod pipe;
mod polled;
mod program;
mod ready;
pub mod reload;
mod run;
mod shortage;
mod start;
mod tasks;

pub use mode::{Mode, UnknownMode};
pub use run::{Configurations, Outcome, Rotation, Speaker};
pub use start::{run, run_with_defects};
