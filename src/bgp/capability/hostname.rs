//! FQDN (draft-walton-bgp-hostname-capability): host name and domain name, each with an octet of length before it.

use super::CapabilityForm;
use crate::bgp::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::bgp::json;
use crate::bgp::wire::{Prefix, Reader, Writer, length_prefixed};

/// The speaker's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Hostname {
    /// Host name; `None` where the value is empty.
    pub host: Option<String>,
    /// Domain name; `None` where it is not even an empty one.
    pub domain: Option<String>,
}

/// The most octets of either name that ExaBGP sends.
pub const MAXIMUM: usize = 64;

impl CapabilityForm for Hostname {
    fn code(&self) -> u8 {
        0x49
    }

    fn decode(_: u8, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let host = name(&mut reader)?;
        let domain = name(&mut reader)?;
        reader.finish()?;
        Ok(Self { host, domain })
    }

    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        for name in [&self.host, &self.domain].into_iter().flatten() {
            length_prefixed(out, "name length", Prefix::U8, |out| {
                out.extend_from_slice(name.as_bytes());
                Ok(())
            })?;
        }
        Ok(())
    }

    fn json(instances: &[&Self], out: &mut String) {
        let Some(last) = instances.last() else { return };
        out.push_str("{ \"host-name\": ");
        json::string(last.host.as_deref().unwrap_or_default(), out);
        out.push_str(", \"domain-name\": ");
        json::string(last.domain.as_deref().unwrap_or_default(), out);
        out.push_str(" }");
    }

    fn text(instances: &[&Self], out: &mut String) {
        let Some(last) = instances.last() else { return };
        let host = last.host.as_deref().unwrap_or_default();
        let domain = last.domain.as_deref().unwrap_or_default();
        out.push_str(&format!("Hostname({host} {domain})"));
    }
}

fn name(reader: &mut Reader<'_>) -> Result<Option<String>, DecodeError> {
    if reader.is_empty() {
        return Ok(None);
    }
    let length = usize::from(reader.u8()?);
    let invalid = reader.error(DecodeErrorKind::Value("name in UTF-8"), length);
    let bytes = reader.bytes(length)?;
    let text = std::str::from_utf8(bytes).map_err(|_| invalid)?;
    Ok(Some(text.to_owned()))
}
