//! EXTENDED COMMUNITIES (RFC 4360): eight octets each; a file for each kind, and the table that knows them.
//!
//! ```text
//!  +----------------+----------------+--------------------------------+
//!  | Type (1 octet) | Subtype (1)    |  Value (6 octets)              |
//!  +----------------+----------------+--------------------------------+
//!   type: 0x80 first come first served, 0x40 non-transitive, low bits the kind
//! ```
//!
//! To add a kind: write its file in the shape of [`traffic_mark`], and give it one line in the table below.
//!
//! Parity: ExaBGP looks at the low four bits of the type and the subtype alone, so that `0x80 0x02` is shown as
//! a route target; it has no text for a redirection to a 4-octet AS nor for link bandwidth, which are shown in hexadecimal;
//! it shows the number of an origin as an address, and before the administrator where that is one.

pub mod action;
pub mod bandwidth;
pub mod consistent_hash;
pub mod encapsulation;
pub mod interface_set;
pub mod ipv6;
pub mod l2info;
pub mod mac_mobility;
pub mod mup;
mod parse;
pub mod redirect;
pub mod redirect_next_hop;
pub mod target;
pub mod traffic_action;
pub mod traffic_mark;
pub mod traffic_rate;

use std::fmt;

use super::communities::text_of;
use super::{Flags, PathAttribute, WireContext};
use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::bgp::hex;
use crate::bgp::json::join;
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Reader, Writer};
pub use action::{Actions, is_action_keyword, parse_action};
pub use ipv6::{ExtendedCommunitiesIpv6, ExtendedCommunityIpv6};
pub use parse::NotACommunity;

/// One extended community: its octets, whatever their kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtendedCommunity(pub [u8; 8]);

/// What every kind's file provides; its `Display` is ExaBGP's text.
pub trait Kind: Sized + Copy + fmt::Debug + fmt::Display {
    /// The (type, subtype) pairs of the kind, the type without its two highest bits.
    const CODES: &'static [(u8, u8)];

    /// Reads the octets of a community that has one of the codes; `None` where the value cannot be this kind's.
    fn decode(octets: [u8; 8]) -> Option<Self>;
}

/// Declares the table of kinds.
macro_rules! kinds {
    ($($variant:ident($type:ty);)*) => {
        /// An extended community whose kind is known.
        #[derive(Debug, Clone, Copy)]
        pub enum Known {
            $(
                #[doc = concat!("See [`", stringify!($type), "`].")]
                $variant($type),
            )*
        }

        impl ExtendedCommunity {
            /// The community as its kind has it; `None` where no file here knows it.
            #[must_use]
            pub fn known(self) -> Option<Known> {
                let code = self.code();
                $(
                    if <$type>::CODES.contains(&code) {
                        return <$type>::decode(self.0).map(Known::$variant);
                    }
                )*
                None
            }
        }

        impl fmt::Display for Known {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant(kind) => kind.fmt(f),)*
                }
            }
        }
    };
}

kinds! {
    Target(target::Target);
    TrafficRate(traffic_rate::TrafficRate);
    TrafficAction(traffic_action::TrafficAction);
    Redirect(redirect::Redirect);
    TrafficMark(traffic_mark::TrafficMark);
    L2Info(l2info::L2Info);
    RedirectNextHop(redirect_next_hop::RedirectNextHop);
    Encapsulation(encapsulation::Encapsulation);
    ConsistentHash(consistent_hash::ConsistentHash);
    MacMobility(mac_mobility::MacMobility);
    InterfaceSet(interface_set::InterfaceSet);
    Mup(mup::Mup);
}

impl ExtendedCommunity {
    /// Type, without its two highest bits, and subtype.
    const fn code(self) -> (u8, u8) {
        (self.0[0] & 0x0f, self.0[1])
    }

    /// A community of `type` and `subtype` with the value `value`.
    #[must_use]
    pub const fn new(kind: u8, subtype: u8, value: [u8; 6]) -> Self {
        let [a, b, c, d, e, f] = value;
        Self([kind, subtype, a, b, c, d, e, f])
    }
}

impl ExtendedCommunity {
    /// Parity: ExaBGP shows the octets of MAC mobility without reserved and unknown bits.
    pub(super) fn shown(self) -> Self {
        match self.known() {
            Some(Known::MacMobility(mobility)) => mobility.into(),
            _ => self,
        }
    }
}

impl fmt::Display for ExtendedCommunity {
    /// ExaBGP's text: that of the kind, or hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.known() {
            // Parity: ExaBGP has no text for it.
            Some(Known::Redirect(redirect::Redirect::As4(..))) | None => {
                write!(f, "0x{}", hex::upper(&self.0))
            }
            Some(known) => known.fmt(f),
        }
    }
}

/// Two octets and four: the value of most kinds.
pub(super) const fn two_and_four(octets: [u8; 8]) -> (u16, u32) {
    let [_, _, a, b, c, d, e, f] = octets;
    (u16::from_be_bytes([a, b]), u32::from_be_bytes([c, d, e, f]))
}

