//! The networks that a reactor runs on: the kernel's, and turmoil's. Our own simulated one is [`crate::sim`].
//!
//! A reactor is generic over [`Network`](crate::reactor::network::Network) and is given:
//!
//! * a network: [`kernel::KernelNetwork`], [`crate::sim::SimNetwork`] or [`turmoil::TurmoilNetwork`];
//! * its API programs: [`programs::ChildPrograms`] on the kernel, pipes made by [`crate::sim::pipe`] in a simulation;
//! * a [`clock::Clock`], started inside the tokio runtime of the run (`world.clock()` in a simulation).
//!
//! On turmoil a SYN is answered only when it is accepted, and the two ends may live in one party or in two.

pub mod abort;
pub mod clock;
pub mod kernel;
pub mod programs;
mod restrict;
pub mod service;
pub mod turmoil;
