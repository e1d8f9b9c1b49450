//! Events at a peer, in the words of a scenario file, as `wait` names them and as errors print them.

use std::fmt;

use crate::bgp::family::Family;
use crate::bgp::nlri::inet::Prefix;

/// An event that a step can wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// The KEEPALIVE that completes the exchange of OPENs.
    Up,
    /// An End-of-RIB, of this family if one is given.
    EndOfRib(Option<Family>),
    /// An UPDATE that is not an End-of-RIB.
    Update,
    /// An UPDATE that announces the prefix.
    Announce(Prefix),
    /// An UPDATE that withdraws the prefix.
    Withdraw(Prefix),
    /// A NOTIFICATION, of this code and subcode if they are given.
    Notification(Option<(u8, u8)>),
    /// A ROUTE-REFRESH, of this family and subtype if they are given.
    Refresh(Option<(Family, u8)>),
    /// The program of that name has run all its steps.
    Program(String),
}

/// The words of a scenario's file.
impl fmt::Display for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Up => f.write_str("up"),
            Self::EndOfRib(None) => f.write_str("eor"),
            Self::EndOfRib(Some(family)) => write!(f, "eor {family}"),
            Self::Update => f.write_str("update"),
            Self::Announce(prefix) => write!(f, "announce {prefix}"),
            Self::Withdraw(prefix) => write!(f, "withdraw {prefix}"),
            Self::Notification(None) => f.write_str("notification"),
            Self::Notification(Some((code, subcode))) => notification(f, *code, *subcode),
            Self::Refresh(None) => f.write_str("refresh"),
            Self::Refresh(Some((family, subtype))) => refresh(f, *family, *subtype),
            Self::Program(name) => write!(f, "process {name}"),
        }
    }
}

/// One event at a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The KEEPALIVE that completes the exchange of OPENs.
    Up,
    /// An End-of-RIB.
    EndOfRib(Family),
    /// An UPDATE and the unicast prefixes in it.
    Update {
        /// Prefixes announced.
        announced: Vec<Prefix>,
        /// Prefixes withdrawn.
        withdrawn: Vec<Prefix>,
    },
    /// A NOTIFICATION's code and subcode.
    Notification(u8, u8),
    /// A ROUTE-REFRESH's family and subtype.
    Refresh(Family, u8),
    /// Any other message, by its type.
    Other(u8),
}

impl Seen {
    /// Whether this event is `sight`.
    #[must_use]
    pub fn is(&self, sight: &Sight) -> bool {
        match (self, sight) {
            (Self::Up, Sight::Up)
            | (Self::Update { .. }, Sight::Update)
            | (Self::EndOfRib(_), Sight::EndOfRib(None))
            | (Self::Notification(..), Sight::Notification(None))
            | (Self::Refresh(..), Sight::Refresh(None)) => true,
            (Self::EndOfRib(seen), Sight::EndOfRib(Some(family))) => seen == family,
            (Self::Update { announced, .. }, Sight::Announce(prefix)) => announced.contains(prefix),
            (Self::Update { withdrawn, .. }, Sight::Withdraw(prefix)) => withdrawn.contains(prefix),
            (Self::Notification(code, subcode), Sight::Notification(Some(pair))) => {
                (*code, *subcode) == *pair
            }
            (Self::Refresh(family, subtype), Sight::Refresh(Some(pair))) => {
                (*family, *subtype) == *pair
            }
            _ => false,
        }
    }
}

/// The words of a scenario's file, as far as it has any.
impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Up => f.write_str("up"),
            Self::EndOfRib(family) => write!(f, "eor {family}"),
            Self::Update {
                announced,
                withdrawn,
            } => {
                let announced = announced.iter().map(|prefix| ("announce", prefix));
                let withdrawn = withdrawn.iter().map(|prefix| ("withdraw", prefix));
                let mut routes = announced.chain(withdrawn).peekable();
                if routes.peek().is_none() {
                    return f.write_str("update");
                }
                for (at, (verb, prefix)) in routes.enumerate() {
                    let comma = if at == 0 { "" } else { ", " };
                    write!(f, "{comma}{verb} {prefix}")?;
                }
                Ok(())
            }
            Self::Notification(code, subcode) => notification(f, *code, *subcode),
            Self::Refresh(family, subtype) => refresh(f, *family, *subtype),
            Self::Other(kind) => write!(f, "a message of type {kind}"),
        }
    }
}

fn notification(f: &mut fmt::Formatter<'_>, code: u8, subcode: u8) -> fmt::Result {
    write!(f, "notification {code}/{subcode}")
}

/// A ROUTE-REFRESH; subtypes 1 and 2 are its beginning and end (RFC 7313 section 3.2).
fn refresh(f: &mut fmt::Formatter<'_>, family: Family, subtype: u8) -> fmt::Result {
    write!(f, "refresh {family}")?;
    match subtype {
        0 => Ok(()),
        1 => f.write_str(" begin"),
        2 => f.write_str(" end"),
        other => write!(f, " of subtype {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bgp::text::{Words, split};
    use crate::scenario::format::values::sight;

    #[test]
    fn a_sight_is_told_in_the_words_that_name_it() {
        for text in [
            "up",
            "eor",
            "eor ipv4 flow",
            "update",
            "announce 192.0.2.0/24",
            "withdraw 2001:db8::/32",
            "notification",
            "notification 6/2",
            "refresh",
            "refresh ipv6 unicast begin",
            "refresh ipv6 unicast end",
            "process announce-routes",
        ] {
            let words = split(text).expect(text);
            let read = sight(&mut Words::new(&words, text.len())).expect(text);
            assert_eq!(read.to_string(), text);
        }
    }

    #[test]
    fn routes_of_one_update_are_told_together() {
        let prefix = |text: &str| text.parse().expect("a prefix");
        let update = Seen::Update {
            announced: vec![prefix("192.0.2.0/24"), prefix("192.0.2.1/32")],
            withdrawn: vec![prefix("198.51.100.0/24")],
        };
        assert_eq!(
            update.to_string(),
            "announce 192.0.2.0/24, announce 192.0.2.1/32, withdraw 198.51.100.0/24"
        );
    }
}
