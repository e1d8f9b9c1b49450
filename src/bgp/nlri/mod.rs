//! Network Layer Reachability Information: a file per family, and the table that knows them all.
//!
//! To add a family: write its file in the shape of [`inet`], and give it one line in the table below.

pub mod evpn;
pub mod flow;
pub mod inet;
pub mod labelled;
pub mod link_state;
pub mod mup;
pub mod mvpn;
pub mod qualifier;
pub mod rtc;
pub mod sr_policy;
#[cfg(test)]
pub(crate) mod testing;
pub mod unknown;
pub mod vpls;
pub mod vpn;

use std::fmt;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use super::dissect::Dissector;
use super::error::{DecodeError, DecodeErrorKind, EncodeError};
use super::family::Family;
use super::iana::{Afi, Safi};
use super::text::{TextError, Words};
use super::wire::{Reader, Writer};

/// A path identifier (RFC 7911 section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathId(pub u32);

/// What stands beside an NLRI in a route and has a place in ExaBGP's text or JSON of some families.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Around {
    /// The path identifier.
    pub path_id: Option<PathId>,
    /// The next hop.
    pub next_hop: Option<IpAddr>,
    /// ExaBGP's `compact` JSON: a prefix alone is a string instead of an object.
    pub compact: bool,
}

impl Around {
    /// Appends ` path-information 0.0.0.1`, if there is one.
    fn path_text(&self, out: &mut String) {
        if let Some(PathId(id)) = self.path_id {
            let _ = write!(out, " path-information {}", Ipv4Addr::from(id));
        }
    }

    /// Appends ` next-hop 192.0.2.1`, if there is one.
    fn next_hop_text(&self, out: &mut String) {
        if let Some(next_hop) = self.next_hop {
            let _ = write!(out, " next-hop {}", qualifier::address(next_hop));
        }
    }
}

