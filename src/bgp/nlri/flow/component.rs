//! Components of a flow specification (RFC 8955 section 4.2.2, RFC 8956 section 3).

use std::net::{IpAddr, Ipv6Addr};

use super::names::{self, Names, Registry};
use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::bgp::iana::Afi;
use crate::bgp::nlri::inet::Prefix;
use crate::bgp::wire::{Reader, Writer};

/// What a component compares. Types 3 and 11 have another name with each address family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Type 1.
    Destination,
    /// Type 2.
    Source,
    /// Type 3 of IPv4.
    Protocol,
    /// Type 3 of IPv6: any upper-layer protocol.
    NextHeader,
    /// Type 4: source or destination port.
    Port,
    /// Type 5.
    DestinationPort,
    /// Type 6.
    SourcePort,
    /// Type 7.
    IcmpType,
    /// Type 8.
    IcmpCode,
    /// Type 9: a bit mask.
    TcpFlags,
    /// Type 10: of the IP packet.
    PacketLength,
    /// Type 11 of IPv4.
    Dscp,
    /// Type 11 of IPv6.
    TrafficClass,
    /// Type 12: a bit mask.
    Fragment,
    /// Type 13, of IPv6 alone.
    FlowLabel,
}

/// How the operator octet of a kind is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    /// `< > =` (RFC 8955 section 4.2.1.1).
    Numeric,
    /// `! =` on bits (RFC 8955 section 4.2.1.2).
    Bitmask,
}

impl Kind {
    /// The component type of `code` in a flow of `afi`.
    pub(super) fn from_code(afi: Afi, code: u8) -> Option<Self> {
        let six = afi == Afi::IPV6;
        Some(match code {
            1 => Self::Destination,
            2 => Self::Source,
            3 if six => Self::NextHeader,
            3 => Self::Protocol,
            4 => Self::Port,
            5 => Self::DestinationPort,
            6 => Self::SourcePort,
            7 => Self::IcmpType,
            8 => Self::IcmpCode,
            9 => Self::TcpFlags,
            10 => Self::PacketLength,
            11 if six => Self::TrafficClass,
            11 => Self::Dscp,
            12 => Self::Fragment,
            13 if six => Self::FlowLabel,
            _ => return None,
        })
    }

    /// The kind that people call `keyword`; with the AFI of a prefix that must be of one.
    pub(super) fn from_keyword(keyword: &str) -> Option<(Self, Option<Afi>)> {
        let kind = match keyword {
            "source" => Self::Source,
            "source-ipv4" => return Some((Self::Source, Some(Afi::IPV4))),
            "source-ipv6" => return Some((Self::Source, Some(Afi::IPV6))),
            "destination" => Self::Destination,
            "destination-ipv4" => return Some((Self::Destination, Some(Afi::IPV4))),
            "destination-ipv6" => return Some((Self::Destination, Some(Afi::IPV6))),
            "protocol" => Self::Protocol,
            "next-header" => Self::NextHeader,
            "port" => Self::Port,
            "destination-port" => Self::DestinationPort,
            "source-port" => Self::SourcePort,
            "icmp-type" => Self::IcmpType,
            "icmp-code" => Self::IcmpCode,
            "tcp-flags" => Self::TcpFlags,
            "packet-length" => Self::PacketLength,
            "dscp" => Self::Dscp,
            "traffic-class" => Self::TrafficClass,
            "fragment" => Self::Fragment,
            "flow-label" => Self::FlowLabel,
            _ => return None,
        };
        Some((kind, None))
    }

