//! The `family`, `add-path` and `nexthop` sections: address families by name.

use crate::bgp::family::{Families, Family};
use crate::bgp::iana::{Afi, Safi};
use crate::bgp::nlri::KNOWN_FAMILIES;
use crate::bgp::text::{TextError, Word, Words};

use super::suggest;

/// What is offered where there is no `family` section: every family that ExaBGP 5.0.15 knows.
const OFFERED_BY_DEFAULT: &[(Afi, &[Safi])] = &[
    (
        Afi::IPV4,
        &[
            Safi::UNICAST,
            Safi::MULTICAST,
            Safi::NLRI_MPLS,
            Safi::MCAST_VPN,
            Safi::MUP,
            Safi::MPLS_VPN,
            Safi::RTC,
            Safi::FLOW,
            Safi::FLOW_VPN,
        ],
    ),
    (
        Afi::IPV6,
        &[
            Safi::UNICAST,
            Safi::MULTICAST,
            Safi::NLRI_MPLS,
            Safi::MCAST_VPN,
            Safi::MUP,
            Safi::MPLS_VPN,
            Safi::FLOW,
            Safi::FLOW_VPN,
        ],
    ),
    (Afi::L2VPN, &[Safi::VPLS, Safi::EVPN]),
    (Afi::BGP_LS, &[Safi::BGP_LS, Safi::BGP_LS_VPN]),
];

/// Every family that ExaBGP 5.0.15 knows, in the order in which it offers them.
#[must_use]
pub fn offered_by_default() -> Families {
    OFFERED_BY_DEFAULT
        .iter()
        .flat_map(|(afi, safis)| safis.iter().map(|safi| Family::new(*afi, *safi)))
        .collect()
}

/// `families` in the order in which ExaBGP offers them: by AFI, then by SAFI.
#[must_use]
pub fn sorted(families: impl IntoIterator<Item = Family>) -> Families {
    let mut all: Vec<Family> = families.into_iter().collect();
    all.sort_unstable();
    all.into_iter().collect()
}

/// Reads the name of a SAFI after that of its AFI: any family that has a file may be configured.
///
/// # Errors
/// Where they are no family that can be configured.
pub fn family(afi: &Word, words: &mut Words<'_>) -> Result<Family, TextError> {
    let mut of_afi = KNOWN_FAMILIES
        .iter()
        .filter(|known| known.afi.name() == Some(afi.text.as_str()))
        .peekable();
    if of_afi.peek().is_none() {
        return Err(suggest::unknown(afi, "as an address family", &afi_names()));
    }
    let safi = words.word("a SAFI")?;
    let lower = safi.text.to_ascii_lowercase();
    let found = of_afi
        .clone()
        .find(|known| known.safi.name() == Some(lower.as_str()));
    found.copied().ok_or_else(|| {
        let names: Vec<&str> = of_afi.filter_map(|known| known.safi.name()).collect();
        suggest::unknown(safi, &format!("as a family of {}", afi.text), &names)
    })
}

fn afi_names() -> Vec<&'static str> {
    let mut names = Vec::new();
    for name in KNOWN_FAMILIES.iter().filter_map(|known| known.afi.name()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// What a `family` or `add-path` section says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FamilySection {
    /// Families named, in order.
    pub named: Vec<Family>,
    /// `all` was said.
    pub all: bool,
}

impl FamilySection {
    /// Adds what another section of the same neighbor says.
    pub fn merge(&mut self, other: Self) {
        self.all |= other.all;
        let new: Vec<Family> = other
            .named
            .into_iter()
            .filter(|family| !self.named.contains(family))
            .collect();
        self.named.extend(new);
    }

    /// Takes one statement.
    ///
    /// # Errors
    /// Where it is no family, or says one twice.
    pub fn set(&mut self, keyword: &Word, words: &mut Words<'_>) -> Result<(), TextError> {
        let clash = |message: &str| Err(TextError::new(keyword.span.clone(), message));
        if keyword.text == "all" {
            if self.all || !self.named.is_empty() {
                return clash("`all` cannot stand beside other families");
            }
            self.all = true;
            return Ok(());
        }
        if self.all {
            return clash("no family can be added once `all` is said");
        }
        let family = family(keyword, words)?;
        if self.named.contains(&family) {
            return clash(&format!("`{family}` is said twice"));
        }
        self.named.push(family);
        Ok(())
    }
}

/// Reads a statement of the `nexthop` section (RFC 8950): `ipv4 unicast ipv6`.
///
/// # Errors
/// Where it is no such pair of families.
pub fn next_hop(keyword: &Word, words: &mut Words<'_>) -> Result<(Family, Afi), TextError> {
    const SAFIS: [Safi; 4] = [
        Safi::UNICAST,
        Safi::MULTICAST,
        Safi::NLRI_MPLS,
        Safi::MPLS_VPN,
    ];
    let (afi, other) = match keyword.text.as_str() {
        "ipv4" => (Afi::IPV4, Afi::IPV6),
        "ipv6" => (Afi::IPV6, Afi::IPV4),
        _ => return Err(suggest::unknown(keyword, "in nexthop", &["ipv4", "ipv6"])),
    };
    let safi = words.word("a SAFI")?;
    let lower = safi.text.to_ascii_lowercase();
    let Some(known) = SAFIS
        .iter()
        .find(|known| known.name() == Some(lower.as_str()))
    else {
        let names: Vec<&str> = SAFIS.iter().filter_map(|safi| safi.name()).collect();
        return Err(suggest::unknown(safi, "in nexthop", &names));
    };
    let expected = other.to_string();
    let next = words.word("the family of the next hop")?;
    if next.text.to_ascii_lowercase() != expected {
        return Err(suggest::unknown(
            next,
            "as the family of the next hop",
            &[&expected],
        ));
    }
    Ok((Family::new(afi, *known), other))
}
