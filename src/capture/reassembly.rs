//! One direction of a TCP connection, put back in order.

use std::collections::BTreeMap;

use super::tally::Tally;

/// Octets held for one direction before what is missing counts as lost: twice Linux's largest default window.
const HELD_LIMIT: usize = 12 * 1024 * 1024;
/// Octets held for all connections of a capture.
const HELD_LIMIT_OF_ALL: usize = 64 * 1024 * 1024;
/// What a held segment costs beside its octets.
const OVERHEAD: usize = 96;
/// Nanoseconds, and segments held, after which a hole counts as lost that the receiver has acknowledged: it had those
/// octets, and they are not sent again. Until then the capture itself may merely have swapped some packets.
const ACKNOWLEDGED: (u64, u32) = (50_000_000, 64);
/// Where the receiver's acknowledgments are not in the capture.
const UNKNOWN: (u64, u32) = (3_000_000_000, 256);
/// Where the receiver asks for those octets again and again: the sender's retransmissions back off.
const UNACKNOWLEDGED: (u64, u32) = (15_000_000_000, 4_096);

/// What comes next in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Octets in order.
    Octets(&'a [u8]),
    /// So many octets are not in the capture.
    Lost(u64),
    /// The sender closed here.
    Finished,
}

/// A segment that arrived before its turn.
#[derive(Debug)]
struct Held {
    time: u64,
    octets: Vec<u8>,
    cut: u64,
}

/// The segments of one direction, in whatever order they were captured, to octets in the order they were sent.
///
/// Where copies of the same octets differ, those that came first in the stream win.
#[derive(Debug, Default)]
pub(super) struct HalfStream {
    /// Initial sequence number, where the SYN was seen.
    pub(super) initial: Option<u32>,
    /// Sequence number of the next octet due.
    next: Option<u32>,
    /// Octets of the stream before that one.
    offset: u64,
    held: BTreeMap<u64, Held>,
    held_octets: usize,
    finish: Option<u64>,
    pub(super) finished: bool,
    /// Since when the first hole is one, and how many segments were held for it.
    hole: Option<(u64, u32)>,
    /// The most that the receiver has acknowledged, as an offset in the stream.
    acknowledged: Option<u64>,
    /// Whether an octet was handed on, so that the place of the next is certain.
    anchored: bool,
    /// Whether it is known that the SYN has a sequence number, as it should.
    settled: bool,
}

impl HalfStream {
    /// Whether any segment was seen.
    pub(super) const fn is_unused(&self) -> bool {
        self.next.is_none()
    }

    /// Octets of the stream already handed on.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Learns where the stream begins from a SYN.
    pub(super) const fn synchronise(&mut self, sequence: u32) {
        self.initial = Some(sequence);
        self.next = Some(sequence.wrapping_add(1));
    }

    /// Whether octets wait for earlier ones.
    #[inline]
    pub(super) fn has_hole(&self) -> bool {
        !self.held.is_empty()
    }

    /// Learns what the receiver has.
    #[inline]
    pub(super) const fn acknowledge(&mut self, number: u32) {
        let Some(next) = self.next else { return };
        let at = self.offset as i64 + number.wrapping_sub(next).cast_signed() as i64;
        if at >= 0 {
            self.acknowledged = Some(at as u64);
        }
    }

    /// Whether what is missing will not come any more, as far as is known at `time`.
    pub(super) fn is_overdue(&self, time: u64) -> bool {
        let (Some((since, segments)), Some((begin, _))) = (self.hole, self.held.first_key_value())
        else {
            return false;
        };
        let (patience, most) = match self.acknowledged {
            Some(acknowledged) if acknowledged >= *begin => ACKNOWLEDGED,
            Some(_) => UNACKNOWLEDGED,
            None => UNKNOWN,
        };
        time.saturating_sub(since) >= patience || segments >= most
    }

