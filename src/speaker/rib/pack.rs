//! How routes become the octets of UPDATEs: default attributes, NEXT_HOP, classic fields or multiprotocol attributes, limits.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use super::builder::Builder;
use super::out::is_prefix;
use super::refuse::Refused;
use super::set::AttributeSet;
use crate::bgp::attribute::as_path::AsPath;
use crate::bgp::attribute::local_pref::LocalPref;
use crate::bgp::attribute::next_hop::NextHopAddress;
use crate::bgp::attribute::origin::Origin;
use crate::bgp::attribute::{
    Attribute, AttributeValue, Attributes, Flags, MpReach, MpUnreach, NextHop,
};
use crate::bgp::error::EncodeError;
use crate::bgp::family::Family;
use crate::bgp::iana::{MessageType, Safi};
use crate::bgp::message::header::{Header, MARKER};
use crate::bgp::nlri::Nlri;
use crate::bgp::wire::Writer;
use crate::speaker::session::Negotiated;

/// Octets of an UPDATE without attributes and routes: header and both length fields.
pub(super) const EMPTY_UPDATE: usize = Header::SIZE + 4;

const NEXT_HOP: u8 = 0x03;
const LOCAL_PREF: u8 = 0x05;
const AIGP: u8 = 0x1a;

/// Whether a route goes into the fields of RFC 4271: IPv4 unicast, withdrawn or with an IPv4 next hop.
pub(super) fn is_classic(family: Family, next_hop: &NextHop, withdraw: bool) -> bool {
    family == Family::IPV4_UNICAST
        && (withdraw || matches!(next_hop, NextHop::Address(IpAddr::V4(_))))
}

/// Whether the withdraw of a route carries path attributes: unicast and multicast do not (RFC 4760 section 4), other families do in ExaBGP.
pub(super) const fn withdraw_carries_attributes(family: Family) -> bool {
    !matches!(family.safi, Safi::UNICAST | Safi::MULTICAST)
}

/// Families whose routes have no NEXT_HOP attribute beside MP_REACH_NLRI even where the next hop is IPv4.
pub(super) const fn omits_next_hop(family: Family) -> bool {
    matches!(
        family.safi,
        Safi::FLOW | Safi::FLOW_VPN | Safi::VPLS | Safi::SR_POLICY
    )
}

/// Whether routes of `family` may have no next hop.
const fn needs_next_hop(family: Family) -> bool {
    !matches!(family.safi, Safi::FLOW | Safi::FLOW_VPN)
}

/// Appends the path attributes of `set`, MP_REACH_NLRI and MP_UNREACH_NLRI apart, with ExaBGP's defaults: ORIGIN igp,
/// AS_PATH (empty on an internal session, else our AS), LOCAL_PREF 100 (internal sessions only).
pub(super) fn attributes(
    set: &AttributeSet,
    family: Family,
    negotiated: &Negotiated,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    let internal = negotiated.is_ibgp();
    let next_hop = match set.next_hop {
        NextHop::Address(IpAddr::V4(address)) if !omits_next_hop(family) => {
            Some(NextHopAddress(address).into())
        }
        _ => None,
    };
    let origin = Origin::Igp.into();
    let as_path = default_as_path(negotiated).into();
    let local_pref = internal.then(|| LocalPref(100).into());
    let defaults = [Some(&origin), Some(&as_path), local_pref.as_ref()];
    let own = set
        .attributes
        .iter()
        .filter(|attribute| match attribute.value.code() {
            LOCAL_PREF => internal,
            AIGP => internal || negotiated.aigp,
            NEXT_HOP => false,
            // What is written octet by octet is sent as it stands, whatever else the message has of that code.
            MpReach::CODE | MpUnreach::CODE => {
                matches!(attribute.value, AttributeValue::Generic(_))
            }
            _ => true,
        });
    let mut list = Vec::with_capacity(set.attributes.len() + 4);
    // Of two with the same code the later counts, so a default gives way.
    for attribute in defaults.into_iter().flatten().chain(own).chain(&next_hop) {
        place(attribute, &mut list);
    }
    Attributes::encode_all(list.iter().copied(), &negotiated.send, out)
}

/// Puts `attribute` in its place by code, instead of one of the same code.
fn place<'a>(attribute: &'a Attribute, list: &mut Vec<&'a Attribute>) {
    let code = attribute.value.code();
    match list.binary_search_by_key(&code, |held| held.value.code()) {
        Ok(at) => list[at] = attribute,
        Err(at) => list.insert(at, attribute),
    }
}

