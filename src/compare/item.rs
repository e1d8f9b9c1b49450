//! One thing of a stream, taken out of it to be shown.

use crate::capture::JunkReason;

/// What kind of thing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ComparedItemKind {
    /// A message.
    Message,
    /// Octets that are no message.
    Junk(JunkReason),
    /// So many octets that are not in the capture.
    Gap(u64),
    /// The sender closed (FIN).
    Finished,
    /// The sender reset the connection.
    Reset,
}

/// A message, or what stands between messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedItem {
    /// Its number in its stream, from 0, among what is compared.
    pub index: u64,
    /// Octets of the stream before it.
    pub offset: u64,
    /// Nanoseconds since 1970.
    pub time: u64,
    /// Nanoseconds since its connection was opened.
    pub since_open: u64,
    /// What it is.
    pub kind: ComparedItemKind,
    /// Its octets, where it has any.
    pub octets: Vec<u8>,
}

impl ComparedItem {
    /// Whether both are the same octets, or the same end.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.kind == other.kind && self.octets == other.octets
    }

    /// The message type, where it is a message.
    #[must_use]
    pub fn message_type(&self) -> Option<u8> {
        match self.kind {
            ComparedItemKind::Message => self.octets.get(18).copied(),
            _ => None,
        }
    }
}
