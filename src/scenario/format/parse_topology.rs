//! The lines `host`, `link` and `partition`, the addresses that hosts' names stand for, and conditions, which have some.

use std::net::IpAddr;

use crate::bgp::text::{TextError, Word, Words};
use crate::config::nearest;
use crate::net::HostName;
use crate::scenario::format::host_fault::Partition;
use crate::scenario::format::parse_tcp::tcp_change;
use crate::scenario::format::script::Condition;
use crate::scenario::format::topology::{HostLink, LinkSettings, ScenarioHost, Topology, linked};
use crate::scenario::format::values::{at_least_one, loss, sight, time, unknown};

/// `host NAME ADDRESS…`.
pub(super) fn host(topology: &mut Topology, words: &mut Words<'_>) -> Result<(), TextError> {
    let word = words.word("the name of a host")?;
    let name: HostName = word
        .text
        .parse()
        .map_err(|error| TextError::new(word.span.clone(), format!("{error}")))?;
    if word.text.parse::<IpAddr>().is_ok() {
        return Err(TextError::new(
            word.span.clone(),
            "a host's name comes before its addresses",
        )
        .help(format!("write, for example, `host edge {name}`")));
    }
    if topology.host(name).is_some() {
        return Err(TextError::new(
            word.span.clone(),
            format!("the host `{name}` is declared already"),
        )
        .help("give each host a name of its own; one `host` line has all of its addresses"));
    }
    let mut addresses = Vec::new();
    loop {
        let span = words.span();
        let address: IpAddr = words
            .parse("an address of the host")
            .map_err(|error| error.help("write IPv4 and IPv6 addresses, as in 10.0.0.1 fd00::1"))?;
        if let Some(what) = unusable(address) {
            return Err(TextError::new(span, format!("{address} is {what}"))
                .help("give the host an address of its own, as in 10.0.0.1"));
        }
        let owner = topology.owner(address).map(|owner| owner.name);
        if owner.is_some() || addresses.contains(&address) {
            let help = match owner {
                Some(_) => "give every host addresses that no other has",
                None => "write each address once",
            };
            let owner = owner.unwrap_or(name);
            let message = format!("{address} is an address of `{owner}` already");
            return Err(TextError::new(span, message).help(help));
        }
        addresses.push(address);
        if words.is_empty() {
            break;
        }
    }
    topology.is_declared = true;
    topology.hosts.push(ScenarioHost {
        name,
        addresses,
        span: word.span.clone(),
    });
    Ok(())
}

/// Why no host can have `address` to itself.
fn unusable(address: IpAddr) -> Option<&'static str> {
    let broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    if address.is_loopback() {
        Some("every host's own loopback address")
    } else if address.is_unspecified() {
        Some("no host's address")
    } else if address.is_multicast() || broadcast {
        Some("not the address of one host")
    } else {
        None
    }
}

/// `link A B [latency TIME] [jitter TIME] [bandwidth OCTETS] [loss PERCENT]`.
pub(super) fn link(topology: &mut Topology, words: &mut Words<'_>) -> Result<(), TextError> {
    let start = words.span().start;
    let ends = two_hosts(topology, words, "link")?;
    let [one, other] = ends;
    if topology.link(one, other).is_some() {
        let span = start..start + format!("{one} {other}").len();
        return Err(
            TextError::new(span, format!("`{one}` and `{other}` have a link already"))
                .help("put all settings of a link on one line; it is the same in both directions"),
        );
    }
    let mut settings = LinkSettings::default();
    while let Some(word) = words.take() {
        match word.text.as_str() {
            "latency" => settings.latency = Some(time(words)?),
            "jitter" => settings.jitter = Some(time(words)?),
            "bandwidth" => settings.bandwidth = Some(at_least_one(words, "octets per second")?),
            "loss" => settings.loss = Some(loss(words)?),
            other => {
                let known = "latency, jitter, bandwidth or loss";
                return Err(unknown(&word.span, other, known));
            }
        }
    }
    topology.links.push(HostLink { ends, settings });
    Ok(())
}

/// `partition A B at TIME for TIME`.
pub(super) fn partition(topology: &mut Topology, words: &mut Words<'_>) -> Result<(), TextError> {
    let start = words.span().start;
    let ends = two_hosts(topology, words, "partition")?;
    let [one, other] = ends;
    if topology.link(one, other).is_none() {
        let span = start..words.span().start;
        return Err(no_link(topology, one, other, span));
    }
    let form = |error: TextError| match error.help {
        Some(_) => error,
        None => error.help(format!("write `partition {one} {other} at 2s for 10s`")),
    };
    words.expect("at").map_err(form)?;
    let at = time(words).map_err(form)?;
    words.expect("for").map_err(form)?;
    let time = time(words).map_err(form)?;
    topology.partitions.push(Partition { ends, at, time });
    Ok(())
}

