//! One direction of a TCP connection as its segments tell it: what was sent, what of it was acknowledged, and what the
//! receiver's window allowed.

use std::collections::VecDeque;

use crate::capture::Segment;

/// TCP option kinds (IANA "TCP Option Kind Numbers").
pub(super) mod option {
    pub const WINDOW_SCALE: u8 = 3;
    pub const SACK: u8 = 5;
    pub const MD5: u8 = 19;
    pub const AO: u8 = 29;
}

/// Segments in flight whose sizes are remembered.
const IN_FLIGHT: usize = 64;
/// Segments whose times are remembered.
const TIMES: usize = 16;

/// Octets that were sent more than once and are not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stuck {
    /// Sequence number of the first of them.
    pub sequence: u32,
    /// Octets in the segment.
    pub length: u32,
    /// When it was sent again first.
    pub first: u64,
    /// When it was sent again last.
    pub last: u64,
    /// Times that it was sent again.
    pub times: u32,
}

/// An RST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rst {
    /// Nanoseconds since 1970.
    pub time: u64,
    /// It acknowledges: a socket was aborted. Without, a host answers a segment of a connection that it does not know
    /// (RFC 9293 section 3.5.2).
    pub acknowledges: bool,
    /// Its sequence number is the next one of its sender.
    pub is_exact: bool,
    /// Its time to live; 0 where that is not known.
    pub hops: u8,
    /// Nanoseconds from the last segment of the other end to it.
    pub after_other: Option<u64>,
}

/// What one end sent.
#[derive(Debug, Clone, Default)]
pub struct Lane {
    /// Sequence number of its SYN.
    pub initial: Option<u32>,
    /// Its SYN came as the answer to one.
    pub answered: bool,
    /// SYNs sent.
    pub syns: u32,
    /// MD5 signature option (RFC 2385) on its segments.
    pub md5: bool,
    /// TCP authentication option (RFC 5925) on its segments.
    pub ao: bool,
    /// The different times to live of its segments, as they were captured; 0 where there are fewer.
    pub hops: [u8; 4],
    /// When its first segment came.
    pub first: Option<u64>,
    /// When its last segment came, RST left out.
    pub last: Option<u64>,
    /// When it sent octets last that it had not sent before.
    pub last_data: Option<u64>,
    /// When octets of it were acknowledged last that had not been.
    pub last_progress: Option<u64>,
    /// Segments that hold octets sent before.
    pub retransmitted: u32,
    /// Segments among them that the other end had acknowledged already: its acknowledgments do not arrive.
    pub needless: u32,
    /// What it sends again and again.
    pub stuck: Option<Stuck>,
    /// The largest segment that was acknowledged.
    pub largest_acknowledged: u32,
    /// The receiver said that it has later octets and misses earlier ones (SACK, RFC 2018).
    pub missing: u32,
    /// Its receive window is zero, since when.
    pub closed_since: Option<u64>,
    /// When its window opened again, if it was zero before.
    pub reopened: Option<u64>,
    /// Segments that said so.
    pub closed_windows: u32,
    /// Keep-alive probes, and probes of a zero window.
    pub probes: u32,
    /// FIN.
    pub fin: Option<u64>,
    /// The first RST.
    pub rst: Option<Rst>,
    next: Option<u32>,
    acknowledged: Option<u32>,
    scale: Option<u8>,
    in_flight: VecDeque<(u32, u32)>,
    /// Times of its last segments.
    times: VecDeque<u64>,
}

/// Whether `a` comes before `b` (RFC 9293 section 3.4).
const fn before(a: u32, b: u32) -> bool {
    b.wrapping_sub(a).cast_signed() > 0
}

impl Lane {
    /// Takes a segment that its end sent; the other end's last segment came at `other`.
    pub(super) fn sent(&mut self, time: u64, segment: &Segment<'_>, other: Option<u64>) {
        if segment.has(Segment::RST) {
            self.reset(time, segment, other);
            return;
        }
        if self.first.is_none() {
            self.first = Some(time);
        }
        self.last = Some(time);
        if self.times.len() == TIMES {
            self.times.pop_front();
        }
        self.times.push_back(time);
        self.note_hops(segment.hops);
        if !segment.options.is_empty() {
            self.md5 |= segment.option(option::MD5).is_some();
            self.ao |= segment.option(option::AO).is_some();
        }
        if segment.has(Segment::SYN) {
            self.syns += 1;
            self.initial = Some(segment.sequence);
            self.answered = segment.has(Segment::ACK);
            self.next = Some(segment.sequence.wrapping_add(1));
            self.scale = segment
                .option(option::WINDOW_SCALE)
                .and_then(|value| value.first().copied());
            return;
        }
        self.window(time, segment);
        let length = segment.length();
        let end = segment.sequence.wrapping_add(length);
        let next = *self.next.get_or_insert(segment.sequence);
        if length > 0 && before(next, end) {
            self.last_data = Some(time);
            self.next = Some(end);
            if self.in_flight.len() == IN_FLIGHT {
                self.in_flight.pop_front();
            }
            self.in_flight.push_back((end, length));
        } else if length > 1 {
            self.again(time, segment.sequence, length);
        } else if segment.sequence == next.wrapping_sub(1) {
            self.probes += 1;
        }
        if segment.has(Segment::FIN) && self.fin.is_none() {
            self.fin = Some(time);
            self.next = Some(end.wrapping_add(1));
        }
    }

