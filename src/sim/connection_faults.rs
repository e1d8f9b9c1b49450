//! What faults have made of one connection.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::net::Stream;
use crate::net::abort::Abort;
use crate::net::direction::Direction;
use crate::net::timer::{Sleep, sleep_until};
use crate::sim::ahead::Ahead;
use crate::sim::direction::{DirectionState, Until};
use crate::sim::fault::{Action, Fault, Moment};
use crate::sim::fault_context::FaultContext;
use crate::sim::tcp::keep;

/// What the wrapper buffers, each way, where it holds octets at all: a socket's worth.
const BUFFER: usize = 65_536;
/// How long octets may go unacknowledged before the connection times out (Linux's `tcp_retries2` of 15).
const PATIENCE: Duration = Duration::from_secs(924);

/// The faults of a connection, and the state they have put it into.
#[derive(Debug)]
pub(super) struct ConnectionFaults {
    /// Faults that have not triggered, with their numbers.
    waiting: Vec<(usize, Fault)>,
    sent: DirectionState,
    received: DirectionState,
    ending: Option<Termination>,
    silence: Option<Until>,
    /// Taken from the application, not given to the network yet, and since when.
    held: Vec<u8>,
    held_since: Duration,
    /// FIN follows what is held.
    shut: bool,
    /// Read from the network, not given to the application yet: when each piece came, and what follows.
    ahead: Ahead,
    reader: Option<Waker>,
    writer: Option<Waker>,
    timer: Option<(Duration, Sleep)>,
}

/// How a connection ended by a fault answers calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Termination {
    /// The next call reports the error, once.
    Broken(io::ErrorKind),
    /// The peer closed: one more write is swallowed.
    Closed,
    /// End of file, and broken pipe.
    Over,
}

impl ConnectionFaults {
    /// `None` where there is nothing to come.
    pub(super) fn new(faults: Vec<(usize, Fault)>) -> Option<Box<Self>> {
        let waiting: Vec<_> = faults
            .into_iter()
            .filter(|(_, fault)| !matches!(fault.action, Action::Refuse | Action::Ignore))
            .collect();
        if waiting.is_empty() {
            return None;
        }
        Some(Box::new(Self {
            waiting,
            sent: DirectionState::default(),
            received: DirectionState::default(),
            ending: None,
            silence: None,
            held: Vec::new(),
            held_since: Duration::ZERO,
            shut: false,
            ahead: Ahead::default(),
            reader: None,
            writer: None,
            timer: None,
        }))
    }

    /// The connection has opened.
    pub(super) fn begin<C: Stream + Abort>(
        &mut self,
        inner: &mut Option<C>,
        common: &FaultContext,
    ) {
        let mut context = Context::from_waker(Waker::noop());
        self.advance(inner, common, &mut context);
    }

    pub(super) fn silent(&self) -> bool {
        self.silence.is_some()
    }

    /// Whether a close leaves octets unread that the network has delivered.
    pub(super) fn unread(&self) -> bool {
        self.ahead.is_unread()
    }

    pub(super) fn read<C: Stream + Abort>(
        &mut self,
        inner: &mut Option<C>,
        common: &FaultContext,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        keep(&mut self.reader, context.waker());
        self.advance(inner, common, context);
        let polled = self.read_now(inner, common.now(), context, buffer);
        match &polled {
            Poll::Ready(Ok(count)) if *count > 0 => {
                self.received.pass(*count, common.now());
                self.advance(inner, common, context);
            }
            Poll::Pending => self.arm(common, context),
            Poll::Ready(_) => {}
        }
        polled
    }

    fn read_now<C: Stream>(
        &mut self,
        inner: &mut Option<C>,
        now: Duration,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match self.ending {
            Some(Termination::Broken(kind)) => {
                self.ending = Some(Termination::Over);
                return Poll::Ready(Err(kind.into()));
            }
            Some(Termination::Closed | Termination::Over) => return Poll::Ready(Ok(0)),
            None => {}
        }
        let Some(inner) = inner else {
            return Poll::Ready(Ok(0));
        };
        if self.received.ended {
            discard(inner, context);
            return Poll::Ready(Ok(0));
        }
        if self.silence.is_some() || self.received.blocked(now) {
            return Poll::Pending;
        }
        let distance = self.distance(Direction::Received);
        let limit = self.received.limit(buffer.len()).min(distance);
        let buffer = &mut buffer[..limit];
        let buffered = self.received.coalesce.is_some() || self.received.delay.is_some();
        if !buffered && self.ahead.is_empty() {
            return inner.poll_read(context, buffer);
        }
        self.ahead.fill(inner, now, context);
        self.ahead.take(&self.received, now, buffer)
    }

