//! The octets of one direction of a connection, put together from its segments and rewritten message by message.

use std::collections::BTreeMap;

use super::key::Key;
use super::message::rewrite;
use crate::bgp::attribute::WireContext;

const MARKER: [u8; 16] = [0xff; 16];
const HEADER: usize = 19;

/// One direction of a connection.
#[derive(Debug, Default)]
pub struct Stream {
    /// Sequence number of the first octet, and whether it is known from the SYN.
    first: Option<(u32, bool)>,
    /// What was captured, by its place after the first octet; what came first counts, and no two touch.
    runs: BTreeMap<i64, Vec<u8>>,
    /// The end of the last segment, from which sequence numbers are unwrapped.
    near: i64,
}

/// What became of a stream's messages.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Rewritten {
    /// Messages, those that are cut short included.
    pub messages: u64,
    /// Octets that are no message.
    pub junk: u64,
}

impl Stream {
    /// The stream begins behind the SYN with this sequence number.
    pub fn synchronise(&mut self, sequence: u32) {
        self.first = Some((sequence.wrapping_add(1), true));
    }

    /// Where the octet with this sequence number is.
    fn place(&self, sequence: u32) -> i64 {
        let (first, _) = self.first.unwrap_or((sequence, false));
        let near = first.wrapping_add(self.near as u32);
        self.near + i64::from(sequence.wrapping_sub(near).cast_signed())
    }

    /// Takes a segment.
    pub fn take(&mut self, sequence: u32, octets: &[u8]) {
        if octets.is_empty() {
            return;
        }
        self.first.get_or_insert((sequence, false));
        let mut at = self.place(sequence);
        let mut rest = octets;
        let end = at + octets.len() as i64;
        self.near = self.near.max(end);
        // What is there already stays.
        while !rest.is_empty() {
            let covered = self
                .runs
                .range(..=at)
                .next_back()
                .map(|(start, run)| start + run.len() as i64)
                .filter(|covered| *covered > at);
            if let Some(covered) = covered {
                let known = usize::try_from(covered - at)
                    .unwrap_or(usize::MAX)
                    .min(rest.len());
                at += known as i64;
                rest = &rest[known..];
                continue;
            }
            let next = self
                .runs
                .range(at..)
                .next()
                .map_or(end, |(start, _)| *start);
            let count = usize::try_from(next - at)
                .unwrap_or(usize::MAX)
                .min(rest.len());
            self.add(at, &rest[..count]);
            at += count as i64;
            rest = &rest[count..];
        }
    }

    /// Adds octets that are not there, to the run that they continue if there is one.
    fn add(&mut self, at: i64, octets: &[u8]) {
        if let Some((start, run)) = self.runs.range_mut(..at).next_back()
            && start + run.len() as i64 == at
        {
            run.extend_from_slice(octets);
        } else {
            self.runs.insert(at, octets.to_vec());
        }
        // The run that follows without a gap becomes part of this one.
        let Some((start, run)) = self.runs.range(..=at).next_back() else {
            return;
        };
        let (start, end) = (*start, start + run.len() as i64);
        if let Some(next) = self.runs.remove(&end)
            && let Some(run) = self.runs.get_mut(&start)
        {
            run.extend(next);
        }
    }

    /// Rewrites everything, once all segments are there.
    pub fn rewrite(&mut self, key: &Key, context: &WireContext) -> Rewritten {
        let mut rewritten = Rewritten::default();
        let is_whole = self.first.is_some_and(|(_, known)| known);
        for (start, run) in &mut self.runs {
            // An octet before the first, as a keep-alive probe has, is no part of the stream.
            let before = usize::try_from(-start).unwrap_or(0).min(run.len());
            let (garbage, octets) = run.split_at_mut(if is_whole { before } else { 0 });
            key.scramble(garbage);
            let aligned = is_whole && *start <= 0;
            messages(key, context, octets, aligned, &mut rewritten);
        }
        rewritten
    }

