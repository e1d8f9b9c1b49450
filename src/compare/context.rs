//! How the messages of a connection are to be read: what its two OPENs agreed on, what one of them rules out, what the
//! messages themselves say, or what the user says.

use std::fmt::Write as _;

use super::evidence::Evidence;
use crate::bgp::attribute::WireContext;
use crate::bgp::capability::Capability;
use crate::bgp::capability::add_path::SendReceive;
use crate::bgp::family::{Families, Family};
use crate::bgp::iana::MessageType;
use crate::bgp::message::{Message, Open};
use crate::bgp::nlri::KNOWN_FAMILIES;
use crate::capture::{CaptureEvent, Encoding, EventKind, StreamDirection};

/// The context of what the sender of `sent` sends to that of `received`.
///
/// Where an OPEN is not in the capture, AS numbers have four octets, as nearly everywhere.
#[must_use]
pub fn agreed(sent: Option<&[u8]>, received: Option<&[u8]>) -> WireContext {
    let (Some(sent), Some(received)) = (sent.and_then(open), received.and_then(open)) else {
        return unknown();
    };
    WireContext {
        bgpsec: true,
        ..WireContext::agreed(&sent, &received)
    }
}

/// The context of a session of which nothing is known.
fn unknown() -> WireContext {
    WireContext {
        four_octet_as: true,
        add_path: Families::new(),
        // RFC 8654 is no reason to refuse a long message of which it is not known whether it was agreed on.
        extended_message: true,
        bgpsec: true,
    }
}

fn open(octets: &[u8]) -> Option<Open> {
    match Message::decode(&WireContext::default(), octets) {
        Ok(Message::Open(open)) => Some(open),
        _ => None,
    }
}

/// What the user says of how UPDATEs are written, whatever the OPENs and the messages say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declared {
    /// Whether AS numbers have four octets.
    pub four_octet_as: Option<bool>,
    /// The families whose NLRI carry path identifiers.
    pub add_path: Option<Families>,
}

/// How it is known how a direction is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// The OPENs say it, or what the messages were taken from.
    Known,
    /// The user says it.
    Declared,
    /// The messages contradict the other way.
    Inferred,
    /// Nothing says it.
    Assumed,
}

impl Certainty {
    const fn word(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Declared => "declared",
            Self::Inferred => "inferred",
            Self::Assumed => "assumed",
        }
    }
}

/// One connection of a capture.
#[derive(Debug, Clone, Default)]
struct Session {
    encoding: Encoding,
    opens: [Option<Open>; 2],
    evidence: [Evidence; 2],
    /// What follows from these, of either direction, until one of them changes.
    contexts: [Option<WireContext>; 2],
}

impl Session {
    /// Whether the OPENs, or what the messages were taken from, leave nothing to be inferred.
    fn is_settled(&self) -> bool {
        self.opens.iter().all(Option::is_some)
            || self.encoding.four_octet_as.is_some() && self.encoding.add_path.is_some()
    }

    fn four_octet_as(&self, declared: &Declared) -> (bool, Certainty) {
        if let Some(four) = declared.four_octet_as {
            return (four, Certainty::Declared);
        }
        if let Some(four) = self.encoding.four_octet_as {
            return (four, Certainty::Known);
        }
        let offers = |open: &Open| {
            let is_it = |one: &Capability| matches!(one, Capability::FourOctetAs(_));
            open.capabilities().any(is_it)
        };
        // One that does not offer it decides for both.
        if self.opens.iter().flatten().any(|open| !offers(open)) {
            return (false, Certainty::Known);
        }
        if self.opens.iter().all(Option::is_some) {
            return (true, Certainty::Known);
        }
        let [two, four] = self.evidence.iter().fold([0, 0], |[two, four], one| {
            let [against_two, against_four] = one.against();
            [two + against_two, four + against_four]
        });
        if two == four {
            (true, Certainty::Assumed)
        } else {
            (four < two, Certainty::Inferred)
        }
    }

