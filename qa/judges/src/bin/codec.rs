//! The race of the codecs: decode and encode the same UPDATEs on one thread, every side looking at every value.
//!
//! Times are processor time of the thread, so that what else the machine does counts for little; the codecs take turns in
//! each round, so that what it does meanwhile hits all of them; the best round of each counts.
//!
//! usage: codec [COUNT] [ROUNDS]   (200,000 UPDATEs and 7 rounds)

use std::fmt::Debug;
use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use cpu_time::ThreadTime;
use lockstep::bgp::message::Message;
use lockstep_judges::{Checksum, Session, bgpkit, netgauze, ours, routecore, rustbgpd, workload};

const SESSION: Session = Session {
    four_octet_as: true,
    add_path: false,
    sets: false,
};

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse());
    let mut next = |default| match arguments.next() {
        Some(Ok(number)) => number,
        None => default,
        Some(Err(_)) => {
            eprintln!("usage: codec [COUNT] [ROUNDS]");
            std::process::exit(2);
        }
    };
    let (count, rounds) = (next(200_000), next(7));
    let messages = workload::updates(1, count, SESSION);
    let octets: usize = messages.iter().map(Vec::len).sum();
    println!(
        "{count} UPDATEs, {:.1} MB, {:.0} octets each; best of {rounds} rounds, one thread\n",
        octets as f64 / 1e6,
        octets as f64 / count as f64
    );
    let mut table = Table {
        count,
        octets,
        rounds,
        copy: Duration::ZERO,
    };
    table.copy = table.race(vec![copy(&messages, octets)])[0];
    println!("\ndecode, and look at every attribute value and every route");
    decode(&messages, &table);
    println!("\nencode from decoded values");
    encode(&messages, &table);
}

/// A side of the race: its name and a round of its work, which says how long it took and what came of it.
struct Racer<'a, T> {
    name: &'static str,
    round: Box<dyn FnMut() -> (Duration, T) + 'a>,
}

impl<'a, T> Racer<'a, T> {
    /// All of `work` is timed.
    fn new(name: &'static str, mut work: impl FnMut() -> T + 'a) -> Self {
        let round = move || {
            let start = ThreadTime::now();
            let outcome = black_box(work());
            (start.elapsed(), outcome)
        };
        Self {
            name,
            round: Box::new(round),
        }
    }
}

/// Races, and prints a line for each side.
struct Table {
    count: usize,
    octets: usize,
    rounds: usize,
    copy: Duration,
}

impl Table {
    /// The best round of each. All must come to the same.
    fn race<T: PartialEq + Debug>(&self, mut racers: Vec<Racer<'_, T>>) -> Vec<Duration> {
        let mut best = vec![Duration::MAX; racers.len()];
        let mut expected = None;
        for _ in 0..self.rounds.max(1) {
            for (racer, best) in racers.iter_mut().zip(&mut best) {
                let (took, outcome) = (racer.round)();
                *best = took.min(*best);
                match &expected {
                    Some(expected) => assert_eq!(&outcome, expected, "{}", racer.name),
                    None => expected = Some(outcome),
                }
            }
        }
        for (racer, took) in racers.iter().zip(&best) {
            self.line(racer.name, *took);
        }
        best
    }

    fn line(&self, name: &str, took: Duration) {
        let seconds = took.as_secs_f64();
        let copy = if self.copy.is_zero() { took } else { self.copy };
        println!(
            "{name:<42} {:>8.1} ms {:>7.2} M/s {:>8.0} MB/s {:>6.1}% of a copy",
            seconds * 1e3,
            self.count as f64 / seconds / 1e6,
            self.octets as f64 / seconds / 1e6,
            100.0 * copy.as_secs_f64() / seconds,
        );
    }
}

fn copy(messages: &[Vec<u8>], octets: usize) -> Racer<'_, usize> {
    let mut out = Vec::with_capacity(octets);
    Racer::new("plain copy of the octets", move || {
        out.clear();
        for message in messages {
            out.extend_from_slice(black_box(message));
        }
        out.len()
    })
}

/// A round in which `walk` looks at every value of every one of `messages`.
fn decoding<'a, M>(
    name: &'static str,
    messages: &'a [M],
    mut walk: impl FnMut(&'a M, &mut Checksum) -> Result<(), String> + 'a,
) -> Racer<'a, Checksum> {
    Racer::new(name, move || {
        let mut sum = Checksum::default();
        for message in messages {
            walk(message, &mut sum).expect(name);
        }
        sum
    })
}

