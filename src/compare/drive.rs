//! Two captures, read side by side.

use super::beginning::{self, Beginnings};
use super::comparison::Comparison;
use super::context::Contexts;
use super::difference::Report;
use super::input::{CompareError, Input};
use super::options::Options;
use super::pairing::{Pairing, pair};
use super::side::Side;
use super::signature::Signatures;
use crate::capture::{
    Canonical, Capture, CaptureEvent, Connection, Encoding, Endpoint, EventKind, Item,
    StreamDirection, Tally, Via,
};

/// What can be inferred from a whole capture of how to read its connections; what cannot be read of it says nothing.
#[must_use]
pub fn survey(input: &mut Input) -> Contexts {
    let mut contexts = Contexts::default();
    if let Ok(mut capture) = input.open() {
        let _ = capture.read_all(|event| contexts.note(&event));
    }
    contexts
}

/// Compares two captures of any size. `progress` is told now and then how many octets of both were read.
///
/// Connections of the same name are compared; where that leaves some over, or the capture of one begins mid-session,
/// both are read again and paired by what was said on them.
///
/// # Errors
/// One of them cannot be opened or is no capture. One that breaks off is compared as far as it goes,
/// and [`Report::problems`] says so.
pub fn captures(
    left: &mut Input,
    right: &mut Input,
    options: Options,
    progress: &mut dyn FnMut(u64),
) -> Result<Report, CompareError> {
    left.keep();
    right.keep();
    let mut named = None;
    if options.ignored.addresses().is_empty() {
        let comparison = Comparison::new(options.clone());
        let (report, doubtful) = compare(left, right, comparison, progress)?;
        if !doubtful {
            return Ok(report);
        }
        named = Some(report);
    }
    let (pairings, contexts, unseen) = pairings(left, right, &options)?;
    if let Some(report) = named.take_if(|_| pairings.iter().all(Pairing::is_plain)) {
        return Ok(report);
    }
    let comparison = Comparison::paired(options, pairings, contexts);
    let (mut report, _) = compare(left, right, comparison, progress)?;
    if let Some(named) = named {
        report.problems = named.problems;
    }
    report.problems.extend(unseen);
    Ok(report)
}

/// Which connections belong together, how each side is to be read, and what was mapped in vain.
type Paired = (Vec<Pairing>, [Contexts; 2], Vec<String>);

/// Which connections belong together, by what was said on them, how each side is to be read, and a sentence for each
/// mapped address that a side does not have.
fn pairings(
    left: &mut Input,
    right: &mut Input,
    options: &Options,
) -> Result<Paired, CompareError> {
    let mut sides = Side::BOTH.map(|side| Signatures::new(side, options));
    for (input, signatures) in [&mut *left, &mut *right].into_iter().zip(&mut sides) {
        // What breaks off is for the comparison to say.
        let _ = input.open()?.read_all(|event| signatures.take(&event));
    }
    let [
        (lefts, of_left, not_in_left),
        (rights, of_right, not_in_right),
    ] = sides.map(Signatures::finish);
    let mut unseen = Vec::new();
    for (side, addresses) in [("A", not_in_left), ("B", not_in_right)] {
        let sentence = |address| {
            format!(
                "--map: no session of {side} is at {address}, and no message of it holds that address"
            )
        };
        unseen.extend(addresses.into_iter().map(sentence));
    }
    let (lefts, rights) = (&lefts[..], &rights[..]);
    let mut pairings = pair(lefts, rights, &options.ignored);
    let mut beginnings = [
        Beginnings::new(Side::Left, options, lefts, rights, &pairings),
        Beginnings::new(Side::Right, options, rights, lefts, &pairings),
    ];
    for (input, beginnings) in [left, right].into_iter().zip(&mut beginnings) {
        if !beginnings.is_empty() {
            let _ = input.open()?.read_all(|event| beginnings.take(&event));
        }
    }
    let [in_left, in_right] = &beginnings;
    beginning::note(&mut pairings, [in_left, in_right], [lefts, rights]);
    Ok((pairings, [of_left, of_right], unseen))
}

