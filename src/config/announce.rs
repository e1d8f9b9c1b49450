//! The `announce` section: a line per route, by AFI and SAFI.

use crate::bgp::attribute::tunnel_encapsulation::PolicyWords;
use crate::bgp::family::Family;
use crate::bgp::iana::{Afi, Safi};
use crate::bgp::nlri::Nlri;
use crate::bgp::text::{TextError, Word, Words};
use crate::speaker::route::ConfiguredRoute;

use super::intern::Interner;
use super::route::{self, Kind, Purpose, RouteDraft};
use super::{flow, suggest, vpls};

/// The sections in it.
pub const SECTIONS: [&str; 3] = ["ipv4", "ipv6", "l2vpn"];

/// The families that a line may be of.
const IP: [Safi; 10] = [
    Safi::UNICAST,
    Safi::MULTICAST,
    Safi::NLRI_MPLS,
    Safi::MPLS_VPN,
    Safi::MCAST_VPN,
    Safi::MCAST_MPLS_VPN,
    Safi::FLOW,
    Safi::FLOW_VPN,
    Safi::MUP,
    Safi::SR_POLICY,
];

/// Reads one line of the section `afi`: a SAFI and the route.
///
/// # Errors
/// Where it is no route of such a family.
pub fn line(
    afi: Afi,
    keyword: &Word,
    words: &mut Words<'_>,
    purpose: Purpose,
    interner: &mut Interner,
) -> Result<Vec<ConfiguredRoute>, TextError> {
    let safis: &[Safi] = if afi == Afi::L2VPN {
        &[Safi::VPLS]
    } else {
        &IP
    };
    let Some(safi) = safis
        .iter()
        .find(|safi| safi.name() == Some(keyword.text.as_str()))
    else {
        let names: Vec<&str> = safis.iter().filter_map(|safi| safi.name()).collect();
        return Err(suggest::unknown(
            keyword,
            &format!("as a family of {afi}"),
            &names,
        ));
    };
    let family = Family::new(afi, *safi);
    match *safi {
        Safi::VPLS => vpls::line(keyword, words, interner).map(|route| vec![route]),
        Safi::FLOW | Safi::FLOW_VPN => {
            let route = flow::line(afi, keyword, words, purpose, interner)?;
            if *safi == Safi::FLOW_VPN && route.route.nlri.family.safi != Safi::FLOW_VPN {
                return Err(TextError::new(
                    keyword.span.clone(),
                    "the route has no route distinguisher",
                )
                .help("add for example rd 65000:1 (RFC 8955 section 8), or say flow"));
            }
            Ok(vec![route])
        }
        Safi::MCAST_VPN | Safi::MUP => own(family, keyword, words, interner),
        Safi::SR_POLICY => policy(family, keyword, words, interner),
        _ => route::line(Kind::Family(family), words, purpose, interner),
    }
}

/// A route the NLRI of which its family reads itself, before the attributes.
fn own(
    family: Family,
    at: &Word,
    words: &mut Words<'_>,
    interner: &mut Interner,
) -> Result<Vec<ConfiguredRoute>, TextError> {
    let nlri = Nlri::parse(family, words)?;
    let mut draft = RouteDraft::default();
    draft.set_all(words)?;
    draft.fits(family, at)?;
    Ok(vec![draft.route(nlri, interner)])
}

/// A segment routing policy: its words and those of the route stand in any order.
fn policy(
    family: Family,
    at: &Word,
    words: &mut Words<'_>,
    interner: &mut Interner,
) -> Result<Vec<ConfiguredRoute>, TextError> {
    let nlri = Nlri::parse(family, words)?;
    let mut draft = RouteDraft::default();
    let mut policy = PolicyWords::default();
    while let Some(keyword) = words.take() {
        if !policy.read(&keyword.text, words)? {
            draft.set(keyword, words)?;
        }
    }
    if let Some(tunnels) = policy.finish() {
        draft.attributes.insert(tunnels.into());
    }
    draft.fits(family, at)?;
    Ok(vec![draft.route(nlri, interner)])
}
