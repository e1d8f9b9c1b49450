//! The Adj-RIBs of one neighbor (RFC 4271 section 3.2): what is to be sent, what was received.
//!
//! Start at [`out`]. The reference's operations are kept one by one, since their effects on the wire are its users' habits.

pub mod batch;
mod builder;
mod held;
pub mod incoming;
mod order;
pub mod out;
mod pack;
mod pending;
pub mod refuse;
mod replace;
mod set;
mod table;
mod watchdog;

pub use batch::{Batch, Sent};
pub use incoming::AdjRibIn;
pub use out::AdjRibOut;
pub use refuse::Refused;
pub use set::AttributeSet;
