//! Why the sessions of a capture ended: `lockstep why`.
//!
//! Start at [`Why::read`]. One pass over the capture feeds what the segments tell ([`flow`], [`lane`]) and what the
//! messages tell ([`talk`], [`fault`]); then each session is judged: by its NOTIFICATION, by its hold timer,
//! without a word, or as an attempt that came to nothing. Memory does not grow with the capture, only with the number of
//! its sessions.

mod attempt;
pub mod cause;
pub mod explanation;
pub mod fault;
pub mod flow;
mod hold;
pub mod lane;
mod notification;
mod read;
mod repeats;
pub mod run;
mod session;
pub mod talk;
mod wordless;

pub use cause::{Confidence, EndCause};
pub use explanation::{EndEvidence, Explanation, SessionEnd};
pub use read::{Why, WhyError};
pub use session::duration;
