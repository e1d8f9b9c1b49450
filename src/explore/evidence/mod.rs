//! What a run leaves for the oracles to judge by: the wire, which every subject has, and the inside, which ours alone has.
//!
//! [`wire`] puts the records of the tap together: connections, OPENs, states, endings, silences. It reads octets with a
//! framer of its own and the decoders of `bgp`, and knows no speaker. [`inside`] is what our own speaker's events tell of
//! its API: commands, answers, what is pending.

pub mod connection;
pub mod framer;
pub mod inside;
pub mod pace;
pub mod wire;
