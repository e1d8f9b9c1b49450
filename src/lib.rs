//! Lockstep: a deterministic simulation and wire-regression harness for BGP speakers.
//!
//! The rooms stand in order: each uses only those above it.
#![forbid(unsafe_code)]

pub mod bgp;
pub mod speaker;
pub mod config;
pub mod api;
pub mod reactor;
pub mod net;
pub mod sim;
pub mod capture;
pub mod compare;
pub mod scenario;
pub mod explore;
pub mod report;
pub mod cli;
