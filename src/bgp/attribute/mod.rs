//! Path attributes: a file each, and the table that knows them all.
//!
//! To add one: write its file in the shape of [`origin`], and give it one line in the table below.

pub mod aggregator;
pub mod aigp;
pub mod as4_aggregator;
pub mod as4_path;
pub mod as_path;
pub mod atomic_aggregate;
pub mod cluster_list;
mod codes;
pub mod communities;
mod decode;
pub mod extended_community;
mod four_octet;
pub mod generic;
pub mod large_communities;
mod list;
pub mod link_state;
pub mod local_pref;
pub mod med;
pub mod mp_reach;
pub mod mp_unreach;
pub mod next_hop;
pub mod origin;
pub mod originator_id;
pub mod otc;
pub mod pmsi_tunnel;
pub mod prefix_sid;
#[cfg(test)]
pub(crate) mod testing;
pub mod tunnel_encapsulation;
mod render;

use std::fmt;

use super::dissect::Dissector;
use super::error::{DecodeError, EncodeError, ErrorAction};
use super::family::Families;
use super::message::error::UpdateErrorKind;
use super::text::{TextError, Words};
use super::wire::{Reader, Writer};
pub(in crate::bgp) use codes::Codes;
pub use decode::Malformed;
use decode::Wrong;
pub use generic::Generic;
pub use list::Attributes;
pub use mp_reach::{MpReach, NextHop};
pub use mp_unreach::MpUnreach;

/// How one direction of a session writes its octets: what the two OPENs agreed on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WireContext {
    /// AS numbers have four octets (RFC 6793).
    pub four_octet_as: bool,
    /// Families whose NLRI carry a path identifier (RFC 7911).
    pub add_path: Families,
    /// Messages may have 65,535 octets instead of 4,096 (RFC 8654).
    pub extended_message: bool,
    /// BGPsec_PATH may stand in the place of AS_PATH (RFC 8205 section 4.1).
    pub bgpsec: bool,
}

/// Attribute flags (RFC 4271 section 4.3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flags(pub u8);

impl Flags {
    /// Optional.
    pub const OPTIONAL: Self = Self(0x80);
    /// Transitive.
    pub const TRANSITIVE: Self = Self(0x40);
    /// Partial.
    pub const PARTIAL: Self = Self(0x20);
    /// The length has two octets.
    pub const EXTENDED_LENGTH: Self = Self(0x10);
    /// Well known: transitive alone.
    pub const WELL_KNOWN: Self = Self(0x40);
    /// Optional and transitive.
    pub const OPTIONAL_TRANSITIVE: Self = Self(0xc0);

    /// Whether every flag of `other` is set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flags(0x{:02x})", self.0)
    }
}

/// What every attribute's file provides.
pub trait PathAttribute: Sized + Clone + PartialEq + Eq + std::hash::Hash + fmt::Debug {
    /// The type code (IANA "BGP Path Attributes").
    const CODE: u8;
    /// The flags it is sent with.
    const FLAGS: Flags;
    /// ExaBGP's keyword for it, also the key in its JSON (`local-preference`).
    const NAME: &'static str;
    /// What a malformed one asks of the session (RFC 7606 section 7).
    const ON_ERROR: ErrorAction = ErrorAction::TreatAsWithdraw;

