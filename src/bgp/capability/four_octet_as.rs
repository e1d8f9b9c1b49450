//! Four-octet AS numbers (RFC 6793 section 3): the speaker's AS number in four octets.

use super::CapabilityForm;
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::wire::{Reader, Writer};

/// The speaker's AS number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FourOctetAs {
    /// The AS number.
    pub asn: u32,
}

impl CapabilityForm for FourOctetAs {
    fn code(&self) -> u8 {
        0x41
    }

    fn decode(_: u8, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let asn = reader.u32()?;
        reader.finish()?;
        Ok(Self { asn })
    }

    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        out.extend_from_slice(&self.asn.to_be_bytes());
        Ok(())
    }

    fn json(instances: &[&Self], out: &mut String) {
        let asn = instances.last().map_or(0, |last| last.asn);
        out.push_str(&format!("{{ \"name\": \"asn4\", \"asn4\": {asn} }}"));
    }

    fn text(instances: &[&Self], out: &mut String) {
        let asn = instances.last().map_or(0, |last| last.asn);
        out.push_str(&format!("ASN4({asn})"));
    }
}
