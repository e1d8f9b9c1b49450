//! The words of a flow's `match` section, and of its one-line form.

use std::net::IpAddr;

use super::component::Component;
use super::kind::{Kind, Operation};
use super::prefix::FlowPrefix;
use super::test::{AND, COMPARISONS, MATCHES, Test};
use super::{Flow, names};
use crate::bgp::family::Family;
use crate::bgp::iana::Afi;
use crate::bgp::nlri::inet::Prefix;
use crate::bgp::text::{TextError, Word, Words};

/// Whether `keyword` begins a match: `source`, `destination-port`, ….
#[must_use]
pub fn is_match_keyword(keyword: &str) -> bool {
    Kind::from_keyword(keyword).is_some()
}

/// Reads matches up to the first word that begins none.
pub(super) fn flow(_: Family, words: &mut Words<'_>) -> Result<Flow, TextError> {
    let mut flow = Flow::default();
    while let Some(keyword) = words.peek().filter(|word| is_match_keyword(word)) {
        words.take();
        parse_match(&mut flow, keyword, words)?;
    }
    if flow.components.is_empty() {
        return Err(words
            .error("a flow without a match would match every packet")
            .help("write at least one of source, destination, port, protocol, …"));
    }
    Ok(flow)
}

/// Reads what follows `keyword` and adds it to `flow`.
///
/// # Errors
/// Where the words are not a value of the keyword, or a prefix is not of the family of another one.
pub fn parse_match(flow: &mut Flow, keyword: &str, words: &mut Words<'_>) -> Result<(), TextError> {
    let Some((kind, afi)) = Kind::from_keyword(keyword) else {
        return Err(words.error(format!("`{keyword}` is not a match")));
    };
    if matches!(kind, Kind::Destination | Kind::Source) {
        let word = words.word("a prefix")?;
        let prefix = prefix(word, afi)?;
        if let Some(other) = flow.components.iter().find_map(|held| match held {
            Component::Prefix(_, held) => Some(held),
            Component::Tests(..) => None,
        }) && other.prefix.address.is_ipv4() != prefix.prefix.address.is_ipv4()
        {
            return Err(TextError::new(
                word.span.clone(),
                format!("`{prefix}` is not of the same family as `{other}`"),
            ));
        }
        flow.add(Component::Prefix(kind, prefix));
        return Ok(());
    }
    let mut tests = Vec::new();
    for word in words.list("a value")? {
        let mut and = 0;
        for part in word.text.split('&') {
            tests.push(test(kind, and, part, word)?);
            and = AND;
        }
    }
    if tests.is_empty() {
        return Err(words.error(format!("`{keyword}` has no value")));
    }
    flow.add(Component::Tests(kind, tests));
    Ok(())
}

/// Reads `10.0.0.0/24`, `2001:db8::/32` or, with an offset, `2001:db8::/64/32`.
fn prefix(word: &Word, afi: Option<Afi>) -> Result<FlowPrefix, TextError> {
    let wrong = |why: &str| {
        TextError::new(word.span.clone(), format!("`{}` {why}", word.text))
            .help("write IPv4/length, IPv6/length or IPv6/length/offset")
    };
    let mut parts = word.text.split('/');
    let address: IpAddr = parts
        .next()
        .and_then(|address| address.parse().ok())
        .ok_or_else(|| wrong("does not begin with an address"))?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let length: u8 = parts
        .next()
        .and_then(|length| length.parse().ok())
        .filter(|length| *length <= bits)
        .ok_or_else(|| wrong(&format!("needs a length from 0 to {bits}")))?;
    let offset: u8 = match parts.next() {
        None => 0,
        Some(offset) => offset
            .parse()
            .ok()
            .filter(|offset| address.is_ipv6() && (*offset < length || *offset == 0))
            .ok_or_else(|| wrong("needs an offset below its length, and an IPv6 address"))?,
    };
    let expected = afi.unwrap_or(if address.is_ipv4() {
        Afi::IPV4
    } else {
        Afi::IPV6
    });
    if parts.next().is_some() || (expected == Afi::IPV4) != address.is_ipv4() {
        return Err(wrong(&format!("is not an {expected} prefix")));
    }
    Ok(FlowPrefix {
        prefix: Prefix { address, length },
        offset,
    })
}

/// Reads one test: an operator and a value (`>=1024`, `!syn+ack`, `tcp`).
fn test(kind: Kind, and: u8, text: &str, word: &Word) -> Result<Test, TextError> {
    let (operator, value_text) = match kind.operation() {
        Operation::Numeric => numeric(text),
        Operation::Bitmask => bitmask(text),
    };
    let value = match operator {
        // `true` and `false` compare nothing.
        0 | COMPARISONS if value_text.is_empty() && kind.operation() == Operation::Numeric => {
            Some(0)
        }
        _ => names::value(kind.registry(), value_text),
    };
    let limit = kind.written_limit();
    match value {
        Some(value) if value <= limit => Ok(Test::written(kind, and | operator, value)),
        Some(value) => Err(TextError::new(
            word.span.clone(),
            format!(
                "{value} does not fit {}, which goes up to {limit}",
                kind.name()
            ),
        )),
        None => Err(TextError::new(
            word.span.clone(),
            format!("`{text}` is not a match of {}", kind.name()),
        )
        .help(match kind.operation() {
            Operation::Numeric => {
                "write a number or a name, after =, !=, >, >=, < or <= if need be; `&` joins two"
            }
            Operation::Bitmask => {
                "write names joined by +, after =, ! or != if need be; `&` joins two"
            }
        })),
    }
}

fn numeric(text: &str) -> (u8, &str) {
    for (sign, operator) in [
        ("=", 1),
        ("!=", 6),
        (">=", 3),
        (">", 2),
        ("<=", 5),
        ("<", 4),
    ] {
        if let Some(rest) = text.strip_prefix(sign) {
            return (operator, rest);
        }
    }
    for (name, operator) in [("true", COMPARISONS), ("false", 0)] {
        if text
            .get(..name.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(name))
        {
            return (operator, &text[name.len()..]);
        }
    }
    (1, text)
}

fn bitmask(text: &str) -> (u8, &str) {
    for (sign, operator) in [("=", 1), ("!=", MATCHES), ("!", 2)] {
        if let Some(rest) = text.strip_prefix(sign) {
            return (operator, rest);
        }
    }
    (0, text)
}