    /// Decodes the value; `reader` holds it and nothing else.
    ///
    /// # Errors
    /// Where the octets are not of this attribute's form.
    fn decode(context: &WireContext, reader: Reader<'_>) -> Result<Self, DecodeError>;

    /// Appends the value, without flags, code and length.
    ///
    /// # Errors
    /// Where something does not fit its field.
    fn encode(&self, context: &WireContext, out: &mut Writer) -> Result<(), EncodeError>;

    /// Reads ExaBGP's words that follow the keyword.
    ///
    /// # Errors
    /// Where the words are not of this attribute's form.
    fn parse(words: &mut Words<'_>) -> Result<Self, TextError>;

    /// Appends ExaBGP's text for the value, as in `show adj-rib out extensive` and the text encoder.
    fn text(&self, out: &mut String);

    /// Appends ExaBGP's JSON for the value: of most, the text in quotation marks.
    fn json(&self, out: &mut String) {
        out.push('"');
        self.text(out);
        out.push('"');
    }

    /// How a wrong value (not length) is called in a NOTIFICATION.
    const VALUE_ERROR: UpdateErrorKind = UpdateErrorKind::OptionalAttribute;

    /// Whether ExaBGP shows it by name; if not, by code and flags.
    const HAS_NAME: bool = true;

    /// Explains the octets of the value, which `fields` walks and which are not none.
    fn dissect(context: &WireContext, fields: &mut Dissector<'_>) {
        fields.decoded(
            "value",
            "Attribute Value",
            |reader| Self::decode(context, Reader::at(reader.rest(), reader.offset())),
            |value| {
                let mut text = String::new();
                value.text(&mut text);
                text
            },
        );
    }

    /// The attribute that has to follow this one to a peer without four-octet AS numbers (RFC 6793 section 4.2.2).
    fn companion(&self, _: &WireContext) -> Option<Attribute> {
        None
    }
}

/// Declares the table of attributes: `Variant(Type);` in the order of their codes.
macro_rules! attributes {
    ($($variant:ident($type:ty);)*) => {
        /// The value of an attribute.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum AttributeValue {
            $(
                #[doc = concat!("See [`", stringify!($type), "`].")]
                $variant($type),
            )*
            /// See [`MpReach`].
            MpReach(Box<MpReach>),
            /// See [`MpUnreach`].
            MpUnreach(Box<MpUnreach>),
            /// See [`Generic`].
            Generic(Generic),
        }

        $(
            impl From<$type> for Attribute {
                fn from(value: $type) -> Self {
                    Self { flags: <$type>::FLAGS, value: AttributeValue::$variant(value) }
                }
            }

            impl Listed for $type {
                fn of(value: &AttributeValue) -> Option<&Self> {
                    match value {
                        AttributeValue::$variant(value) => Some(value),
                        _ => None,
                    }
                }
            }
        )*

        impl AttributeValue {
            /// The type code.
            #[must_use]
            pub const fn code(&self) -> u8 {
                match self {
                    $(Self::$variant(_) => <$type>::CODE,)*
                    Self::MpReach(_) => MpReach::CODE,
                    Self::MpUnreach(_) => MpUnreach::CODE,
                    Self::Generic(generic) => generic.code,
                }
            }

            /// Appends to `list` what `reader` holds, and nothing else does: the value of an attribute of type `code`, if
            /// `flags` are those of the table. Each arm appends for itself: a value that all of them hand back is moved once more.
            #[inline]
            fn decode(context: &WireContext, flags: Flags, code: u8, reader: Reader<'_>, list: &mut Attributes) -> Result<(), Wrong> {
                match code {
                    $(<$type>::CODE => {
                        flags.check(<$type>::FLAGS)?;
                        let value = <$type>::decode(context, reader)?;
                        list.push(Attribute { flags, value: Self::$variant(value) });
                    })*
                    MpReach::CODE => {
                        flags.check(Flags::OPTIONAL)?;
                        let value = Box::new(MpReach::decode(context, reader)?);
                        list.push(Attribute { flags, value: Self::MpReach(value) });
                    }
                    MpUnreach::CODE => {
                        flags.check(Flags::OPTIONAL)?;
                        let value = Box::new(MpUnreach::decode(context, reader)?);
                        list.push(Attribute { flags, value: Self::MpUnreach(value) });
                    }
                    _ => {
                        let value = reader.peek().to_vec();
                        list.push(Attribute { flags, value: Self::Generic(Generic { code, flags, value }) });
                    }
                }
                Ok(())
            }

            /// Appends flags, code, length and value.
            #[inline]
            fn encode(&self, flags: Flags, context: &WireContext, out: &mut Writer) -> Result<(), EncodeError> {
                match self {
                    $(Self::$variant(value) => framed(flags, <$type>::CODE, out, |out| value.encode(context, out)),)*
                    Self::MpReach(value) => framed(flags, MpReach::CODE, out, |out| value.encode(context, out)),
                    Self::MpUnreach(value) => framed(flags, MpUnreach::CODE, out, |out| value.encode(context, out)),
                    Self::Generic(generic) => framed(flags, generic.code, out, |out| {
                        out.extend_from_slice(&generic.value);
                        Ok(())
                    }),
                }
            }

            /// Explains the octets of the value of an attribute of type `code`.
            pub(in crate::bgp) fn dissect(context: &WireContext, code: u8, fields: &mut Dissector<'_>) {
                match code {
                    $(<$type>::CODE => <$type>::dissect(context, fields),)*
                    _ => fields.rest("value", "Attribute Value"),
                }
            }

            fn companion(&self, context: &WireContext) -> Option<Attribute> {
                match self {
                    $(Self::$variant(value) => value.companion(context),)*
                    _ => None,
                }
            }

            fn write_text(&self, out: &mut String) {
                match self {
                    $(Self::$variant(value) => value.text(out),)*
                    Self::Generic(generic) => generic.text(out),
                    Self::MpReach(_) | Self::MpUnreach(_) => {}
                }
            }

            fn write_json(&self, out: &mut String) {
                match self {
                    $(Self::$variant(value) => value.json(out),)*
                    Self::Generic(generic) => generic.json(out),
                    Self::MpReach(_) | Self::MpUnreach(_) => {}
                }
            }
        }

        /// What the table says of the attribute of type `code`; `None` where it has none.
        #[must_use]
        pub const fn rules(code: u8) -> Option<Rules> {
            Some(match code {
                $(<$type>::CODE => Rules {
                    name: <$type>::NAME,
                    has_name: <$type>::HAS_NAME,
                    flags: <$type>::FLAGS,
                    on_error: <$type>::ON_ERROR,
                    value_error: <$type>::VALUE_ERROR,
                },)*
                MpReach::CODE => Rules {
                    name: "mp-reach-nlri",
                    has_name: true,
                    flags: Flags::OPTIONAL,
                    on_error: ErrorAction::SessionReset,
                    value_error: UpdateErrorKind::OptionalAttribute,
                },
                MpUnreach::CODE => Rules {
                    name: "mp-unreach-nlri",
                    has_name: true,
                    flags: Flags::OPTIONAL,
                    on_error: ErrorAction::SessionReset,
                    value_error: UpdateErrorKind::OptionalAttribute,
                },
                _ => return None,
            })
        }

        /// Reads the words that follow `keyword` (ExaBGP's: `med`, `community`, `attribute`…);
        /// `None` where no attribute has that keyword.
        ///
        /// # Errors
        /// Where the words are not of the attribute's form.
        pub fn parse(keyword: &str, words: &mut Words<'_>) -> Option<Result<Attribute, TextError>> {
            $(
                if keyword == <$type>::NAME {
                    return Some(<$type>::parse(words).map(Attribute::from));
                }
            )*
            if keyword == prefix_sid::PrefixSid::SRV6_NAME {
                return Some(prefix_sid::PrefixSid::parse_srv6(words).map(Attribute::from));
            }
            (keyword == Generic::NAME).then(|| Generic::parse(words))
        }
    };
}

attributes! {
    Origin(origin::Origin);
    AsPath(as_path::AsPath);
    NextHop(next_hop::NextHopAddress);
    Med(med::Med);
    LocalPref(local_pref::LocalPref);
    AtomicAggregate(atomic_aggregate::AtomicAggregate);
    Aggregator(aggregator::Aggregator);
    Communities(communities::Communities);
    OriginatorId(originator_id::OriginatorId);
    ClusterList(cluster_list::ClusterList);
    ExtendedCommunities(extended_community::ExtendedCommunities);
    As4Path(as4_path::As4Path);
    As4Aggregator(as4_aggregator::As4Aggregator);
    PmsiTunnel(pmsi_tunnel::PmsiTunnel);
    TunnelEncapsulation(tunnel_encapsulation::TunnelEncapsulation);
    ExtendedCommunitiesIpv6(extended_community::ExtendedCommunitiesIpv6);
    Aigp(aigp::Aigp);
    LinkState(link_state::LinkState);
    LargeCommunities(large_communities::LargeCommunities);
    OnlyToCustomer(otc::OnlyToCustomer);
    PrefixSid(prefix_sid::PrefixSid);
}

/// What the table says of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// ExaBGP's keyword for it.
    pub name: &'static str,
    /// Whether ExaBGP shows it by name; if not, by code and flags.
    pub has_name: bool,
    /// The flags it is sent with.
    pub flags: Flags,
    /// What a malformed one asks of the session.
    pub on_error: ErrorAction,
    /// How a wrong value (not length) is called in a NOTIFICATION.
    pub value_error: UpdateErrorKind,
}

