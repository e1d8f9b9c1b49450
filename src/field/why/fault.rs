//! What is wrong with a message: the field, where the RFCs speak of it, and whether RFC 7606 keeps the session.

use crate::bgp::attribute::rules;
use crate::bgp::error::{DecodeError, ErrorAction};
use crate::bgp::message::error::{OpenError, UpdateErrorKind};
use crate::bgp::message::{MessageError, Update};

/// What is wrong with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageFault {
    /// The field, in the words of its RFC.
    pub field: String,
    /// What is wrong with it.
    pub what: String,
    /// The section that says so.
    pub section: &'static str,
    /// What RFC 7606 asks for; `None` where it does not apply, so that RFC 4271 does.
    pub action: Option<ErrorAction>,
    /// Offset of the wrong octets from the start of the message, if that is known.
    pub octet: Option<usize>,
}

impl MessageFault {
    /// What is malformed in an UPDATE that decodes all the same; what weighs most.
    #[must_use]
    pub fn of_update(update: &Update) -> Option<Self> {
        let worst = update.malformed.iter().max_by_key(|one| one.action)?;
        let name = worst.code.map_or_else(
            || "path attributes".to_owned(),
            |code| match rules(code).map(|rules| rules.name) {
                Some(name) => format!("attribute {code} ({name})"),
                None => format!("attribute {code}"),
            },
        );
        let cause = worst
            .cause
            .map_or_else(String::new, |cause| format!(", {cause}"));
        Some(Self {
            field: name,
            what: format!("{}{cause}", worst.kind.name()),
            section: attribute_section(worst.code, worst.kind),
            action: Some(worst.action),
            octet: octet(worst.cause.as_ref()),
        })
    }

    /// A message that cannot be understood.
    #[must_use]
    pub fn of(error: &MessageError) -> Self {
        let (field, section, action, octet) = match error {
            MessageError::NotSynchronized => ("Marker", "RFC 4271 section 6.1", None, Some(0)),
            MessageError::BadLength { .. } => ("Length", "RFC 4271 section 6.1", None, Some(16)),
            MessageError::BadType { .. } => ("Type", "RFC 4271 section 6.1", None, Some(18)),
            MessageError::Open(error) => {
                let (field, section) = open_field(error);
                (field, section, None, None)
            }
            MessageError::Update(error) => {
                let field = match error.kind {
                    UpdateErrorKind::InvalidNetworkField => "NLRI",
                    UpdateErrorKind::MalformedAttributeList => "path attributes",
                    UpdateErrorKind::UnrecognizedWellKnown => "a well-known attribute",
                    kind => kind.name(),
                };
                let section = match error.kind {
                    UpdateErrorKind::InvalidNetworkField => "RFC 7606 section 5.3",
                    _ => "RFC 7606 section 3",
                };
                let octet = octet(error.cause.as_ref());
                (field, section, Some(ErrorAction::SessionReset), octet)
            }
            MessageError::RouteRefreshLength(_) => {
                ("ROUTE-REFRESH", "RFC 7313 section 5", None, Some(16))
            }
            MessageError::Operational(error) => (
                "OPERATIONAL",
                "draft-ietf-idr-operational-message",
                None,
                octet(Some(error)),
            ),
        };
        Self {
            field: field.to_owned(),
            what: error.to_string(),
            section,
            action,
            octet,
        }
    }

    /// A message of a type that nobody knows.
    #[must_use]
    pub fn unknown_type(kind: u8) -> Self {
        Self::of(&MessageError::bad_type(kind))
    }

    /// Whether RFC 7606 would have kept the session, in a sentence.
    #[must_use]
    pub const fn kept(&self) -> &'static str {
        match self.action {
            Some(ErrorAction::AttributeDiscard) => {
                "RFC 7606 keeps the session and discards the attribute"
            }
            Some(ErrorAction::TreatAsWithdraw) => {
                "RFC 7606 keeps the session and treats the routes of the UPDATE as withdrawn"
            }
            Some(ErrorAction::SessionReset) => {
                "RFC 7606 resets the session too: what is wrong leaves the routes themselves in doubt"
            }
            None => "RFC 7606 is about UPDATEs; RFC 4271 resets the session",
        }
    }

    /// Whether RFC 7606 would have kept the session.
    #[must_use]
    pub const fn is_survivable(&self) -> bool {
        matches!(
            self.action,
            Some(ErrorAction::AttributeDiscard | ErrorAction::TreatAsWithdraw)
        )
    }
}

fn octet(cause: Option<&DecodeError>) -> Option<usize> {
    cause.map(|cause| cause.offset)
}

const fn open_field(error: &OpenError) -> (&'static str, &'static str) {
    match error {
        OpenError::Parameters(_) | OpenError::UnsupportedParameter(_) => {
            ("Optional Parameters", "RFC 4271 section 6.2")
        }
        OpenError::Capability { .. } => ("Capabilities", "RFC 5492 section 4"),
        OpenError::UnsupportedVersion(_) => ("Version", "RFC 4271 section 6.2"),
        OpenError::BadPeerAs { .. } => ("My Autonomous System", "RFC 4271 section 6.2"),
        OpenError::BadIdentifier(_) => ("BGP Identifier", "RFC 6286 section 2.2"),
        OpenError::UnacceptableHoldTime(_) => ("Hold Time", "RFC 4271 section 6.2"),
        OpenError::UnsupportedCapability(_) => ("Capabilities", "RFC 5492 section 5"),
        OpenError::RoleMismatch => ("Role", "RFC 9234 section 4.2"),
        OpenError::GroupingConflict | OpenError::GroupingRequired => {
            ("Multisession", "draft-ietf-idr-bgp-multisession")
        }
    }
}

/// Where RFC 7606 section 7 speaks of an attribute.
const fn attribute_section(code: Option<u8>, kind: UpdateErrorKind) -> &'static str {
    match (code, kind) {
        (_, UpdateErrorKind::MissingWellKnown) => "RFC 7606 section 3 (d)",
        (_, UpdateErrorKind::AttributeFlags) => "RFC 7606 section 3 (c)",
        (None, _) => "RFC 7606 section 4",
        (Some(1), _) => "RFC 7606 section 7.1",
        (Some(2), _) => "RFC 7606 section 7.2",
        (Some(3), _) => "RFC 7606 section 7.3",
        (Some(4), _) => "RFC 7606 section 7.4",
        (Some(5), _) => "RFC 7606 section 7.5",
        (Some(6), _) => "RFC 7606 section 7.6",
        (Some(7), _) => "RFC 7606 section 7.7",
        (Some(8), _) => "RFC 7606 section 7.8",
        (Some(9), _) => "RFC 7606 section 7.9",
        (Some(10), _) => "RFC 7606 section 7.10",
        (Some(14), _) => "RFC 7606 section 7.11",
        (Some(15), _) => "RFC 7606 section 7.12",
        (Some(16), _) => "RFC 7606 section 7.14",
        (Some(25), _) => "RFC 7606 section 7.15",
        (Some(128), _) => "RFC 7606 section 7.16",
        _ => "RFC 7606 section 3",
    }
}
