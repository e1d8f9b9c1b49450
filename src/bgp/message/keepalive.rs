//! KEEPALIVE (RFC 4271 section 4.4): the header alone.

use super::header::MARKER;

/// The message has no fields; this is its one form on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Keepalive;

impl Keepalive {
    /// The whole message.
    pub const BYTES: [u8; 19] = {
        let mut bytes = [0xff; 19];
        bytes[MARKER.len()] = 0;
        bytes[MARKER.len() + 1] = 19;
        bytes[MARKER.len() + 2] = 4;
        bytes
    };
}