/// What every family's file provides. The path identifier is not the family's business: [`Nlri`] carries it.
pub trait NlriFamily: Sized + Clone + PartialEq + Eq + std::hash::Hash + fmt::Debug {
    /// Decodes one NLRI and leaves `reader` after it.
    ///
    /// # Errors
    /// Where the octets are not of this family's form.
    fn decode(family: Family, reader: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// Appends the wire form.
    ///
    /// # Errors
    /// Where a value does not fit its field.
    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError>;

    /// Appends the wire form for a withdraw, where it differs (RFC 8277 section 2.4: the label).
    ///
    /// # Errors
    /// As for [`NlriFamily::encode`].
    #[inline]
    fn encode_withdraw(&self, out: &mut Writer) -> Result<(), EncodeError> {
        self.encode(out)
    }

    /// Reads ExaBGP's words for it, up to the first word that is not part of the NLRI.
    ///
    /// # Errors
    /// Where the words are not of this family's form.
    fn parse(family: Family, words: &mut Words<'_>) -> Result<Self, TextError>;

    /// Appends ExaBGP's text for it, as in `show adj-rib out` and the text encoder; `around` has its place
    /// in the text of some families and none in that of others.
    fn text(&self, around: &Around, out: &mut String);

    /// Appends ExaBGP's JSON for it, braces included.
    fn json(&self, around: &Around, out: &mut String);

    /// Explains the octets of one NLRI, which `fields` walks.
    fn dissect(family: Family, fields: &mut Dissector<'_>) {
        fields.decoded(
            "value",
            "NLRI",
            |reader| Self::decode(family, reader),
            |value| {
                let mut text = String::new();
                value.text(&Around::default(), &mut text);
                text
            },
        );
    }

    /// Appends what makes two routes the same to the Adj-RIBs, where it is less than the whole
    /// wire form (labels are left out: RFC 8277 section 2.5).
    ///
    /// # Errors
    /// As for [`NlriFamily::encode`].
    fn index(&self, out: &mut Writer) -> Result<(), EncodeError> {
        self.encode(out)
    }
}

impl<T: NlriFamily> NlriFamily for Box<T> {
    fn decode(family: Family, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        T::decode(family, reader).map(Box::new)
    }

    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        T::encode(self, out)
    }

    fn encode_withdraw(&self, out: &mut Writer) -> Result<(), EncodeError> {
        T::encode_withdraw(self, out)
    }

    fn parse(family: Family, words: &mut Words<'_>) -> Result<Self, TextError> {
        T::parse(family, words).map(Box::new)
    }

    fn text(&self, around: &Around, out: &mut String) {
        T::text(self, around, out);
    }

    fn json(&self, around: &Around, out: &mut String) {
        T::json(self, around, out);
    }

    fn dissect(family: Family, fields: &mut Dissector<'_>) {
        T::dissect(family, fields);
    }

    fn index(&self, out: &mut Writer) -> Result<(), EncodeError> {
        T::index(self, out)
    }
}

/// Reads an NLRI in hexadecimal: for families that ExaBGP has no words for.
fn parse_octets<T: NlriFamily>(family: Family, words: &mut Words<'_>) -> Result<T, TextError> {
    let word = words.word("the NLRI in hexadecimal")?;
    let wrong = |why: String| {
        TextError::new(word.span.clone(), format!("`{}` {why}", word.text))
            .help("write the octets of one NLRI, as in 0x0a00")
    };
    let octets =
        super::hex::octets(&word.text).ok_or_else(|| wrong("is not hexadecimal".to_owned()))?;
    let mut reader = Reader::new(&octets);
    T::decode(family, &mut reader)
        .and_then(|nlri| reader.finish().map(|()| nlri))
        .map_err(|error| wrong(format!("is not an NLRI of {family}: {error}")))
}

/// Declares the table of families: `Variant(Type): (AFI, SAFI), …;`. Types larger than a prefix are boxed here.
macro_rules! families {
    ($($(#[$meta:meta])* $variant:ident($type:ty): $(($afi:ident, $safi:ident)),+;)*) => {
        /// The NLRI of any family, without its path identifier.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum NlriValue {
            $($(#[$meta])* $variant($type),)*
            /// A family that no file here knows: its octets as they came.
            Unknown(unknown::Unknown),
        }

        /// Every family that has a file, in the order of the table.
        pub const KNOWN_FAMILIES: &[Family] = &[$($(Family::new(Afi::$afi, Safi::$safi),)+)*];

        impl NlriValue {
            fn decode(family: Family, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                match (family.afi, family.safi) {
                    $($((Afi::$afi, Safi::$safi))|+ => <$type>::decode(family, reader).map(Self::$variant),)*
                    _ => unknown::Unknown::decode(family, reader).map(Self::Unknown),
                }
            }

            /// Explains the octets of one NLRI of `family`.
            pub(in crate::bgp) fn dissect(family: Family, fields: &mut Dissector<'_>) {
                match (family.afi, family.safi) {
                    $($((Afi::$afi, Safi::$safi))|+ => <$type>::dissect(family, fields),)*
                    _ => unknown::Unknown::dissect(family, fields),
                }
            }

            fn parse(family: Family, words: &mut Words<'_>) -> Result<Self, TextError> {
                match (family.afi, family.safi) {
                    $($((Afi::$afi, Safi::$safi))|+ => <$type>::parse(family, words).map(Self::$variant),)*
                    _ => unknown::Unknown::parse(family, words).map(Self::Unknown),
                }
            }

            /// Appends the wire form.
            ///
            /// # Errors
            /// Where a value does not fit its field.
            #[inline]
            pub fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
                match self {
                    $(Self::$variant(value) => value.encode(out),)*
                    Self::Unknown(value) => value.encode(out),
                }
            }

            /// Appends the wire form for a withdraw.
            ///
            /// # Errors
            /// Where a value does not fit its field.
            #[inline]
            pub fn encode_withdraw(&self, out: &mut Writer) -> Result<(), EncodeError> {
                match self {
                    $(Self::$variant(value) => value.encode_withdraw(out),)*
                    Self::Unknown(value) => value.encode_withdraw(out),
                }
            }

            fn index(&self, out: &mut Writer) -> Result<(), EncodeError> {
                match self {
                    $(Self::$variant(value) => value.index(out),)*
                    Self::Unknown(value) => value.index(out),
                }
            }

            fn text(&self, around: &Around, out: &mut String) {
                match self {
                    $(Self::$variant(value) => value.text(around, out),)*
                    Self::Unknown(value) => value.text(around, out),
                }
            }

            fn json(&self, around: &Around, out: &mut String) {
                match self {
                    $(Self::$variant(value) => value.json(around, out),)*
                    Self::Unknown(value) => value.json(around, out),
                }
            }
        }
    };
}

families! {
    /// IPv4 and IPv6 prefixes.
    Inet(inet::Inet): (IPV4, UNICAST), (IPV6, UNICAST), (IPV4, MULTICAST), (IPV6, MULTICAST);
    /// Prefixes with a label stack.
    Labelled(Box<labelled::Labelled>): (IPV4, NLRI_MPLS), (IPV6, NLRI_MPLS);
    /// Prefixes of a VPN.
    Vpn(Box<vpn::Vpn>): (IPV4, MPLS_VPN), (IPV6, MPLS_VPN), (IPV4, MCAST_MPLS_VPN), (IPV6, MCAST_MPLS_VPN);
    /// Flow specifications.
    Flow(Box<flow::Flow>): (IPV4, FLOW), (IPV6, FLOW), (IPV4, FLOW_VPN), (IPV6, FLOW_VPN);
    /// VPLS.
    Vpls(vpls::Vpls): (L2VPN, VPLS);
    /// Multicast VPN.
    Mvpn(Box<mvpn::Mvpn>): (IPV4, MCAST_VPN), (IPV6, MCAST_VPN);
    /// Mobile user plane.
    Mup(Box<mup::Mup>): (IPV4, MUP), (IPV6, MUP);
    /// EVPN.
    Evpn(Box<evpn::Evpn>): (L2VPN, EVPN);
    /// Route target constraint.
    Rtc(rtc::Rtc): (IPV4, RTC);
    /// Link state.
    LinkState(Box<link_state::LinkState>): (BGP_LS, BGP_LS), (BGP_LS, BGP_LS_VPN);
    /// Segment routing policies.
    SrPolicy(Box<sr_policy::SrPolicy>): (IPV4, SR_POLICY), (IPV6, SR_POLICY);
}

/// One route's identity: family, path identifier (where add-path is in force), and the family's own value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Nlri {
    /// The AFI and SAFI that the octets were read as.
    pub family: Family,
    /// The path identifier, if the route has one.
    pub path_id: Option<PathId>,
    /// The family's value.
    pub value: NlriValue,
}

impl Nlri {
    /// Decodes one NLRI; `add_path` says whether a path identifier stands before it (RFC 7911 section 3).
    ///
    /// # Errors
    /// Where the octets are not of the family's form.
    pub fn decode(
        family: Family,
        add_path: bool,
        reader: &mut Reader<'_>,
    ) -> Result<Self, DecodeError> {
        let path_id = if add_path {
            Some(PathId(reader.u32()?))
        } else {
            None
        };
        Ok(Self {
            family,
            path_id,
            value: NlriValue::decode(family, reader)?,
        })
    }

    /// Decodes NLRI until nothing is left.
    ///
    /// # Errors
    /// As for [`Nlri::decode`].
    pub fn decode_all(
        family: Family,
        add_path: bool,
        mut reader: Reader<'_>,
    ) -> Result<Vec<Self>, DecodeError> {
        if reader.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(all) = inet::decode_all(family, add_path, reader) {
            return Ok(all);
        }
        let mut all = Vec::new();
        while !reader.is_empty() {
            let before = reader.remaining();
            all.push(Self::decode(family, add_path, &mut reader)?);
            if reader.remaining() == before {
                // A family that takes nothing would never end.
                return Err(reader.error(DecodeErrorKind::Length, 1));
            }
        }
        Ok(all)
    }

    /// Appends the wire form; with `add_path` a route without a path identifier is sent with 0.
    ///
    /// # Errors
    /// Where a value does not fit its field.
    #[inline]
    pub fn encode(&self, add_path: bool, out: &mut Writer) -> Result<(), EncodeError> {
        self.encode_path_id(add_path, out);
        self.value.encode(out)
    }

    /// Appends the wire form for a withdraw.
    ///
    /// # Errors
    /// Where a value does not fit its field.
    #[inline]
    pub fn encode_withdraw(&self, add_path: bool, out: &mut Writer) -> Result<(), EncodeError> {
        self.encode_path_id(add_path, out);
        self.value.encode_withdraw(out)
    }

    fn encode_path_id(&self, add_path: bool, out: &mut Writer) {
        if add_path {
            let id = self.path_id.map_or(0, |id| id.0);
            out.extend_from_slice(&id.to_be_bytes());
        }
    }

    /// Reads ExaBGP's words for an NLRI of `family`.
    ///
    /// # Errors
    /// Where the words are not of the family's form.
    pub fn parse(family: Family, words: &mut Words<'_>) -> Result<Self, TextError> {
        Ok(Self {
            family,
            path_id: None,
            value: NlriValue::parse(family, words)?,
        })
    }

    /// What makes two routes the same to the Adj-RIBs: family, path identifier, and the value without labels.
    ///
    /// # Errors
    /// Where a value does not fit its field.
    pub fn index(&self) -> Result<Vec<u8>, EncodeError> {
        let mut out = Vec::with_capacity(24);
        self.family.encode(&mut out);
        if let Some(id) = self.path_id {
            out.push(1);
            out.extend_from_slice(&id.0.to_be_bytes());
        } else {
            out.push(0);
        }
        self.value.index(&mut out)?;
        Ok(out)
    }

    fn around(&self, next_hop: Option<IpAddr>, compact: bool) -> Around {
        Around {
            path_id: self.path_id,
            next_hop,
            compact,
        }
    }

    /// ExaBGP's text for it (`10.0.0.0/8 path-information 0.0.0.1`).
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        self.value.text(&self.around(None, false), &mut out);
        out
    }

    /// ExaBGP's text for it with its next hop, which each family puts in its own place or leaves out.
    /// Of a family without words for this (EVPN, MVPN, MUP, BGP-LS, RTC) ExaBGP shows but the name; this is the route.
    #[must_use]
    pub fn extensive(&self, next_hop: Option<IpAddr>) -> String {
        let mut out = String::new();
        self.value.text(&self.around(next_hop, false), &mut out);
        out
    }

    /// ExaBGP's JSON for it.
    #[must_use]
    pub fn json(&self) -> String {
        self.json_with(None, false)
    }

    /// ExaBGP's JSON for it: some families show the next hop in it; `compact` writes a prefix alone as a string.
    #[must_use]
    pub fn json_with(&self, next_hop: Option<IpAddr>, compact: bool) -> String {
        let mut out = String::new();
        self.value.json(&self.around(next_hop, compact), &mut out);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_stays_small() {
        assert!(size_of::<NlriValue>() <= 24, "{}", size_of::<NlriValue>());
    }
}
