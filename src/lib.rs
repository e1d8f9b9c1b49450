//! A simulated world in which any BGP speaker is run, disturbed, recorded, compared and explained, the same on every
//! run.
//!
//! # The contract
//!
//! A speaker under test is a [`Subject`](subject::Subject): it lives on a [`Host`](subject::Host) until it ends.
//!
//! 1. **The network is an argument.** Connect and listen through [`Host::network`](subject::Host::network), a
//!    [`Network`](net::Network), poll-with-waker like tokio's; [`net::io::AsyncStream`] makes a tokio stream of a
//!    connection. No socket of the operating system.
//! 2. **Time is an argument.** Read [`Host::clock`](subject::Host::clock), wait with [`net::timer`]. Virtual time jumps
//!    to the next event; 180 s of hold time cost nothing.
//! 3. **One thread, no hidden chance.** Spawn with `tokio::task::spawn_local`; iterate over ordered maps; write
//!    `biased;` in every `select!`. What is random comes from a seed.
//! 4. **End when asked.** [`Host::control`](subject::Host::control) says when; a crash drops the future.
//!
//! What you get for it: the same bytes at the same nanosecond on every run, faults at any byte of any connection, a
//! finding that shrinks to the lines that matter, and a plan that replays it.
//!
//! ```
//! use std::time::Duration;
//! use lockstep::net::io::AsyncStream;
//! use lockstep::net::{Network, SocketOptions, accept};
//! use lockstep::sim::{Settings, World};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! let world = World::new(Settings::default())?;
//! let (edge, core) = (world.host(&["10.0.0.1".parse()?]), world.host(&["10.0.0.2".parse()?]));
//! let at = "10.0.0.2:179".parse()?;
//! let mut listener = core.network().listen(at)?;
//! let clock = world.clock();
//! let (heard, when) = world.run(Duration::from_secs(600), async move {
//!     tokio::task::spawn_local(async move {
//!         let connection = edge.network().connect(at, &SocketOptions::default()).await;
//!         let mut stream = AsyncStream::new(connection.expect("it listens"));
//!         stream.write_all(b"open").await.expect("it reads");
//!     });
//!     let mut stream = AsyncStream::new(accept(&mut listener).await.expect("edge connects"));
//!     let mut heard = String::new();
//!     stream.read_to_string(&mut heard).await.expect("edge closes");
//!     (heard, clock.now())
//! })?;
//! assert_eq!(heard, "open");
//! assert_eq!(when, Duration::from_millis(3)); // SYN, SYN-ACK, data: 1 ms each
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to go from here
//!
//! | you want to | start at | example |
//! |---|---|---|
//! | test your own speaker | [`subject::Subject`], [`explore::trial::Trier`] | `qa/examples/own_speaker.rs` |
//! | hosts, links, a partition | [`sim::World`], [`scenario::format::topology`] | `qa/examples/partition.rs` |
//! | compare two captures | [`compare`] | `qa/examples/compare.rs` |
//! | read or write BGP messages | [`bgp`] | |
//! | run ExaBGP or BIRD in virtual time | [`guest`], [`subject::known`] | |
//!
//! `cargo run --example own_speaker` runs an example. Build with `default-features = false` to leave out the command
//! line and what only it needs.
//!
//! # The architecture
//!
//! The modules are in order, and each uses only those before it; a test holds them to it. Two towers stand on one ground
//! and meet at the subject.
//!
//! | module | holds | must not know |
//! |---|---|---|
//! | [`net`] | the ground: network, stream and program traits, the one name of a connection, the clock | who implements it |
//! | [`bgp`] | the protocol as bytes and types | I/O, clocks, randomness |
//! | [`capture`] | pcap in and out, reassembly, framing | simulation |
//! | [`compare`] | two message streams to the first difference, by field | where they came from |
//! | [`speaker`] | session and Adj-RIBs, pure | sockets, scenarios |
//! | [`config`], [`api`] | ExaBGP's configuration and text API | the reactors |
//! | [`reactor`] | the two schedulers, written against [`net`] | simulation, scenarios |
//! | [`os`] | the kernel's sockets and processes | BGP |
//! | [`sim`] | hosts, links, virtual clock, TCP, faults, tap, trace hash | BGP |
//! | [`guest`] | real processes in virtual time | BGP |
//! | [`subject`] | what is under test | how it is judged |
//! | [`scenario`] | text to steps, peers that play them, runs, goldens | the command line |
//! | [`explore`] | seeds, sweeps, oracles, shrinking, plans | the command line |
//! | [`field`] | captures from production | the command line |
//! | [`report`] | terminal, JSON, JUnit, HTML | how a verdict was reached |
//! | `cli` | one thin file per subcommand | |
//!
//! Data walks one way: scenario and plan in, subject, bytes, network, tap, capture, comparison, verdict, report.
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
#[cfg(feature = "cli")]
pub mod cli;