    /// Counts the first hole as lost.
    pub(super) fn give_up(
        &mut self,
        time: u64,
        tally: &mut Tally,
        out: &mut impl FnMut(u64, Piece<'_>),
    ) {
        self.give_up_hole(tally, out);
        self.hole = self.has_hole().then_some((time, 0));
        self.check_finished(time, out);
    }

    /// Takes a segment; `sequence` is that of the first octet of `payload`, after which `cut` octets were not captured.
    #[inline]
    pub(super) fn segment(
        &mut self,
        (time, sequence): (u64, u32),
        (payload, cut): (&[u8], u32),
        fin: bool,
        tally: &mut Tally,
        out: &mut impl FnMut(u64, Piece<'_>),
    ) {
        let mut next = *self.next.get_or_insert(sequence);
        if !self.anchored && !payload.is_empty() {
            if self.initial.is_none() {
                // A keep-alive probe may be the first to be seen: it stands one octet before the next due, and may
                // carry one of no meaning (RFC 9293 section 3.8.4).
                if payload == [0] && sequence == next && !fin {
                    tally.probes += 1;
                    self.next = Some(sequence.wrapping_add(1));
                    return;
                }
                if sequence == next.wrapping_add(1) {
                    next = sequence;
                    self.next = Some(next);
                }
            }
            self.anchored = true;
        }
        if !self.settled && self.initial.is_some() && payload.len() > 1 {
            // Captures made by hand count the SYN as nothing: what follows it comes one too early. Later, what begins there
            // is an octet that is sent again with more behind it.
            let is_early = sequence == next.wrapping_sub(1) && self.offset == 0;
            self.settled = is_early || self.offset > 0;
            if is_early {
                next = sequence;
                self.next = Some(next);
            }
        }
        if sequence == next && cut == 0 && !fin && self.held.is_empty() && self.finish.is_none() {
            if !payload.is_empty() {
                self.hand_on(time, payload, 0, out);
            }
            return;
        }
        self.irregular(
            time,
            sequence.wrapping_sub(next),
            (payload, cut),
            fin,
            tally,
            out,
        );
    }

    fn irregular(
        &mut self,
        time: u64,
        ahead: u32,
        (payload, cut): (&[u8], u32),
        fin: bool,
        tally: &mut Tally,
        out: &mut impl FnMut(u64, Piece<'_>),
    ) {
        // The sequence space is a circle: less than half of it ahead is ahead, the rest is behind.
        let begin = self.offset as i64 + i64::from(ahead.cast_signed());
        let length = payload.len() as i64 + i64::from(cut);
        let end = begin + length;
        let due = self.offset as i64;
        if fin && end >= due {
            self.finish.get_or_insert(end as u64);
        }
        if length > 0 {
            if end <= due {
                tally.count_old(begin == due - 1 && length == 1);
            } else if begin <= due {
                let (payload, cut) = trimmed(payload, u64::from(cut), (due - begin) as u64);
                self.hand_on(time, payload, cut, out);
                self.drain(Some(time), tally, out);
                // Another hole may be behind the one that was filled.
                self.hole = self.has_hole().then_some((time, 0));
            } else {
                self.hold(time, begin as u64, payload, cut, tally);
                while self.held_octets > HELD_LIMIT
                    || (tally.held > HELD_LIMIT_OF_ALL && !self.held.is_empty())
                {
                    self.give_up_hole(tally, out);
                }
            }
        } else if begin == due - 1 && !fin {
            // Linux sends a probe without octets (`tcp_xmit_probe_skb`).
            tally.probes += 1;
        }
        self.check_finished(time, out);
    }

    fn hold(&mut self, time: u64, begin: u64, payload: &[u8], cut: u32, tally: &mut Tally) {
        tally.reordered += 1;
        let longer = self
            .held
            .get(&begin)
            .is_none_or(|held| held.octets.len() < payload.len());
        if !longer {
            tally.retransmitted += 1;
            return;
        }
        let held = Held {
            time,
            octets: payload.to_vec(),
            cut: u64::from(cut),
        };
        let (_, segments) = self.hole.get_or_insert((time, 0));
        *segments += 1;
        let cost = payload.len() + OVERHEAD;
        self.held_octets += cost;
        tally.held += cost;
        if let Some(shorter) = self.held.insert(begin, held) {
            self.release(shorter.octets.len(), tally);
        }
    }

    fn release(&mut self, length: usize, tally: &mut Tally) {
        self.held_octets -= length + OVERHEAD;
        tally.held -= length + OVERHEAD;
    }

    /// Hands on what is held and due; `arrival` is when what was missing came.
    fn drain(
        &mut self,
        arrival: Option<u64>,
        tally: &mut Tally,
        out: &mut impl FnMut(u64, Piece<'_>),
    ) {
        while let Some(first) = self.held.first_entry() {
            let begin = *first.key();
            if begin > self.offset {
                return;
            }
            let held = first.remove();
            self.release(held.octets.len(), tally);
            let (payload, cut) = trimmed(&held.octets, held.cut, self.offset - begin);
            let time = arrival.map_or(held.time, |arrival| arrival.max(held.time));
            self.hand_on(time, payload, cut, out);
        }
    }

    #[inline]
    fn hand_on(
        &mut self,
        time: u64,
        payload: &[u8],
        cut: u64,
        out: &mut impl FnMut(u64, Piece<'_>),
    ) {
        self.advance(payload.len() as u64 + cut);
        if !payload.is_empty() {
            out(time, Piece::Octets(payload));
        }
        if cut > 0 {
            out(time, Piece::Lost(cut));
        }
    }

    #[inline]
    fn advance(&mut self, count: u64) {
        self.offset += count;
        // Truncation is the wrap of the sequence space.
        self.next = self.next.map(|next| next.wrapping_add(count as u32));
    }

    /// Counts what lies before the first held segment as lost, and continues behind it.
    fn give_up_hole(&mut self, tally: &mut Tally, out: &mut impl FnMut(u64, Piece<'_>)) {
        let Some((&begin, held)) = self.held.first_key_value() else {
            return;
        };
        let lost = begin.saturating_sub(self.offset);
        if lost > 0 {
            let time = held.time;
            self.advance(lost);
            out(time, Piece::Lost(lost));
        }
        self.drain(None, tally, out);
    }

    fn check_finished(&mut self, time: u64, out: &mut impl FnMut(u64, Piece<'_>)) {
        if !self.finished && self.finish.is_some_and(|finish| finish <= self.offset) {
            self.finished = true;
            out(time, Piece::Finished);
        }
    }

    /// Nothing more will come: what is still missing is lost.
    pub(super) fn flush(
        &mut self,
        time: u64,
        tally: &mut Tally,
        out: &mut impl FnMut(u64, Piece<'_>),
    ) {
        while !self.held.is_empty() {
            self.give_up_hole(tally, out);
        }
        if let Some(finish) = self.finish
            && finish > self.offset
        {
            let lost = finish - self.offset;
            self.advance(lost);
            out(time, Piece::Lost(lost));
        }
        self.check_finished(time, out);
    }
}

/// What is left of a segment without its first `skip` octets.
fn trimmed(payload: &[u8], cut: u64, skip: u64) -> (&[u8], u64) {
    let of_payload = skip.min(payload.len() as u64);
    let of_cut = (skip - of_payload).min(cut);
    (&payload[of_payload as usize..], cut - of_cut)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn collect(half: &mut HalfStream, segments: &[(u32, &[u8], u32)]) -> Vec<(bool, Vec<u8>)> {
        let mut tally = Tally::default();
        let mut pieces = Vec::new();
        let mut out = |_: u64, piece: Piece<'_>| match piece {
            Piece::Octets(octets) => pieces.push((true, octets.to_vec())),
            Piece::Lost(count) => pieces.push((false, vec![0; count as usize])),
            Piece::Finished => {}
        };
        for (sequence, payload, cut) in segments {
            half.segment((0, *sequence), (payload, *cut), false, &mut tally, &mut out);
        }
        half.flush(0, &mut tally, &mut out);
        assert_eq!(tally.held, 0, "what was held is released");
        pieces
    }

    #[test]
    fn a_hole_is_lost_only_at_the_end() {
        let mut half = HalfStream::default();
        half.synchronise(9);
        let pieces = collect(&mut half, &[(10, b"ab", 0), (14, b"ef", 0)]);
        assert_eq!(
            pieces,
            [
                (true, b"ab".to_vec()),
                (false, vec![0; 2]),
                (true, b"ef".to_vec())
            ]
        );
    }

    #[test]
    fn a_snap_length_cut_is_lost_at_once() {
        let mut half = HalfStream::default();
        half.synchronise(u32::MAX);
        let pieces = collect(&mut half, &[(0, b"ab", 3), (5, b"f", 0)]);
        assert_eq!(
            pieces,
            [
                (true, b"ab".to_vec()),
                (false, vec![0; 3]),
                (true, b"f".to_vec())
            ]
        );
    }

    #[test]
    fn a_hole_that_outgrows_the_bound_is_given_up() {
        let mut half = HalfStream::default();
        half.synchronise(0);
        let mut tally = Tally::default();
        let mut lost = 0;
        let mut octets = 0;
        let block = vec![0; 1 << 20];
        let mut at = 101_u32;
        for _ in 0..20 {
            half.segment(
                (0, at),
                (&block, 0),
                false,
                &mut tally,
                &mut |_, piece| match piece {
                    Piece::Lost(count) => lost += count,
                    Piece::Octets(piece) => octets += piece.len(),
                    Piece::Finished => {}
                },
            );
            at = at.wrapping_add(1 << 20);
            assert!(tally.held < HELD_LIMIT + (2 << 20));
        }
        assert_eq!(lost, 100);
        assert_eq!(octets, 20 << 20);
    }

    proptest! {
        /// However segments are split, doubled, overlapped and shuffled, the octets come out as they were sent.
        #[test]
        fn any_order_gives_the_same_octets(
            stream in proptest::collection::vec(any::<u8>(), 1..600),
            initial in prop_oneof![Just(u32::MAX - 100), any::<u32>()],
            cuts in proptest::collection::vec((0_usize..600, 1_usize..120), 0..40),
            order in any::<u64>(),
        ) {
            // Segments that cover the stream, and some that overlap them at random.
            let mut ranges: Vec<(usize, usize)> = Vec::new();
            let mut at = 0;
            for (_, length) in &cuts {
                let end = (at + length).min(stream.len());
                ranges.push((at, end));
                at = end;
            }
            ranges.push((at, stream.len()));
            for (start, length) in &cuts {
                let start = start % stream.len();
                ranges.push((start, (start + length).min(stream.len())));
            }
            // A seeded shuffle.
            let mut state = order | 1;
            for index in (1..ranges.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                ranges.swap(index, (state >> 33) as usize % (index + 1));
            }
            let mut half = HalfStream::default();
            half.synchronise(initial);
            let segments: Vec<_> = ranges
                .iter()
                .map(|&(start, end)| {
                    (initial.wrapping_add(1).wrapping_add(start as u32), &stream[start..end], 0)
                })
                .collect();
            let pieces = collect(&mut half, &segments);
            prop_assert!(pieces.iter().all(|(data, _)| *data), "nothing is lost");
            let joined: Vec<u8> = pieces.into_iter().flat_map(|(_, octets)| octets).collect();
            prop_assert_eq!(joined, stream.clone());
            prop_assert_eq!(half.offset(), stream.len() as u64);
        }
    }
}