    /// Whether NLRI of `family` that are sent in `direction` carry path identifiers.
    fn add_path(
        &self,
        declared: &Declared,
        family: Family,
        direction: StreamDirection,
    ) -> (bool, Certainty) {
        if let Some(families) = &declared.add_path {
            return (families.contains(family), Certainty::Declared);
        }
        if let Some(add_path) = self.encoding.add_path {
            return (add_path, Certainty::Known);
        }
        let says = |direction: StreamDirection, fits: fn(SendReceive) -> bool| {
            let open = self.opens[direction as usize].as_ref()?;
            Some(offered(open).any(|(offered, way)| offered == family && fits(way)))
        };
        let sends = says(direction, SendReceive::sends);
        let receives = says(direction.opposite(), SendReceive::receives);
        match (sends, receives) {
            (Some(false), _) | (_, Some(false)) => return (false, Certainty::Known),
            (Some(true), Some(true)) => return (true, Certainty::Known),
            _ => {}
        }
        match self.evidence[direction as usize].add_path(family) {
            Some(add_path) => (add_path, Certainty::Inferred),
            None => (false, Certainty::Assumed),
        }
    }

    fn context(&self, declared: &Declared, direction: StreamDirection) -> WireContext {
        let [sender, receiver] = [direction, direction.opposite()]
            .map(|direction| self.opens[direction as usize].as_ref());
        let extended_message = match (sender, receiver) {
            (Some(sender), Some(receiver)) => {
                WireContext::agreed(sender, receiver).extended_message
            }
            _ => true,
        };
        // The families that may carry them: those that the OPENs offer, that were seen, that are known.
        let offered = sender.into_iter().chain(receiver).flat_map(offered);
        let mut families: Vec<Family> = offered.map(|(family, _)| family).collect();
        families.extend(self.evidence[direction as usize].families());
        families.extend(declared.add_path.iter().flat_map(Families::iter));
        if self.encoding.add_path == Some(true) {
            families.extend(KNOWN_FAMILIES);
        }
        let add_path = families
            .into_iter()
            .filter(|family| self.add_path(declared, *family, direction).0)
            .collect();
        WireContext {
            four_octet_as: self.four_octet_as(declared).0,
            add_path,
            extended_message,
            bgpsec: true,
        }
    }

    /// What was not known from the OPENs, in words; empty where all was, or nothing depends on it.
    fn told(&self, declared: &Declared) -> String {
        let mut text = String::new();
        let (four, certainty) = self.four_octet_as(declared);
        if certainty > Certainty::Known {
            let width = if four { "four" } else { "two" };
            _ = write!(text, "{width}-octet AS numbers ({})", certainty.word());
        }
        for direction in StreamDirection::BOTH {
            let from = match direction {
                StreamDirection::FromClient => "client",
                StreamDirection::FromServer => "server",
            };
            let mut families: Vec<Family> = self.evidence[direction as usize].families().collect();
            families.extend(declared.add_path.iter().flat_map(Families::iter));
            families.dedup();
            for family in families {
                let (add_path, certainty) = self.add_path(declared, family, direction);
                if add_path && certainty > Certainty::Known {
                    let separator = if text.is_empty() { "" } else { ", " };
                    let word = certainty.word();
                    _ = write!(
                        text,
                        "{separator}add-path {family} from the {from} ({word})"
                    );
                }
            }
        }
        text
    }
}

fn offered(open: &Open) -> impl Iterator<Item = (Family, SendReceive)> {
    open.capabilities()
        .filter_map(|capability| match capability {
            Capability::AddPath(add_path) => Some(&add_path.entries),
            _ => None,
        })
        .flatten()
        .copied()
}

/// How the connections of one capture are to be read, as far as is known by now.
#[derive(Debug, Clone, Default)]
pub struct Contexts {
    declared: Declared,
    sessions: Vec<Session>,
    unknown: Option<WireContext>,
}

