//! Path attributes of routes, by their keywords.

use crate::bgp::attribute::extended_community::ExtendedCommunities;
use crate::bgp::attribute::next_hop::NextHopAddress;
use crate::bgp::attribute::{self, Attribute, AttributeValue, Attributes, PathAttribute};
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

/// Adds `attribute`, which `keyword` says, to those of a route. Said twice, the first stands, as in ExaBGP; extended
/// communities are joined, and `[ ]` is ignored: RFC 7606 sections 7.8 and 7.14 allow no communities attribute of no
/// octets.
///
/// # Errors
/// An attribute in octets that would not be sent, because another word says what is sent under its code.
pub fn add(
    attributes: &mut Attributes,
    attribute: Attribute,
    keyword: &Word,
) -> Result<(), TextError> {
    if is_empty(&attribute.value) {
        return Ok(());
    }
    let code = attribute.value.code();
    let is_raw = |attribute: &Attribute| matches!(attribute.value, AttributeValue::Generic(_));
    let refused = |help: &str| {
        let message = format!("an attribute of code {code:#04x} is said already");
        Err(TextError::new(keyword.span.clone(), message).help(help))
    };
    if code == NextHopAddress::CODE && is_raw(&attribute) {
        let message = "the next hop cannot be said in octets";
        return Err(TextError::new(keyword.span.clone(), message).help(
            "write next-hop and the address; ExaBGP leaves these octets out or falls over them",
        ));
    }
    let Some(held) = attributes.by_code(code) else {
        attributes.insert(attribute);
        return Ok(());
    };
    if is_raw(held) || is_raw(&attribute) {
        return refused("say it once: ExaBGP would leave the second out without a word");
    }
    let AttributeValue::ExtendedCommunities(more) = attribute.value else {
        return Ok(());
    };
    if let Some(held) = attributes.find::<ExtendedCommunities>() {
        let mut joined = held.clone();
        joined.merge(&more);
        attributes.replace(AttributeValue::ExtendedCommunities(joined));
    }
    Ok(())
}

const fn is_empty(value: &AttributeValue) -> bool {
    match value {
        AttributeValue::Communities(list) => list.0.is_empty(),
        AttributeValue::LargeCommunities(list) => list.0.is_empty(),
        AttributeValue::ExtendedCommunities(list) => list.0.is_empty(),
        _ => false,
    }
}
