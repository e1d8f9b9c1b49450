//! Connection collision (RFC 4271 section 6.8): which of two connections with one neighbor lives.

use std::net::Ipv4Addr;

use super::session::State;

/// What to do with a connection that the peer just made while another exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collision {
    /// The connection there was is closed with NOTIFICATION 6/7 (silently while it has not sent OPEN), the new one
    /// lives.
    KeepNew,
    /// The new one is closed with NOTIFICATION 6/7.
    KeepOld,
    /// Too early to say: both go on, and the question is asked again when the peer's OPEN is known.
    Undecided,
}

/// Decides between the connection that exists, in state `existing` and made by us, and one that the peer made.
///
/// An established session always survives. Otherwise the connection made by the speaker with the
/// higher BGP Identifier lives; equal identifiers are ordered by AS number (RFC 6286 section 2.3).
/// `peer` is known only once an OPEN of the peer was received on one of them.
#[must_use]
pub fn decide(existing: State, local: (Ipv4Addr, u32), peer: Option<(Ipv4Addr, u32)>) -> Collision {
    match existing {
        State::Established => Collision::KeepOld,
        State::Idle | State::Active | State::Connect => Collision::KeepNew,
        State::OpenSent | State::OpenConfirm => match peer {
            None => Collision::Undecided,
            Some(peer) if peer < local => Collision::KeepOld,
            Some(_) => Collision::KeepNew,
        },
    }
}

/// ExaBGP's decision, made when the connection is accepted, before any OPEN is read on it: unless the
/// existing session has received one, the new connection wins (see [`super::parity`]).
#[must_use]
pub fn decide_on_accept(existing: State, local: Ipv4Addr, peer: Option<Ipv4Addr>) -> Collision {
    match decide(existing, (local, 0), peer.map(|peer| (peer, 0))) {
        Collision::Undecided => Collision::KeepNew,
        decided => decided,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Collision::{KeepNew, KeepOld, Undecided};

    #[test]
    fn the_table_of_rfc_4271() {
        let low = (Ipv4Addr::new(1, 1, 1, 1), 65001);
        let high = (Ipv4Addr::new(2, 2, 2, 2), 65000);
        let low_again = (Ipv4Addr::new(1, 1, 1, 1), 65002);
        for (state, local, peer, expected) in [
            (State::Idle, low, None, KeepNew),
            (State::Connect, low, None, KeepNew),
            (State::Active, low, None, KeepNew),
            (State::OpenSent, low, None, Undecided),
            (State::OpenSent, low, Some(high), KeepNew),
            (State::OpenSent, high, Some(low), KeepOld),
            (State::OpenConfirm, low, Some(high), KeepNew),
            (State::OpenConfirm, high, Some(low), KeepOld),
            (State::OpenConfirm, low, Some(low_again), KeepNew),
            (State::OpenConfirm, low_again, Some(low), KeepOld),
            (State::Established, low, Some(high), KeepOld),
            (State::Established, high, Some(low), KeepOld),
        ] {
            assert_eq!(
                decide(state, local, peer),
                expected,
                "{state} {local:?} {peer:?}"
            );
        }
    }

    #[test]
    fn exabgp_decides_without_the_peers_open() {
        let (low, high) = (Ipv4Addr::new(1, 1, 1, 1), Ipv4Addr::new(2, 2, 2, 2));
        for (state, local, peer, expected) in [
            (State::OpenSent, high, None, KeepNew),
            (State::OpenConfirm, high, Some(low), KeepOld),
            (State::OpenConfirm, low, Some(high), KeepNew),
            (State::OpenConfirm, low, Some(low), KeepNew),
            (State::Established, low, Some(high), KeepOld),
        ] {
            assert_eq!(decide_on_accept(state, local, peer), expected, "{state}");
        }
    }
}
