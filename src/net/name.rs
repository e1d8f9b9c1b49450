//! The one name of a connection, and who gives it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::str::FromStr;

use arrayvec::ArrayString;
use thiserror::Error;

/// The end of a connection that opened it, seen from the host under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Opener {
    /// This host connected.
    Us,
    /// This host accepted.
    Peer,
}

/// The name of a host under test: 1 to 23 letters, digits, hyphens, underscores and dots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(ArrayString<23>);

/// Text that is not the name of a host.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a host name: use 1 to 23 letters, digits, hyphens, underscores and dots")]
pub struct InvalidHostName(pub String);

impl HostName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HostName {
    type Err = InvalidHostName;

    fn from_str(text: &str) -> Result<Self, InvalidHostName> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        ArrayString::from(text)
            .ok()
            .filter(|name| !name.is_empty() && name.chars().all(is_allowed))
            .map(Self)
            .ok_or_else(|| InvalidHostName(text.to_owned()))
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A connection's name, the same wherever the connection is spoken of: in plans, traces, transcripts and reports.
///
/// It is the same in every run, whatever the order in which connections to several peers open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionName {
    /// The host under test; `None` where it is the only one.
    pub host: Option<HostName>,
    /// The address of the other end.
    pub peer: IpAddr,
    /// The end that opened it. Each end has a count of its own, so that two connections that cross do not trade names.
    pub opener: Opener,
    /// The ordinal among the host's connections of this peer and opener, from 1, counting failed attempts.
    pub attempt: u32,
}

impl ConnectionName {
    /// The name of a connection of the only host under test.
    #[must_use]
    pub const fn new(peer: IpAddr, opener: Opener, attempt: u32) -> Self {
        Self {
            host: None,
            peer,
            opener,
            attempt,
        }
    }
}

/// `10.0.0.2#1`, or `10.0.0.2<1` where the peer opened it, after `HOST/` where several hosts are under test.
impl fmt::Display for ConnectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.opener {
            Opener::Us => '#',
            Opener::Peer => '<',
        };
        if let Some(host) = &self.host {
            write!(f, "{host}/")?;
        }
        write!(f, "{}{mark}{}", self.peer, self.attempt)
    }
}

/// Text that is not the name of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not the name of a connection")]
pub struct InvalidConnectionName(pub String);

impl FromStr for ConnectionName {
    type Err = InvalidConnectionName;

    fn from_str(text: &str) -> Result<Self, InvalidConnectionName> {
        let read = || {
            let (host, rest) = match text.split_once('/') {
                Some((host, rest)) => (Some(host.parse().ok()?), rest),
                None => (None, text),
            };
            let at = rest.find(['#', '<'])?;
            let (peer, numbered) = rest.split_at(at);
            let (mark, attempt) = numbered.split_at(1);
            let has_sign = attempt.starts_with('+');
            Some(Self {
                host,
                peer: peer.parse().ok()?,
                opener: if mark == "#" {
                    Opener::Us
                } else {
                    Opener::Peer
                },
                attempt: attempt
                    .parse()
                    .ok()
                    .filter(|number| *number > 0 && !has_sign)?,
            })
        };
        read().ok_or_else(|| InvalidConnectionName(text.to_owned()))
    }
}

/// The most pairs of peer and opener that are counted at once.
///
/// Anybody may connect to a speaker on a real network, so its memory of strangers is bounded.
const MOST: usize = 65_536;

/// Names the connections of one host under test: a cheap handle, shared by its network's clones.
///
/// The network holds it, not the speaker: a speaker that crashes and starts again continues counting.
#[derive(Debug, Clone, Default)]
pub struct Attempts(Rc<RefCell<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    host: Option<HostName>,
    made: BTreeMap<(IpAddr, Opener), u32>,
    /// Names by this host's address and the peer's; `None` where nobody asks for them.
    open: Option<BTreeMap<(SocketAddr, SocketAddr), ConnectionName>>,
}

impl Attempts {
    /// Names the connections of `host`, one of several under test.
    #[must_use]
    pub fn of(host: HostName) -> Self {
        let counts = Counts {
            host: Some(host),
            ..Counts::default()
        };
        Self(Rc::new(RefCell::new(counts)))
    }

