//! Software version (draft-abraitis-bgp-version-capability): a text with an octet of length before it.

use super::CapabilityForm;
use crate::bgp::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::bgp::json;
use crate::bgp::wire::{Prefix, Reader, Writer, length_prefixed};

/// What the speaker runs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SoftwareVersion {
    /// For instance `ExaBGP/5.0.15`.
    pub version: String,
}

impl CapabilityForm for SoftwareVersion {
    fn code(&self) -> u8 {
        0x4b
    }

    fn decode(_: u8, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let length = usize::from(reader.u8()?);
        let invalid = reader.error(DecodeErrorKind::Value("software version in UTF-8"), length);
        let bytes = reader.bytes(length)?;
        reader.finish()?;
        let version = std::str::from_utf8(bytes).map_err(|_| invalid)?;
        Ok(Self {
            version: version.to_owned(),
        })
    }

    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        length_prefixed(out, "software version", Prefix::U8, |out| {
            out.extend_from_slice(self.version.as_bytes());
            Ok(())
        })
    }

    fn json(instances: &[&Self], out: &mut String) {
        let Some(last) = instances.last() else { return };
        out.push_str("{ \"software\": ");
        json::string(&last.version, out);
        out.push_str(" }");
    }

    fn text(instances: &[&Self], out: &mut String) {
        let Some(last) = instances.last() else { return };
        out.push_str(&format!("Software({})", last.version));
    }
}
