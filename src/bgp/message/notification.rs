//! NOTIFICATION (RFC 4271 section 4.5): codes and subcodes of RFC 4271, 4486, 5492, 6608, 7313, 8538, 9003, 9234, 9384, 9687.
//!
//! ```text
//!  +-----------------------------+
//!  |   Error code (1 octet)      |
//!  +-----------------------------+
//!  |   Error subcode (1 octet)   |
//!  +-----------------------------+
//!  |   Data (variable)           |
//!  +-----------------------------+
//! ```

use std::borrow::Cow;
use std::fmt;

use super::error::MessageError;
use crate::bgp::error::EncodeError;
use crate::bgp::iana::registry;
use crate::bgp::text::plain;
use crate::bgp::wire::{Prefix, Reader, Writer, length_prefixed};

registry! {
    /// NOTIFICATION error codes (IANA "BGP Error (Notification) Codes").
    NotificationCode(u8) {
        /// RFC 4271 section 6.1.
        HEADER = 1, "Message header error";
        /// RFC 4271 section 6.2.
        OPEN = 2, "OPEN message error";
        /// RFC 4271 section 6.3.
        UPDATE = 3, "UPDATE message error";
        /// RFC 4271 section 6.5.
        HOLD_TIMER = 4, "Hold timer expired";
        /// RFC 4271 section 6.6, RFC 6608.
        STATE_MACHINE = 5, "State machine error";
        /// RFC 4271 section 6.7, RFC 4486.
        CEASE = 6, "Cease";
        /// RFC 7313 section 5.
        ROUTE_REFRESH = 7, "ROUTE-REFRESH message error";
        /// RFC 9687 section 3.
        SEND_HOLD_TIMER = 8, "Send hold timer expired";
    }
}

/// Subcodes of Cease (RFC 4486, 8538, 9384).
pub mod cease {
    /// RFC 4486.
    pub const MAXIMUM_PREFIXES: u8 = 1;
    /// RFC 4486; may carry a shutdown communication (RFC 9003).
    pub const ADMINISTRATIVE_SHUTDOWN: u8 = 2;
    /// RFC 4486.
    pub const PEER_DECONFIGURED: u8 = 3;
    /// RFC 4486; may carry a shutdown communication (RFC 9003).
    pub const ADMINISTRATIVE_RESET: u8 = 4;
    /// RFC 4486.
    pub const CONNECTION_REJECTED: u8 = 5;
    /// RFC 4486.
    pub const OTHER_CONFIGURATION_CHANGE: u8 = 6;
    /// RFC 4486.
    pub const CONNECTION_COLLISION: u8 = 7;
    /// RFC 4486.
    pub const OUT_OF_RESOURCES: u8 = 8;
    /// RFC 8538: the data is another NOTIFICATION's code, subcode and data.
    pub const HARD_RESET: u8 = 9;
    /// RFC 9384.
    pub const BFD_DOWN: u8 = 10;
}

/// The name of a subcode, ExaBGP's where it has one.
#[must_use]
pub const fn subcode_name(code: NotificationCode, subcode: u8) -> Option<&'static str> {
    Some(match (code.0, subcode) {
        (1..=8, 0) => "Unspecific",
        (1, 1) => "Connection Not Synchronized",
        (1, 2) => "Bad Message Length",
        (1, 3) => "Bad Message Type",
        (2, 1) => "Unsupported Version Number",
        (2, 2) => "Bad Peer AS",
        (2, 3) => "Bad BGP Identifier",
        (2, 4) => "Unsupported Optional Parameter",
        (2, 5) => "Authentication Notification (Deprecated)",
        (2, 6) => "Unacceptable Hold Time",
        (2, 7) => "Unsupported Capability",
        (2, 8) => "Grouping Conflict",
        (2, 9) => "Grouping Required",
        (2, 10) => "Capability Value Mismatch",
        (2, 11) => "Role Mismatch",
        (3, 1) => "Malformed Attribute List",
        (3, 2) => "Unrecognized Well-known Attribute",
        (3, 3) => "Missing Well-known Attribute",
        (3, 4) => "Attribute Flags Error",
        (3, 5) => "Attribute Length Error",
        (3, 6) => "Invalid ORIGIN Attribute",
        (3, 7) => "AS Routing Loop",
        (3, 8) => "Invalid NEXT_HOP Attribute",
        (3, 9) => "Optional Attribute Error",
        (3, 10) => "Invalid Network Field",
        (3, 11) => "Malformed AS_PATH",
        (5, 1) => "Receive Unexpected Message in OpenSent State",
        (5, 2) => "Receive Unexpected Message in OpenConfirm State",
        (5, 3) => "Receive Unexpected Message in Established State",
        (6, 1) => "Maximum Number of Prefixes Reached",
        (6, 2) => "Administrative Shutdown",
        (6, 3) => "Peer De-configured",
        (6, 4) => "Administrative Reset",
        (6, 5) => "Connection Rejected",
        (6, 6) => "Other Configuration Change",
        (6, 7) => "Connection Collision Resolution",
        (6, 8) => "Out of Resources",
        (6, 9) => "Hard Reset",
        (6, 10) => "BFD Down",
        (7, 1) => "Invalid Message Length",
        (7, 2) => "Malformed Message Subtype",
        _ => return None,
    })
}

