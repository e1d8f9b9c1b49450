//! The actions of a flow's `then` and `scope` sections, which become communities and perhaps a next hop.

use std::net::IpAddr;

use super::interface_set::InterfaceSet;
use super::redirect::Redirect;
use super::redirect_next_hop::RedirectNextHop;
use super::traffic_action::TrafficAction;
use super::traffic_mark::TrafficMark;
use super::traffic_rate::{TrafficRate, Unit};
use super::{
    ExtendedCommunities, ExtendedCommunitiesIpv6, ExtendedCommunity, ExtendedCommunityIpv6,
};
use crate::bgp::text::{TextError, Word, Words};

/// The most octets per second that ExaBGP lets people ask for.
const FASTEST: u64 = 1_000_000_000_000;

/// What one or several actions come to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Actions {
    /// For attribute 16.
    pub communities: ExtendedCommunities,
    /// For attribute 25.
    pub communities_ipv6: ExtendedCommunitiesIpv6,
    /// The route's next hop, for `redirect ADDRESS` and `copy ADDRESS`.
    pub next_hop: Option<IpAddr>,
}

/// Whether `keyword` is an action: `discard`, `rate-limit`, `interface-set`, …. Plain communities are not among them.
#[must_use]
pub fn is_action_keyword(keyword: &str) -> bool {
    matches!(
        keyword,
        "accept"
            | "discard"
            | "rate-limit"
            | "redirect"
            | "redirect-to-nexthop"
            | "redirect-to-nexthop-ietf"
            | "copy"
            | "mark"
            | "action"
            | "interface-set"
    )
}

/// Reads what follows `keyword` and adds it to `actions`.
///
/// # Errors
/// Where `keyword` is no action, or the words are not its value.
pub fn parse_action(
    actions: &mut Actions,
    keyword: &str,
    words: &mut Words<'_>,
) -> Result<(), TextError> {
    let own_next_hop = |copy| RedirectNextHop {
        next_hop: None,
        copy,
    };
    match keyword {
        "accept" => {}
        "discard" => actions.communities.add(rate(0.0, Unit::Octets).into()),
        "rate-limit" => {
            let speed: u64 = words.parse("a rate")?;
            // Parity: rates are cut at 10^12 octets per second.
            let rate = if words.accept("packets") {
                rate(speed as f32, Unit::Packets)
            } else {
                words.accept("bytes");
                rate(speed.min(FASTEST) as f32, Unit::Octets)
            };
            actions.communities.add(rate.into());
        }
        "redirect" => redirect(actions, words)?,
        "redirect-to-nexthop" => actions.communities.add(own_next_hop(false).into()),
        "redirect-to-nexthop-ietf" => match words.parse("an address")? {
            IpAddr::V4(address) => actions.communities.add(
                RedirectNextHop {
                    next_hop: Some(address),
                    copy: false,
                }
                .into(),
            ),
            IpAddr::V6(address) => actions
                .communities_ipv6
                .add(ExtendedCommunityIpv6::redirect_to_next_hop(address, false)),
        },
        "copy" => {
            actions.next_hop = Some(words.parse("an address")?);
            actions.communities.add(own_next_hop(true).into());
        }
        "mark" => {
            let word = words.word("a DSCP")?;
            let dscp = word
                .text
                .parse()
                .ok()
                .filter(|dscp| *dscp < 64)
                .ok_or_else(|| wrong(word, "a DSCP", "write a number from 0 to 63"))?;
            actions.communities.add(TrafficMark { dscp }.into());
        }
        "action" => {
            let word = words.word("an action")?;
            let sample = word.text.contains("sample");
            let terminal = word.text.contains("terminal");
            if !sample && !terminal {
                return Err(wrong(
                    word,
                    "an action",
                    "write sample, terminal or sample-terminal",
                ));
            }
            actions
                .communities
                .add(TrafficAction { sample, terminal }.into());
        }
        "interface-set" => {
            for word in words.list("an interface set")? {
                let set = interface_set(&word.text).and_then(|set| set.try_into().ok());
                let set: ExtendedCommunity = set.ok_or_else(|| {
                    wrong(
                        word,
                        "an interface set",
                        "write transitive or non-transitive, then input, output or input-output, an AS number and a \
                         group below 16384, as in transitive:input:1234:5678",
                    )
                })?;
                actions.communities.add(set);
            }
        }
        other => return Err(words.error(format!("`{other}` is not an action"))),
    }
    Ok(())
}

const fn rate(rate: f32, unit: Unit) -> TrafficRate {
    TrafficRate { asn: 0, rate, unit }
}

fn wrong(word: &Word, what: &str, help: &str) -> TextError {
    TextError::new(word.span.clone(), format!("`{}` is not {what}", word.text)).help(help)
}

/// Reads a route target (`65000:1`) or a next hop.
fn redirect(actions: &mut Actions, words: &mut Words<'_>) -> Result<(), TextError> {
    let bracket = words.accept("[");
    let word = words.word("a route target or an address")?;
    if bracket {
        words.expect("]")?;
    }
    if let Ok(address) = word.text.parse() {
        actions.next_hop = Some(address);
        actions.communities.add(
            RedirectNextHop {
                next_hop: None,
                copy: false,
            }
            .into(),
        );
        return Ok(());
    }
    let redirect = word.text.split_once(':').and_then(|(asn, number)| {
        let asn: u32 = asn.parse().ok()?;
        match u16::try_from(asn) {
            Ok(asn) => Some(Redirect::As2(asn, number.parse().ok()?)),
            Err(_) => Some(Redirect::As4(asn, number.parse().ok()?)),
        }
    });
    let Some(redirect) = redirect else {
        return Err(wrong(
            word,
            "a redirection",
            "write ASN:number or an address; the number has 32 bits after a 2-octet AS number, else 16",
        ));
    };
    actions.communities.add(redirect.into());
    Ok(())
}

fn interface_set(text: &str) -> Option<InterfaceSet> {
    let mut parts = text.split(':');
    let transitive = match parts.next()? {
        "transitive" => true,
        "non-transitive" => false,
        _ => return None,
    };
    let direction = match parts.next()? {
        "input" => 1,
        "output" => 2,
        "input-output" => 3,
        _ => return None,
    };
    let asn = parts.next()?.parse().ok()?;
    let group = parts.next()?.parse().ok()?;
    parts.next().is_none().then_some(InterfaceSet {
        transitive,
        asn,
        group,
        direction,
    })
}
