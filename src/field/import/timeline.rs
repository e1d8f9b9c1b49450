//! One connection of a capture as a speaker and its peer: who sends what when, and where the reset is.

use std::net::IpAddr;
use std::time::Duration;

use crate::bgp::message::NotificationCode;
use crate::capture::{ConnectionId, StreamDirection};
use crate::compare::Contexts;
use crate::field::import::error::ImportError;
use crate::field::import::opening::{self, Substitute, substitutes};
use crate::field::import::trace::{Conversation, End, Said, Trace, listed};
use crate::scenario::format::message::{HEADER, NOTIFICATION, OPEN, UPDATE, keepalive};
use crate::sim::Direction as Way;

/// The choice of a connection, and of the end that our speaker takes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Choice {
    /// Number of the connection, from 1; if absent, the one that ended.
    pub connection: Option<usize>,
    /// The end that our speaker takes; if absent, the one that did not end it, or that complains of the other (NOTIFICATION).
    pub speaker: Option<IpAddr>,
}

const CEASE: u8 = NotificationCode::CEASE.0;

/// A session to replay.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// Ends and opening of the connection.
    pub connection: ConnectionId,
    /// Time of its opening, in nanoseconds since 1970.
    pub opened: u64,
    /// The end that our speaker takes.
    pub speaker: IpAddr,
    /// The other end.
    pub peer: IpAddr,
    /// Octets sent before the reset, in order.
    pub pieces: Vec<Piece>,
    /// Padding for the messages that the reset truncated: zeros, which are never sent.
    pub rest: Vec<Piece>,
    /// When the connection ended.
    pub end: Duration,
    /// How, and by whom: the speaker (sent) or its peer.
    pub ended: Ended,
    /// OPENs in place of those that the capture does not have; the session begins [`opening::TAKES`] later for it.
    pub substitutes: Vec<Substitute>,
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By RST, and no NOTIFICATION before it.
    Reset(Way),
    /// By a NOTIFICATION; FIN or RST behind it is what follows from that.
    Notified(Way),
    /// By FIN, without a NOTIFICATION.
    Closed(Way),
    /// By silence: nothing of this end arrived any more.
    Silent(Way),
}

impl Ended {
    /// The end that ended it.
    #[must_use]
    pub const fn by(self) -> Way {
        match self {
            Self::Reset(by) | Self::Notified(by) | Self::Closed(by) | Self::Silent(by) => by,
        }
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Reset(_) => "reset",
            Self::Notified(_) => "ended by NOTIFICATION",
            Self::Closed(_) => "closed (FIN)",
            Self::Silent(_) => "silence",
        })
    }
}

/// Octets that one end sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Time since the opening.
    pub at: Duration,
    /// Whether the speaker or its peer sent them.
    pub way: Way,
    /// Usually one message.
    pub octets: Vec<u8>,
}

/// A scenario counts whole microseconds: events are moved to the end of theirs.
#[must_use]
pub fn tick(time: Duration) -> Duration {
    let micros = time.as_nanos().div_ceil(1_000);
    Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}

impl Trace {
    /// The conversation that `choice` selects.
    ///
    /// # Errors
    /// None or several ended; there is none of that number; it did not end.
    pub fn chosen(&self, choice: &Choice) -> Result<&Conversation, ImportError> {
        let numbered = || (1..).zip(&self.conversations);
        if self.conversations.is_empty() && !self.attempts.is_empty() {
            return Err(ImportError::NoSession {
                attempts: self.attempts.join("\n"),
            });
        }
        if self.conversations.is_empty() {
            return Err(ImportError::NoBgp {
                packets: self.tally.packets,
                segments: self.tally.segments,
            });
        }
        let was_reset = Conversation::is_ended;
        let Some(wanted) = choice.connection else {
            let reset: Vec<_> = numbered().filter(|(_, it)| was_reset(it)).collect();
            return match reset.as_slice() {
                [] => Err(ImportError::NoReset {
                    connections: listed(numbered()),
                }),
                [(_, only)] => Ok(only),
                [(first, _), ..] => Err(ImportError::Several {
                    first: *first,
                    connections: listed(reset),
                }),
            };
        };
        let connections = listed(numbered());
        let chosen = wanted
            .checked_sub(1)
            .and_then(|at| self.conversations.get(at));
        match chosen {
            Some(chosen) if was_reset(chosen) => Ok(chosen),
            Some(chosen) => Err(ImportError::NotReset {
                number: wanted,
                connection: chosen.to_string(),
                connections,
            }),
            None => Err(ImportError::NoSuchConnection {
                wanted,
                connections,
            }),
        }
    }
}

