//! Segments on their way: how long they take, and which are lost.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use crate::sim::state::{ConnectionId, Event, State};
use crate::sim::tcp::{Handshake, Kind, Segment, Side};

impl State {
    /// Puts `segment` on the path to the other end.
    pub(super) fn carry(&mut self, at: Duration, id: ConnectionId, from: Side, segment: Segment) {
        let Some(flow) = self.connections.get_mut(&id) else {
            return;
        };
        let source = flow.tcp.address(from).ip();
        let target = flow.tcp.address(from.other()).ip();
        if self.is_lost(at, id, from, source, target, &segment) {
            return;
        }
        let Some(flow) = self.connections.get_mut(&id) else {
            return;
        };
        let direction = flow.direction(from);
        let link = self
            .links
            .get(&(source, target))
            .unwrap_or(&self.settings.link);
        direction.line_free = direction.line_free.max(at) + link.occupied(segment.length());
        let jitter = if link.jitter.is_zero() {
            Duration::ZERO
        } else {
            let most = u64::try_from(link.jitter.as_micros()).unwrap_or(u64::MAX);
            Duration::from_micros(self.jitter.below(most.saturating_add(1)))
        };
        let arrival = direction.line_free + link.latency + jitter;
        direction.last_arrival = direction.last_arrival.max(arrival);
        let arrival = direction.last_arrival;
        let quiet = matches!(segment.kind, Kind::Ack | Kind::Probe);
        let arrives = Event::Arrive(id, from.other(), segment);
        if quiet && !flow.half_open {
            self.schedule_quietly(arrival, arrives);
        } else {
            self.schedule(arrival, arrives);
        }
    }

    /// How long a lone segment takes from `source` to `target`.
    pub(super) fn delay(&self, source: IpAddr, target: IpAddr) -> Duration {
        let link = self.links.get(&(source, target));
        link.unwrap_or(&self.settings.link).latency
    }

    /// Whether `segment` does not arrive; its connection then has to be attended to.
    fn is_lost(
        &mut self,
        at: Duration,
        id: ConnectionId,
        from: Side,
        source: IpAddr,
        target: IpAddr,
        segment: &Segment,
    ) -> bool {
        let Some(flow) = self.connections.get_mut(&id) else {
            return true;
        };
        if let Some(Some(until)) = flow.silent
            && until <= at
        {
            flow.silent = None;
        }
        let mut lost = flow.silent.is_some();
        let direction = flow.direction(from);
        if !direction.lose.is_empty() && segment.counts() {
            direction.lose.iter_mut().for_each(|nth| *nth -= 1);
            let count = direction.lose.len();
            direction.lose.retain(|nth| *nth > 0);
            lost |= direction.lose.len() < count;
        }
        lost |= self.path_loses(source, target);
        if lost {
            if let Some(flow) = self.connections.get_mut(&id) {
                flow.tcp.trouble();
            }
            // What is out of the window, ICMP does not end either (`tcp_v4_err`).
            let probe = segment.kind == Kind::Probe;
            if !probe && self.unreachable.contains(&(source, target)) {
                let there = self.links.get(&(source, target));
                let latency = there.unwrap_or(&self.settings.link).latency;
                self.schedule(at + latency, Event::Unreachable(id, from));
            }
        }
        lost
    }

    /// Whether the path from `source` to `target` loses what is sent now.
    pub(super) fn path_loses(&mut self, source: IpAddr, target: IpAddr) -> bool {
        if self.cuts.contains(&(source, target)) || self.unreachable.contains(&(source, target)) {
            return true;
        }
        let link = self.links.get(&(source, target));
        let loss = link.unwrap_or(&self.settings.link).loss;
        loss > 0 && self.loss.chance(loss.into(), 1_000_000)
    }

    pub(super) fn unreachable(&mut self, at: Duration, id: ConnectionId, side: Side) {
        let handshake = self.connections.get(&id).map(|it| it.tcp.handshake);
        if handshake == Some(Handshake::Underway) && side == Side::Client {
            return self.fail_handshake(id, io::ErrorKind::HostUnreachable);
        }
        self.step(at, id, |tcp, effects| tcp.unreachable(side, effects));
    }
}
