//! Scenarios: their files, the peers and programs that play them, one way to run them, and their goldens.
//!
//! [`mod@format`] reads a scenario's text into steps; [`scripted`] plays the steps of peers and programs; [`run`] runs a
//! scenario with whatever is under test and judges it; [`golden`] keeps what the reference put on the wire.

pub mod format;
pub mod golden;
pub mod run;
pub mod scripted;
