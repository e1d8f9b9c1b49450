//! A byte stream to BGP messages (RFC 4271 section 4.1), and to what is no message.

use std::fmt;

const MARKER: [u8; 16] = [0xff; 16];
const HEADER: usize = 19;
/// Octets kept while looking for a marker, before they are handed on as junk.
const JUNK_CHUNK: usize = 64 * 1024;

/// Why octets are not a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JunkReason {
    /// Sixteen octets of ones are due here (RFC 4271 section 4.1).
    Marker,
    /// The length field is less than the header's own 19 octets.
    Length(u16),
    /// The capture begins inside a message.
    BeforeFirst,
    /// A message whose end is not in the capture.
    CutByGap,
    /// The rest of something whose start is not in the capture.
    AfterGap,
    /// The stream ends inside a message.
    Unfinished,
    /// What a BMP message or an MRT record encloses is not one whole message.
    Enclosed,
}

impl fmt::Display for JunkReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Marker => f.write_str("no marker where a message must begin"),
            Self::Length(length) => write!(f, "length field {length} is less than 19"),
            Self::BeforeFirst => f.write_str("the capture begins inside a message"),
            Self::CutByGap => f.write_str("the end of this message is not in the capture"),
            Self::AfterGap => f.write_str("the start of this is not in the capture"),
            Self::Unfinished => f.write_str("the stream ends inside this message"),
            Self::Enclosed => f.write_str("not one whole message where one must be"),
        }
    }
}

/// What a stretch of the stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framed<'a> {
    Message(&'a [u8]),
    Junk(JunkReason, &'a [u8]),
    Gap(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A message begins at the next octet.
    Synchronised,
    /// The next marker is still to be found.
    Hunting(JunkReason),
}

/// What the first octets of a connection say of what is spoken on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Unknown,
    Bgp,
    Other,
}

/// What some octets of a connection say of what is spoken on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Evidence {
    /// The header of a message is among the last of them.
    pub(super) has_marker: bool,
    pub(super) verdict: Verdict,
}

/// Cuts one direction of a connection into messages.
#[derive(Debug)]
pub(super) struct Framer {
    state: State,
    buffer: Vec<u8>,
    /// Offset in the stream of the first octet of `buffer`.
    offset: u64,
    /// Octets of `buffer` in which no message begins.
    scanned: usize,
    /// When the last octet of `buffer` arrived.
    arrived: u64,
}

impl Framer {
    /// A framer for a stream whose beginning is, or is not, in the capture.
    pub(super) const fn new(from_start: bool) -> Self {
        Self {
            state: if from_start {
                State::Synchronised
            } else {
                State::Hunting(JunkReason::BeforeFirst)
            },
            buffer: Vec::new(),
            offset: 0,
            scanned: 0,
            arrived: 0,
        }
    }

    /// Keeps octets of a connection that may not be BGP, and returns whether that is decided.
    pub(super) fn consider(&mut self, time: u64, octets: &[u8]) -> Evidence {
        self.buffer.extend_from_slice(octets);
        self.arrived = time;
        let verdict = match self.state {
            State::Synchronised => first_message(&self.buffer),
            State::Hunting(_) if has_chain(&self.buffer) => Verdict::Bgp,
            State::Hunting(_) => Verdict::Unknown,
        };
        Evidence {
            has_marker: find_message(octets).is_some(),
            verdict,
        }
    }

