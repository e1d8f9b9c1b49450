//! Opening connections: SYN and its answers, each sent again until it is answered, and the backlog.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::net::network::SocketOptions;
use crate::sim::state::{ConnectionId, Event, Flow, HostId, State};
use crate::sim::sysctl::{FIRST_RTO, TcpSettings, kernel_timer};
use crate::sim::tcp::{Handshake, Kind, Segment, Side, Tcp};
use crate::sim::ttl::Ttls;

impl State {
    /// How the TCP of `host` is set, or that of one that is not there.
    fn tcp_of(&self, host: Option<HostId>) -> TcpSettings {
        let host = host.and_then(|host| self.hosts.get(host));
        host.map_or(self.settings.tcp, |host| host.tcp)
    }

    /// Starts to connect; a fault found at once is the first thing the connecting socket reports.
    pub(super) fn connect(
        &mut self,
        host: HostId,
        options: &SocketOptions,
        to: SocketAddr,
    ) -> ConnectionId {
        self.opened += 1;
        let id = self.opened;
        let chosen = self.source_address(host, options.source, to.ip());
        let address = match chosen {
            Ok(address) => self.source_port(host, address, options.source_port, to),
            Err(kind) => Err(kind),
        };
        let (chosen, address) = match address {
            Ok(address) => (Ok(()), address),
            Err(kind) => (Err(kind), SocketAddr::new(to.ip(), 0)),
        };
        let segment = self.settings.segment;
        let there = self.owner(host, to.ip());
        let settings = [Some(host), there].map(|it| self.tcp_of(it));
        let mut tcp = Tcp::new(address, to, self.buffers(), segment, settings);
        if let Err(kind) = chosen {
            tcp.handshake = Handshake::Failed(kind);
        }
        let mut flow = Flow::new(tcp, host);
        flow.tcp.client.ttls = Ttls::of(options);
        flow.key = options.md5_is_known.then(|| options.md5.clone());
        self.connections.insert(id, flow);
        if chosen.is_ok() {
            self.send_syn(self.now, id, 0);
        }
        id
    }

    /// Sends the SYN of this number, from 0, and sets the timer of the next.
    fn send_syn(&mut self, at: Duration, id: ConnectionId, attempt: u32) {
        let Some(flow) = self.connections.get_mut(&id) else {
            return;
        };
        flow.begun = at;
        let first = *flow.first_syn.get_or_insert(at);
        let silent = flow.silent.is_some();
        let source = flow.tcp.address(Side::Client).ip();
        let target = flow.tcp.address(Side::Server).ip();
        let settings = flow.tcp.client.settings;
        let due = kernel_timer(at, settings.syn_pause(attempt));
        let next = if settings.syn_is_last(attempt, first, due) {
            Event::Unanswered(id)
        } else {
            Event::SynTimer(id, attempt + 1)
        };
        self.schedule_quietly(due, next);
        if self.path_loses(source, target) || silent {
            self.path_is_in_trouble(id);
            if self.unreachable.contains(&(source, target)) {
                let delay = self.delay(source, target);
                self.schedule(at + delay, Event::Unreachable(id, Side::Client));
            }
            return;
        }
        let delay = self.delay(source, target);
        self.schedule(at + delay, Event::Syn(id, attempt));
    }

    /// Its timers must be attended to.
    pub(super) fn path_is_in_trouble(&mut self, id: ConnectionId) {
        if let Some(flow) = self.connections.get_mut(&id) {
            flow.tcp.trouble();
        }
        self.attend(id);
    }

    pub(super) fn syn_timer(&mut self, at: Duration, id: ConnectionId, attempt: u32) {
        let handshake = self.connections.get(&id).map(|it| it.tcp.handshake);
        match handshake {
            Some(Handshake::Underway) => self.send_syn(at, id, attempt),
            None => self.crossed_syn_timer(at, id, attempt),
            Some(_) => {}
        }
    }

    pub(super) fn syn_ack_timer(&mut self, at: Duration, id: ConnectionId, attempt: u32) {
        let flow = self.connections.get(&id).filter(|it| it.half_open);
        let Some(flow) = flow else {
            return;
        };
        if attempt > flow.tcp.server.settings.synack_retries {
            return self.give_up_request(id);
        }
        self.send_syn_ack(at, id, attempt);
    }

    /// The server's host forgets about it: what still comes is answered with RST.
    fn give_up_request(&mut self, id: ConnectionId) {
        let Some(flow) = self.connections.get_mut(&id) else {
            return;
        };
        flow.half_open = false;
        flow.tcp.server.kill();
        flow.tcp.server.released = true;
        let place = flow.listener;
        if let Some(listening) = place.and_then(|place| self.listeners.get_mut(&place)) {
            listening.promised = listening.promised.saturating_sub(1);
        }
    }

    fn send_syn_ack(&mut self, at: Duration, id: ConnectionId, attempt: u32) {
        let pause = FIRST_RTO * (1 << attempt.min(20));
        let flow = self.connections.get(&id);
        let most = flow.map_or(pause, |it| it.tcp.server.settings.rto_max());
        let due = kernel_timer(at, pause.min(most));
        self.schedule_quietly(due, Event::SynAckTimer(id, attempt + 1));
        self.carry(at, id, Side::Server, Segment::bare(Kind::SynAck));
        self.attend(id);
    }

