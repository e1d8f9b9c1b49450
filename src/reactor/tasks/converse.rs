//! One connection in its peer's task: it waits for whatever comes first of time, changes and octets, and fills large
//! buffers before it writes.

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::Notify;

use crate::net::buffer::ReadBuffer;
use crate::net::{Connection, ConnectionName, Network, Stream};
use crate::reactor::cease;
use crate::reactor::defect;
use crate::reactor::defects::{Defect, DefectSet};
use crate::reactor::observer::SpeakerEvent;
use crate::speaker::session::{Ends, Session, SessionEvent};

use crate::reactor::tasks::defect_state::Wrong;
use crate::reactor::tasks::hub::Hub;
use crate::reactor::tasks::linger;
use crate::reactor::tasks::peer::{Arrived, collide, maybe};

/// Octets that one read may bring.
const READ: usize = 64 * 1024;

/// Octets that are gathered before they are written.
const WRITE: usize = 128 * 1024;

/// Messages that are queued before timers and the peer are looked at again.
const MESSAGES: usize = 512;

/// A connection and its session.
pub(super) struct Conversation<'a, N: Network, C> {
    pub hub: &'a Rc<Hub<N, C>>,
    pub id: usize,
    name: ConnectionName,
    stream: N::Connection,
    pub session: Session,
    pub changed: Rc<Notify>,
    buffer: ReadBuffer,
    /// The connection is gone: there is nothing to be closed in order.
    lost: bool,
    /// A write failed. What arrived before is still to be read; the session is given the failure then.
    broken: Option<io::ErrorKind>,
    /// The rate limit allows nothing before then.
    wait_until: Option<Duration>,
    /// The last wait brought octets.
    progressed: bool,
    /// What a wrong defects does with octets.
    pub wrong: Wrong,
}

/// What a poll of the connection brought.
#[derive(Default)]
pub(super) struct Progress {
    wrote: usize,
    read: Option<io::Result<usize>>,
}

impl<'a, N: Network, C: DefectSet> Conversation<'a, N, C> {
    /// A connection is open: a session begins on it.
    pub fn new(hub: &'a Rc<Hub<N, C>>, id: usize, stream: N::Connection) -> Option<Self> {
        let now = hub.now();
        let name = stream.name();
        let label = hub.with(id, |entry| Rc::clone(&entry.label))?;
        hub.observe(&SpeakerEvent::Connected {
            connection: &name,
            peer: &label,
        });
        let ends = Ends {
            local: stream.local_address(),
            peer: stream.peer_address(),
            opener: name.opener,
        };
        let mut peers = hub.peers.borrow_mut();
        let entry = peers.get_mut(&id)?;
        let refused = entry.redefine();
        hub.report_refused(&entry.label, &refused);
        let session = entry.peer.open(ends, &hub.settings, now);
        entry.in_session = true;
        hub.tell_connected(&entry.peer);
        Some(Self {
            hub,
            id,
            name,
            stream,
            session,
            changed: Rc::clone(&entry.changed),
            buffer: ReadBuffer::new(READ),
            lost: false,
            broken: None,
            wait_until: None,
            progressed: false,
            wrong: Wrong {
                partial: Vec::new(),
                leftover: std::mem::take(&mut entry.leftover),
            },
        })
    }

    /// Converses to the end of the session. Gives the connection that has taken its place, if one has.
    pub async fn run(mut self) -> Option<N::Connection> {
        loop {
            self.tell();
            if let Some(successor) = self.look_around() {
                self.tell();
                self.leave();
                return successor;
            }
            self.take_changes();
            self.fill();
            if self.session.wants_close() {
                self.leave();
                return None;
            }
            let progress = if self.naps() {
                self.wait_in_read().await
            } else {
                self.wait().await
            };
            let now = self.hub.now();
            self.progressed = progress.is_some();
            match progress {
                Some(progress) => self.progress(progress, now),
                None if self.deadline().is_some_and(|at| now >= at) => {
                    self.session.handle_timeout(now);
                }
                None => {}
            }
        }
    }

