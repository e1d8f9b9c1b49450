//! A capability that no file here knows: its octets as they came.

use super::CapabilityForm;
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::hex;
use crate::bgp::wire::{Reader, Writer};

/// A capability, uninterpreted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Unknown {
    /// Capability code.
    pub code: u8,
    /// Its value.
    pub value: Vec<u8>,
}

impl CapabilityForm for Unknown {
    fn code(&self) -> u8 {
        self.code
    }

    fn decode(code: u8, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            code,
            value: reader.rest().to_vec(),
        })
    }

    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        out.extend_from_slice(&self.value);
        Ok(())
    }
}

/// ExaBGP's JSON for a capability that it does not know.
pub(super) fn json(code: u8, value: &[u8], out: &mut String) {
    let iana = match code {
        128..=255 => "reserved",
        70..=127 => "unassigned",
        _ => "unknown",
    };
    out.push_str(&format!(
        "{{ \"name\": \"unknown\", \"iana\": \"{iana}\", \"value\": {code}, \"raw\": \"{}\" }}",
        hex::upper(value)
    ));
}

/// ExaBGP's text for a capability that it does not know.
pub(super) fn text(code: u8, out: &mut String) {
    let iana = match code {
        128..=255 => "Reserved",
        70..=127 => "Unassigned",
        _ => "Unknown",
    };
    out.push_str(&format!("{iana} {code}"));
}
