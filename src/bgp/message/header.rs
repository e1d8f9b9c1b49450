//! The message header (RFC 4271 section 4.1) and its limits (RFC 8654).
//!
//! ```text
//!  +-----------------------------+
//!  |   Marker (16 octets)        |  all ones
//!  +-----------------------------+
//!  |   Length (2 octets)         |  of the whole message
//!  +-----------------------------+
//!  |   Type (1 octet)            |
//!  +-----------------------------+
//! ```

use super::error::MessageError;
use crate::bgp::attribute::WireContext;
use crate::bgp::error::EncodeError;
use crate::bgp::iana::MessageType;
use crate::bgp::wire::Writer;

/// The marker (RFC 4271 section 4.1).
pub const MARKER: [u8; 16] = [0xff; 16];

/// The most octets of a message (RFC 4271 section 4.1).
pub const MAXIMUM: usize = 4096;

/// The most octets of a message once extended messages are negotiated (RFC 8654 section 3).
pub const EXTENDED_MAXIMUM: usize = 65535;

/// Length and type of a message; the marker was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Header {
    /// Octets of the whole message.
    pub length: u16,
    /// Message type.
    pub kind: MessageType,
}

impl Header {
    /// Octets of the header.
    pub const SIZE: usize = 19;

    /// Decodes the header at the start of `bytes`.
    ///
    /// # Errors
    /// A marker that is not all ones, or fewer than 19 octets.
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        let Some((marker, rest)) = bytes.split_first_chunk::<16>() else {
            return Err(MessageError::bad_length(bytes.len() as u16));
        };
        let &[high, low, kind, ..] = rest else {
            return Err(MessageError::bad_length(bytes.len() as u16));
        };
        if *marker != MARKER {
            return Err(MessageError::NotSynchronized);
        }
        Ok(Self {
            length: u16::from_be_bytes([high, low]),
            kind: MessageType(kind),
        })
    }

    /// Holds the length against what the type allows (RFC 4271 section 6.1, RFC 8654 section 4).
    ///
    /// # Errors
    /// A length that the type does not have.
    pub fn check(self, extended_message: bool) -> Result<(), MessageError> {
        let length = usize::from(self.length);
        let limit = limit(self.kind, extended_message);
        let (least, most) = match self.kind {
            MessageType::OPEN => (29, limit),
            MessageType::UPDATE => (23, limit),
            MessageType::NOTIFICATION => (21, limit),
            MessageType::KEEPALIVE => (Self::SIZE, Self::SIZE),
            _ => (Self::SIZE, limit),
        };
        if (least..=most).contains(&length) {
            Ok(())
        } else {
            Err(MessageError::bad_length(self.length))
        }
    }
}

/// The most octets of a message of type `kind`: OPEN and KEEPALIVE are never extended (RFC 8654 section 3).
#[must_use]
pub const fn limit(kind: MessageType, extended_message: bool) -> usize {
    match kind {
        MessageType::OPEN | MessageType::KEEPALIVE => MAXIMUM,
        _ if extended_message => EXTENDED_MAXIMUM,
        _ => MAXIMUM,
    }
}

/// Cuts the first message from `bytes`: `None` while it is not all there.
///
/// # Errors
/// As soon as the header is there and is wrong.
pub fn frame(bytes: &[u8], extended_message: bool) -> Result<Option<&[u8]>, MessageError> {
    if bytes.len() < Header::SIZE {
        return Ok(None);
    }
    let header = Header::decode(bytes)?;
    header.check(extended_message)?;
    Ok(bytes.get(..usize::from(header.length)))
}

/// Writes a header, then what `body` writes, then fills the length in.
///
/// # Errors
/// `body`'s own, or a message longer than its limit. On an error `out` is left as it was.
#[inline]
pub fn framed(
    context: &WireContext,
    kind: MessageType,
    out: &mut Writer,
    body: impl FnOnce(&mut Writer) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let start = out.len();
    let mut header = [0xff; Header::SIZE];
    header[MARKER.len()..].copy_from_slice(&[0, 0, kind.0]);
    out.extend_from_slice(&header);
    let outcome = body(out).and_then(|()| {
        let length = out.len() - start;
        let limit = limit(kind, context.extended_message);
        if length > limit {
            return Err(EncodeError::new("message length", length, limit));
        }
        out[start + 16..start + 18].copy_from_slice(&(length as u16).to_be_bytes());
        Ok(())
    });
    if outcome.is_err() {
        out.truncate(start);
    }
    outcome
}
