//! One pass over a capture, and then a judgement of each session.

use std::collections::BTreeMap;
use std::net::IpAddr;

use thiserror::Error;

use super::attempt::AttemptsSeen;
use super::cause::{Confidence, EndCause};
use super::explanation::{Explanation, SessionEnd};
use super::flow::{Flows, TcpFlow};
use super::session::{Later, Session};
use super::talk::Talk;
use super::{notification, repeats, wordless};
use crate::bgp::capability::Capability;
use crate::bgp::capability::graceful_restart::GracefulRestart;
use crate::bgp::iana::MessageType;
use crate::capture::{
    Attempt, CaptureError, CaptureEvent, Connection, EventKind, Note, Segment, StreamDirection,
    Tally,
};
use crate::compare::{CompareError, Contexts, Declared, Input, survey};

/// Sessions that are explained.
const MAX_SESSIONS: usize = 65_536;
/// Silence after which a session that something was still sent on counts as over, in nanoseconds.
const SILENCE: u64 = 10_000_000_000;

/// Why nothing could be explained.
#[derive(Debug, Error)]
pub enum WhyError {
    /// The capture cannot be read.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// It cannot be opened.
    #[error(transparent)]
    Input(#[from] CompareError),
}

/// Why the sessions of a capture ended.
#[derive(Debug, Clone, Default)]
pub struct Why {
    /// An answer for each session, in the order of their first messages; then the attempts that came to nothing.
    pub sessions: Vec<Explanation>,
    /// What else the capture holds, and what of it was not read.
    pub tally: Tally,
    /// Messages in it.
    pub messages: u64,
    /// That the file ends in the middle of a packet, in words.
    pub cut_short: Option<String>,
    /// How the messages of each connection are to be read.
    pub contexts: Contexts,
}

impl Why {
    /// Reads the capture and explains its sessions; UPDATEs are read as `declared` where the OPENs do not say.
    ///
    /// # Errors
    /// It is no capture, or malformed.
    pub fn read(input: &mut Input, declared: Declared) -> Result<Self, WhyError> {
        Self::read_with(input, declared, |_| ())
    }

