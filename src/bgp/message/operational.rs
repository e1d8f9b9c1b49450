//! OPERATIONAL (draft-ietf-idr-operational-message, as ExaBGP has it).
//!
//! ```text
//!  +-----------------------------+
//!  |   Type (2 octets)           |
//!  +-----------------------------+
//!  |   Length (2 octets)         |  of what follows
//!  +-----------------------------+
//!  |   Value (variable)          |  AFI (2), SAFI (1), then by type
//!  +-----------------------------+
//! ```

use std::net::Ipv4Addr;

use super::error::MessageError;
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::family::Family;
use crate::bgp::iana::registry;
use crate::bgp::wire::{Prefix, Reader, Writer, length_prefixed};

registry! {
    /// Types of OPERATIONAL messages.
    OperationalType(u16) {
        /// Advisory Demand Message.
        ADM = 0x01, "ADM";
        /// Advisory Static Message.
        ASM = 0x02, "ASM";
        /// Reachable Prefix Count Request.
        RPCQ = 0x03, "RPCQ";
        /// Reachable Prefix Count Reply.
        RPCP = 0x04, "RPCP";
        /// Adj-RIB-Out Prefix Count Request.
        APCQ = 0x05, "APCQ";
        /// Adj-RIB-Out Prefix Count Reply.
        APCP = 0x06, "APCP";
        /// Loc-RIB Prefix Count Request.
        LPCQ = 0x07, "LPCQ";
        /// Loc-RIB Prefix Count Reply.
        LPCP = 0x08, "LPCP";
        /// Simple State Request.
        SSQ = 0x09, "SSQ";
        /// Dropped Update Prefixes.
        DUP = 0x0a, "DUP";
        /// Malformed Update Prefixes.
        MUP = 0x0b, "MUP";
        /// Malformed Update Dump.
        MUD = 0x0c, "MUD";
        /// Simple State Response.
        SSP = 0x0d, "SSP";
        /// Max Permitted.
        MP = 0xfffe, "MP";
        /// Not Satisfied.
        NS = 0xffff, "NS";
    }
}

/// What an OPERATIONAL message says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OperationalValue {
    /// ADM, ASM: a text.
    Advisory {
        /// The family.
        family: Family,
        /// The text, UTF-8 by intent.
        text: Vec<u8>,
    },
    /// RPCQ, APCQ, LPCQ.
    Query {
        /// The family.
        family: Family,
        /// Who asks.
        router_id: Ipv4Addr,
        /// Pairs the answer with the question.
        sequence: u32,
    },
    /// RPCP, APCP, LPCP.
    Counter {
        /// The family.
        family: Family,
        /// Who asked.
        router_id: Ipv4Addr,
        /// As in the question.
        sequence: u32,
        /// The count.
        counter: u32,
    },
    /// Any other type, uninterpreted.
    Other(Vec<u8>),
}

/// An OPERATIONAL message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Operational {
    /// Its type.
    pub kind: OperationalType,
    /// What it says.
    pub value: OperationalValue,
}

impl Operational {
    /// The family it is about, if its type is known.
    #[must_use]
    pub const fn family(&self) -> Option<Family> {
        match &self.value {
            OperationalValue::Advisory { family, .. }
            | OperationalValue::Query { family, .. }
            | OperationalValue::Counter { family, .. } => Some(*family),
            OperationalValue::Other(_) => None,
        }
    }

    pub(super) fn decode(mut reader: Reader<'_>) -> Result<Self, MessageError> {
        let mut body = || {
            let kind = OperationalType(reader.u16()?);
            let length = usize::from(reader.u16()?);
            let mut value = reader.sub(length)?;
            reader.finish()?;
            Ok(Self {
                kind,
                value: OperationalValue::decode(kind, &mut value)?,
            })
        };
        body().map_err(MessageError::Operational)
    }

    pub(super) fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        out.extend_from_slice(&self.kind.0.to_be_bytes());
        length_prefixed(out, "OPERATIONAL length", Prefix::U16, |out| {
            self.value.encode(out);
            Ok(())
        })
    }
}

impl OperationalValue {
    fn decode(kind: OperationalType, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let value = match kind {
            OperationalType::ADM | OperationalType::ASM => Self::Advisory {
                family: Family::decode(reader)?,
                text: reader.rest().to_vec(),
            },
            OperationalType::RPCQ | OperationalType::APCQ | OperationalType::LPCQ => Self::Query {
                family: Family::decode(reader)?,
                router_id: reader.array::<4>()?.into(),
                sequence: reader.u32()?,
            },
            OperationalType::RPCP | OperationalType::APCP | OperationalType::LPCP => {
                Self::Counter {
                    family: Family::decode(reader)?,
                    router_id: reader.array::<4>()?.into(),
                    sequence: reader.u32()?,
                    counter: reader.u32()?,
                }
            }
            _ => Self::Other(reader.rest().to_vec()),
        };
        reader.finish()?;
        Ok(value)
    }

    fn encode(&self, out: &mut Writer) {
        let (family, router) = match self {
            Self::Other(bytes) => {
                out.extend_from_slice(bytes);
                return;
            }
            Self::Advisory { family, .. } => (family, None),
            Self::Query {
                family,
                router_id,
                sequence,
            }
            | Self::Counter {
                family,
                router_id,
                sequence,
                ..
            } => (family, Some((router_id, sequence))),
        };
        family.encode(out);
        if let Some((router_id, sequence)) = router {
            out.extend_from_slice(&router_id.octets());
            out.extend_from_slice(&sequence.to_be_bytes());
        }
        match self {
            Self::Advisory { text, .. } => out.extend_from_slice(text),
            Self::Counter { counter, .. } => out.extend_from_slice(&counter.to_be_bytes()),
            Self::Query { .. } | Self::Other(_) => {}
        }
    }
}