    /// The component type on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Destination => 1,
            Self::Source => 2,
            Self::Protocol | Self::NextHeader => 3,
            Self::Port => 4,
            Self::DestinationPort => 5,
            Self::SourcePort => 6,
            Self::IcmpType => 7,
            Self::IcmpCode => 8,
            Self::TcpFlags => 9,
            Self::PacketLength => 10,
            Self::Dscp | Self::TrafficClass => 11,
            Self::Fragment => 12,
            Self::FlowLabel => 13,
        }
    }

    /// ExaBGP's name for it (that of a prefix is its keyword without the AFI).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Destination => "destination",
            Self::Source => "source",
            Self::Protocol => "protocol",
            Self::NextHeader => "next-header",
            Self::Port => "port",
            Self::DestinationPort => "destination-port",
            Self::SourcePort => "source-port",
            Self::IcmpType => "icmp-type",
            Self::IcmpCode => "icmp-code",
            Self::TcpFlags => "tcp-flags",
            Self::PacketLength => "packet-length",
            Self::Dscp => "dscp",
            Self::TrafficClass => "traffic-class",
            Self::Fragment => "fragment",
            Self::FlowLabel => "flow-label",
        }
    }

    pub(super) const fn operation(self) -> Operation {
        match self {
            Self::TcpFlags | Self::Fragment => Operation::Bitmask,
            _ => Operation::Numeric,
        }
    }

    /// The greatest value that its field can have.
    pub(super) const fn limit(self) -> u64 {
        match self {
            Self::Protocol
            | Self::NextHeader
            | Self::IcmpType
            | Self::IcmpCode
            | Self::Dscp
            | Self::TrafficClass => 0xff,
            Self::FlowLabel => 0xffff_ffff,
            _ => 0xffff,
        }
    }

    /// The greatest value that people may write.
    pub(super) const fn written_limit(self) -> u64 {
        match self {
            Self::Dscp => 0x3f,
            Self::FlowLabel => 0xf_ffff,
            _ => self.limit(),
        }
    }

    pub(super) const fn registry(self) -> Registry {
        match self {
            Self::Protocol | Self::NextHeader => Registry::Table(names::PROTOCOL),
            Self::IcmpType => Registry::Table(names::ICMP_TYPE),
            Self::IcmpCode => Registry::Table(names::ICMP_CODE),
            Self::TcpFlags => Registry::Table(names::TCP_FLAGS),
            Self::Fragment => Registry::Table(names::FRAGMENT),
            Self::Port | Self::DestinationPort | Self::SourcePort => Registry::Ports,
            _ => Registry::Decimal,
        }
    }

    /// The names that are printed instead of numbers, those of ports aside.
    pub(super) const fn printed(self) -> Option<Names> {
        match self {
            Self::Protocol | Self::NextHeader => Some(names::PROTOCOL),
            Self::IcmpType => Some(names::ICMP_TYPE),
            _ => None,
        }
    }
}

/// A source or destination prefix.
///
/// That of IPv6 may leave out its first bits (RFC 8956 section 3.1):
/// ```text
///  +----------+----------+-----------------------------------------+
///  |  Length  |  Offset  |  Pattern: bits from Offset to Length    |
///  +----------+----------+-----------------------------------------+
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowPrefix {
    /// The prefix, its address as written.
    pub prefix: Prefix,
    /// Leading bits that are not compared; always 0 for IPv4.
    pub offset: u8,
}

impl FlowPrefix {
    pub(super) fn decode(afi: Afi, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = reader.u8()?;
        if afi != Afi::IPV6 {
            let prefix = Prefix::decode_bits(afi, length, reader)?;
            return Ok(Self { prefix, offset: 0 });
        }
        let offset = reader.u8()?;
        let whole = length == 0 && offset == 0;
        if !whole && (offset >= length || length > 128) {
            return Err(reader.error(DecodeErrorKind::Value("flow IPv6 prefix"), 0));
        }
        let octets = usize::from((length - offset).div_ceil(8));
        let mut left_aligned = [0; 16];
        left_aligned[..octets].copy_from_slice(reader.bytes(octets)?);
        let pattern = u128::from_be_bytes(left_aligned) & mask(length - offset);
        let address = pattern.checked_shr(u32::from(offset)).unwrap_or(0);
        Ok(Self {
            prefix: Prefix {
                address: IpAddr::V6(Ipv6Addr::from(address)),
                length,
            },
            offset,
        })
    }

    pub(super) fn encode(&self, out: &mut Writer) {
        out.push(self.prefix.length);
        let IpAddr::V6(address) = self.prefix.address else {
            self.prefix.encode_bits(out);
            return;
        };
        out.push(self.offset);
        let bits = self.prefix.length - self.offset;
        let shifted = u128::from(address)
            .checked_shl(u32::from(self.offset))
            .unwrap_or(0);
        let pattern = (shifted & mask(bits)).to_be_bytes();
        out.extend_from_slice(&pattern[..usize::from(bits.div_ceil(8))]);
    }
}