    /// Waits for whatever comes first: time, changes, octets.
    async fn wait(&mut self) -> Option<Progress> {
        let deadline = self.deadline();
        let clock = self.hub.clock;
        let changed = Rc::clone(&self.changed);
        tokio::select! {
            biased;
            () = maybe(deadline.map(|at| crate::net::timer::sleep_until(clock.at(at)))) => None,
            () = changed.notified() => None,
            progress = poll_fn(|context| self.poll(context)) => Some(progress),
        }
    }

    fn deadline(&self) -> Option<Duration> {
        let timer = self.session.poll_deadline().map(|deadline| deadline.at);
        let starved = defect::starved_until(&self.hub.defects, self.hub.last_command.get());
        let timer = timer.max(timer.and(starved));
        [timer, self.wait_until].into_iter().flatten().min()
    }

    /// Whether outbound work may be done now.
    fn may_send(&self) -> bool {
        let defects = &self.hub.defects;
        let waits =
            defects.has(Defect::ContinueAfterTimeout) || defects.has(Defect::ReadWithoutTimeout);
        self.progressed || !waits
    }

    /// Passes on what happened in the session.
    fn tell(&mut self) {
        let now = self.hub.now();
        let mut ended = false;
        let mut peers = self.hub.peers.borrow_mut();
        let Some(entry) = peers.get_mut(&self.id) else {
            return;
        };
        while let Some(event) = self.session.poll_event() {
            if let Some(event) = SpeakerEvent::of_session(&self.name, &event) {
                self.hub.observer.observe(now, &event);
            }
            entry.tally.note(now, &event);
            entry.peer.handle_event(now, &event);
            self.hub.tell(&entry.peer, &self.session, &event);
            defect::end_early(
                &self.hub.defects,
                now,
                &entry.peer,
                &mut self.session,
                &event,
            );
            if matches!(event, SessionEvent::Closed { .. }) {
                entry.in_session = false;
                ended = true;
            }
        }
        drop(peers);
        if ended {
            self.hub.taken.notify_waiters();
            self.hub.bell.notify_one();
        }
    }

    /// Does what others ask of this connection. `Some` where it has to go: for a successor, or for none.
    fn look_around(&mut self) -> Option<Option<N::Connection>> {
        let now = self.hub.now();
        let (stopped, teardown, arrived) = self.hub.with(self.id, |entry| {
            let established = entry.peer.is_established();
            let teardown = if established {
                entry.teardown.take()
            } else {
                None
            };
            (entry.stopped, teardown, !entry.arrivals.is_empty())
        })?;
        if stopped {
            let why = if self.hub.ending.get() {
                cease::SHUTTING_DOWN
            } else {
                cease::REMOVED
            };
            self.session.stop(now, why);
        } else if let Some(subcode) = teardown {
            self.teardown(subcode, now);
        }
        self.tell();
        if !arrived || self.session.is_closed() {
            return None;
        }
        let remote = self.session.received_open().map(|open| open.identifier);
        let successor = match collide(self.hub, self.id, &self.name, self.session.state(), remote)?
        {
            Arrived::Lives(stream) => Some(stream),
            Arrived::NoneLives => None,
        };
        let (subcode, text) = cease::COLLISION;
        self.session.close(now, cease::worded(subcode, text));
        self.tell();
        self.hub.with(self.id, |entry| entry.peer.gave_way());
        Some(successor)
    }

