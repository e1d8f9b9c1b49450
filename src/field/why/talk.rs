//! What was said on one connection, as far as its end may need it: the OPENs, the last messages, what is malformed in
//! them, and how it was closed.

use std::collections::VecDeque;

use crate::bgp::iana::MessageType;
use crate::bgp::message::{Message, Notification, Open};
use crate::capture::{CaptureEvent, Connection, EventKind, JunkReason, Note, StreamDirection};
use crate::compare::Contexts;

use super::fault::MessageFault;

/// Messages of each direction that are remembered, and octets of them.
const REMEMBERED: (usize, usize) = (24, 16 * 1024);

/// A message, without what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessagePlace {
    /// Its number in the capture, as `lockstep show` counts.
    pub number: u64,
    /// Nanoseconds since 1970.
    pub time: u64,
    /// Octets of the stream before it.
    pub offset: u64,
    /// Its length in octets.
    pub length: usize,
    /// Its type.
    pub kind: MessageType,
}

impl MessagePlace {
    /// Octets of the stream up to its end.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.offset + self.length as u64
    }
}

/// What one end said.
#[derive(Debug, Clone, Default)]
pub struct Voice {
    /// Its OPEN.
    pub open: Option<(MessagePlace, Vec<u8>)>,
    /// Messages by type, the code as the index.
    pub counts: [u64; 8],
    /// Routes that it announced, by how many NLRI.
    pub announced: u64,
    /// Routes that it withdrew.
    pub withdrawn: u64,
    /// Its last message of any kind.
    pub last: Option<MessagePlace>,
    /// Its last message but NOTIFICATIONs.
    pub last_before: Option<MessagePlace>,
    /// Its first NOTIFICATION.
    pub notification: Option<(MessagePlace, Notification)>,
    /// Its last message that is malformed, and in what.
    pub fault: Option<(MessagePlace, MessageFault)>,
    /// Octets that are no message, the last of them.
    pub junk: Option<(MessagePlace, JunkReason)>,
    /// Octets that are not in the capture, and how many.
    pub gap: Option<(u64, u64)>,
    /// FIN.
    pub finished: Option<u64>,
    recent: VecDeque<(MessagePlace, Vec<u8>)>,
    kept: usize,
}

impl Voice {
    /// Its OPEN, decoded.
    #[must_use]
    pub fn opened(&self) -> Option<Open> {
        let (_, octets) = self.open.as_ref()?;
        match Message::decode(&Default::default(), octets) {
            Ok(Message::Open(open)) => Some(open),
            _ => None,
        }
    }

    /// The last of its recent messages that holds `octets`, and where in the message.
    #[must_use]
    pub fn holding(&self, octets: &[u8]) -> Option<(MessagePlace, usize)> {
        if octets.len() < 3 {
            return None;
        }
        self.recent.iter().rev().find_map(|(place, message)| {
            let at = message
                .windows(octets.len())
                .position(|window| window == octets)?;
            Some((*place, at))
        })
    }

    /// Octets that it sent, as far as the stream was read.
    #[must_use]
    pub fn octets(&self) -> u64 {
        self.last.map_or(0, |last| last.end())
    }

    fn remember(&mut self, place: MessagePlace, octets: &[u8]) {
        self.kept += octets.len();
        self.recent.push_back((place, octets.to_vec()));
        while self.recent.len() > REMEMBERED.0 || self.kept > REMEMBERED.1 && self.recent.len() > 1
        {
            let Some((_, old)) = self.recent.pop_front() else {
                break;
            };
            self.kept -= old.len();
        }
    }
}

/// One connection on which BGP was spoken.
#[derive(Debug, Clone)]
pub struct Talk {
    /// The TCP connection: both addresses and ports.
    pub connection: Connection,
    /// What either end said, the client first.
    pub voices: [Voice; 2],
    /// Who reset it, and when.
    pub reset: Option<(StreamDirection, u64)>,
    /// What else is known of its end: a Peer Down of BMP, a state change of MRT.
    pub noted: Option<(u64, StreamDirection, Note)>,
}

impl Talk {
    pub(super) fn new(connection: Connection) -> Self {
        Self {
            connection,
            voices: Default::default(),
            reset: None,
            noted: None,
        }
    }

    /// What is said in `direction`.
    #[must_use]
    pub const fn voice(&self, direction: StreamDirection) -> &Voice {
        &self.voices[direction as usize]
    }

    /// The hold time in seconds that the OPENs agree on (RFC 4271 section 4.2), where both are in the capture.
    #[must_use]
    pub fn hold_time(&self) -> Option<u16> {
        let [one, other] = self.voices.each_ref().map(Voice::opened);
        Some(one?.hold_time.min(other?.hold_time))
    }

    /// Whether both ends answered the other's OPEN with a KEEPALIVE.
    #[must_use]
    pub fn is_established(&self) -> bool {
        self.voices.iter().all(|voice| {
            voice.counts[usize::from(MessageType::KEEPALIVE.0)] > 0
                || voice.counts[usize::from(MessageType::UPDATE.0)] > 0
        })
    }

    /// Takes what happened on it; `number` is that of the last message.
    pub(super) fn take(&mut self, event: &CaptureEvent<'_>, number: u64, contexts: &mut Contexts) {
        let voice = &mut self.voices[event.direction as usize];
        let place = |offset, length, kind| MessagePlace {
            number,
            time: event.time,
            offset,
            length,
            kind,
        };
        match event.kind {
            EventKind::Message { offset, octets } => {
                let kind = MessageType(octets[18]);
                let place = place(offset, octets.len(), kind);
                if let Some(count) = voice.counts.get_mut(usize::from(kind.0)) {
                    *count += 1;
                }
                voice.last = Some(place);
                if kind != MessageType::NOTIFICATION {
                    voice.last_before = Some(place);
                }
                if kind == MessageType::KEEPALIVE && octets.len() == 19 {
                    return;
                }
                if kind == MessageType::OPEN && voice.open.is_none() {
                    voice.open = Some((place, octets.to_vec()));
                }
                voice.remember(place, octets);
                let context = contexts.context(event.connection.number, event.direction);
                match Message::decode(context, octets) {
                    Ok(Message::Update(update)) => {
                        voice.announced += update.announced().count() as u64;
                        voice.withdrawn += update.withdrawn().count() as u64;
                        if let Some(fault) = MessageFault::of_update(&update) {
                            voice.fault = Some((place, fault));
                        }
                    }
                    Ok(Message::Notification(notification)) => {
                        voice.notification.get_or_insert((place, notification));
                    }
                    Ok(Message::Unknown(_)) => {
                        voice.fault = Some((place, MessageFault::unknown_type(kind.0)));
                    }
                    Ok(_) => {}
                    Err(error) => voice.fault = Some((place, MessageFault::of(&error))),
                }
            }
            EventKind::Junk {
                offset,
                reason,
                octets,
            } => {
                let place = place(offset, octets.len(), MessageType(0));
                voice.remember(place, octets);
                voice.junk = Some((place, reason));
            }
            EventKind::Gap { lost, .. } => voice.gap = Some((event.time, lost)),
            EventKind::Finished => voice.finished = voice.finished.or(Some(event.time)),
            EventKind::Reset => self.reset = self.reset.or(Some((event.direction, event.time))),
            EventKind::Noted(note) => self.noted = Some((event.time, event.direction, note)),
            EventKind::Opened => {}
        }
    }

    /// Drops the octets that only a session that goes on may need.
    pub(super) fn close(&mut self) {
        for voice in &mut self.voices {
            voice.recent = VecDeque::new();
        }
    }
}
