//! The values that the sections of a scenario share: durations, families, conditions.

use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

use crate::bgp::family::Family;
use crate::bgp::iana::{Afi, Safi};
use crate::bgp::text::{TextError, Words};
use crate::config::nearest;
use crate::scenario::scripted::sight::Sight;

/// A keyword that is not one of `known`, a list in words.
pub(super) fn unknown(span: &Range<usize>, keyword: &str, known: &str) -> TextError {
    let words: Vec<&str> = known
        .split([' ', ','])
        .filter(|word| !word.is_empty())
        .collect();
    let suggestion = nearest(keyword, &words)
        .map(|near| format!("did you mean `{near}`? "))
        .unwrap_or_default();
    TextError::new(span.clone(), format!("unknown keyword `{keyword}`"))
        .help(format!("{suggestion}write {known}"))
}

/// A duration: `200ms`, `2s`, `150us`.
pub(super) fn duration(words: &mut Words<'_>) -> Result<Duration, TextError> {
    let word = words.word("a duration")?;
    parse_duration(&word.text).ok_or_else(|| {
        TextError::new(
            word.span.clone(),
            format!("`{}` is not a duration", word.text),
        )
        .help("write a whole number and its unit, as in 200ms or 2s")
    })
}

/// Reads `150us`, `200ms`, `2s`, `3min`.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..digits].parse().ok()?;
    match &text[digits..] {
        "us" => Some(Duration::from_micros(number)),
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "min" => number.checked_mul(60).map(Duration::from_secs),
        _ => None,
    }
}

/// A time of a plan or a topology: `2s`, `300ms`, `150us`, also `0.25s`, `3min`.
///
/// # Errors
/// Another word, or none.
pub fn time(words: &mut Words<'_>) -> Result<Duration, TextError> {
    let word = words.word("a time")?;
    read_time(&word.text).ok_or_else(|| {
        TextError::new(word.span.clone(), format!("`{}` is not a time", word.text))
            .help("write a number and its unit, as in 150us, 300ms or 2s")
    })
}

pub(super) fn read_time(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(digits);
    let nanos_per_unit = match unit {
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "min" => 60_000_000_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut nanos = whole.parse::<u64>().ok()?.checked_mul(nanos_per_unit)?;
    let mut unit = nanos_per_unit;
    for digit in fraction.chars() {
        unit /= 10;
        nanos = nanos.checked_add(u64::from(digit.to_digit(10)?) * unit)?;
    }
    Some(Duration::from_nanos(nanos))
}

/// A share of segments that are lost, as in `0.5%`, in millionths.
///
/// # Errors
/// Another word, or none.
pub fn loss(words: &mut Words<'_>) -> Result<u32, TextError> {
    let word = words.word("a percentage")?;
    let read = |text: &str| {
        let (whole, fraction) = text
            .strip_suffix('%')?
            .split_once('.')
            .unwrap_or((text.strip_suffix('%')?, ""));
        if fraction.len() > 4 {
            return None;
        }
        let whole = whole.parse::<u32>().ok()?.checked_mul(10_000)?;
        let fraction = format!("{fraction:0<4}").parse::<u32>().ok()?;
        whole.checked_add(fraction).filter(|loss| *loss < 1_000_000)
    };
    read(&word.text).ok_or_else(|| {
        TextError::new(word.span.clone(), format!("`{}` is not a loss", word.text))
            .help("write a percentage from 0% to 99.9999%, as in 0.5%")
    })
}

/// A number of what `of` names, but none.
///
/// # Errors
/// Another word, or none, or 0.
pub fn at_least_one(words: &mut Words<'_>, of: &str) -> Result<u64, TextError> {
    let span = words.span();
    let number = words.parse(&format!("a number of {of}"))?;
    if number == 0 {
        return Err(TextError::new(span, format!("0 {of} would never end"))
            .help("write at least 1; to stop everything, use the fault `stall`"));
    }
    Ok(number)
}

/// `ipv4 unicast`, if the next word is the name of an AFI.
pub(super) fn family(words: &mut Words<'_>) -> Result<Option<Family>, TextError> {
    let Some(afi) = words.peek().and_then(|word| Afi::from_str(word).ok()) else {
        return Ok(None);
    };
    words.take();
    let safi: Safi = words.parse("the second word of an address family")?;
    Ok(Some(Family::new(afi, safi)))
}

/// `6/4`, if the next word is a code and a subcode.
pub(super) fn code(words: &mut Words<'_>) -> Option<(u8, u8)> {
    let (code, subcode) = words.peek()?.split_once('/')?;
    let pair = (code.parse().ok()?, subcode.parse().ok()?);
    words.take();
    Some(pair)
}

/// `begin` and `end` of an enhanced route refresh (RFC 7313 section 4); 0 is a plain request.
pub(super) fn refresh_subtype(words: &mut Words<'_>) -> u8 {
    if words.accept("begin") {
        1
    } else if words.accept("end") {
        2
    } else {
        0
    }
}

/// What can be seen at a peer.
pub(in crate::scenario) fn sight(words: &mut Words<'_>) -> Result<Sight, TextError> {
    const KNOWN: &str = "up, eor, update, announce, withdraw, notification, refresh or process";
    let word = words.word("what to wait for")?;
    Ok(match word.text.as_str() {
        "up" => Sight::Up,
        "eor" => Sight::EndOfRib(family(words)?),
        "update" => Sight::Update,
        "announce" => Sight::Announce(words.parse("a prefix")?),
        "withdraw" => Sight::Withdraw(words.parse("a prefix")?),
        "notification" => Sight::Notification(code(words)),
        "refresh" => {
            let family = family(words)?;
            Sight::Refresh(family.map(|family| (family, refresh_subtype(words))))
        }
        "process" => Sight::Program(words.word("the name of a process")?.text.clone()),
        other => return Err(unknown(&word.span, other, KNOWN)),
    })
}