/// An attribute of the table: finds itself in an [`AttributeValue`].
pub trait Listed: PathAttribute {
    /// The value, if it is this attribute's.
    fn of(value: &AttributeValue) -> Option<&Self>;
}

/// Appends flags, code, what `body` writes, and its length in one octet, or in two where it needs them or `flags` say so.
#[inline]
fn framed(
    flags: Flags,
    code: u8,
    out: &mut Writer,
    body: impl FnOnce(&mut Writer) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let start = out.len();
    let extended = flags.contains(Flags::EXTENDED_LENGTH);
    if extended {
        out.extend_from_slice(&[flags.0, code, 0, 0]);
    } else {
        out.extend_from_slice(&[flags.0, code, 0]);
    }
    let header = if extended { 4 } else { 3 };
    body(out)?;
    let length = out.len() - start - header;
    if !extended && length <= usize::from(u8::MAX) {
        out[start + 2] = length as u8;
        return Ok(());
    }
    let Ok(octets) = u16::try_from(length).map(u16::to_be_bytes) else {
        let limit = usize::from(u16::MAX);
        return Err(EncodeError::new("attribute length", length, limit));
    };
    if !extended {
        out[start] |= Flags::EXTENDED_LENGTH.0;
        out.insert(start + 2, 0);
    }
    out[start + 2..start + 4].copy_from_slice(&octets);
    Ok(())
}

/// One path attribute: flags as sent or received, and the value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Attribute {
    /// The flags.
    pub flags: Flags,
    /// The value.
    pub value: AttributeValue,
}

impl Attribute {
    /// Appends flags, code, length and value. The length has two octets where it needs them or the flags say so.
    ///
    /// # Errors
    /// Where something does not fit its field.
    #[inline]
    pub fn encode(&self, context: &WireContext, out: &mut Writer) -> Result<(), EncodeError> {
        self.value.encode(self.flags, context, out)
    }

    /// ExaBGP's keyword for it; `None` for attributes that it knows by number alone.
    #[must_use]
    pub fn name(&self) -> Option<&'static str> {
        match self.value {
            AttributeValue::Generic(_) => None,
            _ => rules(self.value.code())
                .filter(|rules| rules.has_name)
                .map(|rules| rules.name),
        }
    }

    /// ExaBGP's text for the value.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        self.value.write_text(&mut out);
        out
    }

    /// ExaBGP's JSON for the value.
    #[must_use]
    pub fn json(&self) -> String {
        let mut out = String::new();
        self.value.write_json(&mut out);
        out
    }
}

#[cfg(test)]
mod tests;
