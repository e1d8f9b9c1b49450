//! Octets on their way from one end to another: what pipes and unix sockets are made of.

use std::collections::VecDeque;

use super::kernel::Id;
use super::unix::Name;

/// What a pipe or a socket buffer holds, as on Linux.
pub(super) const CAPACITY: usize = 65_536;

/// One direction of a pipe or a unix socket.
#[derive(Debug, Clone)]
pub(super) struct Channel {
    parts: VecDeque<Part>,
    length: usize,
    pub capacity: usize,
    /// A part is a message, read as a whole.
    messages: bool,
    /// Someone may still write.
    pub writer: bool,
    /// Someone may still read.
    pub reader: bool,
    /// The reader's end closed with octets unread.
    pub reset: bool,
    /// Counts what makes it readable, for edge-triggered epoll(7).
    pub arrivals: u64,
    /// Counts what makes it writable.
    pub departures: u64,
}

/// What was written at once.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    pub octets: VecDeque<u8>,
    /// Descriptors that go with it (SCM_RIGHTS).
    pub rights: Vec<Right>,
    /// Who sent it, for datagrams.
    pub from: Option<Name>,
    /// The sender's process, user and group (SCM_CREDENTIALS).
    pub credentials: (i32, u32, u32),
}

/// A descriptor on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Right(pub Id);

impl Channel {
    pub(super) fn new(messages: bool) -> Self {
        Self {
            parts: VecDeque::new(),
            length: 0,
            capacity: CAPACITY,
            messages,
            writer: true,
            reader: true,
            reset: false,
            arrivals: 0,
            departures: 1,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Octets that wait (of the first message alone, where there are messages).
    pub(super) fn waiting(&self) -> usize {
        match self.parts.front() {
            Some(first) if self.messages => first.octets.len(),
            _ => self.length,
        }
    }

    pub(super) fn room(&self) -> usize {
        self.capacity.saturating_sub(self.length)
    }

    /// Whether poll(2) would report room: Linux asks for a good part of the buffer.
    pub(super) fn writable(&self) -> bool {
        self.room() >= 4_096.min(self.capacity)
    }

    pub(super) fn push(&mut self, part: Part) {
        self.length += part.octets.len();
        self.arrivals += 1;
        self.parts.push_back(part);
    }

    /// Takes up to `most` octets, or shows them where `peek`; the flag says that a message was cut off.
    pub(super) fn take(&mut self, most: usize, peek: bool) -> (Part, bool) {
        let mut taken = Part::default();
        if peek {
            return self.peek(most);
        }
        let mut cut = false;
        while let Some(first) = self.parts.front_mut() {
            // Nothing is joined to what came with descriptors.
            let begins = taken.octets.is_empty();
            if !taken.rights.is_empty() || (self.messages && !begins) {
                break;
            }
            taken.rights.append(&mut first.rights);
            taken.from = first.from.take();
            taken.credentials = first.credentials;
            let count = first.octets.len().min(most - taken.octets.len());
            taken.octets.extend(first.octets.drain(..count));
            self.length -= count;
            if self.messages {
                cut = !first.octets.is_empty();
                self.length -= first.octets.len();
                self.parts.pop_front();
                break;
            }
            if !first.octets.is_empty() {
                break;
            }
            self.parts.pop_front();
        }
        self.departures += 1;
        (taken, cut)
    }

    fn peek(&self, most: usize) -> (Part, bool) {
        let mut seen = Part::default();
        for part in &self.parts {
            let room = most - seen.octets.len();
            seen.octets.extend(part.octets.iter().take(room));
            seen.from = part.from.clone();
            if self.messages {
                return (seen, part.octets.len() > room);
            }
        }
        (seen, false)
    }

    /// The descriptors that will never be received.
    pub(super) fn drain_rights(&mut self) -> Vec<Right> {
        self.parts
            .iter_mut()
            .flat_map(|part| part.rights.drain(..))
            .collect()
    }
}
