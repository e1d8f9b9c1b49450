//! A message of a type that no file here knows: its octets as they came.

use crate::bgp::iana::MessageType;
use crate::bgp::wire::{Reader, Writer};

/// A message, uninterpreted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UnknownMessage {
    /// Message type.
    pub kind: MessageType,
    /// What follows the header.
    pub body: Vec<u8>,
}

impl UnknownMessage {
    pub(super) fn decode(kind: MessageType, mut reader: Reader<'_>) -> Self {
        Self {
            kind,
            body: reader.rest().to_vec(),
        }
    }

    pub(super) fn encode(&self, out: &mut Writer) {
        out.extend_from_slice(&self.body);
    }
}
