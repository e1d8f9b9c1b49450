//! Octets in: whole messages are cut from the session's own buffer and handled in their state.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::event::SessionEvent;
use super::timers::TimerKind;
use super::{Cause, Session, State, negotiate, open};
use crate::bgp::attribute::WireContext;
use crate::bgp::message::{Message, Open, header};

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
            match header::frame(&input[at..], self.receive_context().extended_message) {
                Ok(None) => break,
                Ok(Some(message)) => {
                    at += message.len();
                    self.receive(now, message);
                }
                Err(error) => {
                    let raw = input[at..input.len().min(at + header::Header::SIZE)].to_vec();
                    self.events.push_back(SessionEvent::Malformed { raw });
                    self.close(now, open::notification(&error));
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

    fn receive_context(&self) -> WireContext {
        self.negotiated
            .as_ref()
            .map_or_else(WireContext::default, |agreed| agreed.receive.clone())
    }

    fn receive(&mut self, now: Duration, raw: &[u8]) {
        let message = match Message::decode(&self.receive_context(), raw) {
            Ok(message) => message,
            Err(error) => {
                self.events
                    .push_back(SessionEvent::Malformed { raw: raw.to_vec() });
                return self.close(now, open::notification(&error));
            }
        };
        if let Message::Unknown(unknown) = &message {
            let kind = unknown.kind;
            self.events
                .push_back(SessionEvent::Malformed { raw: raw.to_vec() });
            return self.close(now, open::unknown_type(kind));
        }
        if matches!(self.state, State::OpenConfirm | State::Established) {
            self.start_hold(now);
        }
        self.events.push_back(SessionEvent::Received {
            message: message.clone(),
            raw: raw.to_vec(),
        });
        match (self.state, message) {
            (_, Message::Notification(notification)) => {
                self.finish(now, Cause::NotificationReceived(notification));
            }
            (State::Connect | State::OpenSent, Message::Open(open)) => self.opened(now, open),
            (State::OpenConfirm, Message::Keepalive) => self.confirmed(now),
            (State::Established, Message::Keepalive) => self.kept_alive(now),
            (
                State::Established,
                Message::Update(_) | Message::RouteRefresh(_) | Message::Operational(_),
            ) => {}
            (state, message) => self.close(now, open::unexpected(state, &message)),
        }
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
        self.keepalive(now);
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
        self.start_keepalive(now);
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
