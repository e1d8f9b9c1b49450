//! OPEN (RFC 4271 section 4.2) with optional parameters (RFC 5492) and their extended form (RFC 9072).
//!
//! ```text
//!  +-----------------------------------+
//!  |   Version (1 octet)               |
//!  +-----------------------------------+
//!  |   My Autonomous System (2 octets) |
//!  +-----------------------------------+
//!  |   Hold Time (2 octets)            |  seconds
//!  +-----------------------------------+
//!  |   BGP Identifier (4 octets)       |
//!  +-----------------------------------+
//!  |   Opt Parm Len (1 octet)          |  255 and a type of 255: lengths have two octets from here on
//!  +-----------------------------------+
//!  |   Optional Parameters (variable)  |  type (1), length (1 or 2), value
//!  +-----------------------------------+
//! ```

use std::net::Ipv4Addr;

use super::error::{MessageError, OpenError};
use crate::bgp::capability::Capability;
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::wire::{Prefix, Reader, Writer, length_prefixed};

/// AS_TRANS (RFC 6793 section 9): stands for an AS number that needs four octets.
pub const AS_TRANS: u16 = 23456;

const VERSION: u8 = 4;
const EXTENDED: u8 = 255;
const CAPABILITIES: u8 = 2;

/// What a speaker says of itself first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Open {
    /// The AS number, or [`AS_TRANS`].
    pub my_as: u16,
    /// Proposed hold time in seconds.
    pub hold_time: u16,
    /// BGP Identifier.
    pub identifier: Ipv4Addr,
    /// The optional parameters in order.
    pub parameters: Vec<Parameter>,
    /// They are written in the extended form (RFC 9072), asked for or needed.
    pub extended: bool,
}

/// An optional parameter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Parameter {
    /// Capabilities (RFC 5492): any number of them.
    Capabilities(Vec<Capability>),
    /// Any other, uninterpreted.
    Other {
        /// Parameter type.
        kind: u8,
        /// Its value.
        value: Vec<u8>,
    },
}

impl Open {
    /// An OPEN with an optional parameter for each of `capabilities`, as ExaBGP writes it. An `asn` that needs four octets goes out as [`AS_TRANS`].
    #[must_use]
    pub fn new(
        asn: u32,
        hold_time: u16,
        identifier: Ipv4Addr,
        capabilities: impl IntoIterator<Item = Capability>,
    ) -> Self {
        Self {
            my_as: u16::try_from(asn).unwrap_or(AS_TRANS),
            hold_time,
            identifier,
            parameters: capabilities
                .into_iter()
                .map(|capability| Parameter::Capabilities(vec![capability]))
                .collect(),
            extended: false,
        }
    }

    /// The capabilities of all optional parameters in order.
    pub fn capabilities(&self) -> impl Iterator<Item = &Capability> {
        self.parameters
            .iter()
            .flat_map(|parameter| match parameter {
                Parameter::Capabilities(capabilities) => capabilities.as_slice(),
                Parameter::Other { .. } => &[],
            })
    }

    /// The AS number: that of the four-octet capability (RFC 6793 section 4.1), else of the fixed field.
    #[must_use]
    pub fn asn(&self) -> u32 {
        self.capabilities()
            .find_map(|capability| match capability {
                Capability::FourOctetAs(four) => Some(four.asn),
                _ => None,
            })
            .unwrap_or_else(|| u32::from(self.my_as))
    }

    pub(super) fn decode(mut reader: Reader<'_>) -> Result<Self, MessageError> {
        let whole = (super::Header::SIZE + reader.remaining()) as u16;
        let short = |_| MessageError::bad_length(whole);
        let version = reader.u8().map_err(short)?;
        if version != VERSION {
            return Err(OpenError::UnsupportedVersion(version).into());
        }
        let my_as = reader.u16().map_err(short)?;
        let hold_time = reader.u16().map_err(short)?;
        let identifier = reader.array::<4>().map_err(short)?.into();
        let length = reader.u8().map_err(short)?;
        let extended = length == EXTENDED && reader.peek().first() == Some(&EXTENDED);
        let parameters = parameters(reader, length, extended)?;
        Ok(Self {
            my_as,
            hold_time,
            identifier,
            parameters,
            extended,
        })
    }

    pub(super) fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        out.push(VERSION);
        out.extend_from_slice(&self.my_as.to_be_bytes());
        out.extend_from_slice(&self.hold_time.to_be_bytes());
        out.extend_from_slice(&self.identifier.octets());
        if !self.extended {
            let start = out.len();
            let plain = length_prefixed(out, "Opt Parm Len", Prefix::U8, |out| {
                self.encode_parameters(Prefix::U8, out)
            });
            // 255 itself would announce the extended form.
            if plain.is_ok() && out[start] != EXTENDED {
                return Ok(());
            }
            out.truncate(start);
        }
        out.extend_from_slice(&[EXTENDED, EXTENDED]);
        length_prefixed(out, "Extended Opt Parm Len", Prefix::U16, |out| {
            self.encode_parameters(Prefix::U16, out)
        })
    }

    fn encode_parameters(&self, prefix: Prefix, out: &mut Writer) -> Result<(), EncodeError> {
        for parameter in &self.parameters {
            match parameter {
                Parameter::Capabilities(capabilities) => {
                    out.push(CAPABILITIES);
                    length_prefixed(out, "optional parameter length", prefix, |out| {
                        capabilities
                            .iter()
                            .try_for_each(|capability| capability.encode(out))
                    })?;
                }
                Parameter::Other { kind, value } => {
                    out.push(*kind);
                    length_prefixed(out, "optional parameter length", prefix, |out| {
                        out.extend_from_slice(value);
                        Ok(())
                    })?;
                }
            }
        }
        Ok(())
    }
}

fn parameters(
    mut reader: Reader<'_>,
    length: u8,
    extended: bool,
) -> Result<Vec<Parameter>, OpenError> {
    let mut body = if extended {
        extended_body(&mut reader)
    } else {
        reader.sub(usize::from(length))
    }
    .map_err(OpenError::Parameters)?;
    reader.finish().map_err(OpenError::Parameters)?;
    let mut parameters = Vec::new();
    while !body.is_empty() {
        let (kind, value) = parameter(&mut body, extended).map_err(OpenError::Parameters)?;
        parameters.push(match kind {
            CAPABILITIES => Parameter::Capabilities(Capability::decode_all(value)?),
            _ => Parameter::Other {
                kind,
                value: value.peek().to_vec(),
            },
        });
    }
    Ok(parameters)
}

fn extended_body<'a>(reader: &mut Reader<'a>) -> Result<Reader<'a>, DecodeError> {
    reader.u8()?;
    let length = reader.u16()?;
    reader.sub(usize::from(length))
}

fn parameter<'a>(reader: &mut Reader<'a>, extended: bool) -> Result<(u8, Reader<'a>), DecodeError> {
    let kind = reader.u8()?;
    let length = if extended {
        usize::from(reader.u16()?)
    } else {
        usize::from(reader.u8()?)
    };
    Ok((kind, reader.sub(length)?))
}
