//! Operational messages as people write them: `asm afi ipv4 safi unicast advisory "…"`.

use std::net::Ipv4Addr;

use crate::bgp::family::Family;
use crate::bgp::iana::{Afi, Safi};
use crate::bgp::message::Operational;
use crate::bgp::message::operational::{OperationalType, OperationalValue};
use crate::bgp::text::{TextError, Word, Words};

use super::{suggest, value};

/// The kinds of message that can be sent.
pub const KINDS: [&str; 8] = ["asm", "adm", "rpcq", "rpcp", "apcq", "apcp", "lpcq", "lpcp"];

/// The most octets of an advisory.
const ADVISORY: usize = 2048;

/// Reads the words that follow `keyword`, one of [`KINDS`].
///
/// A router identifier of 0.0.0.0 and a sequence number of 0 stand for "not said": the session puts in its own.
///
/// # Errors
/// Where they are no such message.
pub fn parse(keyword: &Word, words: &mut Words<'_>) -> Result<Operational, TextError> {
    let kind = match keyword.text.to_ascii_lowercase().as_str() {
        "asm" => OperationalType::ASM,
        "adm" => OperationalType::ADM,
        "rpcq" => OperationalType::RPCQ,
        "rpcp" => OperationalType::RPCP,
        "apcq" => OperationalType::APCQ,
        "apcp" => OperationalType::APCP,
        "lpcq" => OperationalType::LPCQ,
        "lpcp" => OperationalType::LPCP,
        _ => {
            return Err(suggest::unknown(
                keyword,
                "as an operational message",
                &KINDS,
            ));
        }
    };
    let mut router_id = None;
    let afi = field("afi", words, &mut router_id)?;
    let afi: Afi = afi.text.parse().map_err(|_| value::wrong(afi, "an AFI"))?;
    let safi = field("safi", words, &mut router_id)?;
    let safi: Safi = safi
        .text
        .parse()
        .map_err(|_| value::wrong(safi, "a SAFI"))?;
    let family = Family::new(afi, safi);
    let value = match kind {
        OperationalType::ASM | OperationalType::ADM => {
            let text = field("advisory", words, &mut router_id)?;
            OperationalValue::Advisory {
                family,
                text: advisory(text)?,
            }
        }
        _ => {
            let sequence = number(field("sequence", words, &mut router_id)?)?;
            let reply = matches!(
                kind,
                OperationalType::RPCP | OperationalType::APCP | OperationalType::LPCP
            );
            let counter = if reply {
                Some(number(field("counter", words, &mut router_id)?)?)
            } else {
                None
            };
            take_router_id(words, &mut router_id)?;
            let router_id = router_id.unwrap_or(Ipv4Addr::UNSPECIFIED);
            match counter {
                Some(counter) => OperationalValue::Counter {
                    family,
                    router_id,
                    sequence,
                    counter,
                },
                None => OperationalValue::Query {
                    family,
                    router_id,
                    sequence,
                },
            }
        }
    };
    Ok(Operational { kind, value })
}

/// The word after `name`; `router-id` may come before it.
fn field<'a>(
    name: &str,
    words: &mut Words<'a>,
    router_id: &mut Option<Ipv4Addr>,
) -> Result<&'a Word, TextError> {
    take_router_id(words, router_id)?;
    let word = words.word(&format!("`{name}`"))?;
    if !word.text.eq_ignore_ascii_case(name) {
        return Err(TextError::new(
            word.span.clone(),
            format!("`{name}` is expected here, not `{}`", word.text),
        ));
    }
    words.word(&format!("what follows `{name}`"))
}

fn take_router_id(
    words: &mut Words<'_>,
    router_id: &mut Option<Ipv4Addr>,
) -> Result<(), TextError> {
    if words.accept("router-id") {
        *router_id = Some(value::router_id(words)?);
    }
    Ok(())
}

fn number(word: &Word) -> Result<u32, TextError> {
    value::digits(&word.text)
        .ok_or_else(|| value::wrong(word, "a number").help("write a number from 0 to 4294967295"))
}

fn advisory(word: &Word) -> Result<Vec<u8>, TextError> {
    let text = word.text.as_bytes();
    if text.len() > ADVISORY {
        return Err(TextError::new(
            word.span.clone(),
            format!("the advisory has {} octets", text.len()),
        )
        .help(format!("at most {ADVISORY} fit")));
    }
    Ok(text.to_vec())
}