/// The last message of a session: why it ends.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Notification {
    /// Error code.
    pub code: NotificationCode,
    /// Error subcode.
    pub subcode: u8,
    /// Diagnostic data.
    pub data: Vec<u8>,
}

impl Notification {
    /// The message.
    #[must_use]
    pub const fn new(code: NotificationCode, subcode: u8, data: Vec<u8>) -> Self {
        Self {
            code,
            subcode,
            data,
        }
    }

    /// A Cease with `text` as its shutdown communication (RFC 9003 section 2).
    ///
    /// # Errors
    /// A text of more than 255 octets.
    pub fn shutdown(subcode: u8, text: &str) -> Result<Self, EncodeError> {
        let mut data = Vec::with_capacity(text.len() + 1);
        length_prefixed(&mut data, "shutdown communication", Prefix::U8, |out| {
            out.extend_from_slice(text.as_bytes());
            Ok(())
        })?;
        Ok(Self::new(NotificationCode::CEASE, subcode, data))
    }

    /// This message inside a Hard Reset (RFC 8538 section 3.1).
    #[must_use]
    pub fn hard_reset(&self) -> Self {
        let mut data = vec![self.code.0, self.subcode];
        data.extend_from_slice(&self.data);
        Self::new(NotificationCode::CEASE, cease::HARD_RESET, data)
    }

    /// Whether its data may be a shutdown communication (RFC 9003 section 2).
    #[must_use]
    pub fn may_communicate(&self) -> bool {
        self.code == NotificationCode::CEASE
            && matches!(
                self.subcode,
                cease::ADMINISTRATIVE_SHUTDOWN | cease::ADMINISTRATIVE_RESET
            )
    }

    /// The shutdown communication, if the message may carry one and does (RFC 9003 section 2).
    #[must_use]
    pub fn communication(&self) -> Option<Cow<'_, str>> {
        let (&length, rest) = self.data.split_first()?;
        let text = rest.get(..usize::from(length))?;
        (self.may_communicate() && !text.is_empty()).then(|| String::from_utf8_lossy(text))
    }

    /// The name of the subcode, if it has one.
    #[must_use]
    pub const fn subcode_name(&self) -> Option<&'static str> {
        subcode_name(self.code, self.subcode)
    }

    pub(super) fn decode(mut reader: Reader<'_>) -> Result<Self, MessageError> {
        let whole = super::Header::SIZE + reader.remaining();
        let [code, subcode] = reader
            .array()
            .map_err(|_| MessageError::bad_length(whole as u16))?;
        Ok(Self {
            code: NotificationCode(code),
            subcode,
            data: reader.rest().to_vec(),
        })
    }

    pub(super) fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        out.extend_from_slice(&[self.code.0, self.subcode]);
        out.extend_from_slice(&self.data);
        Ok(())
    }
}

impl fmt::Display for Notification {
    /// `Cease / Administrative Reset`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.name().unwrap_or("unknown error");
        let subcode = self.subcode_name().unwrap_or("unknown reason");
        write!(f, "{code} / {subcode}")?;
        match self.communication() {
            Some(text) => write!(f, " / {}", plain(&text)),
            None => Ok(()),
        }
    }
}
