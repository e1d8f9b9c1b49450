//! Seeds, fault sweeps, oracles, shrinking, plan files.
//!
//! Start at [`plan::Plan`], the text that a run depends on and nothing else; [`run`] runs one,
//! [`oracle`] judges it, [`generate`] draws one from a seed, [`shrink`] makes a failing one small.

pub mod bisect;
pub mod canary;
pub mod every_byte;
pub mod finding;
pub mod generate;
pub mod jobs;
pub mod observed;
pub mod oracle;
pub mod parse;
pub mod plan;
pub mod probe;
pub mod run;
pub mod shrink;
pub mod stream;
pub mod suggest;
pub mod trial;
pub mod verify;
