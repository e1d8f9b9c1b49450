//! Which API programs hear of what, and in which words. Pure: the reactor passes the lines on.

use std::time::Duration;

use crate::api::apply::Identity;
use crate::api::hearing::{self, Form, Happening};
use crate::api::{ApiEvent, Events, PeerIdentity};
use crate::bgp::attribute::WireContext;
use crate::bgp::iana::MessageType;
use crate::bgp::message::{Header, Message};
use crate::config::{Encoder, Process};
use crate::net::Direction;
use crate::speaker::neighbor::Neighbor;
use crate::speaker::peer::Peer;
use crate::speaker::session::{Cause, Session, SessionEvent};

/// Writes to programs what they want to hear.
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

    /// Only these programs are told anything from now on.
    pub fn configure(&mut self, processes: &[Process]) {
        let configured = |name: &String| processes.iter().any(|process| process.name == *name);
        self.programs.retain(|(name, _)| configured(name));
    }

    /// A program was started, and hears in the form that its definition had by then.
    pub fn started(&mut self, process: &Process) {
        self.programs.retain(|(name, _)| *name != process.name);
        self.programs.push((process.name.clone(), process.encoder));
    }

    fn time(&self, now: Duration) -> f64 {
        (self.epoch + now).as_secs_f64()
    }

    /// What `program` is told when the speaker ends.
    pub fn farewell(&self, now: Duration, encoder: Encoder) -> String {
        self.events.shutdown(encoder, self.time(now))
    }

    /// A connection to `peer` is open.
    pub fn connected(&mut self, now: Duration, peer: &Peer, pass: Pass<'_>) {
        self.happened(now, peer, Happening::Change, &ApiEvent::Connected, pass);
    }

    /// The speaker received a signal.
    pub fn signal(&mut self, now: Duration, peer: &Peer, number: u8, pass: Pass<'_>) {
        self.happened(
            now,
            peer,
            Happening::Signal,
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
                self.happened(now, peer, Happening::Fsm, &ApiEvent::Fsm(*to), pass);
            }
            SessionEvent::Negotiated(negotiated) => {
                self.happened(
                    now,
                    peer,
                    Happening::Negotiated,
                    &ApiEvent::Negotiated(negotiated),
                    pass,
                );
            }
            SessionEvent::Established(_) => {
                self.happened(now, peer, Happening::Change, &ApiEvent::Up, pass);
            }
            SessionEvent::Closed { cause } => {
                let reason = reason(cause);
                self.happened(
                    now,
                    peer,
                    Happening::Change,
                    &ApiEvent::Down { reason: &reason },
                    pass,
                );
            }
            SessionEvent::Received { message, raw } => {
                if is_heard(peer.neighbor(), Direction::Received, message.kind()) {
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
                if !is_heard(peer.neighbor(), Direction::Sent, kind) {
                    return;
                }
                let context = session
                    .negotiated()
                    .map_or_else(WireContext::default, |agreed| agreed.send.clone());
                // What cannot be read back is no message that a program could be told of.
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
        let told = hearing::with_negotiated(neighbor);
        let negotiated = session
            .negotiated()
            .map(|agreed| &**agreed)
            .filter(|_| told);
        for form in hearing::forms(neighbor, direction) {
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
            let programs = hearing::of_message(neighbor, direction, message.kind());
            self.tell(now, peer, &event, programs, pass);
        }
    }

    fn happened(
        &mut self,
        now: Duration,
        peer: &Peer,
        happening: Happening,
        event: &ApiEvent<'_>,
        pass: Pass<'_>,
    ) {
        self.tell(
            now,
            peer,
            event,
            hearing::of_happening(peer.neighbor(), happening),
            pass,
        );
    }

    /// Tells `event` to each of `programs`, once.
    fn tell<'a>(
        &mut self,
        now: Duration,
        peer: &Peer,
        event: &ApiEvent<'_>,
        programs: impl Iterator<Item = &'a str>,
        pass: Pass<'_>,
    ) {
        let mut told: Vec<&str> = Vec::new();
        let mut identity = None;
        for program in programs {
            let known = self.programs.iter().find(|(name, _)| name == program);
            let Some((_, encoder)) = known.filter(|_| !told.contains(&program)) else {
                continue;
            };
            told.push(program);
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

fn is_heard(neighbor: &Neighbor, direction: Direction, kind: MessageType) -> bool {
    hearing::of_message(neighbor, direction, kind)
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