    fn teardown(&mut self, subcode: u8, now: Duration) {
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

    /// Takes the changes made so far, before anything is sent of those to come.
    fn take_changes(&mut self) {
        let changes = self.hub.changes.get();
        let took = self.hub.with(self.id, |entry| {
            let news = entry.taken < changes;
            entry.taken = changes;
            let took = news && entry.peer.is_established();
            if took {
                entry.peer.take_changes();
                self.hub
                    .observe(&SpeakerEvent::Taken { peer: &entry.label });
            }
            took
        });
        if took == Some(true) {
            self.hub.taken.notify_waiters();
        }
    }

    /// Gathers messages until there are enough octets for a large write.
    fn fill(&mut self) {
        let now = self.hub.now();
        if !self.may_send() {
            return;
        }
        if self.wait_until.is_some_and(|until| until <= now) {
            self.wait_until = None;
        }
        let mut messages = 0;
        while self.wait_until.is_none()
            && self.session.transmit_len() < WRITE
            && messages < MESSAGES
        {
            let session = &mut self.session;
            let filled = self.hub.with(self.id, |entry| {
                let has_output = entry.peer.has_output();
                has_output.then(|| entry.peer.fill(now, session, MESSAGES / 8))
            });
            let Some(filled) = filled.flatten() else {
                break;
            };
            self.wait_until = filled.wait_until;
            messages += filled.messages.max(1);
            for refused in &filled.refused {
                self.hub.warn(&self.name.to_string(), refused);
            }
        }
        if messages > 0 {
            self.tell();
        }
    }

    /// Whether more is to be gathered although nothing new came.
    fn is_hungry(&self) -> bool {
        let wants = || self.hub.with(self.id, |entry| entry.peer.has_output()) == Some(true);
        self.wait_until.is_none() && self.session.transmit_len() < WRITE && !self.naps() && wants()
    }

    /// Writes and reads as much as goes without waiting, once each.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<Progress> {
        let mut progress = Progress::default();
        if self.lost {
            return Poll::Pending;
        }
        while !self.wrong.leftover.is_empty()
            && let Poll::Ready(Ok(count)) = self.stream.poll_write(context, &self.wrong.leftover)
        {
            self.wrong.leftover.drain(..count);
        }
        if self.broken.is_none()
            && let Some(octets) = self.session.poll_transmit()
        {
            match self.stream.poll_write(context, octets) {
                Poll::Ready(Ok(count)) => progress.wrote = count,
                Poll::Ready(Err(error)) => self.broken = Some(error.kind()),
                Poll::Pending => {}
            }
        }
        match self.stream.poll_read(context, &mut self.buffer) {
            Poll::Ready(read) => progress.read = Some(read),
            Poll::Pending => {
                if let Some(kind) = self.broken {
                    progress.read = Some(Err(kind.into()));
                }
            }
        }
        if progress.wrote > 0 || progress.read.is_some() || self.is_hungry() {
            return Poll::Ready(progress);
        }
        Poll::Pending
    }

    fn progress(&mut self, progress: Progress, now: Duration) {
        if progress.wrote > 0 {
            self.session.transmitted(progress.wrote, now);
        }
        let half = defect::leftover(&self.hub.defects, &mut self.session);
        if progress.read.is_some() {
            // What the output waits for may have come.
            self.wait_until = None;
        }
        match progress.read {
            None => {}
            Some(Ok(0)) => {
                self.lost = true;
                self.session.handle_eof(now);
            }
            Some(Ok(count)) if self.hub.defects.has(Defect::CancelledRead) => {
                self.wrong.partial.extend_from_slice(&self.buffer[..count]);
                self.handle_whole_messages(now);
            }
            Some(Ok(count)) => self.session.handle_bytes(now, &self.buffer[..count]),
            Some(Err(error)) => {
                defect::crash(&self.hub.defects, error.kind());
                self.lost = true;
                self.session.handle_reset(now, error.kind());
            }
        }
        if self.lost {
            self.hub.with(self.id, |entry| entry.leftover = half);
        }
    }

    /// The session is over: the connection is closed in order by a task of its own.
    fn leave(mut self) {
        let rest = self.session.poll_transmit().unwrap_or_default().to_vec();
        if self.lost {
            return self.hub.observe(&SpeakerEvent::Disconnected {
                connection: &self.name,
            });
        }
        linger::spawn(self.hub, Some(self.name), self.stream, rest);
    }
}