    /// Takes the acknowledgment in a segment of the other end.
    pub(super) fn acknowledge(&mut self, time: u64, segment: &Segment<'_>) {
        if !segment.has(Segment::ACK) || segment.has(Segment::RST) {
            return;
        }
        let number = segment.acknowledgment;
        if !segment.options.is_empty()
            && let Some(value) = segment.option(option::SACK)
            && let Some(left) = value.first_chunk::<4>()
            && before(number, u32::from_be_bytes(*left))
        {
            self.missing += 1;
        }
        let known = *self.acknowledged.get_or_insert(number);
        if !before(known, number) {
            return;
        }
        self.acknowledged = Some(number);
        self.last_progress = Some(time);
        while let Some((end, length)) = self.in_flight.front().copied() {
            if before(number, end) {
                break;
            }
            self.largest_acknowledged = self.largest_acknowledged.max(length);
            self.in_flight.pop_front();
        }
        if self
            .stuck
            .is_some_and(|stuck| before(stuck.sequence, number))
        {
            self.stuck = None;
        }
    }

    /// When it sent something last, at or before `time`, as far back as is remembered.
    #[must_use]
    pub fn last_by(&self, time: u64) -> Option<u64> {
        self.times.iter().rev().copied().find(|sent| *sent <= time)
    }

    /// Whether something that it sent was never acknowledged.
    #[must_use]
    pub fn is_unacknowledged(&self) -> bool {
        match (self.next, self.acknowledged) {
            (Some(next), Some(acknowledged)) => before(acknowledged, next),
            (Some(_), None) => self.last_data.is_some(),
            _ => false,
        }
    }

    /// Octets that were sent and never acknowledged.
    #[must_use]
    pub fn unacknowledged(&self) -> u32 {
        match (self.next, self.acknowledged) {
            (Some(next), Some(acknowledged)) if before(acknowledged, next) => {
                next.wrapping_sub(acknowledged)
            }
            _ => 0,
        }
    }

    /// What its receiver acknowledged last.
    #[must_use]
    pub const fn acknowledged(&self) -> Option<u32> {
        self.acknowledged
    }

    /// The time to live of its data: that of its last segment of a kind not seen before, as a SYN may have another.
    #[must_use]
    pub fn usual_hops(&self) -> u8 {
        self.hops
            .iter()
            .rev()
            .copied()
            .find(|hops| *hops != 0)
            .unwrap_or_default()
    }

    fn note_hops(&mut self, hops: u8) {
        if self.hops.contains(&hops) {
            return;
        }
        if let Some(free) = self.hops.iter_mut().find(|known| **known == 0) {
            *free = hops;
        }
    }

    fn again(&mut self, time: u64, sequence: u32, length: u32) {
        self.retransmitted += 1;
        let end = sequence.wrapping_add(length);
        if self.acknowledged.is_some_and(|number| !before(number, end)) {
            self.needless += 1;
            return;
        }
        match &mut self.stuck {
            Some(stuck) if stuck.sequence == sequence => {
                stuck.times += 1;
                stuck.last = time;
                stuck.length = length;
            }
            // What is missing first is what holds up the rest.
            Some(stuck) if before(stuck.sequence, sequence) => {}
            stuck => {
                *stuck = Some(Stuck {
                    sequence,
                    length,
                    first: time,
                    last: time,
                    times: 1,
                });
            }
        }
    }

    fn window(&mut self, time: u64, segment: &Segment<'_>) {
        if segment.window == 0 {
            self.closed_windows += 1;
            self.closed_since.get_or_insert(time);
        } else if self.closed_since.take().is_some() {
            self.reopened = Some(time);
        }
    }

    fn reset(&mut self, time: u64, segment: &Segment<'_>, other: Option<u64>) {
        if self.rst.is_some() {
            return;
        }
        self.rst = Some(Rst {
            time,
            acknowledges: segment.has(Segment::ACK),
            is_exact: self.next.is_none_or(|next| next == segment.sequence),
            hops: segment.hops,
            after_other: other.map(|other| time.saturating_sub(other)),
        });
    }
}
