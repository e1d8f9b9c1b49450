//! The simulated world: hosts, virtual clock, faults, tap, trace hash. It knows nothing of BGP.
//!
//! Everything runs on one thread and one paused tokio clock, which jumps to
//! the next event by itself; nothing steps through idle time.
//!
//! ```
//! use std::time::Duration;
//! use lockstep::net::{Network, SocketOptions};
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
//! A network of any kind is instrumented before it is given to a reactor: [`instrument`] names its
//! connections, applies [`Faults`] to them and taps what the reactor sees into a [`Trace`].
//! API programs are played over a [`pipe()`]; a host's clock is skewed with
//! [`Clock::skewed`](crate::net::clock::Clock::skewed); latency, jitter, bandwidth and outages are the business of
//! [`Settings::link`] and [`World::paths`]; tie-breaks come from an [`Order`].
//!
//! Start reading at [`World`].

mod ahead;
mod carriage;
mod connection_faults;
mod crossing;
mod direction;
mod end;
mod fault;
mod fault_context;
mod faulty;
mod handshake;
mod link;
mod listening;
mod network;
mod order;
mod pipe;
mod ports;
mod pump;
mod readiness;
mod receiver;
mod reception;
mod rtt;
mod seed;
mod segment;
mod sender;
mod settings;
mod state;
mod sysctl;
mod tap;
mod tcp;
mod timers;
mod trace;
mod transmission;
pub mod turmoil;
mod ttl;
mod turns;
mod world;
mod written;

pub use crate::net::direction::Direction;
pub use crate::net::name::{ConnectionName, Opener};
pub use fault::{Action, Fault, Faults, Moment, TriggeredFault, Unsupported};
pub use faulty::{FaultyConnecting, FaultyConnection, FaultyListener, FaultyNetwork};
pub use link::Link;
pub use network::{SimConnecting, SimConnection, SimListener, SimNetwork};
pub use order::Order;
pub use pipe::{PIPE_CAPACITY, Pipe, pipe};
pub use readiness::Readiness;
pub use seed::{Random, Seed};
pub use settings::Settings;
pub use sysctl::{TcpChange, TcpSettings};
pub use tap::{TappedConnecting, TappedConnection, TappedListener, TappedNetwork};
pub use trace::{Keep, Record, Socket, Trace, TraceEvent, TraceHash};
pub use ttl::DEFAULT_TTL;
pub use turns::Endless;
pub use world::{Paths, SimHost, World};
pub use written::Written;

use crate::net::Network;
use crate::net::abort::Abort;

/// Puts `faults` and a tap into `trace` on the connections of `network`; `host` is the word for who sees them.
///
/// # Errors
/// A fault that this network cannot cause.
pub fn instrument<N>(
    network: N,
    host: &str,
    trace: &Trace,
    faults: &Faults,
) -> Result<TappedNetwork<N>, Unsupported>
where
    N: Network,
    N::Connection: Abort,
{
    let faulty = FaultyNetwork::new(network, host, trace, faults)?;
    Ok(TappedNetwork::new(faulty, host, trace))
}
