//! Checks that a run reproduces the capture: octets, times, and the octet at which the reset occurs.

use std::time::Duration;

use crate::explore::finished_run::FinishedRun;
use crate::field::import::plan::INSTANT;
use crate::field::import::text::what;
use crate::field::import::timeline::{Ended, Timeline, tick};
use crate::scenario::format::message::{KEEPALIVE, NOTIFICATION, frame};
use crate::sim::{ConnectionName, Direction as Way, Opener, Socket, TraceEvent};

/// One direction of a connection in a run.
#[derive(Debug, Default)]
struct DirectionStream {
    octets: Vec<u8>,
    /// By time, number of octets so far.
    progress: Vec<(usize, Duration)>,
}

impl DirectionStream {
    fn take(&mut self, octets: &[u8], at: Duration) {
        self.octets.extend_from_slice(octets);
        self.progress.push((self.octets.len(), at));
    }

    /// Time of the octet before `count`.
    fn reached(&self, count: usize) -> Option<Duration> {
        let at = self.progress.partition_point(|(passed, _)| *passed < count);
        self.progress.get(at).map(|(_, at)| *at)
    }
}

/// Describes the first difference between `ran`, whose records were kept, and `timeline`.
#[must_use]
pub fn deviation(timeline: &Timeline, ran: &FinishedRun) -> Option<String> {
    let mut opened = None;
    let mut lanes = [DirectionStream::default(), DirectionStream::default()];
    let reset = ran.triggered.last().and_then(|triggered| triggered.at);
    for record in &ran.records {
        let is_late = opened.is_some_and(|opened| record.time > opened + tick(timeline.end));
        if is_late && matches!(timeline.ended, Ended::Closed(_) | Ended::Silent(_)) {
            break;
        }
        match &record.event {
            TraceEvent::Fault(text) if text.contains(": reset") => break,
            TraceEvent::Socket(name, socket) if is_first(name) => match socket {
                Socket::Open(..) => opened = Some(record.time),
                Socket::Sent(octets) => lanes[0].take(octets, record.time),
                Socket::Received(octets) => lanes[1].take(octets, record.time),
                _ => {}
            },
            _ => {}
        }
    }
    let Some(opened) = opened else {
        return Some(String::from("the connection never opens"));
    };
    if timeline.ended == Ended::Notified(Way::Sent) {
        return complaint(timeline, &lanes[0].octets);
    }
    for (way, lane) in [Way::Sent, Way::Received].into_iter().zip(&lanes) {
        let mut end = 0;
        for (number, piece) in (1..).zip(timeline.pieces.iter().filter(|piece| piece.way == way)) {
            let name = format!("message {number} {way}, {}", what(piece));
            let start = end;
            end += piece.octets.len();
            let Some(at) = lane.reached(end) else {
                let count = lane.octets.len();
                return Some(format!(
                    "{name}, does not pass: {count} octet(s) do before the reset"
                ));
            };
            if lane.octets[start..end] != piece.octets {
                return Some(format!("{name}, has other octets"));
            }
            if at != opened + tick(piece.at) {
                return Some(format!(
                    "{name}, passes {:?} after the opening, not {:?}",
                    at - opened,
                    tick(piece.at)
                ));
            }
        }
        if lane.octets.len() != end {
            let more = lane.octets.len() - end;
            return Some(format!("{more} octet(s) more are {way} before the reset"));
        }
    }
    match reset {
        _ if !matches!(timeline.ended, Ended::Reset(_)) => None,
        None => Some(String::from("the reset never triggers")),
        Some(at) if at.abs_diff(opened + tick(timeline.end)) > INSTANT => Some(format!(
            "the reset triggers {:?} after the opening, not {:?}",
            at - opened,
            tick(timeline.end)
        )),
        Some(_) => None,
    }
}

/// A session that the speaker ended with a NOTIFICATION: ours has to send one of the same code and subcode, after what
/// the capture has, or earlier in that. Its data are words of its own, and so is the time that it takes.
fn complaint(timeline: &Timeline, sent: &[u8]) -> Option<String> {
    let captured: Vec<&[u8]> = timeline
        .pieces
        .iter()
        .filter(|piece| piece.way == Way::Sent)
        .map(|piece| piece.octets.as_slice())
        .collect();
    let codes = |message: &[u8]| (message.get(19).copied(), message.get(20).copied());
    let wanted = codes(captured.last().copied().unwrap_or_default());
    let mut rest = sent;
    let mut number = 0;
    while let Ok(Some(length)) = frame(rest) {
        let (message, after) = rest.split_at(length);
        number += 1;
        rest = after;
        if message.get(18) == Some(&NOTIFICATION) {
            return (codes(message) != wanted).then(|| {
                let [(a, b), (c, d)] = [codes(message), wanted]
                    .map(|(code, subcode)| (code.unwrap_or_default(), subcode.unwrap_or_default()));
                format!("message {number} sent, NOTIFICATION {a}/{b}, is {c}/{d} in the capture")
            });
        }
        let is_keepalive = message.get(18) == Some(&KEEPALIVE);
        if !is_keepalive
            && captured
                .get(number - 1)
                .is_none_or(|octets| *octets != message)
        {
            return Some(format!("message {number} sent has other octets"));
        }
    }
    Some(format!(
        "the speaker never sends NOTIFICATION {}/{}: it sends {number} message(s), the capture has {}",
        wanted.0.unwrap_or_default(),
        wanted.1.unwrap_or_default(),
        captured.len()
    ))
}

fn is_first(name: &ConnectionName) -> bool {
    name.opener == Opener::Us && name.attempt == 1
}
