//! Fields that are not compared, and addresses that stand for each other: both are written over before messages are compared.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use thiserror::Error;

use super::side::Side;
use crate::bgp::iana::MessageType;

const HEADER: usize = 19;
/// Octets of an OPEN before its optional parameters.
const OPEN: usize = 29;
const EXTENDED_LENGTH: u8 = 0x10;
/// Seconds between a message and a time in it: a longer way off, it is a number like another.
const CLOSE: u64 = 86_400;
/// Stands for every BGP identifier that is not compared.
const ANY_IDENTIFIER: [u8; 4] = [0xff; 4];
/// Stand for every next hop that is not compared (documentation addresses: all zeros would be malformed).
const ANY_IPV4: [u8; 4] = [192, 0, 2, 0];
const ANY_IPV6: [u8; 16] = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// A field of a message that is not compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IgnoredField {
    /// BGP identifier of an OPEN.
    Identifier,
    /// Hold time of an OPEN.
    HoldTime,
    /// AS number of an OPEN, in its header and in the capability.
    AsNumber,
    /// Optional parameters of an OPEN.
    Capabilities,
    /// NEXT_HOP, and the next hop of MP_REACH_NLRI.
    NextHop,
    /// Address of AGGREGATOR.
    AggregatorAddress,
    /// Times in seconds since 1970 in communities of every kind, within a day of the message.
    Timestamps,
    /// A path attribute, by its code.
    Attribute(u8),
}

/// Names of attributes and their codes, as ExaBGP and the RFCs have them.
const ATTRIBUTES: [(&str, u8); 11] = [
    ("origin", 1),
    ("as-path", 2),
    ("med", 4),
    ("local-preference", 5),
    ("atomic-aggregate", 6),
    ("aggregator", 7),
    ("communities", 8),
    ("originator-id", 9),
    ("cluster-list", 10),
    ("extended-communities", 16),
    ("large-communities", 32),
];
const FIELDS: [(&str, IgnoredField); 7] = [
    ("identifier", IgnoredField::Identifier),
    ("hold-time", IgnoredField::HoldTime),
    ("as-number", IgnoredField::AsNumber),
    ("capabilities", IgnoredField::Capabilities),
    ("next-hop", IgnoredField::NextHop),
    ("aggregator-address", IgnoredField::AggregatorAddress),
    ("timestamps", IgnoredField::Timestamps),
];

impl fmt::Display for IgnoredField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, _)) = FIELDS.iter().find(|(_, field)| field == self) {
            return f.write_str(name);
        }
        let Self::Attribute(code) = self else {
            return Ok(());
        };
        match ATTRIBUTES.iter().find(|(_, known)| known == code) {
            Some((name, _)) => f.write_str(name),
            None => write!(f, "attribute-{code}"),
        }
    }
}

/// There is no field of that name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a field that can be ignored")]
pub struct UnknownField(pub String);

impl UnknownField {
    /// The names that there are.
    #[must_use]
    pub fn known() -> String {
        let names = FIELDS.iter().map(|(name, _)| *name);
        let mut names: Vec<&str> = names.chain(ATTRIBUTES.map(|(name, _)| name)).collect();
        names.extend(["attribute-N", "addresses"]);
        names.join(", ")
    }
}

/// What is written over before messages are compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ignored {
    fields: BTreeSet<IgnoredField>,
    addresses: Vec<(IpAddr, IpAddr)>,
}

impl Ignored {
    /// `fields` by name, and pairs of addresses of which the left's is the right's.
    ///
    /// # Errors
    /// A name that is none.
    pub fn new(fields: &[String], addresses: Vec<(IpAddr, IpAddr)>) -> Result<Self, UnknownField> {
        let mut ignored = Self {
            fields: BTreeSet::new(),
            addresses,
        };
        for name in fields {
            ignored.add(name.trim())?;
        }
        Ok(ignored)
    }

    fn add(&mut self, name: &str) -> Result<(), UnknownField> {
        use IgnoredField::{AggregatorAddress, Attribute, Identifier, NextHop};
        let plain = name.to_ascii_lowercase().replace('_', "-");
        let field = match &plain[..] {
            "addresses" => {
                // ORIGINATOR_ID and CLUSTER_LIST hold nothing else.
                let all = [
                    Identifier,
                    NextHop,
                    AggregatorAddress,
                    Attribute(9),
                    Attribute(10),
                ];
                self.fields.extend(all);
                return Ok(());
            }
            "router-id" => Identifier,
            "community" => Attribute(8),
            "extended-community" => Attribute(16),
            "large-community" => Attribute(32),
            "local-pref" => Attribute(5),
            "asn" => IgnoredField::AsNumber,
            "timestamp" => IgnoredField::Timestamps,
            _ => plain.parse()?,
        };
        self.fields.insert(field);
        Ok(())
    }