/// The next hop as the session has it: a global IPv6 address is followed by our link-local one where that was negotiated.
pub(super) fn next_hop<'s>(
    set: &'s AttributeSet,
    family: Family,
    negotiated: &Negotiated,
) -> Cow<'s, NextHop> {
    match (&set.next_hop, negotiated.link_local) {
        (NextHop::Address(IpAddr::V6(global)), Some(link_local))
            if family == Family::IPV6_UNICAST && !global.is_unicast_link_local() =>
        {
            Cow::Owned(NextHop::WithLinkLocal(*global, link_local))
        }
        (next_hop, _) => Cow::Borrowed(next_hop),
    }
}

fn default_as_path(negotiated: &Negotiated) -> AsPath {
    if negotiated.is_ibgp() {
        AsPath::default()
    } else {
        AsPath::sequence([negotiated.local_as])
    }
}

/// Holds a route to be announced against what `session` can carry.
pub(super) fn check(
    nlri: &Nlri,
    set: &Arc<AttributeSet>,
    session: &Negotiated,
) -> Result<(), Refused> {
    if set.next_hop == NextHop::None && needs_next_hop(nlri.family) {
        return Err(Refused::NoNextHop(nlri.family));
    }
    let octets = if is_prefix(nlri) {
        LONGEST_PREFIX
    } else {
        let mut octets = Writer::new();
        nlri.encode(true, &mut octets)?;
        octets.len()
    };
    fits(nlri, octets, set, false, session)
}

/// Whether a message of `session` can carry the route alone, `octets` being about its length: what is long enough to
/// be in doubt is written as it would be sent.
pub(super) fn fits(
    nlri: &Nlri,
    octets: usize,
    set: &Arc<AttributeSet>,
    withdraw: bool,
    session: &Negotiated,
) -> Result<(), Refused> {
    // AS_PATH and AS4_PATH may stand for one configured AS_PATH (RFC 6793), so the sum may double.
    let most = EMPTY_UPDATE + 2 * (set.octets() + octets) + MOST_ADDED;
    if most <= session.message_size() {
        return Ok(());
    }
    let mut alone = Builder::alone(nlri, set, withdraw);
    alone
        .next(session, &mut Writer::new())
        .map_or(Ok(()), |sent| sent.map(drop))
}

/// More than a session adds to the attributes of a route: ORIGIN, AS_PATH, AS4_PATH, LOCAL_PREF, NEXT_HOP, and all of
/// MP_REACH_NLRI before its routes.
const MOST_ADDED: usize = 128;

/// Path identifier, length, and an IPv6 address.
const LONGEST_PREFIX: usize = 4 + 1 + 16;

/// The octets of an attribute with a value of `length` octets.
pub(super) const fn attribute_octets(length: usize) -> usize {
    length + if length > 0xff { 4 } else { 3 }
}

/// Appends flags, code and length of an attribute with a value of `length` octets.
pub(super) fn attribute_header(flags: Flags, code: u8, length: usize, out: &mut Writer) {
    if length > 0xff {
        out.extend_from_slice(&[flags.0 | Flags::EXTENDED_LENGTH.0, code]);
        out.extend_from_slice(&(length as u16).to_be_bytes());
    } else {
        out.extend_from_slice(&[flags.0, code, length as u8]);
    }
}

/// Appends the header of an UPDATE of `length` octets in all.
pub(super) fn update_header(length: usize, out: &mut Writer) {
    out.extend_from_slice(&MARKER);
    out.extend_from_slice(&(length as u16).to_be_bytes());
    out.push(MessageType::UPDATE.0);
}

#[cfg(test)]
mod tests {
    use super::super::set::Sets;
    use super::*;

    #[test]
    fn our_link_local_address_follows_a_global_next_hop_of_ipv6_unicast_alone() {
        let negotiated = Negotiated {
            link_local: Some("fe80::1".parse().unwrap()),
            ..Negotiated::default()
        };
        let sent = |address: &str, family: Family| {
            let next_hop = NextHop::Address(address.parse().unwrap());
            let attributes = Arc::new(Attributes::default());
            let set = Sets::default().intern(&attributes, &next_hop).unwrap();
            next_hop_octets(&set, family, &negotiated)
        };
        assert_eq!(sent("2001:db8::ffff", Family::IPV6_UNICAST), 32);
        assert_eq!(sent("fe80::cafe", Family::IPV6_UNICAST), 16);
        assert_eq!(sent("192.0.2.1", Family::IPV6_UNICAST), 4);
        assert_eq!(sent("2001:db8::ffff", Family::IPV4_UNICAST), 16);
    }

    fn next_hop_octets(set: &AttributeSet, family: Family, negotiated: &Negotiated) -> usize {
        let mut out = Writer::new();
        next_hop(set, family, negotiated).encode(family, &mut out);
        out.len()
    }
}
