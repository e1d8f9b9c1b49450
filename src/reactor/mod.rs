//! The two schedulers, polled (sync) and tasks (async), and the traits of the network and programs they serve.

pub mod network;
pub mod programs;
