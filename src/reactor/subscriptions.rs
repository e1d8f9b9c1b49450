//! Which API programs receive which events, as lines in their encoding. Pure: the reactor delivers the lines.

use std::time::Duration;

use crate::api::apply::Identity;
use crate::api::subscribers::{self, EventClass, Form};
use crate::api::{ApiEvent, Events, PeerIdentity};
use crate::bgp::attribute::WireContext;
use crate::bgp::iana::MessageType;
use crate::bgp::message::{Header, Message};
use crate::config::{Encoder, Process};
use crate::net::Direction;
use crate::speaker::neighbor::Neighbor;
use crate::speaker::peer::Peer;
use crate::speaker::session::{Cause, Session, SessionEvent};

/// Writes the lines for the events that programs subscribe to.
#[derive(Debug)]
pub(super) struct Subscriptions {
    events: Events,
    epoch: Duration,
    /// Name and encoder of each program that was started.
    programs: Vec<(String, Encoder)>,
}

/// Where a line for a program goes; it ends with a newline.
pub(super) type Pass<'a> = &'a mut dyn FnMut(&str, String);

impl Subscriptions {
    pub fn new(identity: &Identity) -> Self {
        Self {
            events: Events::new(identity.host.clone()),
            epoch: identity.epoch,
            programs: Vec::new(),
        }
    }

    /// From now on only these programs receive lines.
    pub fn configure(&mut self, processes: &[Process]) {
        let configured = |name: &String| processes.iter().any(|process| process.name == *name);
        self.programs.retain(|(name, _)| configured(name));
    }

    /// A program was started; it keeps the encoding of its definition at that time.
    pub fn started(&mut self, process: &Process) {
        self.programs.retain(|(name, _)| *name != process.name);
        self.programs.push((process.name.clone(), process.encoder));
    }

    fn time(&self, now: Duration) -> f64 {
        (self.epoch + now).as_secs_f64()
    }

    /// The line for a program when the speaker ends.
    pub fn farewell(&self, now: Duration, encoder: Encoder) -> String {
        self.events.shutdown(encoder, self.time(now))
    }

    /// A connection to `peer` is open.
    pub fn connected(&mut self, now: Duration, peer: &Peer, pass: Pass<'_>) {
        self.happened(now, peer, EventClass::Change, &ApiEvent::Connected, pass);
    }

    /// The speaker received a signal.
    pub fn signal(&mut self, now: Duration, peer: &Peer, number: u8, pass: Pass<'_>) {
        self.happened(
            now,
            peer,
            EventClass::Signal,
            &ApiEvent::Signal(number),
            pass,
        );
    }

    /// Something happened in a session.
    pub fn session(
        &mut self,
        now: Duration,
        peer: &Peer,
        session: &Session,
        event: &SessionEvent,
        pass: Pass<'_>,
    ) {
        if peer.neighbor().api.is_empty() {
            return;
        }
        match event {
            SessionEvent::State { to, .. } => {
                self.happened(now, peer, EventClass::Fsm, &ApiEvent::Fsm(*to), pass);
            }
            SessionEvent::Negotiated(negotiated) => {
                self.happened(
                    now,
                    peer,
                    EventClass::Negotiated,
                    &ApiEvent::Negotiated(negotiated),
                    pass,
                );
            }
            SessionEvent::Established(_) => {
                self.happened(now, peer, EventClass::Change, &ApiEvent::Up, pass);
            }
            SessionEvent::Closed { cause } => {
                let reason = reason(cause);
                self.happened(
                    now,
                    peer,
                    EventClass::Change,
                    &ApiEvent::Down { reason: &reason },
                    pass,
                );
            }
            SessionEvent::Received { message, raw } => {
                if is_subscribed(peer.neighbor(), Direction::Received, message.kind()) {
                    self.message(
                        now,
                        peer,
                        session,
                        (Direction::Received, message, raw),
                        pass,
                    );
                }
            }
            SessionEvent::Sent { raw } => {
                let kind = MessageType(raw.get(Header::SIZE - 1).copied().unwrap_or_default());
                if !is_subscribed(peer.neighbor(), Direction::Sent, kind) {
                    return;
                }
                let context = session
                    .negotiated()
                    .map_or_else(WireContext::default, |agreed| agreed.send.clone());
                // A message that does not decode again has no line.
                if let Ok(message) = Message::decode(&context, raw) {
                    self.message(now, peer, session, (Direction::Sent, &message, raw), pass);
                }
            }
            SessionEvent::Malformed { .. }
            | SessionEvent::Expired(_)
            | SessionEvent::Refused(_) => {}
        }
    }

    fn message(
        &mut self,
        now: Duration,
        peer: &Peer,
        session: &Session,
        (direction, message, raw): (Direction, &Message, &[u8]),
        pass: Pass<'_>,
    ) {
        let neighbor = peer.neighbor();
        let subscribed = subscribers::with_negotiated(neighbor);
        let negotiated = session
            .negotiated()
            .map(|agreed| &**agreed)
            .filter(|_| subscribed);
        for form in subscribers::forms(neighbor, direction) {
            let raw_beside = (form == Form::Consolidated).then_some(raw);
            let event = match form {
                Form::Packet => ApiEvent::Packet {
                    direction,
                    negotiated,
                    raw,
                },
                Form::Parsed | Form::Consolidated => ApiEvent::Message {
                    direction,
                    message,
                    negotiated,
                    raw: raw_beside,
                },
            };
            let programs = subscribers::of_message(neighbor, direction, message.kind());
            self.send(now, peer, &event, programs, pass);
        }
    }

    fn happened(
        &mut self,
        now: Duration,
        peer: &Peer,
        class: EventClass,
        event: &ApiEvent<'_>,
        pass: Pass<'_>,
    ) {
        self.send(
            now,
            peer,
            event,
            subscribers::of_event(peer.neighbor(), class),
            pass,
        );
    }

    /// Tells `event` to each of `programs`, once.
    fn send<'a>(
        &mut self,
        now: Duration,
        peer: &Peer,
        event: &ApiEvent<'_>,
        programs: impl Iterator<Item = &'a str>,
        pass: Pass<'_>,
    ) {
        let mut reached: Vec<&str> = Vec::new();
        let mut identity = None;
        for program in programs {
            let known = self.programs.iter().find(|(name, _)| name == program);
            let Some((_, encoder)) = known.filter(|_| !reached.contains(&program)) else {
                continue;
            };
            reached.push(program);
            let encoder = *encoder;
            let time = self.time(now);
            let identity = identity
                .get_or_insert_with(|| PeerIdentity::new(peer.neighbor(), peer.local_address()));
            if let Some(lines) = self.events.encode(encoder, time, identity, event) {
                pass(program, lines);
            }
        }
    }
}

fn is_subscribed(neighbor: &Neighbor, direction: Direction, kind: MessageType) -> bool {
    subscribers::of_message(neighbor, direction, kind)
        .next()
        .is_some()
}

/// Why a session ended, in ExaBGP's words: every loss of the connection is one to it.
fn reason(cause: &Cause) -> String {
    match cause {
        Cause::PeerClosed | Cause::ConnectionLost(_) | Cause::SendHoldExpired => {
            "closing connection".to_owned()
        }
        other => other.to_string(),
    }
}