impl Trace {
    /// The end that our speaker does not take unless it is told to.
    ///
    /// # Errors
    /// As for [`Self::chosen`] and [`Timeline::of`].
    pub(super) fn other_end(&self, choice: &Choice) -> Result<IpAddr, ImportError> {
        Timeline::of(self.chosen(choice)?, &self.contexts, choice).map(|timeline| timeline.peer)
    }
}

impl Timeline {
    /// `conversation` with our speaker at the end that `choice` selects.
    ///
    /// # Errors
    /// It was not reset, octets are missing, OPENs are missing, or the speaker is at neither end.
    pub fn of(
        conversation: &Conversation,
        contexts: &Contexts,
        choice: &Choice,
    ) -> Result<Self, ImportError> {
        let connection = conversation.id();
        let (ender, end_at, kind): (_, _, fn(Way) -> Ended) =
            match (conversation.notified(), conversation.end) {
                (Some((by, at, _)), _) => (by, at, Ended::Notified),
                (None, End::Reset(by, at)) => (by, at, Ended::Reset),
                (None, End::Finished(by, at)) => (by, at, Ended::Closed),
                (None, End::Silent(by, at)) => (by, at, Ended::Silent),
                (None, End::Open) => {
                    return Err(ImportError::NoReset {
                        connections: listed([(1, conversation)]),
                    });
                }
            };
        let end = |way| connection.peer.sender(way);
        let speaking = match choice.speaker {
            // Who complains of what the other said is to be tried with it; else it is who learns of the end.
            None => match conversation.notified() {
                Some((by, _, code)) if code != CEASE => by,
                _ => ender.opposite(),
            },
            Some(wanted) => StreamDirection::BOTH
                .into_iter()
                .find(|way| end(*way) == wanted)
                .ok_or(ImportError::NoSuchSpeaker { wanted, connection })?,
        };
        whole(conversation, speaking)?;
        let way = |by| {
            if by == speaking {
                Way::Sent
            } else {
                Way::Received
            }
        };
        // What is behind a NOTIFICATION of the same end is no part of the session any more.
        let notifies = conversation.notified().is_some();
        let mut is_over = false;
        let said: Vec<_> = conversation
            .said
            .iter()
            .take_while(|said| said.at <= end_at)
            .filter(|said| {
                let was_over = is_over;
                is_over |=
                    notifies && said.by == ender && said.octets.get(18) == Some(&NOTIFICATION);
                !was_over
            })
            .collect();
        let substitutes = substitutes(conversation, contexts, |by| {
            !conversation.connection.handshake && conversation.opening(by).is_none()
        });
        let begin = if substitutes.is_empty() {
            Duration::ZERO
        } else {
            opening::TAKES
        };
        let end_at = begin + end_at;
        let mut pieces = opened(&substitutes, &said, way);
        pieces.extend(said.iter().map(|said| Piece {
            at: begin + said.at,
            way: way(said.by),
            octets: said.octets.clone(),
        }));
        let after = tick(end_at) + Duration::from_millis(1);
        let rest = said.iter().filter(|said| said.cut).map(|said| Piece {
            at: after,
            way: way(said.by),
            octets: remainder(&said.octets),
        });
        Ok(Self {
            connection,
            opened: conversation
                .connection
                .opened
                .saturating_sub(begin.as_nanos() as u64),
            speaker: end(speaking),
            peer: end(speaking.opposite()),
            rest: rest.collect(),
            pieces,
            end: end_at,
            ended: kind(way(ender)),
            substitutes,
        })
    }

