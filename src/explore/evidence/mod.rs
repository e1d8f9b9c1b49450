//! The evidence of a run: the wire, which every subject has, and the inside, which only our own speaker has.
//!
//! [`wire`] groups the records of the tap: connections, OPENs, states, endings, silences. It reads octets with a
//! framer of its own and the decoders of `bgp`, and knows no speaker. [`inside`] is taken from our own speaker's events
//! about its API: commands, answers, what is pending.

pub mod connection;
pub mod framer;
pub mod inside;
pub mod pace;
pub mod wire;