    /// What is ignored, for people; empty where all is compared.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.fields.iter().map(ToString::to_string).collect()
    }

    /// The pairs of addresses that stand for each other, the left's first.
    #[must_use]
    pub fn addresses(&self) -> &[(IpAddr, IpAddr)] {
        &self.addresses
    }

    /// The addresses of `side` that stand for one of the other.
    pub(super) fn mapped(&self, side: Side) -> impl Iterator<Item = IpAddr> {
        self.addresses.iter().map(move |(left, right)| match side {
            Side::Left => *left,
            Side::Right => *right,
        })
    }

    /// Whether messages are compared as they are.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.addresses.is_empty()
    }

    /// What the left calls `address`, which is one of `side`.
    #[must_use]
    pub fn name(&self, side: Side, address: IpAddr) -> IpAddr {
        let pair = self.addresses.iter().find(|(_, right)| *right == address);
        match (side, pair) {
            (Side::Right, Some((left, _))) => *left,
            _ => address,
        }
    }

    /// `octets`, a message of `side` captured at `time` (nanoseconds since 1970), as it is compared; `None` where that is
    /// as it is.
    #[must_use]
    pub fn rewrite(&self, side: Side, time: u64, octets: &[u8]) -> Option<Vec<u8>> {
        let rewritten = match MessageType(*octets.get(18)?) {
            MessageType::OPEN => self.open(side, octets)?,
            MessageType::UPDATE => self.update(side, time / 1_000_000_000, octets)?,
            _ => return None,
        };
        (rewritten != octets).then_some(rewritten)
    }

    fn has(&self, field: IgnoredField) -> bool {
        self.fields.contains(&field)
    }

    /// An address of four octets among those of `side`.
    fn rename(&self, side: Side, octets: &mut [u8]) {
        let address = match *octets {
            [a, b, c, d] => IpAddr::from([a, b, c, d]),
            _ => match <[u8; 16]>::try_from(&*octets) {
                Ok(octets) => IpAddr::from(octets),
                Err(_) => return,
            },
        };
        match self.name(side, address) {
            IpAddr::V4(name) if octets.len() == 4 => octets.copy_from_slice(&name.octets()),
            IpAddr::V6(name) if octets.len() == 16 => octets.copy_from_slice(&name.octets()),
            _ => {}
        }
    }

    fn open(&self, side: Side, octets: &[u8]) -> Option<Vec<u8>> {
        let mut open = octets.to_vec();
        if open.len() < OPEN {
            return None;
        }
        if self.has(IgnoredField::AsNumber) {
            open[20..22].fill(0xff);
            const FOUR_OCTET_AS: [u8; 2] = [65, 4];
            // The capability's value follows its code and length.
            let found = open[OPEN..]
                .windows(2)
                .position(|pair| pair == FOUR_OCTET_AS);
            if let Some(value) = found.and_then(|at| open.get_mut(OPEN + at + 2..OPEN + at + 6)) {
                value.fill(0xff);
            }
        }
        if self.has(IgnoredField::HoldTime) {
            open[22..24].fill(0);
        }
        if self.has(IgnoredField::Identifier) {
            open[24..28].copy_from_slice(&ANY_IDENTIFIER);
        } else {
            self.rename(side, &mut open[24..28]);
        }
        if self.has(IgnoredField::Capabilities) {
            open.truncate(OPEN);
            open[28] = 0;
            open[16..18].copy_from_slice(&(OPEN as u16).to_be_bytes());
        }
        Some(open)
    }

    /// An UPDATE, its attributes rewritten; `None` where their lengths do not fit.
    fn update(&self, side: Side, seconds: u64, octets: &[u8]) -> Option<Vec<u8>> {
        let half = |at: usize| -> Option<usize> {
            let octets = octets.get(at..at + 2)?;
            Some(usize::from(u16::from_be_bytes([octets[0], octets[1]])))
        };
        let attributes = HEADER + 2 + half(HEADER)?;
        let start = attributes + 2;
        let end = start + half(attributes)?;
        let mut rest = octets.get(start..end)?;
        let mut update = octets[..start].to_vec();
        while !rest.is_empty() {
            let (flags, code) = (*rest.first()?, *rest.get(1)?);
            let is_extended = flags & EXTENDED_LENGTH != 0;
            let (from, length) = match is_extended {
                false => (3, usize::from(*rest.get(2)?)),
                true => (
                    4,
                    usize::from(u16::from_be_bytes([*rest.get(2)?, *rest.get(3)?])),
                ),
            };
            let mut value = rest.get(from..from + length)?.to_vec();
            rest = &rest[from + length..];
            if self.attribute(side, seconds, code, &mut value) {
                update.extend([flags, code]);
                if is_extended {
                    update.extend((value.len() as u16).to_be_bytes());
                } else {
                    update.push(value.len() as u8);
                }
                update.extend(value);
            }
        }
        let length = u16::try_from(update.len() - start).ok()?;
        update[attributes..start].copy_from_slice(&length.to_be_bytes());
        update.extend_from_slice(octets.get(end..)?);
        let length = u16::try_from(update.len()).ok()?;
        update[16..18].copy_from_slice(&length.to_be_bytes());
        Some(update)
    }

    /// Rewrites an attribute's value; `false` where it goes.
    fn attribute(&self, side: Side, seconds: u64, code: u8, value: &mut Vec<u8>) -> bool {
        const ORIGIN: u8 = 1;
        const AS_PATH: u8 = 2;
        if self.has(IgnoredField::Attribute(code)) {
            // These are mandatory: without them an UPDATE is malformed (RFC 4271 section 5).
            match code {
                ORIGIN => value.fill(0),
                AS_PATH => value.clear(),
                _ => return false,
            }
            return true;
        }
        match code {
            3 => self.next_hop(side, value),
            7 if value.len() >= 6 => {
                let at = value.len() - 4;
                if self.has(IgnoredField::AggregatorAddress) {
                    value[at..].fill(0);
                } else {
                    self.rename(side, &mut value[at..]);
                }
            }
            9 | 10 => value
                .chunks_exact_mut(4)
                .for_each(|id| self.rename(side, id)),
            14 => self.reach(side, value),
            8 | 16 | 32 if self.has(IgnoredField::Timestamps) => {
                for word in value.chunks_exact_mut(4) {
                    let number = u32::from_be_bytes([word[0], word[1], word[2], word[3]]);
                    if u64::from(number).abs_diff(seconds) <= CLOSE {
                        word.fill(0);
                    }
                }
            }
            _ => {}
        }
        true
    }

    fn next_hop(&self, side: Side, address: &mut [u8]) {
        match address.len() {
            _ if !self.has(IgnoredField::NextHop) => self.rename(side, address),
            4 => address.copy_from_slice(&ANY_IPV4),
            16 => address.copy_from_slice(&ANY_IPV6),
            _ => {}
        }
    }

    /// MP_REACH_NLRI (RFC 4760 section 3): family, length and next hop, reserved, NLRI.
    fn reach(&self, side: Side, value: &mut Vec<u8>) {
        const NEXT_HOP: usize = 4;
        const ROUTE_DISTINGUISHER: usize = 8;
        let Some(length) = value.get(3).map(|length| usize::from(*length)) else {
            return;
        };
        if value.len() < NEXT_HOP + length {
            return;
        }
        let at = match length {
            12 | 24 | 48 => NEXT_HOP + ROUTE_DISTINGUISHER,
            _ => NEXT_HOP,
        };
        let size = match length {
            4 | 12 => 4,
            16 | 24 | 32 | 48 => 16,
            _ => return,
        };
        self.next_hop(side, &mut value[at..at + size]);
        // A link-local address beside the global one (RFC 2545 section 3) belongs to the next hop.
        if self.has(IgnoredField::NextHop) && matches!(length, 32 | 48) {
            value.drain(at + size..NEXT_HOP + length);
            value[3] = (at + size - NEXT_HOP) as u8;
        }
    }
}

impl FromStr for IgnoredField {
    type Err = UnknownField;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        if let Some((_, field)) = FIELDS.iter().find(|(known, _)| *known == name) {
            return Ok(*field);
        }
        if let Some((_, code)) = ATTRIBUTES.iter().find(|(known, _)| *known == name) {
            return Ok(Self::Attribute(*code));
        }
        let code = name
            .strip_prefix("attribute-")
            .and_then(|code| code.parse().ok());
        code.map(Self::Attribute)
            .ok_or_else(|| UnknownField(name.to_owned()))
    }
}
