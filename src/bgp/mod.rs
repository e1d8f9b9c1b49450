//! The protocol as bytes and types: no I/O, no clock, no randomness, nothing of ExaBGP's configuration.
