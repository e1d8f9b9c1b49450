//! The state of the world, and the events that move it.

use std::cell::{Cell, OnceCell, RefCell};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::net::clock::Clock;
use crate::net::network::PeerKey;
use crate::sim::link::Link;
use crate::sim::seed::Random;
use crate::sim::settings::Settings;
use crate::sim::sysctl::TcpSettings;
use crate::sim::tcp::{Buffers, Effects, Kind, Segment, Side, Tcp};
use crate::sim::ttl::Ttls;
use crate::sim::written::WriteListener;

pub(super) type HostId = usize;
pub(super) type ConnectionId = u64;

/// The state behind its cell. Tasks are woken only when it is free again, so a waker may call back in.
#[derive(Debug)]
pub(super) struct Shared {
    state: RefCell<State>,
    clock: Clock,
    /// Inside a run; outside, the tokio clock cannot be read and time stands still.
    pub(super) running: Cell<bool>,
    /// Woken, once, when an event is scheduled that is due before this.
    pump: RefCell<Option<(Duration, Waker)>>,
    /// Told of what sockets are given to send.
    pub(super) listener: OnceCell<WriteListener>,
}

/// Hosts, sockets and what is on its way.
#[derive(Debug)]
pub(super) struct State {
    pub(super) settings: Settings,
    pub(super) now: Duration,
    pub(super) hosts: Vec<Host>,
    pub(super) owners: BTreeMap<IpAddr, HostId>,
    /// Where loopback addresses of a host lead to another: one of them, or all.
    pub(super) loopbacks: BTreeMap<(HostId, Option<IpAddr>), HostId>,
    /// From which host no path leads to which.
    pub(super) disconnected: BTreeSet<(HostId, HostId)>,
    pub(super) listeners: BTreeMap<(HostId, SocketAddr), Listening>,
    pub(super) connections: BTreeMap<ConnectionId, Flow>,
    /// Attempts that met one from the other end (simultaneous open), and the connection that they have become.
    pub(super) crossed: BTreeMap<ConnectionId, ConnectionId>,
    pub(super) opened: ConnectionId,
    pub(super) links: BTreeMap<(IpAddr, IpAddr), Link>,
    pub(super) cuts: Vec<(IpAddr, IpAddr)>,
    pub(super) effects: Effects,
    /// Paths whose router answers that it cannot reach the other end.
    pub(super) unreachable: Vec<(IpAddr, IpAddr)>,
    /// Since when ends of connections that are gone, by host and both addresses, are in TIME_WAIT.
    pub(super) time_wait: BTreeMap<(HostId, SocketAddr, SocketAddr), Duration>,
    /// Somebody chose the port to connect from.
    pub(super) chosen_ports: bool,
    events: BinaryHeap<ScheduledEvent>,
    /// Events that nobody can see unless a connection waits for them: acknowledgements and timers. They happen in their
    /// turn, but the clock need not stop for them.
    quiet: BinaryHeap<ScheduledEvent>,
    /// Connections that wait for such events.
    pub(super) waiting: usize,
    scheduled: u64,
    pub(super) jitter: Random,
    pub(super) loss: Random,
}

#[derive(Debug)]
pub(super) struct Host {
    pub(super) addresses: Vec<IpAddr>,
    pub(super) tcp: TcpSettings,
    pub(super) next_port: u16,
    /// Every ephemeral port has been used.
    pub(super) wrapped: bool,
}

#[derive(Debug, Default)]
pub(super) struct Listening {
    pub(super) queue: VecDeque<ConnectionId>,
    /// Shaking hands, and promised a place in the queue.
    pub(super) promised: usize,
    pub(super) waker: Option<Waker>,
    /// The signature keys of its peers (RFC 2385), where it was told them.
    pub(super) keys: Option<Vec<PeerKey>>,
    /// What its connections take over.
    pub(super) ttls: Ttls,
}