/// Four octets and two.
pub(super) const fn four_and_two(octets: [u8; 8]) -> (u32, u16) {
    let [_, _, a, b, c, d, e, f] = octets;
    (u32::from_be_bytes([a, b, c, d]), u16::from_be_bytes([e, f]))
}

/// The value of [`two_and_four`].
pub(super) const fn join_two_and_four(two: u16, four: u32) -> [u8; 6] {
    let [a, b] = two.to_be_bytes();
    let [c, d, e, f] = four.to_be_bytes();
    [a, b, c, d, e, f]
}

/// The value of [`four_and_two`].
pub(super) const fn join_four_and_two(four: u32, two: u16) -> [u8; 6] {
    let [a, b, c, d] = four.to_be_bytes();
    let [e, f] = two.to_be_bytes();
    [a, b, c, d, e, f]
}

/// The communities in the order in which they are sent: ExaBGP sorts those that people write.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ExtendedCommunities(pub Vec<ExtendedCommunity>);

impl ExtendedCommunities {
    /// Puts `community` in its place; one that is there already stays twice, as in ExaBGP.
    pub fn add(&mut self, community: ExtendedCommunity) {
        let at = self.0.partition_point(|held| *held <= community);
        self.0.insert(at, community);
    }

    /// Adds all of `others`: a route may name its communities in several places.
    pub fn merge(&mut self, others: &Self) {
        for community in &others.0 {
            self.add(*community);
        }
    }

    /// In the order in which ExaBGP shows them.
    fn sorted(&self) -> Vec<ExtendedCommunity> {
        let mut sorted: Vec<_> = self.0.iter().map(|held| held.shown()).collect();
        sorted.sort();
        sorted
    }
}

impl FromIterator<ExtendedCommunity> for ExtendedCommunities {
    fn from_iter<I: IntoIterator<Item = ExtendedCommunity>>(communities: I) -> Self {
        let mut all = Self(communities.into_iter().collect());
        all.0.sort();
        all
    }
}

impl PathAttribute for ExtendedCommunities {
    const CODE: u8 = 0x10;
    const FLAGS: Flags = Flags::OPTIONAL_TRANSITIVE;
    const NAME: &'static str = "extended-community";

    fn decode(_: &WireContext, reader: Reader<'_>) -> Result<Self, DecodeError> {
        // RFC 7606 section 7.14: a non-zero multiple of 8.
        let (communities, rest) = reader.peek().as_chunks::<8>();
        if communities.is_empty() || !rest.is_empty() {
            return Err(reader.error(DecodeErrorKind::Length, 8));
        }
        let communities: Vec<_> = communities.iter().copied().map(ExtendedCommunity).collect();
        // A known kind that cannot be read: a traffic rate that is no number.
        let unreadable = |held: &ExtendedCommunity| {
            traffic_rate::TrafficRate::CODES.contains(&held.code()) && held.known().is_none()
        };
        if communities.iter().any(unreadable) {
            return Err(reader.error(DecodeErrorKind::Value("traffic rate"), 8));
        }
        Ok(Self(communities))
    }

    fn encode(&self, _: &WireContext, out: &mut Writer) -> Result<(), EncodeError> {
        for community in &self.0 {
            out.extend_from_slice(&community.0);
        }
        Ok(())
    }

    /// Reads `target:65000:1`, or several between brackets.
    fn parse(words: &mut Words<'_>) -> Result<Self, TextError> {
        words
            .list("an extended community")?
            .into_iter()
            .map(parse::community)
            .collect()
    }

    fn dissect(_: &WireContext, fields: &mut Dissector<'_>) {
        dissect_each(fields, "Extended Community", ExtendedCommunity);
    }

    fn text(&self, out: &mut String) {
        text_of(&self.sorted(), out);
    }

    fn json(&self, out: &mut String) {
        // A kind that ExaBGP does not know has an empty string here, and hexadecimal in its text.
        let shown = |community: ExtendedCommunity| {
            let value = u64::from_be_bytes(community.0).to_string();
            (value, community.known().map(|_| community.to_string()))
        };
        json_of(self.sorted().into_iter().map(shown), out);
    }
}

/// ExaBGP's JSON for communities: of each its octets as a number, and its text where it has one.
fn json_of(communities: impl Iterator<Item = (String, Option<String>)>, out: &mut String) {
    out.push_str("[ ");
    let items = communities.map(|(value, text)| {
        let text = text.unwrap_or_default();
        format!("{{ \"value\": {value}, \"string\": \"{text}\" }}")
    });
    join(items, ", ", out);
    out.push_str(" ]");
}

/// Explains communities of `N` octets each.
fn dissect_each<T: fmt::Display, const N: usize>(
    fields: &mut Dissector<'_>,
    name: &'static str,
    community: impl Fn([u8; N]) -> T,
) {
    while !fields.is_empty() {
        let decode = |reader: &mut Reader<'_>| reader.array().map(&community);
        let shown = fields.decoded("community", name, decode, ToString::to_string);
        if shown.is_none() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
