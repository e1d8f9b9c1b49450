//! How the messages of a connection are to be read: what its two OPENs agreed on.

use crate::bgp::attribute::WireContext;
use crate::bgp::family::Families;
use crate::bgp::iana::MessageType;
use crate::bgp::message::{Message, Open};
use crate::capture::{Direction, Event, EventKind};

/// The context of what the sender of `sent` sends to that of `received`.
///
/// Where an OPEN is not in the capture, AS numbers have four octets, as nearly everywhere.
#[must_use]
pub fn agreed(sent: Option<&[u8]>, received: Option<&[u8]>) -> WireContext {
    let (Some(sent), Some(received)) = (sent.and_then(open), received.and_then(open)) else {
        return WireContext {
            four_octet_as: true,
            add_path: Families::new(),
            // RFC 8654 is no reason to refuse a long message of which it is not known whether it was agreed on.
            extended_message: true,
        };
    };
    WireContext::agreed(&sent, &received)
}

fn open(octets: &[u8]) -> Option<Open> {
    match Message::decode(&WireContext::default(), octets) {
        Ok(Message::Open(open)) => Some(open),
        _ => None,
    }
}

/// The OPENs of the connections of one capture.
#[derive(Debug, Clone, Default)]
pub struct Opens {
    connections: Vec<[Option<Box<[u8]>>; 2]>,
}

impl Opens {
    /// Takes note of an OPEN, and of nothing else.
    pub fn note(&mut self, event: &Event<'_>) {
        let EventKind::Message { octets, .. } = event.kind else {
            return;
        };
        if MessageType(octets[18]) != MessageType::OPEN {
            return;
        }
        let number = event.connection.number;
        if self.connections.len() <= number {
            self.connections.resize(number + 1, [None, None]);
        }
        self.connections[number][event.direction as usize].get_or_insert_with(|| octets.into());
    }

    /// How what is sent in `direction` on connection `number` is to be read, as far as is known by now.
    #[must_use]
    pub fn context(&self, number: usize, direction: Direction) -> WireContext {
        let open = |direction: Direction| {
            let connection = self.connections.get(number)?;
            connection[direction as usize].as_deref()
        };
        agreed(open(direction), open(direction.opposite()))
    }
}