/// The first `bits` bits set.
fn mask(bits: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0)
}

impl std::fmt::Display for FlowPrefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.prefix.fmt(f)?;
        match self.prefix.address {
            IpAddr::V4(_) => Ok(()),
            IpAddr::V6(_) => write!(f, "/{}", self.offset),
        }
    }
}

/// Whether the value was written by a person: ExaBGP then shows a port by its name. It is no part of the value.
#[derive(Debug, Clone, Copy)]
pub struct Written(pub bool);

impl PartialEq for Written {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Written {}

impl std::hash::Hash for Written {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

/// One comparison.
///
/// ```text
///   0   1   2   3   4   5   6   7
/// +---+---+---+---+---+---+---+---+
/// | e | a |  len  | 0 |lt |gt |eq |   numeric
/// | e | a |  len  | 0 | 0 |not| m |   bit mask
/// +---+---+---+---+---+---+---+---+
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Test {
    /// The bits `a`, `lt`, `gt`, `eq` or `a`, `not`, `m`, in their places.
    pub operator: u8,
    /// Octets of the value: 1, 2, 4 or 8.
    pub width: u8,
    /// The value.
    pub value: u64,
    /// Where it came from.
    pub written: Written,
}

/// The bit `e`: last of its component.
pub(super) const END: u8 = 0x80;
/// The bit `a`: this test and the one before.
pub(super) const AND: u8 = 0x40;
/// The bits `lt`, `gt`, `eq`.
pub(super) const COMPARISONS: u8 = 0x07;
/// The bits `not`, `m`.
pub(super) const MATCHES: u8 = 0x03;

impl Test {
    /// A test of `kind` in the fewest octets.
    pub(super) fn written(kind: Kind, operator: u8, value: u64) -> Self {
        let width = match (value, kind.limit()) {
            (..=0xff, _) => 1,
            (_, ..=0xffff) | (..=0xffff, _) => 2,
            _ => 4,
        };
        Self {
            operator,
            width,
            value,
            written: Written(true),
        }
    }

    /// Decodes the tests of one component.
    pub(super) fn decode_all(
        kind: Kind,
        afi: Afi,
        reader: &mut Reader<'_>,
    ) -> Result<Vec<Self>, DecodeError> {
        let mut tests = Vec::new();
        loop {
            let octet = reader.u8()?;
            let operators = match kind.operation() {
                Operation::Numeric => COMPARISONS,
                Operation::Bitmask => MATCHES,
            };
            // RFC 8955 section 4.2.1.1: the first test has none before it to join.
            let and = if tests.is_empty() { 0 } else { AND };
            let width = 1_u8 << (octet >> 4 & 3);
            let mut octets = [0; 8];
            octets[8 - usize::from(width)..].copy_from_slice(reader.bytes(usize::from(width))?);
            let mut value = u64::from_be_bytes(octets);
            if kind == Kind::Fragment {
                // Reserved bits are ignored (RFC 8955 section 4.2.2.12); IPv6 has no DF bit (RFC 8956 section 3.6).
                value &= if afi == Afi::IPV6 { 0x0e } else { 0x0f };
            }
            if value > kind.limit() {
                return Err(reader.error(DecodeErrorKind::Value("flow component value"), 0));
            }
            tests.push(Self {
                operator: octet & (and | operators),
                width,
                value,
                written: Written(false),
            });
            if octet & END != 0 {
                return Ok(tests);
            }
        }
    }

    pub(super) fn encode(&self, last: bool, out: &mut Writer) -> Result<(), EncodeError> {
        let width = usize::from(self.width);
        let fits = width == 8 || self.value >> (8 * width) == 0;
        if !fits || !matches!(width, 1 | 2 | 4 | 8) {
            let value = usize::try_from(self.value).unwrap_or(usize::MAX);
            return Err(EncodeError::new(
                "flow component value",
                value,
                (1 << (8 * width.min(4))) - 1,
            ));
        }
        let end = if last { END } else { 0 };
        let length = (width.trailing_zeros() as u8) << 4;
        out.push(end | self.operator & !(END | 0x30) | length);
        out.extend_from_slice(&self.value.to_be_bytes()[8 - width..]);
        Ok(())
    }

