//! The networks that a reactor runs on: the kernel's, our simulated one, turmoil's.

pub mod clock;
