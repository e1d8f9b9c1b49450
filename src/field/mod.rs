//! Captures from production: why sessions ended, and scenarios and plans made of them.

pub mod anonymise;
pub mod import;
pub mod why;