/// A connection and its two directions of travel.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) tcp: Tcp,
    pub(super) client: HostId,
    /// Where its SYN found a listener.
    pub(super) listener: Option<(HostId, SocketAddr)>,
    /// The client's signature key, or none, where that is known.
    pub(super) key: Option<Option<Vec<u8>>>,
    pub(super) to_server: HalfConnection,
    pub(super) to_client: HalfConnection,
    /// The server's host has answered the SYN, and waits for the answer.
    pub(super) half_open: bool,
    /// When the SYN was sent that was answered.
    pub(super) begun: Duration,
    /// When the first SYN was sent.
    pub(super) first_syn: Option<Duration>,
    /// Neither end hears of the other: for ever, or until then.
    pub(super) silent: Option<Option<Duration>>,
    /// For either end, the earliest timer event that is scheduled.
    pub(super) timers: [Option<Duration>; 2],
    pub(super) waiting: bool,
    /// Its server end is an attempt that met the client's.
    pub(super) crossed: bool,
}

/// One direction of travel.
#[derive(Debug, Default)]
pub(super) struct HalfConnection {
    /// When the last segment arrives: the next must not overtake it.
    pub(super) last_arrival: Duration,
    /// When the line has sent what it was given.
    pub(super) line_free: Duration,
    /// Of the segments to come, these are lost, counted from 1.
    pub(super) lose: Vec<u64>,
}

#[derive(Debug)]
struct ScheduledEvent {
    at: Duration,
    order: u64,
    event: Event,
}

#[derive(Debug)]
pub(super) enum Event {
    Arrive(ConnectionId, Side, Segment),
    /// The nth SYN reaches the server.
    Syn(ConnectionId, u32),
    /// It is time for the nth SYN, unless the last was answered.
    SynTimer(ConnectionId, u32),
    /// It is time for the nth SYN-ACK, unless the last was answered.
    SynAckTimer(ConnectionId, u32),
    /// The server's host answers the SYN with RST.
    Refused(ConnectionId),
    /// Nobody answered any SYN.
    Unanswered(ConnectionId),
    /// A router tells `Side` that the other cannot be reached.
    Unreachable(ConnectionId, Side),
    /// A timer of `Side` may be due.
    Timer(ConnectionId, Side),
}

impl Shared {
    pub(super) fn new(state: State, clock: Clock) -> Self {
        Self {
            state: RefCell::new(state),
            clock,
            running: Cell::new(false),
            pump: RefCell::default(),
            listener: OnceCell::new(),
        }
    }

    /// Does `step` in the present: after everything that is due, and before what it causes at once.
    pub(super) fn with<T>(&self, step: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.borrow_mut();
        if self.running.get() {
            state.now = self.clock.now();
        }
        state.settle();
        let result = step(&mut state);
        state.settle();
        let next = state.next_event();
        let mut wakers = std::mem::take(&mut state.effects.wakers);
        drop(state);
        self.wake_pump(next);
        wakers.drain(..).for_each(Waker::wake);
        if let Ok(mut state) = self.state.try_borrow_mut()
            && state.effects.wakers.is_empty()
        {
            // Keeps the allocation.
            state.effects.wakers = wakers;
        }
        result
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// Lets everything that is due happen, and says when the next event is.
    pub(super) fn settle(&self) -> Option<Duration> {
        self.with(|state| state.next_event())
    }

    /// Wakes the pump, once, when an event is scheduled that is due before the time given; `None` takes that back.
    pub(super) fn on_earlier(&self, earlier: Option<(Duration, &Waker)>) {
        let mut pump = self.pump.borrow_mut();
        if pump.is_some() || earlier.is_some() {
            *pump = earlier.map(|(due, waker)| (due, waker.clone()));
        }
    }

    fn wake_pump(&self, next: Option<Duration>) {
        let Some(next) = next else { return };
        let mut pump = self.pump.borrow_mut();
        if pump.as_ref().is_some_and(|(due, _)| next < *due)
            && let Some((_, waker)) = pump.take()
        {
            waker.wake();
        }
    }
}

impl State {
    pub(super) fn new(settings: Settings) -> Self {
        let jitter = settings.seed.stream("jitter");
        let loss = settings.seed.stream("loss");
        Self {
            settings,
            now: Duration::ZERO,
            hosts: Vec::new(),
            owners: BTreeMap::new(),
            loopbacks: BTreeMap::new(),
            disconnected: BTreeSet::new(),
            listeners: BTreeMap::new(),
            connections: BTreeMap::new(),
            crossed: BTreeMap::new(),
            opened: 0,
            links: BTreeMap::new(),
            cuts: Vec::new(),
            effects: Effects::default(),
            unreachable: Vec::new(),
            time_wait: BTreeMap::new(),
            chosen_ports: false,
            events: BinaryHeap::new(),
            quiet: BinaryHeap::new(),
            waiting: 0,
            scheduled: 0,
            jitter,
            loss,
        }
    }