    /// Octets sent in one direction.
    #[must_use]
    pub fn octets(&self, way: Way) -> u64 {
        let said = self.pieces.iter().filter(|piece| piece.way == way);
        said.map(|piece| piece.octets.len() as u64).sum()
    }

    /// Octets sent in one direction, followed by the padding of a truncated message.
    pub fn pieces(&self, way: Way) -> impl Iterator<Item = &Piece> {
        let all = self.pieces.iter().chain(&self.rest);
        all.filter(move |piece| piece.way == way)
    }

    /// Time of the last event.
    #[must_use]
    pub fn span(&self) -> Duration {
        let rest = self.rest.iter().map(|piece| piece.at);
        rest.fold(tick(self.end), Duration::max)
    }

    /// The speaker's OPEN.
    #[must_use]
    pub fn open(&self, way: Way) -> Option<&[u8]> {
        let first = self.pieces.iter().find(|piece| piece.way == way)?;
        is_open(&first.octets).then_some(first.octets.as_slice())
    }
}

/// The opening that substitutes stand for: the OPENs, and a KEEPALIVE of each end that has none of its own to come.
fn opened(
    substitutes: &[Substitute],
    said: &[&Said],
    way: impl Fn(StreamDirection) -> Way,
) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = Duration::ZERO;
    let mut say = |by, octets: &[u8]| {
        pieces.push(Piece {
            at,
            way: way(by),
            octets: octets.to_vec(),
        });
        at += Duration::from_micros(1);
    };
    for substitute in substitutes {
        say(substitute.by, &substitute.octets);
    }
    // Where one OPEN is in the capture, the KEEPALIVE that answers it is too, unless that end is not heard.
    let both = substitutes.len() > 1;
    for Substitute { by, .. } in substitutes {
        if both || !said.iter().any(|said| said.by == *by) {
            say(*by, &keepalive());
        }
    }
    pieces
}

/// Checks that no octet is missing from the OPENs on, or from the first whole messages.
fn whole(conversation: &Conversation, speaking: StreamDirection) -> Result<(), ImportError> {
    let connection = conversation.id();
    let end = |way| connection.peer.sender(way);
    if let Some(flaw) = conversation.flaw {
        return Err(ImportError::Lost {
            connection,
            by: end(flaw.by),
            offset: flaw.offset,
            lost: flaw.lost,
        });
    }
    // A connection captured from its SYN on may start with anything from the peer, or nothing.
    if conversation.connection.handshake && conversation.opening(speaking).is_none() {
        return Err(ImportError::Unsaid {
            connection,
            by: end(speaking),
            other: end(speaking.opposite()),
        });
    }
    Ok(())
}

fn is_open(octets: &[u8]) -> bool {
    octets.get(18) == Some(&OPEN)
}

/// Octets that make `beginning` a message as long as its header says; a truncated header becomes that of the shortest message.
fn remainder(beginning: &[u8]) -> Vec<u8> {
    let shortest = crate::scenario::format::message::keepalive();
    let header = shortest.get(beginning.len()..).unwrap_or_default();
    let mut whole = [beginning, header].concat();
    let length = usize::from(u16::from_be_bytes([whole[16], whole[17]])).max(HEADER);
    if beginning.len() < HEADER && length > HEADER {
        whole[18] = UPDATE;
    }
    whole.resize(length.max(beginning.len()), 0);
    whole.split_off(beginning.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::format::message::{frame, message};

    #[test]
    fn whatever_was_cut_off_is_completed_to_a_message() {
        for whole in [keepalive(), message(2, &[0; 30]), message(2, &[0; 700])] {
            for cut in 1..whole.len() {
                let completed = [&whole[..cut], &remainder(&whole[..cut])].concat();
                assert_eq!(frame(&completed), Ok(Some(completed.len())), "{cut}");
            }
        }
    }

    #[test]
    fn a_moment_is_seen_at_the_end_of_its_microsecond() {
        assert_eq!(tick(Duration::ZERO), Duration::ZERO);
        assert_eq!(tick(Duration::from_nanos(1_000)), Duration::from_micros(1));
        assert_eq!(tick(Duration::from_nanos(1_001)), Duration::from_micros(2));
    }
}
