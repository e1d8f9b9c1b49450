//! The path attributes field of an UPDATE, with the error handling of RFC 7606.

use super::{Attribute, AttributeValue, Attributes, Flags, MpReach, MpUnreach, WireContext, rules};
use crate::bgp::error::{DecodeError, DecodeErrorKind, ErrorAction};
use crate::bgp::message::error::{UpdateError, UpdateErrorKind};
use crate::bgp::wire::Reader;

/// A malformed attribute that the session survives (RFC 7606 section 2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Malformed {
    /// Its type code; `None` where the list itself is cut short, or the attribute is missing.
    pub code: Option<u8>,
    /// What is wrong, as RFC 4271 section 6.3 calls it.
    pub kind: UpdateErrorKind,
    /// What becomes of the routes. [`ErrorAction::SessionReset`] is met only in messages read with
    /// [`crate::bgp::message::Message::read`]: the attribute is in the UPDATE all the same.
    pub action: ErrorAction,
    /// The attribute as it came: flags, code, length, value.
    pub bytes: Vec<u8>,
    /// The octets that are wrong, where that is what is wrong.
    pub cause: Option<DecodeError>,
}

impl Malformed {
    /// A mandatory attribute that is not there (RFC 7606 section 3 (d)).
    pub(in crate::bgp) const fn missing(code: u8) -> Self {
        Self {
            code: Some(code),
            kind: UpdateErrorKind::MissingWellKnown,
            action: ErrorAction::TreatAsWithdraw,
            bytes: Vec::new(),
            cause: None,
        }
    }
}

/// An attribute's header and a reader of its value.
struct Raw<'a> {
    flags: Flags,
    code: u8,
    value: Reader<'a>,
    bytes: &'a [u8],
}

impl<'a> Raw<'a> {
    #[inline]
    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let whole = reader.peek();
        let [flags, code] = reader.array()?;
        let flags = Flags(flags);
        let length = if flags.contains(Flags::EXTENDED_LENGTH) {
            usize::from(reader.u16()?)
        } else {
            usize::from(reader.u8()?)
        };
        let value = reader.sub(length)?;
        Ok(Self {
            flags,
            code,
            value,
            bytes: &whole[..whole.len() - reader.remaining()],
        })
    }

    fn reset(&self, kind: UpdateErrorKind, cause: Option<DecodeError>) -> UpdateError {
        UpdateError {
            kind,
            data: self.bytes.to_vec(),
            cause,
        }
    }

    fn malformed(
        &self,
        kind: UpdateErrorKind,
        action: ErrorAction,
        cause: Option<DecodeError>,
    ) -> Malformed {
        Malformed {
            code: Some(self.code),
            kind,
            action,
            bytes: self.bytes.to_vec(),
            cause,
        }
    }

    /// The attribute, or what is wrong with it.
    #[inline]
    fn decode(
        &self,
        context: &WireContext,
    ) -> Result<Attribute, (UpdateErrorKind, ErrorAction, Option<DecodeError>)> {
        let rules = rules(self.code);
        match rules {
            Some(rules) if (rules.flags.0 ^ self.flags.0) & Flags::OPTIONAL_TRANSITIVE.0 != 0 => {
                // RFC 7606 section 3 (c); section 5.3 for the multiprotocol attributes.
                return Err(match rules.on_error {
                    ErrorAction::SessionReset => {
                        (rules.value_error, ErrorAction::SessionReset, None)
                    }
                    _ => (
                        UpdateErrorKind::AttributeFlags,
                        ErrorAction::TreatAsWithdraw,
                        None,
                    ),
                });
            }
            _ => {}
        }
        AttributeValue::decode(context, self.flags, self.code, self.value)
            .map(|value| Attribute {
                flags: self.flags,
                value,
            })
            .map_err(|cause| {
                let (value_error, action) = rules.map_or(
                    (
                        UpdateErrorKind::OptionalAttribute,
                        ErrorAction::TreatAsWithdraw,
                    ),
                    |rules| (rules.value_error, rules.on_error),
                );
                let kind = match cause.kind {
                    DecodeErrorKind::Value(_) => value_error,
                    _ if action == ErrorAction::SessionReset => value_error,
                    _ => UpdateErrorKind::AttributeLength,
                };
                (kind, action, Some(cause))
            })
    }
}

impl Attributes {
    /// Decodes the path attributes field; `reader` holds it and nothing else. What the session survives is added to `malformed`.
    ///
    /// # Errors
    /// What it does not survive.
    pub fn decode(
        context: &WireContext,
        mut reader: Reader<'_>,
        malformed: &mut Vec<Malformed>,
    ) -> Result<Self, UpdateError> {
        if reader.is_empty() {
            return Ok(Self::new());
        }
        let mut attributes = Self::with_room();
        let mut seen = [0u64; 4];
        while !reader.is_empty() {
            let rest = reader.peek();
            let raw = match Raw::read(&mut reader) {
                Ok(raw) => raw,
                Err(cause) => {
                    // RFC 7606 section 4: the field's own length still says where the NLRI begin.
                    malformed.push(Malformed {
                        code: None,
                        kind: UpdateErrorKind::MalformedAttributeList,
                        action: ErrorAction::TreatAsWithdraw,
                        bytes: rest.to_vec(),
                        cause: Some(cause),
                    });
                    break;
                }
            };
            let (word, bit) = (usize::from(raw.code >> 6), 1u64 << (raw.code & 63));
            if seen[word] & bit != 0 {
                // RFC 7606 section 3 (g).
                let kind = UpdateErrorKind::MalformedAttributeList;
                if matches!(raw.code, MpReach::CODE | MpUnreach::CODE) {
                    return Err(raw.reset(kind, None));
                }
                malformed.push(raw.malformed(kind, ErrorAction::AttributeDiscard, None));
                continue;
            }
            seen[word] |= bit;
            match raw.decode(context) {
                Ok(attribute) => {
                    if rules(raw.code).is_none() && !raw.flags.contains(Flags::OPTIONAL) {
                        let kind = UpdateErrorKind::UnrecognizedWellKnown;
                        malformed.push(raw.malformed(kind, ErrorAction::SessionReset, None));
                    }
                    attributes.push(attribute);
                }
                Err((kind, ErrorAction::SessionReset, cause)) => {
                    return Err(raw.reset(kind, cause));
                }
                Err((kind, action, cause)) => malformed.push(raw.malformed(kind, action, cause)),
            }
        }
        Ok(attributes)
    }
}
