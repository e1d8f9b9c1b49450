//! The simulated world: hosts, virtual clock, faults, tap, trace hash. It knows nothing of BGP.
//!
//! Everything runs on one thread and one paused tokio clock, which jumps to
//! the next event by itself; nothing steps through idle time.
//!
//! ```
//! use std::time::Duration;
//! use lockstep::reactor::network::{Network, SocketOptions};
//! use lockstep::sim::{Settings, World};
//!
//! let world = World::new(Settings::default())?;
//! let host = world.host(&["10.0.0.1".parse()?]);
//! let network = host.network(); // for a reactor, with `world.clock()`
//! let refused = world.run(Duration::from_secs(600), async move {
//!     let nobody = "10.0.0.1:179".parse().unwrap();
//!     network.connect(nobody, &SocketOptions::default()).await.err()
//! })?;
//! assert_eq!(refused.unwrap().kind(), std::io::ErrorKind::ConnectionRefused);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! Start reading at [`World`].

mod handshake;
mod link;
mod network;
mod order;
mod seed;
mod state;
mod tcp;
mod world;

pub use link::Link;
pub use network::{SimConnecting, SimConnection, SimListener, SimNetwork};
pub use order::Order;
pub use seed::{Random, Seed};
pub use world::{OutOfTime, Paths, Settings, SimHost, World};