    pub(super) fn write<C: Stream + Abort>(
        &mut self,
        inner: &mut Option<C>,
        common: &FaultContext,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        keep(&mut self.writer, context.waker());
        self.advance(inner, common, context);
        let polled = self.write_now(inner, common.now(), context, bytes);
        match &polled {
            Poll::Ready(Ok(count)) if *count > 0 => {
                self.sent.pass(*count, common.now());
                self.advance(inner, common, context);
                // What is held may wait for a time, and nobody else may ask.
                self.arm(common, context);
            }
            Poll::Pending => self.arm(common, context),
            Poll::Ready(_) => {}
        }
        polled
    }

    fn write_now<C: Stream>(
        &mut self,
        inner: &mut Option<C>,
        now: Duration,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let broken = |kind: io::ErrorKind| Poll::Ready(Err(kind.into()));
        match self.ending {
            Some(Termination::Broken(kind)) => {
                self.ending = Some(Termination::Over);
                return broken(kind);
            }
            Some(Termination::Closed) => {
                self.ending = Some(Termination::Over);
                return Poll::Ready(Ok(bytes.len()));
            }
            Some(Termination::Over) => return broken(io::ErrorKind::BrokenPipe),
            None => {}
        }
        let Some(inner) = inner else {
            return broken(io::ErrorKind::BrokenPipe);
        };
        if self.sent.ended || self.shut {
            return broken(io::ErrorKind::BrokenPipe);
        }
        if self.silence.is_none() && self.sent.blocked(now) {
            return Poll::Pending;
        }
        let distance = self.distance(Direction::Sent);
        let limit = self.sent.limit(bytes.len()).min(distance);
        let bytes = &bytes[..limit];
        let holds = self.silence.is_some() || self.sent.coalesce.is_some();
        if !holds && self.held.is_empty() {
            return inner.poll_write(context, bytes);
        }
        let count = bytes.len().min(BUFFER.saturating_sub(self.held.len()));
        if count == 0 && !bytes.is_empty() {
            return Poll::Pending;
        }
        if self.held.is_empty() {
            self.held_since = now;
        }
        self.held.extend_from_slice(&bytes[..count]);
        Poll::Ready(Ok(count))
    }

    pub(super) fn shutdown<C: Stream + Abort>(
        &mut self,
        inner: &mut Option<C>,
        common: &FaultContext,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        self.advance(inner, common, context);
        if self.ending.is_none() && !self.sent.ended {
            self.shut = true;
            self.flush(inner, common.now(), context);
            self.arm(common, context);
        }
        Poll::Ready(Ok(()))
    }

    /// The application lets go: what is held goes out, if it may.
    pub(super) fn settle_before_close<C: Stream + Abort>(
        &mut self,
        inner: &mut Option<C>,
        common: &FaultContext,
    ) {
        let mut context = Context::from_waker(Waker::noop());
        self.shut = true;
        self.flush(inner, common.now(), &mut context);
    }

    /// Gives the network what is held, as far as nothing keeps it back, and says whether any of it went.
    fn flush<C: Stream>(
        &mut self,
        inner: &mut Option<C>,
        now: Duration,
        context: &mut Context<'_>,
    ) -> bool {
        let Some(inner) = inner else {
            return false;
        };
        if self.silence.is_some() || self.sent.stalled.is_some() {
            return false;
        }
        if let Some((least, wait)) = self.sent.coalesce
            && self.held.len() < least
            && self.held_since + wait > now
            && !self.shut
        {
            return false;
        }
        let held = self.held.len();
        while !self.held.is_empty() {
            match inner.poll_write(context, &self.held) {
                Poll::Ready(Ok(count)) => {
                    self.held.drain(..count);
                }
                // The next call will meet the error.
                Poll::Ready(Err(_)) => self.held.clear(),
                Poll::Pending => return self.held.len() < held,
            }
        }
        if self.shut && !self.sent.ended {
            self.sent.ended = true;
            let _ = inner.poll_shutdown(context);
        }
        held > 0
    }

    /// Octets until the next fault of `direction` triggers.
    fn distance(&self, direction: Direction) -> usize {
        let passed = self.direction(direction).passed;
        let bytes = self.waiting.iter().filter_map(|(_, fault)| {
            let Moment::Byte(byte) = fault.moment else {
                return None;
            };
            (fault.direction == direction).then_some(byte.saturating_sub(passed))
        });
        let distance = bytes.min().unwrap_or(u64::MAX);
        usize::try_from(distance).unwrap_or(usize::MAX)
    }

    fn direction(&self, direction: Direction) -> &DirectionState {
        match direction {
            Direction::Sent => &self.sent,
            Direction::Received => &self.received,
        }
    }

    fn direction_mut(&mut self, direction: Direction) -> &mut DirectionState {
        match direction {
            Direction::Sent => &mut self.sent,
            Direction::Received => &mut self.received,
        }
    }

