//! The bugs of the origin, each a switch: real reactors really had them, and a search must find every one.

pub use crate::reactor::conduct::{Defect, UnknownDefect};
