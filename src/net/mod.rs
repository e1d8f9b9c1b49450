//! What a program sees of a network: the traits of sockets and program pipes, the name of a connection, the clock.
//!
//! A reactor is written against [`Network`] and [`Programs`](programs::Programs); [`crate::os`] implements them with the
//! kernel's sockets and child processes, [`crate::sim`] in a simulated world. Nothing here knows who implements it.

pub mod abort;
pub mod address;
pub mod buffer;
pub mod clock;
pub mod direction;
pub mod io;
pub mod link_local;
pub mod name;
pub mod network;
pub mod programs;
pub mod timer;

pub use direction::Direction;
pub use name::{Attempts, ConnectionName, HostName, Opener};
pub use network::{
    Connecting, Connection, Listener, Network, PeerKey, SocketOptions, Stream, accept,
};
