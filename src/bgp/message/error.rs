//! What can be wrong with a message, and the NOTIFICATION that says so: one total function.

use thiserror::Error;

use super::notification::{Notification, NotificationCode};
use crate::bgp::error::DecodeError;

/// A message that ends its session.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Error)]
pub enum MessageError {
    /// The marker is not all ones (RFC 4271 section 6.1).
    #[error("the message does not start with the marker")]
    NotSynchronized,
    /// A length that the message's type does not have (RFC 4271 section 6.1).
    #[error("{length} octets is not a length of this message type")]
    BadLength {
        /// The length field.
        length: u16,
    },
    /// A message type that nobody knows (RFC 4271 section 6.1).
    #[error("message type {kind} is not known")]
    BadType {
        /// The type field.
        kind: u8,
    },
    /// RFC 4271 section 6.2.
    #[error("OPEN: {0}")]
    Open(#[from] OpenError),
    /// RFC 4271 section 6.3, RFC 7606.
    #[error("UPDATE: {0}")]
    Update(#[from] UpdateError),
    /// RFC 7313 section 5; holds the whole message.
    #[error("ROUTE-REFRESH of {} octets", .0.len())]
    RouteRefreshLength(Vec<u8>),
    /// draft-ietf-idr-operational-message; answered as ExaBGP does.
    #[error("OPERATIONAL: {0}")]
    Operational(DecodeError),
}

impl MessageError {
    /// The error for a wrong length field.
    #[must_use]
    pub const fn bad_length(length: u16) -> Self {
        Self::BadLength { length }
    }

    /// The error for a message type that the session does not take.
    #[must_use]
    pub const fn bad_type(kind: u8) -> Self {
        Self::BadType { kind }
    }

    /// What to send before closing.
    #[must_use]
    pub fn notification(&self) -> Notification {
        match self {
            Self::NotSynchronized => Notification::new(NotificationCode::HEADER, 1, Vec::new()),
            Self::BadLength { length } => {
                Notification::new(NotificationCode::HEADER, 2, length.to_be_bytes().to_vec())
            }
            Self::BadType { kind } => Notification::new(NotificationCode::HEADER, 3, vec![*kind]),
            Self::Open(error) => {
                Notification::new(NotificationCode::OPEN, error.subcode(), error.data())
            }
            Self::Update(error) => Notification::new(
                NotificationCode::UPDATE,
                error.kind as u8,
                error.data.clone(),
            ),
            Self::RouteRefreshLength(message) => {
                Notification::new(NotificationCode::ROUTE_REFRESH, 1, message.clone())
            }
            Self::Operational(_) => {
                Notification::new(NotificationCode::STATE_MACHINE, 0, Vec::new())
            }
        }
    }
}

/// What is wrong with an OPEN (RFC 4271 section 6.2): its form, or what it says.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Error)]
pub enum OpenError {
    /// The optional parameters are not of their form.
    #[error("optional parameters: {0}")]
    Parameters(DecodeError),
    /// A capability is not of its form (RFC 5492).
    #[error("capability {code}: {error}")]
    Capability {
        /// Capability code.
        code: u8,
        /// What is wrong with it.
        error: DecodeError,
    },
    /// A version other than 4.
    #[error("version {0} is not supported, 4 is")]
    UnsupportedVersion(u8),
    /// Not the AS that was configured.
    #[error("AS {found} is not the AS {expected} of the configuration")]
    BadPeerAs {
        /// The peer's AS.
        found: u32,
        /// The configured AS.
        expected: u32,
    },
    /// 0, or our own on an internal session (RFC 6286).
    #[error("BGP identifier {0} is not valid here")]
    BadIdentifier(std::net::Ipv4Addr),
    /// An optional parameter that nobody knows.
    #[error("optional parameter {0} is not known")]
    UnsupportedParameter(u8),
    /// A hold time of 1 or 2 seconds.
    #[error("a hold time of {0} s is not acceptable: it is 0 or at least 3")]
    UnacceptableHoldTime(u16),
    /// A capability is missing (RFC 5492 section 5); holds those that are wanted, encoded.
    #[error("a required capability is missing")]
    UnsupportedCapability(Vec<u8>),
    /// Roles that do not fit each other (RFC 9234 section 4.2).
    #[error("the roles do not fit each other")]
    RoleMismatch,
    /// Multisession (draft-ietf-idr-bgp-multisession): the sessions' groups conflict.
    #[error("the multisession groups conflict")]
    GroupingConflict,
    /// Multisession: the peer does not offer it.
    #[error("multisession is required")]
    GroupingRequired,
}

impl OpenError {
    const fn subcode(&self) -> u8 {
        match self {
            Self::Parameters(_) | Self::Capability { .. } => 0,
            Self::UnsupportedVersion(_) => 1,
            Self::BadPeerAs { .. } => 2,
            Self::BadIdentifier(_) => 3,
            Self::UnsupportedParameter(_) => 4,
            Self::UnacceptableHoldTime(_) => 6,
            Self::UnsupportedCapability(_) => 7,
            Self::GroupingConflict => 8,
            Self::GroupingRequired => 9,
            Self::RoleMismatch => 11,
        }
    }

    fn data(&self) -> Vec<u8> {
        match self {
            Self::UnsupportedVersion(_) => 4u16.to_be_bytes().to_vec(),
            Self::UnsupportedCapability(wanted) => wanted.clone(),
            _ => Vec::new(),
        }
    }
}

/// UPDATE message error subcodes (RFC 4271 section 6.3; IANA).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum UpdateErrorKind {
    /// The lengths of the message contradict each other, or an attribute stands twice.
    MalformedAttributeList = 1,
    /// A well-known attribute that nobody knows.
    UnrecognizedWellKnown = 2,
    /// A mandatory attribute is missing.
    MissingWellKnown = 3,
    /// Flags that the attribute does not have.
    AttributeFlags = 4,
    /// A length that the attribute does not have.
    AttributeLength = 5,
    /// An undefined ORIGIN.
    InvalidOrigin = 6,
    /// A NEXT_HOP that is no host's address.
    InvalidNextHop = 8,
    /// An optional attribute's value is wrong.
    OptionalAttribute = 9,
    /// A prefix is wrong.
    InvalidNetworkField = 10,
    /// An AS_PATH is wrong.
    MalformedAsPath = 11,
}

impl UpdateErrorKind {
    /// The name of the subcode.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match super::notification::subcode_name(NotificationCode::UPDATE, self as u8) {
            Some(name) => name,
            None => "Unspecific",
        }
    }
}

/// An UPDATE that ends its session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UpdateError {
    /// The subcode.
    pub kind: UpdateErrorKind,
    /// The data of the NOTIFICATION: the attribute as it came, or what RFC 4271 section 6.3 asks for.
    pub data: Vec<u8>,
    /// The octets that are wrong, where that is what is wrong.
    pub cause: Option<DecodeError>,
}

impl std::fmt::Display for UpdateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind.name())?;
        match self.cause {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for UpdateError {}