    pub(super) fn syn_arrives(&mut self, at: Duration, id: ConnectionId, _attempt: u32) {
        let Some(flow) = self.connections.get(&id) else {
            return self.crossed_syn_arrives(at, id);
        };
        if flow.tcp.handshake != Handshake::Underway {
            return;
        }
        if flow.half_open {
            // The SYN-ACK was lost, or is slow.
            return self.carry(at, id, Side::Server, Segment::bare(Kind::SynAck));
        }
        if let Some(other) = self.crossing(id) {
            return self.cross(at, id, other);
        }
        let source = flow.tcp.address(Side::Client).ip();
        let target = flow.tcp.address(Side::Server);
        let owner = self.owner(flow.client, target.ip());
        let Some(host) = owner else {
            return self.path_is_in_trouble(id);
        };
        let Some(place) = self.listener_for(host, target) else {
            if !self.path_loses(target.ip(), source) {
                let delay = self.delay(target.ip(), source);
                return self.schedule(at + delay, Event::Refused(id));
            }
            return self.path_is_in_trouble(id);
        };
        if !self.signatures_agree(place, id, source) {
            // A segment with another signature, or none, is dropped (RFC 2385, section 2.0).
            return self.path_is_in_trouble(id);
        }
        let backlog = self.settings.backlog;
        let client = flow.tcp.client.ttls;
        let Some(listening) = self.listeners.get_mut(&place) else {
            return;
        };
        let ttls = listening.ttls;
        if !ttls.accept(client) {
            return self.path_is_in_trouble(id);
        }
        // A backlog of N admits N + 1 (`sk_acceptq_is_full`).
        if listening.queue.len() > backlog {
            return self.path_is_in_trouble(id);
        }
        listening.promised += 1;
        if let Some(flow) = self.connections.get_mut(&id) {
            flow.listener = Some(place);
            flow.tcp.server.ttls = ttls;
            flow.half_open = true;
        }
        self.send_syn_ack(at, id, 0);
    }

    pub(super) fn syn_ack_arrives(&mut self, at: Duration, id: ConnectionId) {
        let handshake = self.connections.get(&id).map(|it| it.tcp.handshake);
        if handshake == Some(Handshake::Done) {
            // Its acknowledgement was lost.
            return self.step(at, id, |tcp, effects| {
                if !tcp.client.dead {
                    tcp.push(Side::Client, Kind::Ack, effects);
                }
            });
        }
        if handshake != Some(Handshake::Underway) {
            return;
        }
        let begun = self.connections.get(&id).map_or(at, |it| it.begun);
        self.step(at, id, |tcp, effects| {
            tcp.connected(effects);
            let took = at.saturating_sub(begun);
            let rto_min = tcp.client.settings.rto_min();
            tcp.client.sender.handshake_took(took, rto_min);
            tcp.client.receiver.heard = at;
            tcp.push(Side::Client, Kind::Ack, effects);
        });
    }

    /// The client's answer to the SYN-ACK has come, alone or with data; says whether the connection is open now.
    pub(super) fn admit(&mut self, id: ConnectionId, segment: &Segment) -> bool {
        if segment.kind == Kind::Reset {
            self.give_up_request(id);
            return false;
        }
        let backlog = self.settings.backlog;
        let Some(flow) = self.connections.get_mut(&id) else {
            return false;
        };
        if flow.crossed {
            return self.open_crossed(id);
        }
        let place = flow.listener;
        let listening = place.and_then(|place| self.listeners.get_mut(&place));
        let Some(listening) = listening else {
            // The listener closed during the handshake.
            flow.half_open = false;
            self.refuse(id);
            return false;
        };
        if listening.queue.len() > backlog {
            // The client thinks that it is connected; it is not until there is room.
            flow.tcp.trouble();
            self.attend(id);
            return false;
        }
        listening.promised = listening.promised.saturating_sub(1);
        listening.queue.push_back(id);
        self.effects.wakers.extend(listening.waker.take());
        self.open_server(id);
        true
    }

    /// The server's end is open.
    pub(super) fn open_server(&mut self, id: ConnectionId) {
        let now = self.now;
        if let Some(flow) = self.connections.get_mut(&id) {
            flow.half_open = false;
            let took = now.saturating_sub(flow.begun);
            let rto_min = flow.tcp.server.settings.rto_min();
            flow.tcp.server.sender.handshake_took(took, rto_min);
            flow.tcp.server.receiver.heard = now;
        }
    }

    /// The server's end goes without having been accepted.
    pub(super) fn refuse(&mut self, id: ConnectionId) {
        self.step(self.now, id, |tcp, effects| {
            tcp.reset(Side::Server, effects);
            tcp.close(Side::Server, effects);
        });
    }

    pub(super) fn fail_handshake(&mut self, id: ConnectionId, kind: io::ErrorKind) {
        self.step(self.now, id, |tcp, effects| {
            tcp.fail_handshake(kind, effects);
        });
    }

    /// The connecting socket was dropped before it was connected.
    pub(super) fn abandon(&mut self, id: ConnectionId) {
        let Some(flow) = self.connections.get(&id) else {
            return self.abandon_crossed(id);
        };
        if flow.tcp.handshake == Handshake::Done {
            // Connected, though nobody had looked yet.
            return self.step(self.now, id, |tcp, effects| {
                tcp.close(Side::Client, effects);
            });
        }
        let place = flow.listener.filter(|_| flow.half_open);
        self.forget(id);
        if let Some(listening) = place.and_then(|place| self.listeners.get_mut(&place)) {
            listening.promised = listening.promised.saturating_sub(1);
        }
    }
}