    pub(super) fn buffers(&self) -> Buffers {
        Buffers {
            send: self.settings.send_buffer.max(1),
            receive: self.settings.receive_buffer.max(1),
        }
    }

    /// When the next event is due that somebody may see.
    pub(super) fn next_event(&self) -> Option<Duration> {
        let quiet = self.quiet.peek().filter(|_| self.waiting > 0);
        let next = self.events.peek().into_iter().chain(quiet);
        next.map(|event| event.at).min()
    }

    pub(super) fn schedule(&mut self, at: Duration, event: Event) {
        self.scheduled += 1;
        let order = self.scheduled;
        self.events.push(ScheduledEvent { at, order, event });
    }

    /// Schedules what only a connection that waits can see.
    pub(super) fn schedule_quietly(&mut self, at: Duration, event: Event) {
        self.scheduled += 1;
        let order = self.scheduled;
        self.quiet.push(ScheduledEvent { at, order, event });
    }

    /// Lets everything that is due happen.
    fn settle(&mut self) {
        loop {
            let first = match (self.events.peek(), self.quiet.peek()) {
                (Some(event), Some(quiet)) if quiet > event => &mut self.quiet,
                (None, Some(_)) => &mut self.quiet,
                _ => &mut self.events,
            };
            match first.peek() {
                Some(event) if event.at <= self.now => {
                    if let Some(event) = first.pop() {
                        self.handle(event.at, event.event);
                    }
                }
                _ => return,
            }
        }
    }

    fn handle(&mut self, at: Duration, event: Event) {
        match event {
            Event::Arrive(id, side, segment) => self.arrive(at, id, side, segment),
            Event::Syn(id, attempt) => self.syn_arrives(at, id, attempt),
            Event::SynTimer(id, attempt) => self.syn_timer(at, id, attempt),
            Event::SynAckTimer(id, attempt) => self.syn_ack_timer(at, id, attempt),
            Event::Refused(id) => self.fail_handshake(id, io::ErrorKind::ConnectionRefused),
            Event::Unanswered(id) => self.fail_handshake(id, io::ErrorKind::TimedOut),
            Event::Unreachable(id, side) => self.unreachable(at, id, side),
            Event::Timer(id, side) => self.timer(at, id, side),
        }
    }

    fn timer(&mut self, at: Duration, id: ConnectionId, side: Side) {
        let Some(flow) = self.connections.get_mut(&id) else {
            return;
        };
        if flow.timers[side as usize] != Some(at) {
            return;
        }
        flow.timers[side as usize] = None;
        self.step(at, id, |tcp, effects| tcp.handle_timers(side, effects));
    }

    fn arrive(&mut self, at: Duration, id: ConnectionId, side: Side, segment: Segment) {
        if self.drops_by_ttl(id, side) {
            return self.path_is_in_trouble(id);
        }
        if segment.kind == Kind::SynAck {
            return self.syn_ack_arrives(at, id);
        }
        let half_open = self.connections.get(&id).is_some_and(|it| it.half_open);
        if half_open && side == Side::Server && !self.admit(id, &segment) {
            return;
        }
        self.step(at, id, |tcp, effects| tcp.arrive(side, segment, effects));
    }

