//! Sessions of user equipment: by its prefix (type 1), and by the tunnel that leads to it (type 2).

use std::fmt;
use std::net::IpAddr;

use super::discovery::push_address;
use crate::bgp::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::bgp::family::Family;
use crate::bgp::iana::Afi;
use crate::bgp::nlri::inet::Prefix;
use crate::bgp::nlri::mvpn::parse_address;
use crate::bgp::nlri::qualifier::{RouteDistinguisher, address};
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Reader, Writer};

/// A prefix of user equipment and the tunnel that leads to it.
///
/// ```text
///  +------------------+----------------------+--------------------+
///  |  RD (8 octets)   |  Prefix length (1)   |  Prefix (variable) |
///  +------------------+---------+------------+--------------------+
///  |  TEID (4)        | QFI (1) |  Endpoint length (1), endpoint  |
///  +------------------+---------+---------------------------------+
///  |  Source length (1), source: may be absent                    |
///  +--------------------------------------------------------------+
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Type1Session {
    /// The VPN.
    pub rd: RouteDistinguisher,
    /// The prefix, as written.
    pub prefix: Prefix,
    /// Tunnel endpoint identifier of GTP-U.
    pub teid: u32,
    /// QoS flow identifier.
    pub qfi: u8,
    /// The tunnel's end.
    pub endpoint: IpAddr,
    /// The tunnel's source, since draft -03.
    pub source: Option<IpAddr>,
}

impl Type1Session {
    pub(super) fn decode(family: Family, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let rd = RouteDistinguisher::decode(reader)?;
        let length = reader.u8()?;
        let prefix = Prefix::decode_bits(family.afi, length, reader)?;
        Ok(Self {
            rd,
            prefix,
            teid: reader.u32()?,
            qfi: reader.u8()?,
            endpoint: decode_sized(reader)?,
            source: match reader.is_empty() {
                true => None,
                false => Some(decode_sized(reader)?),
            },
        })
    }

    pub(super) fn encode(&self, out: &mut Writer) {
        out.extend_from_slice(&self.rd.0);
        out.push(self.prefix.length);
        self.prefix.encode_bits(out);
        out.extend_from_slice(&self.teid.to_be_bytes());
        out.push(self.qfi);
        encode_sized(self.endpoint, out);
        if let Some(source) = self.source {
            encode_sized(source, out);
        }
    }

    pub(super) fn index(&self, out: &mut Writer) {
        out.extend_from_slice(&self.rd.0);
        out.push(self.prefix.length);
        push_address(self.prefix.address, out);
    }

    pub(super) fn parse(family: Family, words: &mut Words<'_>) -> Result<Self, TextError> {
        let prefix = Prefix::parse_unmasked(family.afi, words)?;
        words.expect("rd")?;
        let rd = RouteDistinguisher::parse(words)?;
        words.expect("teid")?;
        let teid = words.parse("a number of 32 bits")?;
        words.expect("qfi")?;
        let qfi = words.parse("a number from 0 to 255")?;
        words.expect("endpoint")?;
        let endpoint = parse_address(family.afi, words)?;
        let source = match words.accept("source") {
            true => Some(parse_address(family.afi, words)?),
            false => None,
        };
        Ok(Self {
            rd,
            prefix,
            teid,
            qfi,
            endpoint,
            source,
        })
    }

    /// Parity: ExaBGP writes an absent source as `b''`. The comma after `endpoint_ip`, without which
    /// the text is no JSON, is missing in ExaBGP 5.0.15 and written here.
    pub(super) fn json(&self) -> String {
        let (source_length, source) = match self.source {
            Some(source) => (bits(source), address(source).to_string()),
            None => (0, "b''".to_owned()),
        };
        format!(
            "\"prefix_ip_len\": {}, \"prefix_ip\": \"{}\", \"teid\": \"{}\", \"qfi\": \"{}\", \"rd\": \"{}\", \
             \"endpoint_ip_len\": {}, \"endpoint_ip\": \"{}\", \"source_ip_len\": {source_length}, \"source_ip\": \"{source}\"",
            self.prefix.length,
            address(self.prefix.address),
            self.teid,
            self.qfi,
            self.rd,
            bits(self.endpoint),
            address(self.endpoint),
        )
    }
}

