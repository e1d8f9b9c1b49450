//! The protocol as bytes and types: no I/O, no clock, no randomness, nothing of ExaBGP's configuration.
//!
//! Start at [`message`] for what goes on the wire, at [`nlri`] and [`attribute`] for the tables of families and attributes.

pub mod asn;
pub mod attribute;
pub mod capability;
pub mod collections;
pub mod dissect;
pub mod error;
pub mod family;
pub mod hex;
pub mod iana;
pub mod json;
pub mod message;
pub mod nlri;
pub mod text;
pub mod wire;
