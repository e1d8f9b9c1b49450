//! Multisession (draft-ietf-idr-bgp-multisession section 4): an octet of flags, then the Session Id. Code 131 is Cisco's.

use super::CapabilityForm;
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::json::join;
use crate::bgp::wire::{Reader, Writer};

const RFC: u8 = 0x44;
const CISCO: u8 = 0x83;

/// The speaker runs a session for each group of families.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Multisession {
    /// Code 131 instead of 68.
    pub cisco: bool,
    /// Flags and Session Id: the capability codes whose values tell one group from another.
    pub value: Vec<u8>,
}

impl Multisession {
    /// The Session Id, without multisession's own codes, which are ignored.
    pub fn session_id(&self) -> impl Iterator<Item = u8> + '_ {
        self.value
            .iter()
            .copied()
            .skip(1)
            .filter(|code| !matches!(*code, RFC | CISCO))
    }
}

impl CapabilityForm for Multisession {
    fn code(&self) -> u8 {
        if self.cisco { CISCO } else { RFC }
    }

    fn decode(code: u8, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            cisco: code == CISCO,
            value: reader.rest().to_vec(),
        })
    }

    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        out.extend_from_slice(&self.value);
        Ok(())
    }

    fn json(instances: &[&Self], out: &mut String) {
        // The first instance counts: ExaBGP itself sends flags and each code as instances of their own.
        let Some(first) = instances.first() else {
            return;
        };
        let variant = if first.cisco { "Cisco" } else { "RFC" };
        out.push_str(&format!(
            "{{ \"name\": \"multisession\", \"variant\": \"{variant}\", \"capabilities\": ["
        ));
        let codes = first
            .session_id()
            .map(|code| format!(" \"{}\"", super::name(code)));
        join(codes, ",", out);
        out.push_str(" ] }");
    }

    fn text(instances: &[&Self], out: &mut String) {
        let Some(first) = instances.first() else {
            return;
        };
        out.push_str("Multisession");
        out.push_str(if first.cisco { " " } else { " (RFC) " });
        join(first.session_id().map(super::name), " ", out);
    }
}
