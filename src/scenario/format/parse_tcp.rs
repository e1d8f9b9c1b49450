//! The line `tcp`, of scenarios and of plans: a setting of the hosts' TCP, by its name in Linux.

use std::collections::BTreeSet;

use crate::bgp::text::{TextError, Word, Words};
use crate::config::nearest;
use crate::net::HostName;
use crate::sim::{TcpChange, TcpSettings};

/// Reads what follows `tcp`: `[HOST] NAME VALUE`, where the lines `before` it hold as well; the name may begin with
/// `tcp_`, as in Linux.
///
/// # Errors
/// A host that `host` does not take, a setting that there is not, or a value out of its bounds.
pub fn tcp_change(
    words: &mut Words<'_>,
    before: &[TcpChange],
    host: impl FnOnce(&Word) -> Result<HostName, TextError>,
) -> Result<TcpChange, TextError> {
    let first = words.word("the name of a TCP setting, as retries2, or of a host")?;
    let second = words.peek();
    let names_host = match (known(&first.text), second) {
        (Some(_), second) => second.is_some_and(|word| known(word).is_some()),
        (None, Some(second)) => second.parse::<i64>().is_err(),
        (None, None) => false,
    };
    let (host, word) = if names_host {
        let word = words.word("the name of a TCP setting, as retries2")?;
        (Some(host(first)?), word)
    } else {
        (None, first)
    };
    let name = known(&word.text).ok_or_else(|| unknown_setting(word))?;
    let (least, most) = bounds(name, host, before);
    let span = words.span();
    let value: i128 = words.parse(&format!("a whole number from {least} to {most}"))?;
    match u32::try_from(value) {
        Ok(value) if (least..=most).contains(&value) => Ok(TcpChange { host, name, value }),
        _ => Err(TextError::new(span, format!("`{name}` cannot be {value}"))
            .help(format!("write a whole number from {least} to {most}"))),
    }
}

fn known(word: &str) -> Option<&'static str> {
    let name = word.strip_prefix("tcp_").unwrap_or(word);
    let mut names = TcpSettings::NAMES.iter();
    names.find(|known| **known == name).copied()
}

fn unknown_setting(word: &Word) -> TextError {
    let known = TcpSettings::NAMES.join(", ");
    let near = nearest(&word.text, TcpSettings::NAMES);
    let near = near.map(|near| format!("did you mean `{near}`? "));
    TextError::new(
        word.span.clone(),
        format!("there is no TCP setting `{}`", word.text),
    )
    .help(format!("{}write one of {known}", near.unwrap_or_default()))
}

/// What `name` can be on `host`, or on every host, beside what was set before.
fn bounds(name: &'static str, host: Option<HostName>, before: &[TcpChange]) -> (u32, u32) {
    let hosts: BTreeSet<Option<HostName>> = match host {
        Some(_) => BTreeSet::from([host]),
        None => before.iter().map(|it| it.host).chain([None]).collect(),
    };
    let bounds = hosts.into_iter().filter_map(|host| {
        let settings = TcpSettings::of_host(host, before);
        settings.bounds(name)
    });
    bounds.fold((0, u32::MAX), |(least, most), (low, high)| {
        (least.max(low), most.min(high))
    })
}
