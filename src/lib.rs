//! Lockstep: a deterministic simulation and wire-regression harness for BGP speakers.
//!
//! The modules stand in order: each uses only those above it.
#![forbid(unsafe_code)]

pub mod net;
pub mod bgp;
pub mod capture;
pub mod compare;
pub mod speaker;
pub mod config;
pub mod api;
pub mod reactor;
pub mod os;
pub mod sim;
pub mod guest;
pub mod subject;
pub mod scenario;
pub mod explore;
pub mod field;
pub mod report;
pub mod cli;