    /// The same, and hands each event to `also`.
    ///
    /// # Errors
    /// As for [`Self::read`].
    pub fn read_with(
        input: &mut Input,
        declared: Declared,
        mut also: impl FnMut(&CaptureEvent<'_>),
    ) -> Result<Self, WhyError> {
        let mut again = input.again();
        let mut watch = Watch::new(declared);
        let mut segments = Segments::default();
        let mut capture = input.open()?;
        let outcome = loop {
            let more = capture.step_watched(
                |time, segment| segments.take(time, segment),
                |event| {
                    watch.take(&event, &mut again);
                    also(&event);
                },
            );
            // After the events of the step, which may be of a connection whose ports are used again now.
            watch.after(&mut segments);
            match more {
                Ok(true) => {}
                Ok(false) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        let tally = capture.tally().clone();
        let cut_short = match outcome {
            Ok(()) => None,
            Err(error) if error.kind.is_truncation() => Some(error.to_string()),
            Err(error) => return Err(error.into()),
        };
        let messages = watch.number;
        Ok(Self {
            sessions: watch.explain(&segments),
            tally,
            messages,
            cut_short,
            contexts: watch.contexts,
        })
    }

    /// Whether a session ended in the capture, or an attempt at one came to nothing.
    #[must_use]
    pub fn has_end(&self) -> bool {
        self.sessions.iter().any(Explanation::is_ended)
    }
}

/// What the segments tell.
#[derive(Debug, Default)]
struct Segments {
    flows: Flows,
    replaced: Option<TcpFlow>,
    last: u64,
}

impl Segments {
    fn take(&mut self, time: u64, segment: &Segment<'_>) {
        self.last = self.last.max(time);
        if let Some(flow) = self.flows.take(time, segment) {
            self.replaced = Some(flow);
        }
    }
}

/// What the messages tell.
#[derive(Debug)]
struct Watch {
    contexts: Contexts,
    talks: BTreeMap<usize, Talk>,
    /// Connections whose ports were used again.
    over: BTreeMap<usize, TcpFlow>,
    attempts: AttemptsSeen,
    /// Attempts of which the connection is still to be looked up.
    tried: Vec<(Connection, Attempt, u64)>,
    number: u64,
}

impl Watch {
    fn new(declared: Declared) -> Self {
        Self {
            contexts: Contexts::new(declared),
            talks: BTreeMap::new(),
            over: BTreeMap::new(),
            attempts: AttemptsSeen::default(),
            tried: Vec::new(),
            number: 0,
        }
    }

    fn take(&mut self, event: &CaptureEvent<'_>, again: &mut Option<Input>) {
        self.contexts.note(event);
        match event.kind {
            EventKind::Message { .. } | EventKind::Junk { .. } => self.number += 1,
            EventKind::Noted(Note::Attempt(attempt)) => {
                self.tried.push((*event.connection, attempt, event.time));
                return;
            }
            _ => {}
        }
        let number = event.connection.number;
        if let EventKind::Message { octets, .. } = event.kind
            && MessageType(octets[18]) == MessageType::UPDATE
            && self.contexts.is_open(number)
            && let Some(mut input) = again.take()
        {
            self.contexts.adopt(survey(&mut input));
        }
        if !self.talks.contains_key(&number) && self.talks.len() >= MAX_SESSIONS {
            return;
        }
        let talk = self
            .talks
            .entry(number)
            .or_insert_with(|| Talk::new(*event.connection));
        talk.take(event, self.number, &mut self.contexts);
    }

    /// Keeps the connections of sessions whose ports are used again.
    fn after(&mut self, segments: &mut Segments) {
        for (connection, attempt, time) in self.tried.drain(..) {
            let replaced = segments.replaced.as_ref();
            let flow = replaced
                .filter(|flow| is_of(flow, &connection))
                .or_else(|| segments.flows.get(connection.client, connection.server));
            self.attempts.add(&connection, attempt, time, flow);
        }
        let Some(flow) = segments.replaced.take() else {
            return;
        };
        let talk = self.talks.iter_mut().rev().find(|(number, talk)| {
            is_of(&flow, &talk.connection) && !self.over.contains_key(number)
        });
        if let Some((number, talk)) = talk {
            talk.close();
            self.over.insert(*number, flow);
        }
    }

    fn explain(&self, segments: &Segments) -> Vec<Explanation> {
        let mut sessions = Vec::new();
        for (session, (number, talk)) in (1..).zip(&self.talks) {
            let flow = self
                .over
                .get(number)
                .or_else(|| {
                    segments
                        .flows
                        .get(talk.connection.client, talk.connection.server)
                })
                .filter(|flow| is_of(flow, &talk.connection));
            let mut about = Session {
                talk,
                flow,
                later: Later::default(),
                beside: None,
                end: segments.last,
            };
            let ending = ending(&about);
            about.later = self.later(talk, ending.at());
            about.beside = self.beside(talk, ending.at());
            let mut explanation = one(&about, ending);
            explanation.session = Some(session);
            sessions.push(explanation);
        }
        repeats::note(&mut sessions, &self.talks);
        sessions.extend(self.attempts.explain());
        sessions
    }

    /// What came between the same hosts after `talk` had ended at `at`.
    fn later(&self, talk: &Talk, at: Option<u64>) -> Later {
        let mut later = Later::default();
        let Some(at) = at else { return later };
        let next = self
            .talks
            .values()
            .filter(|other| is_between(other, talk) && other.connection.opened > at)
            .min_by_key(|other| other.connection.opened);
        if let Some(next) = next {
            later.tried = Some(next.connection.opened);
            later.resumed = Some(next.connection.opened);
            let restarted = StreamDirection::BOTH
                .into_iter()
                .find(|direction| has_restarted(next, *direction));
            later.restarted = restarted.map(|direction| next.connection.id.peer.sender(direction));
        }
        let pair = ends(talk);
        let refused = self.attempts.iter().find(|attempts| {
            let peer = attempts.connection.id.peer;
            attempts.kind == Attempt::Refused
                && attempts.last >= at
                && later
                    .resumed
                    .is_none_or(|resumed| attempts.first <= resumed)
                && (peer.client.min(peer.server), peer.client.max(peer.server)) == pair
        });
        later.refused_by = refused.map(|attempts| attempts.connection.id.peer.server);
        later
    }

    /// Another connection between the same hosts that was open while `talk` was.
    fn beside(&self, talk: &Talk, at: Option<u64>) -> Option<crate::capture::ConnectionId> {
        let end = at?;
        self.talks
            .values()
            .find(|other| {
                other.connection.number != talk.connection.number
                    && is_between(other, talk)
                    && other.connection.opened <= end
                    && other
                        .voices
                        .iter()
                        .filter_map(|voice| voice.last)
                        .any(|last| last.time >= talk.connection.opened)
            })
            .map(|other| other.connection.id)
    }
}

fn ends(talk: &Talk) -> (IpAddr, IpAddr) {
    let peer = talk.connection.id.peer;
    (peer.client.min(peer.server), peer.client.max(peer.server))
}

fn is_between(one: &Talk, other: &Talk) -> bool {
    ends(one) == ends(other)
}

fn is_of(flow: &TcpFlow, connection: &Connection) -> bool {
    (flow.client, flow.server) == (connection.client, connection.server)
        || (flow.server, flow.client) == (connection.client, connection.server)
}

/// Whether the OPEN sent in `direction` has the Restart State bit (RFC 4724 section 3).
fn has_restarted(talk: &Talk, direction: StreamDirection) -> bool {
    let Some(open) = talk.voice(direction).opened() else {
        return false;
    };
    open.capabilities().any(|capability| match capability {
        Capability::GracefulRestart(restart) => restart.flags & GracefulRestart::RESTART_STATE != 0,
        _ => false,
    })
}

/// How it ended.
fn ending(session: &Session<'_>) -> SessionEnd {
    let talk = session.talk;
    let notified = StreamDirection::BOTH
        .into_iter()
        .filter_map(|by| Some((by, talk.voice(by).notification.as_ref()?)))
        .min_by_key(|(_, (place, _))| place.time);
    if let Some((by, (place, told))) = notified {
        return notification::ending(session, by, (place, told));
    }
    let fin = StreamDirection::BOTH
        .into_iter()
        .filter_map(|by| Some((talk.voice(by).finished?, by)))
        .min_by_key(|(at, _)| *at);
    match (fin, talk.reset) {
        (Some((fin, by)), reset) if reset.is_none_or(|(_, reset)| fin <= reset) => {
            return SessionEnd::Fin { by, at: fin };
        }
        (_, Some((by, at))) => return SessionEnd::Rst { by, at },
        _ => {}
    }
    match talk.noted {
        Some((at, _, Note::PeerDown { reason, event })) => {
            return SessionEnd::Told {
                at,
                text: peer_down(reason, event),
            };
        }
        Some((at, _, Note::State { from: 6, to })) if to < 6 => {
            return SessionEnd::Told {
                at,
                text: "the MRT file has it leave Established".to_owned(),
            };
        }
        _ => {}
    }
    // Something was sent and sent again, and then nothing more for long, or until they connected anew.
    let Some(flow) = session.flow else {
        return SessionEnd::Open;
    };
    let hold = talk.hold_time().filter(|hold| *hold > 0);
    let patience = hold.map_or(SILENCE, |hold| SILENCE.min(u64::from(hold) * 1_000_000_000));
    let [client, server] = &flow.lanes;
    let is_over = [(client, server), (server, client)]
        .into_iter()
        .any(|(lane, back)| {
            let is_stuck = lane.stuck.is_some_and(|stuck| stuck.times >= 3);
            // What comes back is acknowledged in vain, or nothing comes.
            let heard = if back.needless >= 2 {
                back.last_data
            } else {
                back.last
            };
            is_stuck && session.end.saturating_sub(heard.unwrap_or_default()) >= patience
        });
    if is_over {
        return SessionEnd::Silence { at: flow.last };
    }
    SessionEnd::Open
}

/// RFC 7854 section 4.9.
fn peer_down(reason: u8, event: u16) -> String {
    match reason {
        1 => "the router sent a NOTIFICATION".to_owned(),
        2 => format!("the router closed without NOTIFICATION, FSM event {event}"),
        3 => "the peer sent a NOTIFICATION".to_owned(),
        4 => "the peer closed without NOTIFICATION".to_owned(),
        5 => "the router does not monitor this peer any more".to_owned(),
        _ => format!("Peer Down, reason {reason}"),
    }
}

fn one(session: &Session<'_>, ending: SessionEnd) -> Explanation {
    let mut explanation = Explanation::new(session.talk.connection, ending.clone());
    match ending {
        SessionEnd::Notification { by, .. } => {
            if let Some((place, told)) = &session.voice(by).notification {
                notification::explain(session, by, (place, told), &mut explanation);
            }
        }
        SessionEnd::Rst { by, at } => wordless::reset(session, by, at, &mut explanation),
        SessionEnd::Fin { by, at } => wordless::closed(session, by, at, &mut explanation),
        SessionEnd::Silence { .. } => {
            wordless::silent(session, &mut explanation);
        }
        SessionEnd::Told { at, text } => {
            explanation
                .judge(EndCause::Monitored, Confidence::Likely)
                .tell(format!("It was reported down: {text}."))
                .at(at, text);
        }
        SessionEnd::Attempt { .. } | SessionEnd::Open => {}
    }
    explanation
}
