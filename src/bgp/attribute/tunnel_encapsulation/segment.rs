//! Segment lists (RFC 9830 section 2.4.4).
//!
//! ```text
//!  list:     Reserved (1), then sub-sub-TLVs: Type (1), Length (1), Value
//!  weight:   9:   Flags (1), Reserved (1), Weight (4)
//!  type A:   1:   Flags (1), Reserved (1), Label (20 bits), TC (3), S (1), TTL (8)
//!  type B:   13:  Flags (1), Reserved (1), SRv6 SID (16), then perhaps endpoint behavior and SID structure (8)
//! ```

use std::net::Ipv6Addr;

use super::SubTlv;
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::wire::{Prefix, Reader, length_prefixed};

/// The sub-TLV of a segment list.
pub(super) const SEGMENT_LIST: u8 = 128;
const WEIGHT: u8 = 9;
const TYPE_A: u8 = 1;
const TYPE_B: u8 = 13;
/// Flag of type B: an endpoint behavior follows.
const BEHAVIOR: u8 = 0x10;

/// A path through the network.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SegmentList {
    /// The list's share of the traffic among those of the candidate path.
    pub weight: Option<u32>,
    /// The segments in order.
    pub segments: Vec<Segment>,
}

/// One hop of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Type A: an MPLS label, of 20 bits.
    Mpls(u32),
    /// Type B: a SID of SRv6.
    Srv6(Ipv6Addr, Option<EndpointBehavior>),
    /// Types C to K (RFC 9831), and those that no RFC has.
    Other {
        /// IANA "SR Policy Segment List Sub-TLVs".
        code: u8,
        /// The value.
        value: Vec<u8>,
    },
}

/// What is done with packets to a SID, and how the SID is built: lengths in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndpointBehavior {
    /// IANA "SRv6 Endpoint Behaviors".
    pub behavior: u16,
    /// Locator block, locator node, function and argument.
    pub structure: [u8; 4],
}

impl SegmentList {
    /// The sub-TLV that says it.
    ///
    /// # Errors
    /// Where a label has more than 20 bits, or the value of another segment more than 255 octets.
    pub fn sub_tlv(&self) -> Result<SubTlv, EncodeError> {
        let mut value = vec![0];
        if let Some(weight) = self.weight {
            value.extend_from_slice(&[WEIGHT, 6, 0, 0]);
            value.extend_from_slice(&weight.to_be_bytes());
        }
        let bottom = self
            .segments
            .iter()
            .rposition(|segment| matches!(segment, Segment::Mpls(_)));
        for (at, segment) in self.segments.iter().enumerate() {
            match segment {
                Segment::Mpls(label) => {
                    EncodeError::within("segment label", *label as usize, 0xf_ffff)?;
                    // The last label of the list is the bottom of the stack.
                    let stack = u32::from(bottom == Some(at)) << 8;
                    value.extend_from_slice(&[TYPE_A, 6, 0, 0]);
                    value.extend_from_slice(&(label << 12 | stack).to_be_bytes());
                }
                Segment::Srv6(sid, None) => {
                    value.extend_from_slice(&[TYPE_B, 18, 0, 0]);
                    value.extend_from_slice(&sid.octets());
                }
                Segment::Srv6(sid, Some(behavior)) => {
                    value.extend_from_slice(&[TYPE_B, 26, BEHAVIOR, 0]);
                    value.extend_from_slice(&sid.octets());
                    value.extend_from_slice(&behavior.octets());
                }
                Segment::Other {
                    code,
                    value: octets,
                } => {
                    value.push(*code);
                    length_prefixed(&mut value, "segment length", Prefix::U8, |out| {
                        out.extend_from_slice(octets);
                        Ok(())
                    })?;
                }
            }
        }
        Ok(SubTlv {
            code: SEGMENT_LIST,
            value,
        })
    }

    pub(super) fn decode(mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        reader.u8()?;
        let mut list = Self::default();
        while !reader.is_empty() {
            let code = reader.u8()?;
            let length = usize::from(reader.u8()?);
            let mut value = reader.sub(length)?;
            match (code, length) {
                (WEIGHT, 6) => {
                    value.u16()?;
                    list.weight = Some(value.u32()?);
                }
                (TYPE_A, 6) => {
                    value.u16()?;
                    list.segments.push(Segment::Mpls(value.u32()? >> 12));
                }
                (TYPE_B, 18 | 26) => {
                    let flags = value.u8()?;
                    value.u8()?;
                    let sid = value.array::<16>()?.into();
                    let behavior = match flags & BEHAVIOR != 0 && length == 26 {
                        true => Some(EndpointBehavior::decode(&mut value)?),
                        false => None,
                    };
                    list.segments.push(Segment::Srv6(sid, behavior));
                }
                _ => list.segments.push(Segment::Other {
                    code,
                    value: value.rest().to_vec(),
                }),
            }
        }
        Ok(list)
    }
}

impl EndpointBehavior {
    fn octets(self) -> [u8; 8] {
        let [a, b] = self.behavior.to_be_bytes();
        let [block, node, function, argument] = self.structure;
        [a, b, 0, 0, block, node, function, argument]
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let behavior = reader.u16()?;
        reader.u16()?;
        Ok(Self {
            behavior,
            structure: reader.array()?,
        })
    }
}