    /// Appends `>=80`, `&!syn`.
    pub(super) fn text(&self, kind: Kind, out: &mut String) {
        if self.operator & AND != 0 {
            out.push('&');
        }
        match kind.operation() {
            Operation::Bitmask => {
                out.push_str(match self.operator & MATCHES {
                    0 => "",
                    1 => "=",
                    2 => "!",
                    _ => "!=",
                });
                match kind {
                    Kind::TcpFlags => {
                        names::bits(&names::TCP_FLAGS[..9], "tcp flag", self.value, out)
                    }
                    _ => names::bits(names::FRAGMENT, "fragment", self.value, out),
                }
            }
            Operation::Numeric => {
                let comparison = self.operator & COMPARISONS;
                out.push_str(match comparison {
                    0 => "false",
                    1 => "=",
                    2 => ">",
                    3 => ">=",
                    4 => "<",
                    5 => "<=",
                    6 => "!=",
                    _ => "true",
                });
                if matches!(comparison, 0 | 7) && self.operator & AND == 0 {
                    return;
                }
                self.value_text(kind, out);
            }
        }
    }

    fn value_text(&self, kind: Kind, out: &mut String) {
        let name = match (kind.printed(), kind) {
            (Some(names), _) => names::name(names, self.value),
            (None, Kind::Port | Kind::DestinationPort | Kind::SourcePort) if self.written.0 => {
                names::port_name(self.value)
            }
            _ => None,
        };
        match name {
            Some(name) => out.push_str(name),
            None => out.push_str(&self.value.to_string()),
        }
    }
}

/// A component: a prefix or a list of tests.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Component {
    /// Types 1 and 2.
    Prefix(Kind, FlowPrefix),
    /// The others.
    Tests(Kind, Vec<Test>),
}

impl Component {
    /// What it compares.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Prefix(kind, _) | Self::Tests(kind, _) => *kind,
        }
    }

    pub(super) fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        out.push(self.kind().code());
        match self {
            Self::Prefix(_, prefix) => prefix.encode(out),
            Self::Tests(_, tests) => {
                for (at, test) in tests.iter().enumerate() {
                    test.encode(at + 1 == tests.len(), out)?;
                }
            }
        }
        Ok(())
    }

    /// Its name in text and JSON: that of a prefix has its AFI.
    pub(super) fn label(&self) -> String {
        match self {
            Self::Prefix(kind, prefix) => {
                let version = if prefix.prefix.address.is_ipv4() {
                    4
                } else {
                    6
                };
                format!("{}-ipv{version}", kind.name())
            }
            Self::Tests(kind, _) => kind.name().to_owned(),
        }
    }

    /// Its values: tests that are joined by AND are one.
    pub(super) fn values(&self) -> Vec<String> {
        match self {
            Self::Prefix(_, prefix) => vec![prefix.to_string()],
            Self::Tests(kind, tests) => {
                let mut values: Vec<String> = Vec::new();
                for test in tests {
                    match values.last_mut() {
                        Some(value) if test.operator & AND != 0 => test.text(*kind, value),
                        _ => {
                            let mut value = String::new();
                            test.text(*kind, &mut value);
                            values.push(value);
                        }
                    }
                }
                values
            }
        }
    }

    /// How many prefixes or tests it has.
    pub(super) const fn len(&self) -> usize {
        match self {
            Self::Prefix(..) => 1,
            Self::Tests(_, tests) => tests.len(),
        }
    }
}

/// One component, explained.
pub(super) fn fields(afi: Afi, fields: &mut Dissector<'_>) -> Option<Component> {
    let code = *fields.peek().first()?;
    let kind = Kind::from_code(afi, code)?;
    let decode = |reader: &mut Reader<'_>| -> Result<Component, DecodeError> {
        reader.u8()?;
        Ok(match kind {
            Kind::Destination | Kind::Source => {
                Component::Prefix(kind, FlowPrefix::decode(afi, reader)?)
            }
            _ => Component::Tests(kind, Test::decode_all(kind, afi, reader)?),
        })
    };
    let show = |component: &Component| component.values().join(" ");
    fields.decoded(kind.name(), kind.name(), decode, show)
}