    /// The connection speaks BGP: hands on what is decided in the octets kept.
    pub(super) fn resume(&mut self, time: u64, out: &mut impl FnMut(u64, u64, Framed<'_>)) {
        self.scanned = 0;
        let octets = std::mem::take(&mut self.buffer);
        self.push(time, &octets, out);
    }

    /// Octets kept.
    pub(super) const fn kept(&self) -> usize {
        self.buffer.len()
    }

    /// The octets kept.
    pub(super) fn octets(&self) -> &[u8] {
        &self.buffer
    }

    /// Forgets what is kept.
    pub(super) fn forget(&mut self, lost: u64) {
        self.offset += self.buffer.len() as u64 + lost;
        self.buffer = Vec::new();
        self.scanned = 0;
        self.state = State::Hunting(JunkReason::AfterGap);
    }

    /// Takes the next octets of the stream, which arrived at `time`; `out` receives each item with the time of its
    /// last octet and its offset.
    #[inline]
    pub(super) fn push(
        &mut self,
        time: u64,
        octets: &[u8],
        out: &mut impl FnMut(u64, u64, Framed<'_>),
    ) {
        if self.buffer.is_empty() {
            let used = self.cut((0, time), octets, out);
            if used < octets.len() {
                self.buffer.extend_from_slice(&octets[used..]);
            }
        } else {
            let mut buffer = std::mem::take(&mut self.buffer);
            let before = buffer.len();
            buffer.extend_from_slice(octets);
            let used = self.cut((before, time), &buffer, out);
            buffer.drain(..used);
            self.buffer = buffer;
        }
        self.arrived = time;
    }

    /// Hands on all that is decided in `octets` and says how many those were. All but the first `old` arrived at
    /// `time`.
    #[inline]
    fn cut(
        &mut self,
        (old, time): (usize, u64),
        octets: &[u8],
        out: &mut impl FnMut(u64, u64, Framed<'_>),
    ) -> usize {
        let mut used = 0;
        loop {
            let rest = &octets[used..];
            if self.state == State::Synchronised {
                match next_message(rest) {
                    Next::Message(length) => {
                        out(time, self.offset, Framed::Message(&rest[..length]));
                        self.offset += length as u64;
                        used += length;
                        continue;
                    }
                    Next::Incomplete => return used,
                    Next::Malformed(reason) => {
                        self.state = State::Hunting(reason);
                        self.scanned = 0;
                    }
                }
            }
            let State::Hunting(reason) = self.state else {
                continue;
            };
            let scanned = self.scanned.min(rest.len());
            let found = find_message(&rest[scanned..]).map(|at| at + scanned);
            let junk = match found {
                Some(at) => at,
                // A marker may begin in the last octets.
                None if rest.len() > JUNK_CHUNK => rest.len() - (HEADER - 1),
                None => {
                    self.scanned = rest.len().saturating_sub(HEADER - 1);
                    return used;
                }
            };
            if junk > 0 {
                let arrived = if used + junk <= old {
                    self.arrived
                } else {
                    time
                };
                out(arrived, self.offset, Framed::Junk(reason, &rest[..junk]));
                self.offset += junk as u64;
                used += junk;
            }
            self.scanned = 0;
            if found.is_some() {
                self.state = State::Synchronised;
            }
        }
    }

    /// `count` octets of the stream are not in the capture, as is known at `time`.
    pub(super) fn lost(
        &mut self,
        time: u64,
        count: u64,
        out: &mut impl FnMut(u64, u64, Framed<'_>),
    ) {
        self.abandon(JunkReason::CutByGap, out);
        out(time, self.offset, Framed::Gap(count));
        self.offset += count;
        self.state = State::Hunting(JunkReason::AfterGap);
    }

    /// The stream is over.
    pub(super) fn finish(&mut self, out: &mut impl FnMut(u64, u64, Framed<'_>)) {
        self.abandon(JunkReason::Unfinished, out);
    }

    fn abandon(&mut self, reason: JunkReason, out: &mut impl FnMut(u64, u64, Framed<'_>)) {
        if !self.buffer.is_empty() {
            let reason = match self.state {
                State::Synchronised => reason,
                State::Hunting(reason) => reason,
            };
            out(
                self.arrived,
                self.offset,
                Framed::Junk(reason, &self.buffer),
            );
            self.offset += self.buffer.len() as u64;
            self.buffer = Vec::new();
        }
        self.scanned = 0;
    }
}

/// Whether a stream that begins with `octets` is BGP's: it begins with an OPEN (RFC 4271 section 4.2), or with two
/// messages of any other type.
fn first_message(octets: &[u8]) -> Verdict {
    const OPEN: u8 = 1;
    const LEAST_OPEN: usize = 29;
    match next_message(octets) {
        Next::Malformed(_) => Verdict::Other,
        _ if octets.len() < HEADER => Verdict::Unknown,
        _ if octets[18] == OPEN && header_length(octets) >= LEAST_OPEN => Verdict::Bgp,
        Next::Message(_) if chained(octets) => Verdict::Bgp,
        _ => Verdict::Unknown,
    }
}

/// Whether a message anywhere in `octets` is followed by another.
fn has_chain(octets: &[u8]) -> bool {
    let mut rest = octets;
    while let Some(at) = find_message(rest) {
        if chained(&rest[at..]) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

/// Whether the header of a message follows the message that `octets` begin with.
fn chained(octets: &[u8]) -> bool {
    let next = octets.get(header_length(octets)..);
    next.and_then(|next| next.get(..HEADER))
        .is_some_and(|header| find_message(header).is_some())
}

fn header_length(octets: &[u8]) -> usize {
    usize::from(u16::from_be_bytes([octets[16], octets[17]]))
}

enum Next {
    Message(usize),
    Incomplete,
    Malformed(JunkReason),
}

/// What begins at the first of `octets`.
///
/// An unknown type is a message still: its length gives the start of the next.
#[inline]
fn next_message(octets: &[u8]) -> Next {
    let Some(header) = octets.first_chunk::<HEADER>() else {
        let marker = octets.len().min(MARKER.len());
        return if octets[..marker] == MARKER[..marker] {
            Next::Incomplete
        } else {
            Next::Malformed(JunkReason::Marker)
        };
    };
    if header[..16] != MARKER {
        return Next::Malformed(JunkReason::Marker);
    }
    let length = u16::from_be_bytes([header[16], header[17]]);
    if usize::from(length) < HEADER {
        return Next::Malformed(JunkReason::Length(length));
    }
    if octets.len() < usize::from(length) {
        return Next::Incomplete;
    }
    Next::Message(usize::from(length))
}

/// Where in `octets` a message with a plausible header begins.
fn find_message(octets: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(header) = octets.get(at..at + HEADER) {
        // Where the marker would have to be, a different octet rules out every place before it.
        if let Some(other) = header[..16].iter().rposition(|octet| *octet != 0xff) {
            at += other + 1;
            continue;
        }
        let length = usize::from(u16::from_be_bytes([header[16], header[17]]));
        if length >= HEADER && matches!(header[18], 1..=5) {
            return Some(at);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut message = MARKER.to_vec();
        message.extend(((HEADER + body.len()) as u16).to_be_bytes());
        message.push(kind);
        message.extend(body);
        message
    }

    fn frame(pieces: &[&[u8]]) -> Vec<String> {
        let mut framer = Framer::new(true);
        let mut out = Vec::new();
        let mut tell = |_: u64, offset: u64, framed: Framed<'_>| {
            out.push(match framed {
                Framed::Message(octets) => format!("{offset} message {}", octets.len()),
                Framed::Junk(reason, octets) => format!("{offset} junk {} {reason}", octets.len()),
                Framed::Gap(lost) => format!("{offset} gap {lost}"),
            });
        };
        for piece in pieces {
            if piece.is_empty() {
                framer.lost(0, 100, &mut tell);
            } else {
                framer.push(0, piece, &mut tell);
            }
        }
        framer.finish(&mut tell);
        out
    }

    #[test]
    fn a_wrong_marker_is_junk_to_the_next_message() {
        let mut stream = message(4, b"");
        stream.extend([0; 7]);
        stream.extend(message(9, b"unknown type"));
        stream.extend(message(2, b"\0\0\0\0"));
        assert_eq!(
            frame(&[&stream]),
            [
                "0 message 19",
                "19 junk 38 no marker where a message must begin",
                "57 message 23"
            ]
        );
    }

    #[test]
    fn an_unknown_type_in_step_is_a_message() {
        let mut stream = message(4, b"");
        stream.extend(message(9, b"unknown type"));
        assert_eq!(frame(&[&stream]), ["0 message 19", "19 message 31"]);
    }

    #[test]
    fn a_gap_is_told_and_the_next_marker_found() {
        let first = message(2, &[1; 40]);
        let second = message(2, &[2; 10]);
        assert_eq!(
            frame(&[&first[..30], b"", &first[50..], &second]),
            [
                "0 junk 30 the end of this message is not in the capture",
                "30 gap 100",
                "130 junk 9 the start of this is not in the capture",
                "139 message 29"
            ]
        );
    }

    #[test]
    fn a_length_below_the_header_is_junk() {
        let mut stream = MARKER.to_vec();
        stream.extend([0, 18, 4]);
        let whole = message(4, b"");
        assert_eq!(
            frame(&[&stream, &whole]),
            ["0 junk 19 length field 18 is less than 19", "19 message 19"]
        );
    }

    proptest! {
        /// The cuts between segments do not show, and every octet is reported once, in order.
        #[test]
        fn segmentation_does_not_show(
            bodies in proptest::collection::vec((any::<u8>(), proptest::collection::vec(any::<u8>(), 0..80), any::<bool>()), 0..12),
            cuts in proptest::collection::vec(1_usize..60, 0..60),
        ) {
            let mut stream = Vec::new();
            for (kind, body, whole) in &bodies {
                let message = message(*kind, body);
                stream.extend(if *whole { &message[..] } else { &message[..message.len() / 2] });
            }
            let mut pieces = Vec::new();
            let mut rest = &stream[..];
            for cut in cuts {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                if !piece.is_empty() {
                    pieces.push(piece);
                }
                rest = after;
            }
            if !rest.is_empty() {
                pieces.push(rest);
            }
            let whole: Vec<&[u8]> = if stream.is_empty() { vec![] } else { vec![&stream] };
            prop_assert_eq!(frame(&pieces), frame(&whole));
            let mut framer = Framer::new(true);
            let mut joined = Vec::<u8>::new();
            let mut tell = |_: u64, offset: u64, framed: Framed<'_>| {
                let (Framed::Message(octets) | Framed::Junk(_, octets)) = framed else { return };
                assert_eq!(offset, joined.len() as u64);
                joined.extend(octets);
            };
            for piece in pieces {
                framer.push(0, piece, &mut tell);
            }
            framer.finish(&mut tell);
            prop_assert_eq!(joined, stream);
        }
    }
}
