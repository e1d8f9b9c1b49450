//! Goldens: what the reference put on the wire, where it came from, and what is pending review.

pub mod expected;
pub mod manifest;
pub mod pending;
pub mod recording;

pub use recording::*;