    /// The octets of a segment as they are now.
    #[must_use]
    pub fn octets(&self, sequence: u32, length: usize) -> Vec<u8> {
        let at = self.place(sequence);
        let mut out = Vec::with_capacity(length);
        let run = self.runs.range(..=at).next_back();
        if let Some((start, run)) = run
            && let Ok(skip) = usize::try_from(at - start)
        {
            out.extend(run.iter().skip(skip).take(length));
        }
        out.resize(length, 0);
        out
    }

    /// Begins to give out what was taken.
    pub fn rewind(&mut self) {
        self.near = 0;
    }

    /// Follows the sequence numbers of what is given out.
    pub fn follow(&mut self, sequence: u32, length: usize) {
        if length > 0 {
            self.near = self.near.max(self.place(sequence) + length as i64);
        }
    }
}

/// Rewrites the messages of a run of octets, and scrambles what is none.
fn messages(
    key: &Key,
    context: &WireContext,
    octets: &mut [u8],
    aligned: bool,
    rewritten: &mut Rewritten,
) {
    let mut rest = octets;
    let mut aligned = aligned;
    while !rest.is_empty() {
        let begins = if aligned { header(rest, false) } else { None };
        let (piece, after) = match begins {
            Some(length) => {
                let (message, after) = rest.split_at_mut(length.min(rest.len()));
                rewrite(key, context, message);
                rewritten.messages += 1;
                (None, after)
            }
            None => {
                let next = (1..rest.len()).find(|at| header(&rest[*at..], true).is_some());
                // Where nothing precedes it, the first may begin here too.
                let next = if !aligned && header(rest, true).is_some() {
                    Some(0)
                } else {
                    next
                };
                let (junk, after) = rest.split_at_mut(next.unwrap_or(rest.len()));
                aligned = true;
                (Some(junk), after)
            }
        };
        if let Some(junk) = piece {
            rewritten.junk += junk.len() as u64;
            // A header without a possible length stays one.
            let kept = if junk.starts_with(&MARKER) {
                HEADER.min(junk.len())
            } else {
                0
            };
            key.scramble(&mut junk[kept..]);
        }
        rest = after;
    }
}

/// The length of the message whose header begins here, or as far as there is one. `strictly` asks for a whole header
/// of a known type.
fn header(octets: &[u8], strictly: bool) -> Option<usize> {
    let marker = octets.len().min(MARKER.len());
    if octets[..marker] != MARKER[..marker] {
        return None;
    }
    let Some(header) = octets.first_chunk::<HEADER>() else {
        return (!strictly).then_some(octets.len());
    };
    let length = usize::from(u16::from_be_bytes([header[16], header[17]]));
    let is_known = !strictly || matches!(header[18], 1..=5);
    (length >= HEADER && is_known).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_in_any_order_give_the_same_stream() {
        let octets: Vec<u8> = (0..100).collect();
        let mut stream = Stream::default();
        stream.synchronise(u32::MAX - 20);
        let first = (u32::MAX - 20).wrapping_add(1);
        for (from, to) in [(50, 70), (0, 10), (5, 60), (65, 100), (0, 100)] {
            stream.take(
                first.wrapping_add(from),
                &octets[from as usize..to as usize],
            );
        }
        assert_eq!(stream.runs.len(), 1);
        assert_eq!(stream.runs[&0], octets);
        stream.rewind();
        assert_eq!(stream.octets(first.wrapping_add(7), 5), octets[7..12]);
    }

    #[test]
    fn messages_are_found_behind_what_is_none() {
        let key = Key::new(b"k");
        let open = {
            let mut open = MARKER.to_vec();
            open.extend([0, 29, 1, 4, 0xfd, 0xe9, 0, 180, 192, 0, 2, 1, 0]);
            open
        };
        let mut stream = Stream::default();
        let octets = [&b"noise"[..], &open, &open[..25]].concat();
        stream.take(7, &octets);
        let rewritten = stream.rewrite(&key, &WireContext::default());
        assert_eq!(
            rewritten,
            Rewritten {
                messages: 2,
                junk: 5
            }
        );
        let now = stream.octets(7, octets.len());
        assert_eq!(now.len(), octets.len());
        assert_eq!(now[5..24], open[..19]);
        assert_ne!(now[5 + 20..5 + 22], open[20..22]);
        assert_ne!(now[..5], octets[..5]);
    }
}