    /// Does `step` on a connection at `at`, and carries what it sends.
    pub(super) fn step<T: Default>(
        &mut self,
        at: Duration,
        id: ConnectionId,
        step: impl FnOnce(&mut Tcp, &mut Effects) -> T,
    ) -> T {
        let Some(flow) = self.connections.get_mut(&id) else {
            return T::default();
        };
        self.effects.now = at;
        let result = step(&mut flow.tcp, &mut self.effects);
        if flow.tcp.finished() && self.effects.segments.is_empty() {
            self.forget(id);
            return result;
        }
        let mut segments = std::mem::take(&mut self.effects.segments);
        for (from, segment) in segments.drain(..) {
            self.carry(at, id, from, segment);
        }
        self.effects.segments = segments;
        self.attend(id);
        result
    }

    /// The connection is gone at both ends; its port is not free at once.
    pub(super) fn forget(&mut self, id: ConnectionId) {
        let Some(flow) = self.connections.remove(&id) else {
            return;
        };
        self.waiting -= usize::from(flow.waiting);
        let tcp = &flow.tcp;
        let (client, server) = (&tcp.client, &tcp.server);
        let hosts = [
            Some(flow.client),
            self.owner(flow.client, server.address.ip()),
        ];
        for ((end, other), host) in [(client, server), (server, client)].into_iter().zip(hosts) {
            if let (Some(since), Some(host)) = (end.time_wait, host) {
                self.time_wait
                    .insert((host, end.address, other.address), since);
            }
        }
    }

    /// Schedules the timers of a connection, and notes whether it waits for them.
    pub(super) fn attend(&mut self, id: ConnectionId) {
        let Some(flow) = self.connections.get_mut(&id) else {
            return;
        };
        let waits = flow.tcp.is_waiting(flow.half_open);
        if waits != flow.waiting {
            flow.waiting = waits;
            if waits {
                self.waiting += 1;
            } else {
                self.waiting -= 1;
            }
        }
        let mut due = [None; 2];
        for side in [Side::Client, Side::Server] {
            let deadline = flow.tcp.deadline(side);
            let scheduled = &mut flow.timers[side as usize];
            if let Some(deadline) = deadline
                && scheduled.is_none_or(|at| deadline < at)
            {
                *scheduled = Some(deadline);
                due[side as usize] = Some((deadline, side));
            }
        }
        for (deadline, side) in due.into_iter().flatten() {
            self.schedule_quietly(deadline, Event::Timer(id, side));
        }
    }

    /// A socket call on a connection, now.
    pub(super) fn call<T>(
        &mut self,
        id: ConnectionId,
        call: impl FnOnce(&mut Tcp, &mut Effects) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let answered = self.step(self.now, id, |tcp, effects| Some(call(tcp, effects)));
        answered.unwrap_or_else(|| Poll::Ready(Err(io::ErrorKind::NotConnected.into())))
    }
}

impl Flow {
    pub(super) fn new(tcp: Tcp, client: HostId) -> Self {
        Self {
            tcp,
            client,
            listener: None,
            to_server: HalfConnection::default(),
            to_client: HalfConnection::default(),
            key: None,
            half_open: false,
            begun: Duration::ZERO,
            first_syn: None,
            silent: None,
            timers: [None; 2],
            waiting: false,
            crossed: false,
        }
    }

    pub(super) fn direction(&mut self, from: Side) -> &mut HalfConnection {
        match from {
            Side::Client => &mut self.to_server,
            Side::Server => &mut self.to_client,
        }
    }
}

impl PartialEq for ScheduledEvent {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for ScheduledEvent {}

impl PartialOrd for ScheduledEvent {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ScheduledEvent {
    /// The earliest is the greatest, as the heap wants it.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}