impl fmt::Display for Type1Session {
    /// Parity: the length after the endpoint is that of the prefix.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}:{}:{}/{}",
            self.rd,
            self.prefix,
            self.teid,
            self.qfi,
            address(self.endpoint),
            self.prefix.length
        )?;
        match self.source {
            Some(source) => write!(f, ":{}/{}", address(source), bits(source)),
            None => Ok(()),
        }
    }
}

/// The tunnel that leads to user equipment.
///
/// ```text
///  +------------------+----------------------+----------------------------+
///  |  RD (8 octets)   |  Endpoint length (1) |  Endpoint, then TEID (0-4) |
///  +------------------+----------------------+----------------------------+
///   the length is that of address and TEID, in bits
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Type2Session {
    /// The VPN.
    pub rd: RouteDistinguisher,
    /// The tunnel's end.
    pub endpoint: IpAddr,
    /// Tunnel endpoint identifier of GTP-U, in the low bits.
    pub teid: u32,
    /// Bits of the TEID.
    pub teid_bits: u8,
}

impl Type2Session {
    pub(super) fn decode(family: Family, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let rd = RouteDistinguisher::decode(reader)?;
        let length = reader.u8()?;
        let wrong = reader.error(DecodeErrorKind::Value("MUP endpoint length"), 0);
        let endpoint = match family.afi {
            Afi::IPV4 => IpAddr::from(reader.array::<4>()?),
            _ => IpAddr::from(reader.array::<16>()?),
        };
        let teid_bits = length.checked_sub(bits(endpoint)).ok_or(wrong)?;
        if teid_bits > 32 {
            return Err(wrong);
        }
        let mut octets = [0; 4];
        let count = usize::from(teid_bits.div_ceil(8));
        octets[4 - count..].copy_from_slice(reader.bytes(count)?);
        Ok(Self {
            rd,
            endpoint,
            teid: u32::from_be_bytes(octets),
            teid_bits,
        })
    }

    pub(super) fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        EncodeError::within("TEID bits", usize::from(self.teid_bits), 32)?;
        let count = usize::from(self.teid_bits.div_ceil(8));
        let limit = (1_u64 << (8 * count)) - 1;
        EncodeError::within("TEID", self.teid as usize, limit as usize)?;
        out.extend_from_slice(&self.rd.0);
        out.push(self.length());
        push_address(self.endpoint, out);
        out.extend_from_slice(&self.teid.to_be_bytes()[4 - count..]);
        Ok(())
    }

    const fn length(&self) -> u8 {
        bits(self.endpoint) + self.teid_bits
    }

    pub(super) fn parse(family: Family, words: &mut Words<'_>) -> Result<Self, TextError> {
        let endpoint = parse_address(family.afi, words)?;
        words.expect("rd")?;
        let rd = RouteDistinguisher::parse(words)?;
        words.expect("teid")?;
        let word = words.word("a TEID")?;
        let teid = word.text.split_once('/').and_then(|(teid, bits)| {
            let bits: u8 = bits.parse().ok()?;
            let teid: u32 = teid.parse().ok()?;
            let fits = bits <= 32 && u64::from(teid) < 1 << bits;
            fits.then_some((teid, bits))
        });
        let (teid, teid_bits) = teid.ok_or_else(|| {
            let message = format!("`{}` is not a TEID and its bits", word.text);
            TextError::new(word.span.clone(), message).help(
                "write TEID/BITS, as in 12345/32; the TEID must fit the bits, which are at most 32",
            )
        })?;
        Ok(Self {
            rd,
            endpoint,
            teid,
            teid_bits,
        })
    }

    pub(super) fn json(&self) -> String {
        format!(
            "\"endpoint_len\": {}, \"endpoint_ip\": \"{}\", \"rd\": \"{}\", \"teid\": \"{}\"",
            self.length(),
            address(self.endpoint),
            self.rd,
            self.teid
        )
    }
}

impl fmt::Display for Type2Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = address(self.endpoint);
        write!(f, "{}:{}:{endpoint}:{}:", self.rd, self.length(), self.teid)
    }
}

const fn bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn decode_sized(reader: &mut Reader<'_>) -> Result<IpAddr, DecodeError> {
    match reader.u8()? {
        32 => Ok(IpAddr::from(reader.array::<4>()?)),
        128 => Ok(IpAddr::from(reader.array::<16>()?)),
        _ => Err(reader.error(DecodeErrorKind::Value("MUP address length"), 0)),
    }
}

fn encode_sized(address: IpAddr, out: &mut Writer) {
    out.push(bits(address));
    push_address(address, out);
}
