//! The state of the world, and the events that move it.

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::net::clock::Clock;
use crate::net::network::PeerKey;
use crate::sim::link::Link;
use crate::sim::seed::Random;
use crate::sim::settings::Settings;
use crate::sim::tcp::{Buffers, Effects, Segment, Side, Tcp};

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
}

/// Hosts, sockets and what is on its way.
#[derive(Debug)]
pub(super) struct State {
    pub(super) settings: Settings,
    pub(super) now: Duration,
    pub(super) hosts: Vec<Host>,
    pub(super) owners: BTreeMap<IpAddr, HostId>,
    pub(super) listeners: BTreeMap<(HostId, SocketAddr), Listening>,
    pub(super) connections: BTreeMap<ConnectionId, Carried>,
    pub(super) opened: ConnectionId,
    pub(super) links: BTreeMap<(IpAddr, IpAddr), Link>,
    pub(super) cuts: Vec<(IpAddr, IpAddr)>,
    pub(super) effects: Effects,
    events: BinaryHeap<ScheduledEvent>,
    scheduled: u64,
    jitter: Random,
}

#[derive(Debug)]
pub(super) struct Host {
    pub(super) addresses: Vec<IpAddr>,
    pub(super) next_port: u16,
}

#[derive(Debug, Default)]
pub(super) struct Listening {
    pub(super) queue: VecDeque<ConnectionId>,
    /// Shaking hands, and promised a place in the queue.
    pub(super) promised: usize,
    pub(super) waker: Option<Waker>,
    /// The signature keys of its peers (RFC 2385), where it was told them.
    pub(super) keys: Option<Vec<PeerKey>>,
}

/// A connection and its two directions of travel.
#[derive(Debug)]
pub(super) struct Carried {
    pub(super) tcp: Tcp,
    pub(super) client: HostId,
    /// Where its SYN found a listener.
    pub(super) listener: Option<(HostId, SocketAddr)>,
    /// The client's signature key, or none, where that is known.
    pub(super) key: Option<Option<Vec<u8>>>,
    pub(super) to_server: HalfConnection,
    pub(super) to_client: HalfConnection,
}

/// One direction of travel.
#[derive(Debug, Default)]
pub(super) struct HalfConnection {
    /// When the last segment arrives: the next must not overtake it.
    last_arrival: Duration,
    /// When the line has sent what it was given.
    line_free: Duration,
    /// Sent while the path was cut, to be sent again when it is restored.
    held: Vec<Segment>,
}

#[derive(Debug)]
struct ScheduledEvent {
    at: Duration,
    order: u64,
    what: What,
}

#[derive(Debug)]
pub(super) enum What {
    Arrive(ConnectionId, Side, Segment),
    /// The nth SYN reaches the server.
    Syn(ConnectionId, u32),
    /// The server's host answers the SYN with RST.
    Refused(ConnectionId),
    /// Nobody answered any SYN.
    Unanswered(ConnectionId),
    /// What `Side` has sent was never acknowledged.
    Silence(ConnectionId, Side),
}

