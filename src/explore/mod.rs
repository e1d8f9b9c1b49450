//! Seeds, fault sweeps, oracles, shrinking, plan files.
//!
//! Start at [`plan::Plan`], which determines a run completely; [`run`] runs one,
//! [`evidence`] is what it records, [`oracle`] judges it, [`outcome`] has the three kinds of result, [`generate`] draws
//! a plan from a seed, [`sweep`] runs many, [`shrink`] reduces a failing one.

pub mod baseline;
pub mod bisect;
pub mod canary;
pub mod every_byte;
pub mod evidence;
pub mod feasible;
pub mod finding;
pub mod finished_run;
pub mod generate;
pub mod jobs;
pub mod oracle;
pub mod outcome;
pub mod parse;
pub mod plan;
pub mod plan_lines;
pub mod plan_text;
pub mod probe;
pub mod run;
pub mod shrink;
pub mod staging;
pub mod suggest;
pub mod sweep;
pub mod trial;
pub mod verify;
