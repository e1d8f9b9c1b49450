//! A configuration of BIRD for a speaker whose OPEN was captured.

use std::fmt::Write as _;
use std::net::IpAddr;

use crate::bgp::capability::Capability;
use crate::bgp::family::Family;
use crate::bgp::message::Open;

/// The configuration of the speaker that sent `open`, at the first of `addresses`, to the peer at the second.
#[must_use]
pub fn text(open: &Open, answer: Option<&Open>, [speaker, peer]: [IpAddr; 2]) -> String {
    let peer_as = answer.map_or_else(|| open.asn(), Open::asn);
    let mut out = format!(
        "log stderr all;\nrouter id {};\nprotocol device {{}}\n\n\
         protocol bgp session {{\n    local {speaker} as {};\n    neighbor {peer} as {peer_as};\n",
        open.identifier,
        open.asn()
    );
    if open.asn() != peer_as {
        // Captured ends may be in any two networks.
        out.push_str("    multihop;\n");
    }
    let _ = writeln!(out, "    hold time {};", open.hold_time.max(3));
    let offers = |family| {
        open.capabilities().any(|capability| match capability {
            Capability::Multiprotocol(offer) => offer.family == family,
            _ => false,
        })
    };
    let has_any = open
        .capabilities()
        .any(|capability| matches!(capability, Capability::Multiprotocol(_)));
    for (family, channel) in [
        (Family::IPV4_UNICAST, "ipv4"),
        (Family::IPV6_UNICAST, "ipv6"),
    ] {
        if offers(family) || !has_any && family == Family::IPV4_UNICAST {
            let _ = writeln!(out, "    {channel} {{ import all; export all; }};");
        }
    }
    out.push_str("}\n");
    out
}