/// Feeds a comparison, from the start again where it has to be; and says whether other pairs may leave less over.
fn compare(
    left: &mut Input,
    right: &mut Input,
    mut comparison: Comparison,
    progress: &mut dyn FnMut(u64),
) -> Result<(Report, bool), CompareError> {
    let mut problems = Vec::new();
    let mut tallies;
    let mut first = true;
    loop {
        let mut sides = [Some(left.open()?), Some(right.open()?)];
        tallies = [None, None];
        let mut steps = 0_u32;
        loop {
            let next = match (&sides[0], &sides[1]) {
                (None, None) => break,
                (Some(_), None) => Side::Left,
                (None, Some(_)) => Side::Right,
                _ if comparison.held(Side::Left) > comparison.held(Side::Right) => Side::Right,
                _ => Side::Left,
            };
            let slot = &mut sides[next.index()];
            let Some(capture) = slot else { break };
            let more = match capture.step(|event| comparison.take(next, &event)) {
                Ok(more) => more,
                Err(error) => {
                    if first {
                        problems.push(error.to_string());
                    }
                    false
                }
            };
            if !more {
                tallies[next.index()] = Some(capture.tally().clone());
                *slot = None;
                comparison.end(next);
            }
            steps += 1;
            if steps.is_multiple_of(0x1_0000) {
                let read = sides.iter().flatten().map(Capture::position).sum();
                progress(read);
            }
        }
        first = false;
        if !comparison.is_unfinished() {
            break;
        }
    }
    let doubtful = comparison.is_doubtful();
    let mut report = comparison.finish();
    report.tallies = tallies.map(Option::unwrap_or_default);
    for side in [0, 1] {
        let before = std::mem::take(&mut report.unread[side]);
        report.unread[side] = unread(&report.tallies[side]);
        report.unread[side].extend(before);
    }
    report.problems = problems;
    Ok((report, doubtful))
}

/// What of a capture was not read; that it holds no BGP is as much.
fn unread(tally: &Tally) -> Vec<String> {
    if tally.connections == 0 {
        return vec![format!("no BGP in {}", tally.without_bgp())];
    }
    tally.unread()
}

/// Compares two captures in memory.
#[must_use]
pub fn canonical(left: &Canonical, right: &Canonical, options: Options) -> Report {
    let mut comparison = Comparison::new(options);
    loop {
        for (side, canonical) in [(Side::Left, left), (Side::Right, right)] {
            events(canonical, &mut |event| comparison.take(side, &event));
            comparison.end(side);
        }
        if !comparison.is_unfinished() {
            break;
        }
    }
    comparison.finish()
}

/// Tells a canonical capture connection by connection, the two directions of each in the order of time.
fn events(canonical: &Canonical, sink: &mut dyn FnMut(CaptureEvent<'_>)) {
    let clients = canonical
        .streams
        .iter()
        .filter(|(id, _)| id.direction == StreamDirection::FromClient);
    for (number, (id, client)) in clients.enumerate() {
        let mut other = *id;
        other.direction = StreamDirection::FromServer;
        let mut items: Vec<(u64, StreamDirection, &Item)> = Vec::new();
        for (direction, stream) in [
            (StreamDirection::FromClient, Some(client)),
            (StreamDirection::FromServer, canonical.streams.get(&other)),
        ] {
            let stream = stream.into_iter().flat_map(|stream| &stream.items);
            items.extend(stream.map(|(time, item)| (*time, direction, item)));
        }
        items.sort_by_key(|(time, ..)| *time);
        let end = |address| Endpoint { address, port: 0 };
        let connection = Connection {
            id: id.connection,
            number,
            client: end(id.connection.peer.client),
            server: end(id.connection.peer.server),
            handshake: true,
            opened: canonical
                .opened
                .get(&id.connection)
                .copied()
                .unwrap_or_default(),
            via: Via::default(),
            encoding: Encoding::default(),
        };
        let mut offsets = [0_u64; 2];
        let mut tell = |time, direction, kind| {
            sink(CaptureEvent {
                connection: &connection,
                direction,
                time,
                kind,
            });
        };
        tell(
            connection.opened,
            StreamDirection::FromClient,
            EventKind::Opened,
        );
        for (time, direction, item) in items {
            let at = &mut offsets[direction as usize];
            let offset = *at;
            let kind = match item {
                Item::Message(octets) => {
                    *at += octets.len() as u64;
                    EventKind::Message { offset, octets }
                }
                Item::Junk(reason, octets) => {
                    *at += octets.len() as u64;
                    EventKind::Junk {
                        offset,
                        reason: *reason,
                        octets,
                    }
                }
                Item::Gap(lost) => {
                    *at += lost;
                    EventKind::Gap {
                        offset,
                        lost: *lost,
                    }
                }
                Item::Finished => EventKind::Finished,
                Item::Reset => EventKind::Reset,
            };
            tell(time, direction, kind);
        }
    }
}
