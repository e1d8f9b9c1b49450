//! The `announce` section: a line per route, by AFI and SAFI.

use crate::bgp::attribute::tunnel_encapsulation::PolicyWords;
use crate::bgp::family::Family;
use crate::bgp::iana::{Afi, Safi};
use crate::bgp::nlri::{KNOWN_FAMILIES, Nlri};
use crate::bgp::text::{TextError, Word, Words};
use crate::speaker::route::ConfiguredRoute;

use super::intern::Interner;
use super::route::{self, Kind, Purpose, RouteDraft};
use super::{flow, suggest, vpls};

/// The sections in it.
pub const SECTIONS: [&str; 3] = ["ipv4", "ipv6", "l2vpn"];

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
    let of_afi = KNOWN_FAMILIES.iter().filter(|known| known.afi == afi);
    let named = |known: &&Family| known.safi.name() == Some(keyword.text.as_str());
    let Some(&family) = of_afi.clone().find(named) else {
        let names: Vec<&str> = of_afi.filter_map(|known| known.safi.name()).collect();
        return Err(suggest::unknown(
            keyword,
            &format!("as a family of {afi}"),
            &names,
        ));
    };
    match family.safi {
        Safi::VPLS => vpls::line(keyword, words, interner).map(|route| vec![route]),
        Safi::FLOW | Safi::FLOW_VPN => {
            let route = flow::line(afi, keyword, words, interner)?;
            if family.safi == Safi::FLOW_VPN && route.route.nlri.family.safi != Safi::FLOW_VPN {
                return Err(TextError::new(
                    keyword.span.clone(),
                    "the route has no route distinguisher",
                )
                .help("add for example rd 65000:1 (RFC 8955 section 8), or say flow"));
            }
            Ok(vec![route])
        }
        Safi::SR_POLICY => policy(family, keyword, words, interner),
        Safi::UNICAST
        | Safi::MULTICAST
        | Safi::NLRI_MPLS
        | Safi::MPLS_VPN
        | Safi::MCAST_MPLS_VPN => route::line(Kind::Family(family), words, purpose, interner),
        _ => own(family, keyword, words, interner),
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
