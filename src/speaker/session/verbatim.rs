//! What a session says in the place of its own words: the octets of a recorded session, each at its time.
//!
//! Another speaker's attribute order, packing and pace cannot be had from a configuration. A neighbor with a verbatim
//! says them all the same; received messages are handled as usual, and after the last piece it keeps the session alive.

use std::time::Duration;

use thiserror::Error;

use super::timers::TimerKind;
use super::{Cause, Session, State};
use crate::bgp::attribute::WireContext;
use crate::bgp::error::EncodeError;
use crate::bgp::message::{Message, Open};

/// The octets of a recorded speaker, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verbatim {
    open: Open,
    pieces: Vec<(Duration, Vec<u8>)>,
}

/// Nothing can be negotiated on what does not begin with an OPEN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("verbatim octets must begin with a whole OPEN that decodes (RFC 4271 section 4.2)")]
pub struct NoOpen;

impl Verbatim {
    /// Pieces of a stream, mostly whole messages, and when each is due after the connection has opened.
    ///
    /// # Errors
    /// Where the first is no OPEN.
    pub fn new(pieces: Vec<(Duration, Vec<u8>)>) -> Result<Self, NoOpen> {
        let first = pieces.first().map(|(_, octets)| octets.as_slice());
        match Message::decode(&WireContext::default(), first.unwrap_or_default()) {
            Ok(Message::Open(open)) => Ok(Self { open, pieces }),
            _ => Err(NoOpen),
        }
    }

    /// The pieces, in the order sent.
    #[must_use]
    pub fn pieces(&self) -> &[(Duration, Vec<u8>)] {
        &self.pieces
    }
}

/// How far a session is in its verbatim.
#[derive(Debug, Clone, Copy)]
pub(super) struct Progress {
    opened: Duration,
    said: usize,
}

impl Session {
    /// Begins the neighbor's verbatim; `false` where it has none.
    pub(super) fn begin_recital(&mut self, now: Duration) -> bool {
        let Some(verbatim) = self.neighbor.verbatim.clone() else {
            return false;
        };
        // It is negotiated on before its time has come, if the peer is the first to speak.
        self.sent_open = Some(verbatim.open.clone());
        self.verbatim = Some(Progress {
            opened: now,
            said: 0,
        });
        self.await_piece();
        true
    }

    /// Whether the session still has something to recite.
    pub(super) const fn recites(&self) -> bool {
        self.verbatim.is_some()
    }

    /// Says every piece that is due.
    pub(super) fn recite(&mut self, now: Duration) {
        let Some(verbatim) = self.neighbor.verbatim.clone() else {
            return;
        };
        while let Some(Progress { opened, said }) = self.verbatim
            && let Some((at, octets)) = verbatim.pieces.get(said)
            && opened + *at <= now
        {
            let _ = self.queue(now, |out| {
                out.extend_from_slice(octets);
                Ok::<(), EncodeError>(())
            });
            if said == 0 && self.state == State::Connect {
                self.enter(State::OpenSent, Cause::OpenSent);
            }
            self.verbatim = Some(Progress {
                opened,
                said: said + 1,
            });
        }
        self.await_piece();
        if !self.recites() {
            self.start_keepalive(now);
        }
    }

    fn await_piece(&mut self) {
        let next = self.verbatim.and_then(|Progress { opened, said }| {
            let (at, _) = self.neighbor.verbatim.as_ref()?.pieces.get(said)?;
            Some(opened + *at)
        });
        match next {
            Some(at) => self.timers.set(TimerKind::Verbatim, at),
            None => self.verbatim = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, SocketAddr};
    use std::sync::Arc;

    use super::super::Ends;
    use super::*;
    use crate::bgp::message::Keepalive;
    use crate::net::Opener;
    use crate::speaker::neighbor::Neighbor;
    use crate::speaker::settings::Settings;

    const MS: Duration = Duration::from_millis(1);

    fn open(identifier: u8) -> Vec<u8> {
        let open = Open::new(1, 30, Ipv4Addr::new(10, 0, 0, identifier), []);
        let mut out = Vec::new();
        Message::Open(open)
            .encode(&WireContext::default(), &mut out)
            .unwrap();
        out
    }

    fn said(session: &mut Session, now: Duration) -> Vec<u8> {
        session.handle_timeout(now);
        let said = session
            .poll_transmit()
            .map(<[u8]>::to_vec)
            .unwrap_or_default();
        session.transmitted(said.len(), now);
        said
    }

    #[test]
    fn each_piece_is_said_at_its_time_and_then_the_session_keeps_itself_alive() {
        let keepalive = Keepalive::BYTES.to_vec();
        let pieces = vec![
            (2 * MS, open(1)),
            (5 * MS, keepalive.clone()),
            (7 * MS, vec![0xff; 3]),
        ];
        let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let neighbor = Neighbor {
            verbatim: Some(Arc::new(Verbatim::new(pieces).unwrap())),
            ..Neighbor::new(local, local, 1, 1)
        };
        let ends = Ends {
            local: SocketAddr::new(local, 1),
            peer: SocketAddr::new(local, 179),
            opener: Opener::Us,
        };
        let mut session = Session::new(
            Arc::new(neighbor),
            ends,
            &Settings::default(),
            false,
            10 * MS,
        );
        assert_eq!(session.poll_deadline().map(|due| due.at), Some(12 * MS));
        assert_eq!(said(&mut session, 11 * MS), Vec::<u8>::new());
        assert_eq!(said(&mut session, 12 * MS), open(1));
        session.handle_bytes(13 * MS, &open(2));
        session.handle_bytes(13 * MS, &keepalive);
        assert!(session.is_established());
        assert_eq!(said(&mut session, 14 * MS), Vec::<u8>::new());
        assert_eq!(said(&mut session, 15 * MS), keepalive);
        assert_eq!(said(&mut session, 17 * MS), [0xff; 3]);
        assert_eq!(said(&mut session, 10_017 * MS), keepalive);
    }

    #[test]
    fn nothing_but_an_open_can_be_first() {
        assert_eq!(Verbatim::new(Vec::new()), Err(NoOpen));
        let keepalive = Keepalive::BYTES.to_vec();
        assert_eq!(Verbatim::new(vec![(MS, keepalive)]), Err(NoOpen));
    }
}
