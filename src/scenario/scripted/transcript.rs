//! The messages that one peer sent and received on one connection.

use std::time::Duration;

use crate::net::ConnectionName;
use crate::scenario::format::message::KEEPALIVE;

/// A message and its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// Time since the start of the run.
    pub at: Duration,
    /// Whether the speaker sent it (or the peer).
    pub from_speaker: bool,
    /// The whole message.
    pub bytes: Vec<u8>,
}

/// How a connection ended, as the peer saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The peer closed it.
    ByPeer,
    /// The speaker closed it.
    BySpeaker,
    /// The speaker (or the network) reset it.
    Reset,
}

/// One connection of one peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript {
    /// Its name, seen from the speaker.
    pub name: ConnectionName,
    /// When the peer had it open, since the start of the run.
    pub opened: Duration,
    /// Messages, in order.
    pub messages: Vec<Passed>,
    /// When and how it ended.
    pub ended: Option<(Duration, Ending)>,
}

impl Transcript {
    /// The messages that are compared with a golden: the speaker's, without KEEPALIVEs.
    pub fn compared(&self) -> impl Iterator<Item = &Passed> {
        compared(&self.messages)
    }
}

/// Those of `messages` that a golden fixes: the speaker's, KEEPALIVEs left out.
pub(super) fn compared(messages: &[Passed]) -> impl Iterator<Item = &Passed> {
    messages
        .iter()
        .filter(|passed| passed.from_speaker && passed.bytes.get(18) != Some(&KEEPALIVE))
}