/// `tcp [HOST] NAME VALUE`; gives the word that names the host, which may be declared further below.
pub(super) fn tcp(
    topology: &mut Topology,
    words: &mut Words<'_>,
) -> Result<Option<Word>, TextError> {
    let mut named = None;
    let change = tcp_change(words, &topology.tcp, |word| {
        named = Some(word.clone());
        word.text
            .parse()
            .map_err(|error| TextError::new(word.span.clone(), format!("{error}")))
    })?;
    topology.tcp.push(change);
    Ok(named)
}

fn no_link(
    topology: &Topology,
    one: HostName,
    other: HostName,
    span: std::ops::Range<usize>,
) -> TextError {
    TextError::new(span, format!("`{one}` and `{other}` have no link to cut"))
        .help(linked(topology, one, other))
}

/// Two hosts that differ.
fn two_hosts(
    topology: &Topology,
    words: &mut Words<'_>,
    what: &str,
) -> Result<[HostName; 2], TextError> {
    let one = known_host(topology, words.word("the name of a host")?)?;
    let word = words.word("the name of a second host")?;
    let other = known_host(topology, word)?;
    if one == other {
        return Err(TextError::new(
            word.span.clone(),
            format!("a {what} is between two hosts, and `{one}` is one"),
        )
        .help(match topology.hosts.iter().find(|it| it.name != one) {
            Some(another) => format!("write, for example, `{what} {one} {} …`", another.name),
            None => "declare a second host above: `host NAME ADDRESS`".to_owned(),
        }));
    }
    Ok([one, other])
}

/// The host that `word` names.
pub(super) fn known_host(topology: &Topology, word: &Word) -> Result<HostName, TextError> {
    let named = word.text.parse().ok();
    if let Some(host) = named.and_then(|name| topology.host(name)) {
        return Ok(host.name);
    }
    let message = format!("there is no host `{}`", word.text);
    let names: Vec<&str> = topology.hosts.iter().map(|it| it.name.as_str()).collect();
    let help = unknown_host(&word.text, &names);
    Err(TextError::new(word.span.clone(), message).help(help))
}

/// What to write instead of `name`, which none of these hosts has.
#[must_use]
pub fn unknown_host(name: &str, names: &[&str]) -> String {
    let declare = format!("declare it above: `host {name} ADDRESS`");
    match (nearest(name, names), names) {
        (_, []) => declare,
        (Some(near), _) => format!("did you mean `{near}`? The hosts are {}", names.join(", ")),
        (None, _) => format!("the hosts are {}; or {declare}", names.join(", ")),
    }
}

/// An address, or the name of a host, which stands for its first; `expected` says what it should be.
pub(super) fn address(
    topology: &Topology,
    words: &mut Words<'_>,
    expected: &str,
) -> Result<IpAddr, TextError> {
    if !topology.is_declared {
        return words.parse(expected);
    }
    let word = words.word(expected)?;
    let Ok(address) = word.text.parse() else {
        let name = known_host(topology, word)?;
        let host = topology.host(name);
        let first = host.and_then(|host| host.addresses.first().copied());
        return first.ok_or_else(|| TextError::new(word.span.clone(), "the host has no address"));
    };
    if topology.owner(address).is_some() {
        return Ok(address);
    }
    let hosts = topology.hosts.iter().map(|host| {
        let addresses = host.addresses.iter().map(IpAddr::to_string);
        format!("{} {}", host.name, addresses.collect::<Vec<_>>().join(" "))
    });
    let hosts: Vec<String> = hosts.collect();
    Err(TextError::new(
        word.span.clone(),
        format!("no host has the address {address}"),
    )
    .help(format!("the hosts are {}", hosts.join(", "))))
}

/// The words that follow `wait`.
pub(super) fn condition(
    topology: &Topology,
    words: &mut Words<'_>,
) -> Result<Condition, TextError> {
    let what = sight(words)?;
    let count = match words.peek().and_then(|word| word.parse().ok()) {
        Some(count) => {
            words.take();
            count
        }
        None => 1,
    };
    let from = if words.accept("from") {
        Some(address(topology, words, "the address of a peer")?)
    } else {
        None
    };
    Ok(Condition { what, count, from })
}
