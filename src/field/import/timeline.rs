//! One connection of a capture as a speaker and its peer: who says what when, and where the reset falls.

use std::net::IpAddr;
use std::time::Duration;

use crate::capture::{ConnectionId, StreamDirection};
use crate::field::import::error::ImportError;
use crate::field::import::trace::{Conversation, End, Trace, listed};
use crate::scenario::format::message::{HEADER, OPEN, UPDATE};
use crate::sim::Direction as Way;

/// Which connection is meant, and which end of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Choice {
    /// The number of the connection, from 1; the one that was reset where it is absent.
    pub connection: Option<usize>,
    /// The end that our speaker takes; the one that was reset by the other where it is absent.
    pub speaker: Option<IpAddr>,
}

/// A session to be played again.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// The connection.
    pub connection: ConnectionId,
    /// Nanoseconds since 1970 of its opening.
    pub opened: u64,
    /// The end that our speaker takes.
    pub speaker: IpAddr,
    /// The other end.
    pub peer: IpAddr,
    /// What was said before the reset, in order.
    pub pieces: Vec<Piece>,
    /// What the reset cut off: the ends of the last messages, which nobody ever saw. They are made up, of zeros.
    pub rest: Vec<Piece>,
    /// When the connection was reset, and by whom.
    pub reset: (Duration, Way),
}

/// Octets that one end said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Since the opening.
    pub at: Duration,
    /// By the speaker or by its peer.
    pub way: Way,
    /// A message, mostly.
    pub octets: Vec<u8>,
}

/// A scenario counts whole microseconds: what happens within one is seen at its end.
#[must_use]
pub fn tick(time: Duration) -> Duration {
    let micros = time.as_nanos().div_ceil(1_000);
    Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}

impl Trace {
    /// The conversation that `choice` means.
    ///
    /// # Errors
    /// None or several were reset; there is none of that number; it was not reset.
    pub fn chosen(&self, choice: &Choice) -> Result<&Conversation, ImportError> {
        let numbered = || (1..).zip(&self.conversations);
        if self.conversations.is_empty() {
            return Err(ImportError::NoBgp {
                packets: self.tally.packets,
                segments: self.tally.segments,
            });
        }
        let was_reset = |it: &Conversation| matches!(it.end, End::Reset(..));
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

impl Timeline {
    /// `conversation` with our speaker at the end that `choice` means.
    ///
    /// # Errors
    /// It was not reset, octets are missing, OPENs are missing, or the speaker is at neither end.
    pub fn of(conversation: &Conversation, choice: &Choice) -> Result<Self, ImportError> {
        let connection = conversation.id();
        let End::Reset(resetter, reset_at) = conversation.end else {
            return Err(ImportError::NoReset {
                connections: listed([(1, conversation)]),
            });
        };
        let end = |way| connection.peer.sender(way);
        let speaking = match choice.speaker {
            None => resetter.opposite(),
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
        let said = conversation.said.iter().filter(|said| said.at <= reset_at);
        let pieces: Vec<Piece> = said
            .clone()
            .map(|said| Piece {
                at: said.at,
                way: way(said.by),
                octets: said.octets.clone(),
            })
            .collect();
        let after = tick(reset_at) + Duration::from_millis(1);
        let rest = said.filter(|said| said.cut).map(|said| Piece {
            at: after,
            way: way(said.by),
            octets: remainder(&said.octets),
        });
        Ok(Self {
            connection,
            opened: conversation.connection.opened,
            speaker: end(speaking),
            peer: end(speaking.opposite()),
            rest: rest.collect(),
            pieces,
            reset: (reset_at, way(resetter)),
        })
    }

    /// Octets said one way.
    #[must_use]
    pub fn octets(&self, way: Way) -> u64 {
        let said = self.pieces.iter().filter(|piece| piece.way == way);
        said.map(|piece| piece.octets.len() as u64).sum()
    }

    /// What was said one way, and then what the reset cut off.
    pub fn pieces(&self, way: Way) -> impl Iterator<Item = &Piece> {
        let all = self.pieces.iter().chain(&self.rest);
        all.filter(move |piece| piece.way == way)
    }

    /// The last time at which something happens.
    #[must_use]
    pub fn span(&self) -> Duration {
        let rest = self.rest.iter().map(|piece| piece.at);
        rest.fold(tick(self.reset.0), Duration::max)
    }

    /// The speaker's OPEN.
    #[must_use]
    pub fn open(&self, way: Way) -> Option<&[u8]> {
        let first = self.pieces.iter().find(|piece| piece.way == way)?;
        is_open(&first.octets).then_some(first.octets.as_slice())
    }
}

/// Checks that all octets are there, from the OPENs on.
fn whole(conversation: &Conversation, speaking: StreamDirection) -> Result<(), ImportError> {
    let connection = conversation.id();
    let end = |way| connection.peer.sender(way);
    if let Some(flaw) = conversation.flaw {
        let by = end(flaw.by);
        if flaw.lost.is_none() || flaw.offset == 0 && !conversation.connection.handshake {
            return Err(ImportError::MidSession { connection, by });
        }
        return Err(ImportError::Lost {
            connection,
            by,
            offset: flaw.offset,
            lost: flaw.lost,
        });
    }
    for way in StreamDirection::BOTH {
        let first = conversation.said.iter().find(|said| said.by == way);
        let by = end(way);
        match first {
            // A peer that was seen from its SYN on may say anything first, or nothing.
            _ if way != speaking && conversation.connection.handshake => {}
            Some(said) if is_open(&said.octets) => {}
            None if conversation.connection.handshake => {
                let other = end(way.opposite());
                return Err(ImportError::Unsaid {
                    connection,
                    by,
                    other,
                });
            }
            _ => return Err(ImportError::MidSession { connection, by }),
        }
    }
    Ok(())
}

fn is_open(octets: &[u8]) -> bool {
    octets.get(18) == Some(&OPEN)
}

/// Octets that make `beginning` a message as long as its header says; a header that is cut becomes that of the shortest.
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
    use crate::scenario::format::message::{frame, keepalive, message};

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
