//! Octets out: whole messages are queued here and leave as the connection takes them.

use std::time::Duration;

use super::event::SessionEvent;
use super::timers::TimerKind;
use super::{Cause, Session, State, open};
use crate::bgp::attribute::WireContext;
use crate::bgp::error::EncodeError;
use crate::bgp::message::{Keepalive, Message, Notification};
use crate::bgp::wire::Writer;

/// What is queued, and how much of it was taken.
#[derive(Debug, Default)]
pub(super) struct Output {
    bytes: Writer,
    taken: usize,
}

/// Taken octets are dropped once there are this many of them.
const COMPACT: usize = 64 * 1024;

impl Output {
    pub const fn is_empty(&self) -> bool {
        self.taken == self.bytes.len()
    }

    pub const fn len(&self) -> usize {
        self.bytes.len() - self.taken
    }

    pub fn discard(&mut self) {
        *self = Self::default();
    }

    fn take(&mut self, count: usize) {
        self.taken = (self.taken + count).min(self.bytes.len());
        if self.is_empty() {
            self.bytes.clear();
            self.taken = 0;
        } else if self.taken >= COMPACT {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
    }
}

impl Session {
    /// Octets to send, if there are any.
    #[must_use]
    pub fn poll_transmit(&mut self) -> Option<&[u8]> {
        let left = &self.output.bytes[self.output.taken..];
        (!left.is_empty()).then_some(left)
    }

    /// The connection took the first `count` octets of [`Session::poll_transmit`].
    pub fn transmitted(&mut self, count: usize, now: Duration) {
        self.output.take(count);
        if self.output.is_empty() {
            self.timers.stop(TimerKind::SendHold);
        } else if count > 0 && !self.closed {
            self.start_send_hold(now);
        }
    }

    /// Octets queued and not yet taken: who fills the session should stop when there are many.
    #[must_use]
    pub const fn transmit_len(&self) -> usize {
        self.output.len()
    }

    /// RFC 9687 section 3: not while the hold time is 0 or unknown.
    fn start_send_hold(&mut self, now: Duration) {
        let Some(hold) = self
            .negotiated
            .as_ref()
            .and_then(|agreed| agreed.hold_interval())
        else {
            return;
        };
        let interval = self.send_hold.unwrap_or((2 * hold).max(LEAST_SEND_HOLD));
        self.timers.set(TimerKind::SendHold, now + interval);
    }

    /// Queues the one message that `write` appends, and emits its event.
    ///
    /// # Errors
    /// Those of `write`; nothing is queued then.
    pub(crate) fn queue<R, E>(
        &mut self,
        now: Duration,
        write: impl FnOnce(&mut Writer) -> Result<R, E>,
    ) -> Result<R, E> {
        let start = self.output.bytes.len();
        let result = write(&mut self.output.bytes);
        if result.is_err() {
            self.output.bytes.truncate(start);
            return result;
        }
        let raw = self.output.bytes[start..].to_vec();
        if !raw.is_empty() {
            self.events.push_back(SessionEvent::Sent { raw });
        }
        if self.timers.at(TimerKind::SendHold).is_none() {
            self.start_send_hold(now);
        }
        result
    }

    /// Queues `message`.
    ///
    /// # Errors
    /// A message that does not fit its limits; nothing is queued then.
    pub fn send(&mut self, now: Duration, message: &Message) -> Result<(), EncodeError> {
        let context = self
            .negotiated
            .as_ref()
            .map_or_else(WireContext::default, |agreed| agreed.send.clone());
        self.queue(now, |out| message.encode(&context, out))
    }

    pub(super) fn send_open(&mut self, now: Duration, asn: u32) {
        let open = match open::build(self, asn) {
            Ok(open) => open,
            Err(notification) => return self.close(now, notification),
        };
        let message = Message::Open(open);
        if let Err(error) = self.send(now, &message) {
            self.events.push_back(SessionEvent::Refused(error));
            return self.close(now, open::cannot_open(&error.to_string()));
        }
        if let Message::Open(open) = message {
            self.sent_open = Some(open);
        }
        self.enter(State::OpenSent, Cause::OpenSent);
    }

    /// Sends a KEEPALIVE and starts the timer of the next.
    pub(super) fn keepalive(&mut self, now: Duration) {
        let _ = self.queue(now, |out| {
            out.extend_from_slice(&Keepalive::BYTES);
            Ok::<(), EncodeError>(())
        });
        self.start_keepalive(now);
    }

    pub(super) fn start_keepalive(&mut self, now: Duration) {
        if let Some(interval) = self
            .negotiated
            .as_ref()
            .and_then(|agreed| agreed.keepalive_interval())
        {
            self.timers.set(TimerKind::Keepalive, now + interval);
        }
    }

    pub(super) fn send_notification(&mut self, now: Duration, notification: &Notification) {
        if let Err(error) = self.send(now, &Message::Notification(notification.clone())) {
            self.events.push_back(SessionEvent::Refused(error));
        }
    }
}

/// RFC 9687 section 3: the greater of 8 minutes and twice the hold time.
const LEAST_SEND_HOLD: Duration = Duration::from_secs(8 * 60);
