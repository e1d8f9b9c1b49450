//! What oracles were judged by before they were judged from the wire: our own speaker's events, here read back from the
//! notes that they leave in the trace. It stays as the second opinion that the wire is held against.

use std::collections::BTreeMap;
use std::time::Duration;

use lockstep::bgp::hex;
use lockstep::sim::{Record, TraceEvent};

/// How long a message may be under way in a run that ends.
const UNDER_WAY: Duration = Duration::from_millis(500);

/// A session that ended.
#[derive(Debug, Clone)]
pub struct Ended {
    pub at: Duration,
    pub connection: String,
    pub cause: String,
    /// The speaker was told to end it.
    pub meant: bool,
}

/// What the speaker's events told.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    pub ended: Vec<Ended>,
    /// The longest silence of an established session, by connection.
    pub silences: BTreeMap<String, Duration>,
    pub holds: BTreeMap<String, Duration>,
    /// Collisions that left no connection.
    pub deserted: usize,
    /// NOTIFICATIONs sent.
    pub notifications: usize,
    /// UPDATEs sent within a second of the speaker's clock, at most, by connection.
    pub busiest: BTreeMap<String, usize>,
    pub reloaded: bool,
    spoke: BTreeMap<String, Duration>,
    told_to_end: bool,
    last_notification: Duration,
    survivor: Option<String>,
    second: BTreeMap<String, (u64, usize)>,
}

impl Observed {
    /// Reads the notes of a run of a speaker whose clock runs `skew` parts per million fast, which ended at `end`.
    pub fn of(records: &[Record], skew: i32, end: Duration) -> Self {
        let mut observed = Self::default();
        for record in records {
            if let TraceEvent::Note { text, .. } = &record.event {
                let scale = 1.0 + f64::from(skew) / 1e6;
                observed.take_in(record.time, record.time.mul_f64(scale), text);
            }
        }
        for connection in observed.spoke.clone().into_keys() {
            observed.quiet_until(&connection, end);
        }
        observed
    }

    fn take_in(&mut self, at: Duration, own: Duration, text: &str) {
        let (event, rest) = text.split_once(' ').unwrap_or((text, ""));
        let (name, more) = rest.split_once(' ').unwrap_or((rest, ""));
        match event {
            "state" if more.split(' ').nth(1) == Some("ESTABLISHED") => {
                self.spoke.insert(name.to_owned(), at);
            }
            "sent" => self.sent(at, own, name, &hex::parse(more).unwrap()),
            "received" => {
                let raw = hex::parse(more).unwrap();
                if raw[18] == 1 {
                    self.offered(name, &raw);
                }
            }
            "closed" => self.closed(at, name, more),
            "connected" => {
                let peer_of = |name: &str| name.split(['#', '<']).next().map(str::to_owned);
                let peer = peer_of(name);
                self.spoke.retain(|other, _| peer_of(other) != peer);
                self.second.remove(name);
                self.survivor.take_if(|survivor| survivor == name);
            }
            "control" if text.contains("terminate") && !self.told_to_end => {
                self.told_to_end = true;
                let under_way = at.saturating_sub(self.last_notification) < UNDER_WAY;
                self.notifications -= usize::from(under_way && self.notifications > 0);
            }
            "reloaded" | "not-reloaded" => self.reloaded = true,
            "disconnected" => self.deserted += usize::from(self.survivor.take().is_some()),
            "collision" => {
                let new = more.strip_suffix(" new").map(str::to_owned);
                self.survivor = new;
            }
            "ended" => self.spoke.clear(),
            _ => {}
        }
    }

    fn sent(&mut self, at: Duration, own: Duration, name: &str, raw: &[u8]) {
        match raw[18] {
            3 if !self.told_to_end => {
                self.notifications += 1;
                self.last_notification = at;
            }
            1 => self.offered(name, raw),
            2 => {
                let (second, count) = self.second.entry(name.to_owned()).or_default();
                if *second != own.as_secs() {
                    (*second, *count) = (own.as_secs(), 0);
                }
                *count += 1;
                let busiest = self.busiest.entry(name.to_owned()).or_default();
                *busiest = (*busiest).max(*count);
            }
            _ => {}
        }
        self.quiet_until(name, at);
    }

    fn offered(&mut self, name: &str, open: &[u8]) {
        if let Some(&[high, low]) = open.get(22..24) {
            let offered = Duration::from_secs(u64::from(u16::from_be_bytes([high, low])));
            let hold = self.holds.entry(name.to_owned()).or_insert(offered);
            *hold = offered.min(*hold);
        }
    }

    fn quiet_until(&mut self, name: &str, now: Duration) {
        let Some(last) = self.spoke.get_mut(name) else {
            return;
        };
        let silence = now.saturating_sub(*last);
        *last = now;
        let longest = self.silences.entry(name.to_owned()).or_default();
        *longest = silence.max(*longest);
    }

    fn closed(&mut self, at: Duration, name: &str, cause: &str) {
        self.quiet_until(name, at);
        self.spoke.remove(name);
        self.ended.push(Ended {
            at,
            connection: name.to_owned(),
            cause: cause.to_owned(),
            meant: cause.ends_with("closing without sending any notification")
                || cause.starts_with("stop, message")
                || cause.starts_with("notification sent (6,"),
        });
    }
}
