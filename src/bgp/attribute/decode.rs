//! The path attributes field of an UPDATE, with the error handling of RFC 7606.

use super::{AttributeValue, Attributes, Codes, Flags, MpReach, MpUnreach, WireContext, rules};
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

/// What is wrong with an attribute.
#[derive(Debug)]
pub(super) enum Wrong {
    /// Its flags.
    Flags,
    /// Its length or its value.
    Value(DecodeError),
}

impl From<DecodeError> for Wrong {
    fn from(cause: DecodeError) -> Self {
        Self::Value(cause)
    }
}

impl Flags {
    /// Holds the two flags that an attribute's type fixes against those of the table.
    #[inline]
    pub(super) fn check(self, table: Self) -> Result<(), Wrong> {
        match (self.0 ^ table.0) & Self::OPTIONAL_TRANSITIVE.0 {
            0 => Ok(()),
            _ => Err(Wrong::Flags),
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

    /// What RFC 4271 section 6.3 and RFC 7606 make of what is wrong with it.
    #[cold]
    fn judge(&self, wrong: Wrong) -> (UpdateErrorKind, ErrorAction, Option<DecodeError>) {
        let (value_error, action) = rules(self.code).map_or(
            (
                UpdateErrorKind::OptionalAttribute,
                ErrorAction::TreatAsWithdraw,
            ),
            |rules| (rules.value_error, rules.on_error),
        );
        match wrong {
            // RFC 7606 section 5.3: the multiprotocol attributes.
            Wrong::Flags if action == ErrorAction::SessionReset => (value_error, action, None),
            // RFC 7606 section 3 (c).
            Wrong::Flags => {
                let kind = UpdateErrorKind::AttributeFlags;
                (kind, ErrorAction::TreatAsWithdraw, None)
            }
            Wrong::Value(cause) => {
                let kind = match cause.kind {
                    DecodeErrorKind::Value(_) => value_error,
                    _ if action == ErrorAction::SessionReset => value_error,
                    _ => UpdateErrorKind::AttributeLength,
                };
                (kind, action, Some(cause))
            }
        }
    }
}

impl Attributes {
    /// Decodes the path attributes field; `reader` holds it and nothing else. What the session survives is added to `malformed`.
    ///
    /// # Errors
    /// What it does not survive.
    pub fn decode(
        context: &WireContext,
        reader: Reader<'_>,
        malformed: &mut Vec<Malformed>,
    ) -> Result<Self, UpdateError> {
        Self::read(context, reader, malformed).map(|(attributes, _)| attributes)
    }

    /// Decodes the path attributes field as [`Attributes::decode`] does; says also which codes stand in it, malformed or not.
    ///
    /// # Errors
    /// As for [`Attributes::decode`].
    #[inline]
    pub(in crate::bgp) fn read(
        context: &WireContext,
        mut reader: Reader<'_>,
        malformed: &mut Vec<Malformed>,
    ) -> Result<(Self, Codes), UpdateError> {
        let mut seen = Codes::NONE;
        if reader.is_empty() {
            return Ok((Self::new(), seen));
        }
        let mut attributes = Self::with_room();
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
            if !seen.insert(raw.code) {
                // RFC 7606 section 3 (g).
                let kind = UpdateErrorKind::MalformedAttributeList;
                if matches!(raw.code, MpReach::CODE | MpUnreach::CODE) {
                    return Err(raw.reset(kind, None));
                }
                malformed.push(raw.malformed(kind, ErrorAction::AttributeDiscard, None));
                continue;
            }
            match AttributeValue::decode(context, raw.flags, raw.code, raw.value, &mut attributes) {
                Ok(()) => {
                    if !raw.flags.contains(Flags::OPTIONAL) && rules(raw.code).is_none() {
                        let kind = UpdateErrorKind::UnrecognizedWellKnown;
                        malformed.push(raw.malformed(kind, ErrorAction::SessionReset, None));
                    }
                }
                Err(wrong) => match raw.judge(wrong) {
                    (kind, ErrorAction::SessionReset, cause) => return Err(raw.reset(kind, cause)),
                    (kind, action, cause) => malformed.push(raw.malformed(kind, action, cause)),
                },
            }
        }
        Ok((attributes, seen))
    }
}
