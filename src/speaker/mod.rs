//! What makes it a speaker, still pure: the RFC 4271 session, the Adj-RIBs, and the parity list.
//!
//! Start at [`session`] for one connection, at [`peer`] for one neighbor across its connections, at [`rib::out`] for what is
//! to be sent. Nothing here reads a clock or does I/O: bytes and time go in; bytes, deadlines and events come out.
//! **Every mutation is followed by a full drain of the `poll_*` methods.**

pub mod backoff;
pub mod collision;
pub mod neighbor;
pub mod outbound;
pub mod parity;
pub mod peer;
pub mod rib;
pub mod route;
pub mod routes;
pub mod session;
pub mod settings;
