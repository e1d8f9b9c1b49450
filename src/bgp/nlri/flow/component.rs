//! Components of a flow specification: a prefix, or tests of one kind.

use super::kind::Kind;
use super::prefix::FlowPrefix;
use super::test::{AND, Test};
use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::iana::Afi;
use crate::bgp::wire::{Reader, Writer};

/// A component: a prefix or a list of tests.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Component {
    /// Types 1 and 2.
    Prefix(Kind, FlowPrefix),
    /// A component of any other type: a list of operator and value pairs (RFC 8955 section 4.2.1).
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