    /// The name that the next connection with `peer` will have.
    #[must_use]
    pub fn next(&self, peer: IpAddr, opener: Opener) -> ConnectionName {
        let counts = self.0.borrow();
        let made = counts
            .made
            .get(&(peer, opener))
            .copied()
            .unwrap_or_default();
        ConnectionName {
            host: counts.host,
            peer,
            opener,
            attempt: made.saturating_add(1),
        }
    }

    /// Gives the next connection with `peer` its name.
    #[must_use]
    pub fn take(&self, peer: IpAddr, opener: Opener) -> ConnectionName {
        let name = self.next(peer, opener);
        let mut counts = self.0.borrow_mut();
        if counts.made.len() >= MOST && !counts.made.contains_key(&(peer, opener)) {
            counts.made.retain(|(_, opener), _| *opener == Opener::Us);
        }
        counts.made.insert((peer, opener), name.attempt);
        name
    }

    /// From now on [`Self::between`] knows the connections that open.
    pub fn remember(&self) {
        self.0.borrow_mut().open.get_or_insert_default();
    }

    /// The connection `name` is open, or opening, from `local`, this host's address, to `peer`.
    pub fn opened(&self, name: ConnectionName, local: SocketAddr, peer: SocketAddr) {
        if let Some(open) = &mut self.0.borrow_mut().open {
            open.insert((local, peer), name);
        }
    }

    /// The name of the latest connection between `local`, this host's address, and `peer`.
    #[must_use]
    pub fn between(&self, local: SocketAddr, peer: SocketAddr) -> Option<ConnectionName> {
        self.0.borrow().open.as_ref()?.get(&(local, peer)).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    fn name() -> impl Strategy<Value = ConnectionName> {
        let peer = prop_oneof![
            any::<u32>().prop_map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits))),
            any::<u128>().prop_map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits))),
        ];
        let host = proptest::option::of("[a-zA-Z0-9._-]{1,23}");
        let opener = prop_oneof![Just(Opener::Us), Just(Opener::Peer)];
        (host, peer, opener, 1..=u32::MAX).prop_map(|(host, peer, opener, attempt)| {
            ConnectionName {
                host: host.map(|host| host.parse().unwrap()),
                peer,
                opener,
                attempt,
            }
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(name in name()) {
            prop_assert_eq!(name.to_string().parse(), Ok(name));
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<ConnectionName>();
        }
    }

    #[test]
    fn what_names_no_connection_is_refused() {
        for text in [
            "",
            "#1",
            "127.0.0.1",
            "127.0.0.1#0",
            "127.0.0.1#+1",
            "127.0.0.1#-1",
            "127.0.0.1>1",
            "127.0.0.1/2#1",
            "/127.0.0.1#1",
            "a b/127.0.0.1#1",
            "127.0.0.1#1 ",
            "127.0.0.1#4294967296",
            "peer#1",
        ] {
            assert!(text.parse::<ConnectionName>().is_err(), "{text}");
        }
        assert!("x".repeat(24).parse::<HostName>().is_err());
    }

    #[test]
    fn each_end_counts_its_own_and_a_host_stands_before_the_peer() {
        let peer = IpAddr::from([10, 0, 0, 2]);
        let alone = Attempts::default();
        let names = [Opener::Us, Opener::Peer, Opener::Us].map(|opener| alone.take(peer, opener));
        assert_eq!(
            names.map(|name| name.to_string()),
            ["10.0.0.2#1", "10.0.0.2<1", "10.0.0.2#2"]
        );
        let one_of_several = Attempts::of("edge-1".parse().unwrap());
        assert_eq!(
            one_of_several.next(peer, Opener::Us).to_string(),
            "edge-1/10.0.0.2#1"
        );
        assert_eq!(one_of_several.take(peer, Opener::Us).attempt, 1);
        assert_eq!(one_of_several.next(peer, Opener::Us).attempt, 2);
    }

    #[test]
    fn strangers_do_not_fill_the_memory() {
        let attempts = Attempts::default();
        let configured = IpAddr::from([10, 0, 0, 2]);
        let _ = attempts.take(configured, Opener::Us);
        for stranger in 0..100_000_u32 {
            let _ = attempts.take(Ipv4Addr::from_bits(stranger).into(), Opener::Peer);
        }
        assert!(attempts.0.borrow().made.len() <= MOST);
        assert_eq!(attempts.next(configured, Opener::Us).attempt, 2);
    }
}
