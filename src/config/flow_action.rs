//! What a flow route does with the packets that it matches (RFC 8955 section 7): `then` and `scope`.

use crate::bgp::attribute::Attribute;
use crate::bgp::attribute::extended_community::{Actions, is_action_keyword, parse_action};
use crate::bgp::text::{TextError, Word, Words};

use super::attribute;
use super::route::{NextHopText, RouteDraft};

/// Keywords of `then`.
pub const KEYWORDS: &[&str] = &[
    "accept",
    "discard",
    "rate-limit",
    "redirect",
    "redirect-to-nexthop",
    "redirect-to-nexthop-ietf",
    "copy",
    "mark",
    "action",
    "interface-set",
    "community",
    "large-community",
    "extended-community",
];

/// Takes `keyword` and its words into `route`; nothing where it is no action.
pub fn parse(
    keyword: &Word,
    words: &mut Words<'_>,
    route: &mut RouteDraft,
) -> Option<Result<(), TextError>> {
    if is_action_keyword(&keyword.text) {
        return Some(action(keyword, words, route));
    }
    matches!(
        keyword.text.as_str(),
        "community" | "large-community" | "extended-community"
    )
    .then(|| route.set(keyword, words))
}

fn action(keyword: &Word, words: &mut Words<'_>, route: &mut RouteDraft) -> Result<(), TextError> {
    let mut actions = Actions::default();
    parse_action(&mut actions, &keyword.text, words)?;
    if let Some(address) = actions.next_hop {
        let next_hop = NextHopText::Address(address);
        route.next_hop = Some((next_hop, next_hop));
    } else if keyword.text == "redirect" {
        // Parity: a redirection to a route target takes the place of a next hop named before it.
        route.next_hop = None;
    }
    if !actions.communities.0.is_empty() {
        attribute::add(
            &mut route.attributes,
            Attribute::from(actions.communities),
            keyword,
        )?;
    }
    if !actions.communities_ipv6.0.is_empty() {
        attribute::add(
            &mut route.attributes,
            Attribute::from(actions.communities_ipv6),
            keyword,
        )?;
    }
    Ok(())
}