    /// Triggers what is due, ends what is over, and sends what may go.
    fn advance<C: Stream + Abort>(
        &mut self,
        inner: &mut Option<C>,
        common: &FaultContext,
        context: &mut Context<'_>,
    ) {
        let now = common.now();
        let mut changed = false;
        for state in [&mut self.sent, &mut self.received] {
            if state.stalled.is_some_and(|until| until.over(now)) {
                state.stalled = None;
                changed = true;
            }
        }
        if self.silence.is_some_and(|until| until.over(now)) {
            self.silence = None;
            changed = true;
        }
        while let Some(index) = self
            .waiting
            .iter()
            .position(|(_, fault)| self.due(fault, now))
        {
            let (number, fault) = self.waiting.remove(index);
            if self.ending.is_none() {
                common.trigger(number, &fault);
                self.trigger(fault, inner, now, context);
                changed = true;
            }
        }
        if self.silence.is_some() && !self.held.is_empty() && self.held_since + PATIENCE <= now {
            self.ending
                .get_or_insert(Termination::Broken(io::ErrorKind::TimedOut));
            self.held.clear();
            changed = true;
        }
        changed |= self.flush(inner, now, context);
        let fired = self.timer.as_ref().is_some_and(|(due, _)| *due <= now);
        if fired {
            self.timer = None;
        }
        if changed || fired {
            // The other half of the application may be the one that waits for this.
            for waker in [self.reader.take(), self.writer.take()]
                .into_iter()
                .flatten()
            {
                waker.wake();
            }
        }
    }

    fn due(&self, fault: &Fault, now: Duration) -> bool {
        match fault.moment {
            Moment::Opening => true,
            Moment::Byte(byte) => byte <= self.direction(fault.direction).passed,
            Moment::Time(time) => time <= now,
        }
    }

    fn trigger<C: Stream + Abort>(
        &mut self,
        fault: Fault,
        inner: &mut Option<C>,
        now: Duration,
        context: &mut Context<'_>,
    ) {
        let until = |limit: Option<Duration>| Until(limit.map(|limit| now + limit));
        let state = self.direction_mut(fault.direction);
        match fault.action {
            // They apply to the attempt, before there is a connection.
            Action::Refuse | Action::Ignore => {}
            Action::Reset => {
                if let Some(inner) = inner.take() {
                    inner.abort();
                }
                self.ending = Some(Termination::Broken(io::ErrorKind::ConnectionReset));
            }
            Action::ResetByPeer => {
                if let Some(inner) = inner {
                    inner.abort_peer();
                }
            }
            Action::Close => {
                *inner = None;
                self.ending = Some(Termination::Closed);
            }
            Action::HalfClose => match fault.direction {
                Direction::Received => state.ended = true,
                Direction::Sent => {
                    self.shut = true;
                    self.flush(inner, now, context);
                }
            },
            Action::Stall(limit) => state.stalled = Some(until(limit)),
            Action::Slow(rate) => state.rate = Some(rate),
            Action::Split(most) => state.split = Some(most),
            Action::Coalesce(least, wait) => state.coalesce = Some((least, wait)),
            Action::Delay(delay) => state.delay = Some(delay),
            Action::Lose(nth) => {
                if let Some(inner) = inner {
                    inner.lose(fault.direction == Direction::Sent, nth);
                }
            }
            // TCP itself sees to what is lost.
            Action::Silence(limit) if C::LOSES => {
                if let Some(inner) = inner {
                    inner.silence(limit);
                }
            }
            Action::Silence(limit) => self.silence = Some(until(limit)),
        }
    }

    /// Sees to it that somebody polls when time alone changes something.
    fn arm(&mut self, common: &FaultContext, context: &mut Context<'_>) {
        let now = common.now();
        let Some(due) = self.next(now) else {
            return;
        };
        let known = self.timer.as_ref().is_some_and(|(known, _)| *known == due);
        if !known {
            let sleep = sleep_until(common.at(due));
            self.timer = Some((due, sleep));
        }
        if let Some((_, sleep)) = &mut self.timer
            && Pin::new(sleep).poll(context).is_ready()
        {
            context.waker().wake_by_ref();
        }
    }

    /// The next time at which something changes by itself.
    fn next(&self, now: Duration) -> Option<Duration> {
        let faults = self
            .waiting
            .iter()
            .filter_map(|(_, fault)| match fault.moment {
                Moment::Time(time) => Some(time),
                _ => None,
            });
        let held = (!self.held.is_empty()).then(|| match (self.silence, self.sent.coalesce) {
            (Some(_), _) => Some(self.held_since + PATIENCE),
            (None, Some((_, wait))) => Some(self.held_since + wait),
            (None, None) => None,
        });
        faults
            .chain(self.sent.next())
            .chain(self.received.next())
            .chain(self.silence.and_then(|until| until.0))
            .chain(held.flatten())
            .chain(self.ahead.due(&self.received))
            .filter(|time| *time > now)
            .min()
    }
}

/// Reads what nobody wants, so that the peer may go on writing.
fn discard<C: Stream>(inner: &mut C, context: &mut Context<'_>) {
    let mut scratch = [0; 4_096];
    while let Poll::Ready(Ok(count)) = inner.poll_read(context, &mut scratch)
        && count > 0
    {}
}
