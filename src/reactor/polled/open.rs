//! An open connection in its peer's turn, and the session on it.

use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::api::tally::Tally;
use crate::net::programs::Programs;
use crate::net::{Connection, ConnectionName};
use crate::reactor::cease;
use crate::reactor::defect;
use crate::reactor::defects::{Defect, DefectSet};
use crate::reactor::observer::SpeakerEvent;
use crate::speaker::peer::Peer;
use crate::speaker::session::Session;

use crate::reactor::polled::closing::Closing;
use crate::reactor::polled::turn::Turn;

/// Messages that one peer may queue in one turn, as in ExaBGP.
const MESSAGES: usize = 25;

/// With this many octets waiting to be taken nothing more is queued: the peer is slower than we are.
const BACKLOG: usize = 64 * 1024;

/// An open connection and its session.
pub(super) struct Open<T> {
    pub name: ConnectionName,
    pub stream: T,
    pub session: Session,
    /// The last read brought something, so there may be more.
    pub readable: bool,
    /// The last write was taken whole.
    pub writable: bool,
    /// The connection is gone: there is nothing to be closed in order.
    pub lost: bool,
    /// A write failed. What arrived before is still to be read; the session is given the failure then.
    pub broken: Option<io::ErrorKind>,
    /// The rate limit allows nothing before then.
    pub wait_until: Option<Duration>,
    /// Written before anything else: only with a defect.
    pub leftover: Vec<u8>,
}

/// Whether outbound work is left out on a turn that received nothing.
pub(super) fn skips_output(defects: &impl DefectSet) -> bool {
    defects.has(Defect::ContinueAfterTimeout) || defects.has(Defect::ReadWithoutTimeout)
}

impl<T: Connection> Open<T> {
    pub fn has_room(&self) -> bool {
        self.wait_until.is_none() && self.session.transmit_len() < BACKLOG
    }

    /// Reads once; says whether anything came.
    pub fn read<P: Programs, C: DefectSet>(
        &mut self,
        context: &mut Context<'_>,
        turn: &Turn<P, C>,
        buffer: &mut [u8],
    ) -> bool {
        if !self.readable || self.lost {
            return false;
        }
        match self.stream.poll_read(context, buffer) {
            Poll::Pending => {
                self.readable = false;
                let Some(kind) = self.broken else {
                    return false;
                };
                self.lost = true;
                self.session.handle_reset(turn.now, kind);
            }
            Poll::Ready(Ok(0)) => {
                self.lost = true;
                self.readable = false;
                self.session.handle_eof(turn.now);
            }
            Poll::Ready(Ok(count)) => self.session.handle_bytes(turn.now, &buffer[..count]),
            Poll::Ready(Err(error)) => {
                defect::crash(&turn.defects, error.kind());
                self.lost = true;
                self.readable = false;
                self.session.handle_reset(turn.now, error.kind());
            }
        }
        true
    }

    pub fn teardown(&mut self, subcode: u8, now: Duration) {
        let silent = self
            .session
            .negotiated()
            .is_some_and(|negotiated| negotiated.graceful_restart);
        if silent {
            self.session.close_silently(now);
        } else {
            self.session.close(now, cease::teardown(subcode));
        }
    }

    pub fn fill<P: Programs, C: DefectSet>(&mut self, peer: &mut Peer, turn: &mut Turn<P, C>) {
        if self.wait_until.is_some_and(|until| until <= turn.now) {
            self.wait_until = None;
        }
        if !self.has_room() || !peer.has_output() {
            return;
        }
        let filled = peer.fill(turn.now, &mut self.session, MESSAGES);
        self.wait_until = filled.wait_until;
        for refused in &filled.refused {
            turn.warn(&self.name.to_string(), refused);
        }
    }

    /// Writes once.
    pub fn write(&mut self, context: &mut Context<'_>, now: Duration) {
        if !self.writable || self.lost || self.broken.is_some() {
            return;
        }
        if !self.leftover.is_empty()
            && let Poll::Ready(Ok(count)) = self.stream.poll_write(context, &self.leftover)
        {
            self.leftover.drain(..count);
            return;
        }
        let Some(octets) = self.session.poll_transmit() else {
            return;
        };
        match self.stream.poll_write(context, octets) {
            Poll::Pending => self.writable = false,
            Poll::Ready(Ok(count)) => self.session.transmitted(count, now),
            Poll::Ready(Err(error)) => {
                self.writable = false;
                self.readable = true;
                self.broken = Some(error.kind());
            }
        }
    }

    /// Passes on what happened in the session.
    pub fn tell<P: Programs, C: DefectSet>(
        &mut self,
        peer: &mut Peer,
        tally: &mut Tally,
        turn: &mut Turn<P, C>,
    ) {
        while let Some(event) = self.session.poll_event() {
            if let Some(event) = SpeakerEvent::of_session(&self.name, &event) {
                turn.observe(&event);
            }
            tally.note(turn.now, &event);
            peer.handle_event(turn.now, &event);
            turn.tell(peer, &self.session, &event);
            defect::end_early(&turn.defects, turn.now, peer, &mut self.session, &event);
        }
    }

    pub fn into_closing<P: Programs, C: DefectSet>(
        mut self,
        turn: &Turn<P, C>,
    ) -> Option<Closing<T>> {
        let rest = self.session.poll_transmit().unwrap_or_default().to_vec();
        if self.lost {
            turn.observe(&SpeakerEvent::Disconnected {
                connection: &self.name,
            });
            return None;
        }
        Some(Closing::new(Some(self.name), self.stream, rest, turn.now))
    }
}
