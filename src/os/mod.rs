//! The operating system: the kernel's sockets, child processes, pid file and users.

pub mod attached;
pub mod fifo;
pub mod kernel;
pub mod namespace;
pub mod programs;
mod restrict;
pub mod service;
pub mod small_file;
