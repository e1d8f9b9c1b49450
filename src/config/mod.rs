//! ExaBGP's configuration: text to neighbors, processes and routes, every mistake with its place.
//!
//! Start at [`Configuration`]; one file per section. Pure: files are read by the caller.

pub mod process;

pub use process::{Encoder, Process};

use crate::speaker::neighbor::Neighbor;

/// What a configuration says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configuration {
    /// The neighbors, in the order of the text.
    pub neighbors: Vec<Neighbor>,
    /// The API processes, in the order of the text.
    pub processes: Vec<Process>,
}
