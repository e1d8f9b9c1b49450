//! Simultaneous open: two SYNs that cross are one connection (RFC 9293 section 3.5, figure 8).
//!
//! Of the two attempts, the one whose SYN arrives first goes on, and the other is the connection's server end: an end
//! in SYN-RECEIVED, whose SYN is sent again with an acknowledgement.

use std::task::{Poll, Waker};
use std::time::Duration;

use crate::sim::state::{ConnectionId, Event, State};
use crate::sim::sysctl::kernel_timer;
use crate::sim::tcp::{Handshake, Kind, Segment, Side, keep};

impl State {
    /// The attempt of the peer that the attempt `id` meets.
    pub(super) fn crossing(&self, id: ConnectionId) -> Option<ConnectionId> {
        if !self.chosen_ports {
            // Two ephemeral ports do not guess each other.
            return None;
        }
        let ends = |id| {
            let tcp = &self.connections.get(id)?.tcp;
            Some((tcp.client.address, tcp.server.address))
        };
        let (client, server) = ends(&id)?;
        let mut others = self.connections.iter();
        let met = others.find(|(other, flow)| {
            **other != id
                && flow.tcp.handshake == Handshake::Underway
                && !flow.half_open
                && (flow.tcp.client.address, flow.tcp.server.address) == (server, client)
        });
        met.map(|(other, _)| *other)
    }

    /// The SYN of `id` has met the attempt `other`.
    pub(super) fn cross(&mut self, at: Duration, id: ConnectionId, other: ConnectionId) {
        let Some(met) = self.connections.remove(&other) else {
            return;
        };
        self.waiting -= usize::from(met.waiting);
        self.crossed.insert(other, id);
        if let Some(flow) = self.connections.get_mut(&id) {
            flow.crossed = true;
            flow.half_open = true;
            flow.tcp.server.reader = met.tcp.client.reader;
            flow.tcp.server.ttls = met.tcp.client.ttls;
        }
        self.carry(at, id, Side::Server, Segment::bare(Kind::SynAck));
        self.attend(id);
    }

    /// The SYN of an attempt that has been met reaches the other end: it is answered with SYN-ACK there.
    pub(super) fn crossed_syn_arrives(&mut self, at: Duration, other: ConnectionId) {
        if let Some(id) = self.crossed.get(&other).copied() {
            self.step(at, id, |tcp, effects| {
                tcp.push(Side::Client, Kind::Ack, effects)
            });
        }
    }

    /// It is time for the SYN of this number of an attempt that has been met.
    pub(super) fn crossed_syn_timer(&mut self, at: Duration, other: ConnectionId, attempt: u32) {
        let Some(id) = self.crossed.get(&other).copied() else {
            return;
        };
        let flow = self.connections.get(&id).filter(|flow| flow.half_open);
        let Some(flow) = flow else {
            return;
        };
        let settings = flow.tcp.server.settings;
        if attempt < settings.syn_retries + settings.syn_linear_timeouts {
            let due = kernel_timer(at, settings.syn_pause(attempt));
            self.schedule_quietly(due, Event::SynTimer(other, attempt + 1));
        }
        self.carry(at, id, Side::Server, Segment::bare(Kind::SynAck));
        self.attend(id);
    }

    /// The end that was met has heard the other's SYN-ACK.
    pub(super) fn open_crossed(&mut self, id: ConnectionId) -> bool {
        self.open_server(id);
        if let Some(flow) = self.connections.get_mut(&id) {
            self.effects.wakers.extend(flow.tcp.server.reader.take());
        }
        true
    }

    /// The connection that the attempt `other` has become, once it is open.
    pub(super) fn poll_crossed(
        &mut self,
        other: ConnectionId,
        waker: &Waker,
    ) -> Poll<Option<ConnectionId>> {
        let Some(id) = self.crossed.get(&other).copied() else {
            return Poll::Ready(None);
        };
        match self.connections.get_mut(&id) {
            Some(flow) if flow.half_open => {
                keep(&mut flow.tcp.server.reader, waker);
                Poll::Pending
            }
            found => Poll::Ready(found.map(|_| id)),
        }
    }

    /// The socket of an attempt that has been met was dropped.
    pub(super) fn abandon_crossed(&mut self, other: ConnectionId) {
        if let Some(id) = self.crossed.remove(&other) {
            if let Some(flow) = self.connections.get_mut(&id) {
                flow.half_open = false;
            }
            self.step(self.now, id, |tcp, effects| {
                tcp.close(Side::Server, effects)
            });
        }
    }
}
