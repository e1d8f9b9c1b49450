//! Comparisons: an operator octet and a value (RFC 8955 section 4.2.1).

use super::kind::{Kind, Operation};
use super::names;
use crate::bgp::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::bgp::iana::Afi;
use crate::bgp::wire::{Reader, Writer};

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
    /// The value that the packet's field is compared with, at most 8 octets (RFC 8955 section 4.2.1.1).
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
