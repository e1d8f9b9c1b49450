//! Captures from production: a session that was reset becomes a scenario and a plan.

pub mod import;
pub mod why;