fn decode(messages: &[Vec<u8>], table: &Table) {
    let shared: Vec<Bytes> = messages
        .iter()
        .map(|message| Bytes::from(message.clone()))
        .collect();
    let context = workload::context(SESSION);
    let config = routecore::context(SESSION);
    let mut parsing = netgauze::context(SESSION);
    let took = table.race(vec![
        decoding("lockstep, UpdateView (borrows)", messages, |bytes, sum| {
            ours::walk_view(&context, bytes, sum)
        }),
        decoding("routecore (borrows)", messages, |bytes, sum| {
            let update = routecore::decode(&config, bytes)?;
            routecore::walk(SESSION, &update, sum)
        }),
        decoding("lockstep, Message (owns)", messages, |bytes, sum| {
            ours::walk(&ours::decode(&context, bytes)?, sum);
            Ok(())
        }),
        decoding("rustbgpd-wire (owns)", &shared, |bytes, sum| {
            rustbgpd::walk(SESSION, &rustbgpd::decode(SESSION, bytes.clone())?, sum);
            Ok(())
        }),
        decoding("netgauze-bgp-pkt (owns)", messages, |bytes, sum| {
            netgauze::walk(&netgauze::decode(&mut parsing, bytes)?, sum);
            Ok(())
        }),
        decoding("bgpkit-parser (owns)", &shared, |bytes, sum| {
            bgpkit::walk(&bgpkit::decode(SESSION, bytes.clone())?, sum);
            Ok(())
        }),
    ]);
    let [view, routecore, owned, owners @ ..] = took.as_slice() else {
        return;
    };
    let fastest = owners.iter().chain([routecore]).min().unwrap_or(routecore);
    println!("  borrowed: {:.2} times routecore", ratio(routecore, view));
    println!(
        "  owned: {:.2} times the fastest other that owns",
        ratio(owners.iter().min().unwrap_or(routecore), owned)
    );
    println!(
        "  the fastest of ours: {:.2} times the fastest other",
        ratio(fastest, view.min(owned))
    );
}

fn ratio(other: &Duration, ours: &Duration) -> f64 {
    other.as_secs_f64() / ours.as_secs_f64()
}

/// So many UPDATEs are decoded, then encoded: they are still at hand then, as what a speaker encodes is.
const AT_ONCE: usize = 500;

/// A round of encoding all `messages`, which `decode` makes values of outside the time that is taken.
fn encoding<'a, T>(
    name: &'static str,
    messages: &'a [Vec<u8>],
    mut decode: impl FnMut(&[u8]) -> Result<T, String> + 'a,
    mut encode: impl FnMut(&T, &mut Vec<u8>) -> Result<(), String> + 'a,
) -> Racer<'a, usize> {
    let round = move || {
        let mut out = Vec::with_capacity(AT_ONCE * 4096);
        let (mut took, mut length) = (Duration::ZERO, 0);
        for some in messages.chunks(AT_ONCE) {
            let values = some.iter().map(|message| decode(message).expect(name));
            let values: Vec<T> = values.collect();
            out.clear();
            let start = ThreadTime::now();
            for value in &values {
                encode(value, &mut out).expect(name);
            }
            took += start.elapsed();
            length += black_box(&out).len();
        }
        (took, length)
    };
    Racer {
        name,
        round: Box::new(round),
    }
}

fn encode(messages: &[Vec<u8>], table: &Table) {
    let context = workload::context(SESSION);
    let mut parsing = netgauze::context(SESSION);
    let shared = |message: &[u8]| Bytes::copy_from_slice(message);
    let took = table.race(vec![
        encoding(
            "lockstep",
            messages,
            |bytes| Message::decode(&context, bytes).map_err(|error| error.to_string()),
            |message, out| {
                ours::encode(&context, message, out);
                Ok(())
            },
        ),
        encoding(
            "rustbgpd-wire",
            messages,
            |bytes| rustbgpd::decode(SESSION, shared(bytes)),
            |update, out| rustbgpd::encode(SESSION, update, out),
        ),
        encoding(
            "netgauze-bgp-pkt",
            messages,
            |bytes| netgauze::decode(&mut parsing, bytes),
            netgauze::encode,
        ),
        encoding(
            "bgpkit-parser",
            messages,
            |bytes| bgpkit::decode(SESSION, shared(bytes)),
            |message, out| {
                out.extend_from_slice(&bgpkit::encode(SESSION, message)?);
                Ok(())
            },
        ),
    ]);
    println!(
        "  routecore composes only from a builder for one family of its own making: not raced"
    );
    if let [ours, others @ ..] = took.as_slice() {
        let fastest = others.iter().min().unwrap_or(ours);
        println!("  {:.2} times the fastest other", ratio(fastest, ours));
    }
}
