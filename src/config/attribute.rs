//! Path attributes of routes, by their keywords.

use crate::bgp::attribute::extended_community::ExtendedCommunities;
use crate::bgp::attribute::{self, Attribute, AttributeValue, Attributes};
use crate::bgp::text::{TextError, Word, Words};

/// Reads the words of the attribute that `keyword` names; nothing where it names none.
pub fn parse(keyword: &Word, words: &mut Words<'_>) -> Option<Result<Attribute, TextError>> {
    attribute::parse(&keyword.text, words)
}

/// The keywords of attributes that a route may have.
pub fn keywords() -> impl Iterator<Item = &'static str> {
    (0..=u8::MAX)
        .filter_map(attribute::rules)
        .map(|rules| rules.name)
        .filter(|name| !name.starts_with("mp-"))
        .chain(["attribute"])
}

/// Adds `attribute` to those of a route. Said twice, the first stands, as in ExaBGP; extended communities are joined, and
/// `[ ]` says nothing: RFC 7606 sections 7.8 and 7.14 allow no communities attribute of no octets.
pub fn add(attributes: &mut Attributes, attribute: Attribute) {
    if is_empty(&attribute.value) {
        return;
    }
    let code = attribute.value.code();
    if attributes.by_code(code).is_none() {
        attributes.insert(attribute);
        return;
    }
    let AttributeValue::ExtendedCommunities(more) = attribute.value else {
        return;
    };
    if let Some(held) = attributes.find::<ExtendedCommunities>() {
        let mut joined = held.clone();
        joined.merge(&more);
        attributes.replace(AttributeValue::ExtendedCommunities(joined));
    }
}

const fn is_empty(value: &AttributeValue) -> bool {
    match value {
        AttributeValue::Communities(list) => list.0.is_empty(),
        AttributeValue::LargeCommunities(list) => list.0.is_empty(),
        AttributeValue::ExtendedCommunities(list) => list.0.is_empty(),
        _ => false,
    }
}
