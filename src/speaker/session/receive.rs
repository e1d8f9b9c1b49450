//! Octets in: whole messages are cut from the session's own buffer and handled in their state.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::event::SessionEvent;
use super::timers::TimerKind;
use super::{Cause, Session, State, negotiate, open};
use crate::bgp::attribute::WireContext;
use crate::bgp::message::error::MessageError;
use crate::bgp::message::{Message, Notification, Open, header};

impl Session {
    /// Octets arrived. A message that is not all there waits for its rest.
    pub fn handle_bytes(&mut self, now: Duration, bytes: &[u8]) {
        if self.closed {
            return;
        }
        let mut input = std::mem::take(&mut self.input);
        input.extend_from_slice(bytes);
        let mut at = 0;
        while !self.closed {
            match header::frame(&input[at..], self.extended_message()) {
                Ok(None) => break,
                Ok(Some(message)) => {
                    at += message.len();
                    self.receive(now, message);
                }
                Err(error) => {
                    let raw = input[at..input.len().min(at + header::Header::SIZE)].to_vec();
                    self.refuse(now, raw, error);
                }
            }
        }
        if !self.closed {
            input.drain(..at);
            self.input = input;
        }
    }

    /// The peer closed its half of the connection.
    pub fn handle_eof(&mut self, now: Duration) {
        self.lose(now, Cause::PeerClosed);
    }

    /// The connection broke.
    pub fn handle_reset(&mut self, now: Duration, kind: io::ErrorKind) {
        self.lose(now, Cause::ConnectionLost(kind));
    }

    fn extended_message(&self) -> bool {
        self.negotiated
            .as_ref()
            .is_some_and(|agreed| agreed.receive.extended_message)
    }

    fn receive(&mut self, now: Duration, raw: &[u8]) {
        let agreed = self.negotiated.as_ref();
        let decoded = match agreed {
            Some(agreed) => Message::decode(&agreed.receive, raw),
            None => Message::decode(&WireContext::default(), raw),
        };
        let message = match decoded {
            Ok(Message::Unknown(unknown)) => {
                return self.refuse(now, raw.to_vec(), MessageError::bad_type(unknown.kind.0));
            }
            Ok(message) => message,
            Err(error) => return self.refuse(now, raw.to_vec(), error),
        };
        if matches!(self.state, State::OpenConfirm | State::Established) {
            self.start_hold(now);
        }
        let meaning = match self.unnegotiated(&message) {
            Some(notification) => Meaning::Unexpected(notification),
            None => meaning(self.state, &message),
        };
        let raw = raw.to_vec();
        self.events
            .push_back(SessionEvent::Received { message, raw });
        match meaning {
            Meaning::Content => {}
            Meaning::Opened(open) => self.opened(now, *open),
            Meaning::Confirmed => self.confirmed(now),
            Meaning::KeptAlive => self.kept_alive(now),
            Meaning::Notified(notification) => {
                self.finish(now, Cause::NotificationReceived(notification));
            }
            Meaning::Unexpected(notification) => self.close(now, notification),
        }
    }

    /// What was received is no message: `error` says why.
    fn refuse(&mut self, now: Duration, raw: Vec<u8>, error: MessageError) {
        let notification = open::notification(&error);
        self.events
            .push_back(SessionEvent::Malformed { raw, error });
        self.close(now, notification);
    }

    /// RFC 4760 section 7: routes of a family that was not agreed on.
    fn unnegotiated(&self, message: &Message) -> Option<Notification> {
        let (Some(agreed), Message::Update(update)) = (&self.negotiated, message) else {
            return None;
        };
        if update.end_of_rib().is_some() {
            return None;
        }
        let reach = update.mp_reach().map(|reach| (reach.family, '/'));
        let unreach = update.mp_unreach().map(|unreach| (unreach.family, ' '));
        [reach, unreach]
            .into_iter()
            .flatten()
            .find(|(family, _)| !agreed.families.contains(*family))
            .map(|(family, mark)| open::unnegotiated(family, mark))
    }

    fn opened(&mut self, now: Duration, received: Open) {
        self.timers.stop(TimerKind::OpenWait);
        if let Some(notification) = open::unsupported_parameter(&received) {
            return self.close(now, notification);
        }
        if self.sent_open.is_none() {
            self.send_open(now, received.asn());
        }
        let Some(sent) = &self.sent_open else {
            return;
        };
        let outcome = negotiate::negotiate(&self.neighbor, sent, &received);
        self.received_open = Some(received);
        let negotiated = match outcome {
            Ok(negotiated) => Arc::new(negotiated),
            Err(notification) => return self.close(now, notification),
        };
        self.negotiated = Some(Arc::clone(&negotiated));
        self.events.push_back(SessionEvent::Negotiated(negotiated));
        self.enter(State::OpenConfirm, Cause::OpenReceived);
        if !self.recites() {
            self.keepalive(now);
        }
        self.start_hold(now);
    }

    fn start_hold(&mut self, now: Duration) {
        if let Some(interval) = self
            .negotiated
            .as_ref()
            .and_then(|agreed| agreed.hold_interval())
        {
            self.timers.set(TimerKind::Hold, now + interval);
        }
    }

    fn confirmed(&mut self, now: Duration) {
        self.enter(State::Established, Cause::Confirmed);
        // As ExaBGP: the first periodic KEEPALIVE is counted from here, and UPDATEs do not put it off.
        if !self.recites() {
            self.start_keepalive(now);
        }
        if let Some(negotiated) = &self.negotiated {
            let negotiated = Arc::clone(negotiated);
            self.events.push_back(SessionEvent::Established(negotiated));
        }
    }

    fn kept_alive(&mut self, now: Duration) {
        let agreed_none = self
            .negotiated
            .as_ref()
            .is_some_and(|agreed| agreed.hold_time == 0);
        if agreed_none && self.had_keepalive {
            self.close(now, open::keepalive_without_hold_time());
        }
        self.had_keepalive = agreed_none;
    }
}

/// What a message means to the session.
enum Meaning {
    Opened(Box<Open>),
    Confirmed,
    KeptAlive,
    /// Routes and the like, which are the peer's business.
    Content,
    Notified(Notification),
    Unexpected(Notification),
}

/// The table of RFC 4271 section 8.2.2, messages by state.
fn meaning(state: State, message: &Message) -> Meaning {
    match (state, message) {
        (_, Message::Notification(notification)) => Meaning::Notified(notification.clone()),
        (State::Connect | State::OpenSent, Message::Open(open)) => {
            Meaning::Opened(Box::new(open.clone()))
        }
        (State::OpenConfirm, Message::Keepalive) => Meaning::Confirmed,
        (State::Established, Message::Keepalive) => Meaning::KeptAlive,
        (
            State::Established,
            Message::Update(_) | Message::RouteRefresh(_) | Message::Operational(_),
        ) => Meaning::Content,
        (state, message) => Meaning::Unexpected(open::unexpected(state, message)),
    }
}