impl Contexts {
    /// Nothing known but what the user says.
    #[must_use]
    pub fn new(declared: Declared) -> Self {
        Self {
            declared,
            ..Self::default()
        }
    }

    /// Takes note of what an event says of how to read its connection: an OPEN, and UPDATEs where OPENs are missing.
    #[inline]
    pub fn note(&mut self, event: &CaptureEvent<'_>) {
        match event.kind {
            EventKind::Opened => {
                self.session(event);
            }
            EventKind::Message { octets, .. } => match MessageType(octets[18]) {
                MessageType::OPEN => self.note_open(event, octets),
                MessageType::UPDATE => {
                    let session = self.session(event);
                    if session.opens.iter().any(Option::is_none) {
                        Self::note_update(session, event.direction, octets);
                    }
                }
                _ => {}
            },
            _ => {}
        }
    }

    #[cold]
    fn note_open(&mut self, event: &CaptureEvent<'_>, octets: &[u8]) {
        let session = self.session(event);
        let slot = &mut session.opens[event.direction as usize];
        if slot.is_none() {
            *slot = open(octets);
            session.contexts = [None, None];
        }
    }

    fn note_update(session: &mut Session, direction: StreamDirection, octets: &[u8]) {
        if session.is_settled() || !session.evidence[direction as usize].is_open() {
            return;
        }
        session.evidence[direction as usize].ask(octets);
        session.contexts = [None, None];
    }

    #[inline]
    fn session(&mut self, event: &CaptureEvent<'_>) -> &mut Session {
        let number = event.connection.number;
        if self.sessions.len() <= number {
            self.sessions.resize(number + 1, Session::default());
        }
        let session = &mut self.sessions[number];
        session.encoding = event.connection.encoding;
        session
    }

    /// Whether something about connection `number` can only be inferred.
    #[must_use]
    pub fn is_open(&self, number: usize) -> bool {
        self.sessions
            .get(number)
            .is_none_or(|session| !session.is_settled())
    }

    /// Takes over what `other`, which has read the same capture to its end, has inferred.
    pub fn adopt(&mut self, other: Self) {
        for (number, theirs) in other.sessions.into_iter().enumerate() {
            match self.sessions.get_mut(number) {
                Some(ours) => {
                    ours.evidence = theirs.evidence;
                    ours.contexts = [None, None];
                }
                None => self.sessions.push(Session {
                    opens: [None, None],
                    contexts: [None, None],
                    ..theirs
                }),
            }
        }
    }

    /// How what is sent in `direction` on connection `number` is to be read, as far as is known by now.
    #[inline]
    pub fn context(&mut self, number: usize, direction: StreamDirection) -> &WireContext {
        let Some(session) = self.sessions.get_mut(number) else {
            return self.unknown.get_or_insert_with(unknown);
        };
        if session.contexts[direction as usize].is_none() {
            let context = session.context(&self.declared, direction);
            session.contexts[direction as usize] = Some(context);
        }
        session.contexts[direction as usize].get_or_insert_with(unknown)
    }

    /// What [`Self::context`] gave last.
    #[must_use]
    pub fn known(&self, number: usize, direction: StreamDirection) -> Option<&WireContext> {
        match self.sessions.get(number) {
            Some(session) => session.contexts[direction as usize].as_ref(),
            None => self.unknown.as_ref(),
        }
    }

    /// The OPEN that was sent in `direction` on connection `number`.
    #[must_use]
    pub fn open(&self, number: usize, direction: StreamDirection) -> Option<&Open> {
        self.sessions.get(number)?.opens[direction as usize].as_ref()
    }

    /// What of connection `number` the OPENs do not say, and how else it is known; empty where they say all.
    #[must_use]
    pub fn told(&self, number: usize) -> String {
        let session = self.sessions.get(number);
        session.map_or_else(String::new, |session| session.told(&self.declared))
    }
}