impl Shared {
    pub(super) fn new(state: State, clock: Clock) -> Self {
        Self {
            state: RefCell::new(state),
            clock,
            running: Cell::new(false),
            pump: RefCell::default(),
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
        Self {
            settings,
            now: Duration::ZERO,
            hosts: Vec::new(),
            owners: BTreeMap::new(),
            listeners: BTreeMap::new(),
            connections: BTreeMap::new(),
            opened: 0,
            links: BTreeMap::new(),
            cuts: Vec::new(),
            effects: Effects::default(),
            events: BinaryHeap::new(),
            scheduled: 0,
            jitter,
        }
    }

    pub(super) fn buffers(&self) -> Buffers {
        Buffers {
            send: self.settings.send_buffer.max(1),
            receive: self.settings.receive_buffer.max(1),
        }
    }

    /// When the next event is due.
    pub(super) fn next_event(&self) -> Option<Duration> {
        self.events.peek().map(|event| event.at)
    }

    pub(super) fn schedule(&mut self, at: Duration, what: What) {
        self.scheduled += 1;
        let order = self.scheduled;
        self.events.push(ScheduledEvent { at, order, what });
    }

    /// Lets everything that is due happen.
    fn settle(&mut self) {
        while self.events.peek().is_some_and(|event| event.at <= self.now) {
            if let Some(event) = self.events.pop() {
                self.happen(event.at, event.what);
            }
        }
    }

    fn happen(&mut self, at: Duration, what: What) {
        match what {
            What::Arrive(id, side, segment) => self.arrive(at, id, side, segment),
            What::Syn(id, attempt) => self.syn_arrives(at, id, attempt),
            What::Refused(id) => self.fail_handshake(id, io::ErrorKind::ConnectionRefused),
            What::Unanswered(id) => self.fail_handshake(id, io::ErrorKind::TimedOut),
            What::Silence(id, side) => self.fall_silent(at, id, side),
        }
    }

    fn arrive(&mut self, at: Duration, id: ConnectionId, side: Side, segment: Segment) {
        match segment {
            Segment::SynAck => self.syn_ack_arrives(at, id),
            Segment::Ack => self.ack_arrives(id),
            segment => self.step(at, id, |tcp, effects| tcp.arrive(side, segment, effects)),
        }
    }

    /// Does `step` on a connection at `at`, and carries what it sends.
    pub(super) fn step<T: Default>(
        &mut self,
        at: Duration,
        id: ConnectionId,
        step: impl FnOnce(&mut Tcp, &mut Effects) -> T,
    ) -> T {
        let Some(carried) = self.connections.get_mut(&id) else {
            return T::default();
        };
        let result = step(&mut carried.tcp, &mut self.effects);
        if carried.tcp.finished() && self.effects.segments.is_empty() {
            self.connections.remove(&id);
            return result;
        }
        let mut segments = std::mem::take(&mut self.effects.segments);
        for (from, segment) in segments.drain(..) {
            self.carry(at, id, from, segment);
        }
        self.effects.segments = segments;
        result
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

    /// Puts `segment` on the path to the other end.
    pub(super) fn carry(&mut self, at: Duration, id: ConnectionId, from: Side, segment: Segment) {
        let Some(carried) = self.connections.get_mut(&id) else {
            return;
        };
        let source = carried.tcp.address(from).ip();
        let target = carried.tcp.address(from.other()).ip();
        let lane = carried.lane(from);
        if self.cuts.contains(&(source, target)) {
            if lane.held.is_empty() {
                let patience = self.settings.retransmission_timeout;
                self.schedule(at + patience, What::Silence(id, from));
            }
            if let Some(carried) = self.connections.get_mut(&id) {
                carried.lane(from).held.push(segment);
            }
            return;
        }
        let link = self
            .links
            .get(&(source, target))
            .unwrap_or(&self.settings.link);
        lane.line_free = lane.line_free.max(at) + link.occupied(segment.length());
        let jitter = if link.jitter.is_zero() {
            Duration::ZERO
        } else {
            let most = u64::try_from(link.jitter.as_micros()).unwrap_or(u64::MAX);
            Duration::from_micros(self.jitter.below(most.saturating_add(1)))
        };
        let arrival = lane.line_free + link.latency + jitter;
        lane.last_arrival = lane.last_arrival.max(arrival);
        let arrival = lane.last_arrival;
        self.schedule(arrival, What::Arrive(id, from.other(), segment));
    }

    /// How long a lone segment takes from `source` to `target`, or `None` where the path is cut.
    pub(super) fn delay(&self, source: IpAddr, target: IpAddr) -> Option<Duration> {
        if self.cuts.contains(&(source, target)) {
            return None;
        }
        let link = self.links.get(&(source, target));
        Some(link.unwrap_or(&self.settings.link).latency)
    }

    /// Sends again what waited for the path from `source` to `target`.
    pub(super) fn restore(&mut self, source: IpAddr, target: IpAddr) {
        self.cuts.retain(|cut| *cut != (source, target));
        let mut waiting = Vec::new();
        for (id, carried) in &mut self.connections {
            for from in [Side::Client, Side::Server] {
                let ends = (
                    carried.tcp.address(from).ip(),
                    carried.tcp.address(from.other()).ip(),
                );
                if ends == (source, target) {
                    let held = std::mem::take(&mut carried.lane(from).held);
                    waiting.extend(held.into_iter().map(|segment| (*id, from, segment)));
                }
            }
        }
        for (id, from, segment) in waiting {
            self.carry(self.now, id, from, segment);
        }
    }

    fn fall_silent(&mut self, at: Duration, id: ConnectionId, side: Side) {
        let waits = self
            .connections
            .get_mut(&id)
            .is_some_and(|carried| !carried.lane(side).held.is_empty());
        if waits {
            self.step(at, id, |tcp, effects| {
                tcp.vanish(side, io::ErrorKind::TimedOut, effects);
            });
        }
    }
}

impl Carried {
    fn lane(&mut self, from: Side) -> &mut HalfConnection {
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
