//! What makes it a speaker, still pure: the RFC 4271 session, the Adj-RIBs, and the parity list.

pub mod neighbor;
pub mod route;
