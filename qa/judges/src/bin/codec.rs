//! The race of the codecs: decode and encode the same UPDATEs on one thread, every side looking at every value.
//!
//! Times are processor time of the thread, so that what else the machine does counts for little.
//!
//! usage: codec [COUNT] [ROUNDS]   (200,000 UPDATEs and 7 rounds; the best round counts)

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
    let copy = copy(&messages, octets, rounds);
    let table = Table {
        count,
        octets,
        copy,
    };
    table.line("plain copy of the octets", copy);
    let decoded = decode(&messages, rounds, &table);
    let encoded = encode(&messages, rounds, &table);
    println!("\ndecode: {decoded:.1} times the fastest other; encode: {encoded:.1} times");
}

/// Prints lines.
struct Table {
    count: usize,
    octets: usize,
    copy: Duration,
}

impl Table {
    fn line(&self, name: &str, took: Duration) {
        let seconds = took.as_secs_f64();
        println!(
            "{name:<42} {:>8.1} ms {:>7.2} M/s {:>8.0} MB/s {:>6.1}% of a copy",
            seconds * 1e3,
            self.count as f64 / seconds / 1e6,
            self.octets as f64 / seconds / 1e6,
            100.0 * self.copy.as_secs_f64() / seconds,
        );
    }
}

/// The best of `rounds`.
fn best<T>(rounds: usize, mut work: impl FnMut() -> T) -> (Duration, T) {
    let mut round = || {
        let start = ThreadTime::now();
        let outcome = black_box(work());
        (start.elapsed(), outcome)
    };
    let mut best = round();
    for _ in 1..rounds {
        let next = round();
        if next.0 < best.0 {
            best = next;
        }
    }
    best
}

fn copy(messages: &[Vec<u8>], octets: usize, rounds: usize) -> Duration {
    let mut out = Vec::with_capacity(octets);
    let (took, _) = best(rounds, || {
        out.clear();
        for message in messages {
            out.extend_from_slice(black_box(message));
        }
        out.len()
    });
    took
}

/// Runs every decoder; says how many times the fastest other ours is.
fn decode(messages: &[Vec<u8>], rounds: usize, table: &Table) -> f64 {
    println!("\ndecode, and look at every attribute value and every route");
    let shared: Vec<Bytes> = messages
        .iter()
        .map(|message| Bytes::from(message.clone()))
        .collect();
    let context = workload::context(SESSION);

    let (owned, expected) = best(rounds, || {
        let mut sum = Checksum::default();
        for message in messages {
            ours::walk(&ours::decode(&context, message).expect("ours"), &mut sum);
        }
        sum
    });
    let (borrowed, sum) = best(rounds, || {
        let mut sum = Checksum::default();
        for message in messages {
            ours::walk_view(&context, message, &mut sum).expect("ours");
        }
        sum
    });
    assert_eq!(sum, expected, "the view");
    table.line("lockstep, UpdateView (borrows)", borrowed);
    table.line("lockstep, Message (owns)", owned);

    let config = routecore::context(SESSION);
    let (took_routecore, sum) = best(rounds, || {
        let mut sum = Checksum::default();
        for message in messages {
            let update = routecore::decode(&config, message).expect("routecore");
            routecore::walk(SESSION, &update, &mut sum).expect("routecore");
        }
        sum
    });
    assert_eq!(sum, expected, "routecore");
    table.line("routecore (borrows)", took_routecore);

    let (took_rustbgpd, sum) = best(rounds, || {
        let mut sum = Checksum::default();
        for message in &shared {
            let update = rustbgpd::decode(SESSION, message.clone()).expect("rustbgpd");
            rustbgpd::walk(SESSION, &update, &mut sum);
        }
        sum
    });
    assert_eq!(sum, expected, "rustbgpd");
    table.line("rustbgpd-wire (owns)", took_rustbgpd);

    let mut parsing = netgauze::context(SESSION);
    let (took_netgauze, sum) = best(rounds, || {
        let mut sum = Checksum::default();
        for message in messages {
            let update = netgauze::decode(&mut parsing, message).expect("netgauze");
            netgauze::walk(&update, &mut sum);
        }
        sum
    });
    assert_eq!(sum, expected, "netgauze");
    table.line("netgauze-bgp-pkt (owns)", took_netgauze);

    let (took_bgpkit, sum) = best(rounds, || {
        let mut sum = Checksum::default();
        for message in &shared {
            let update = bgpkit::decode(SESSION, message.clone()).expect("bgpkit");
            bgpkit::walk(&update, &mut sum);
        }
        sum
    });
    assert_eq!(sum, expected, "bgpkit");
    table.line("bgpkit-parser (owns)", took_bgpkit);

    let others = [took_routecore, took_rustbgpd, took_netgauze, took_bgpkit];
    let owners = [took_rustbgpd, took_netgauze, took_bgpkit];
    println!(
        "  owned values: {:.1} times the fastest other that owns; borrowed: {:.1} times routecore",
        ratio(&owners, owned),
        ratio(&[took_routecore], borrowed),
    );
    ratio(&others, borrowed)
}

fn ratio(others: &[Duration], ours: Duration) -> f64 {
    let fastest = others.iter().min().copied().unwrap_or_default();
    fastest.as_secs_f64() / ours.as_secs_f64()
}

/// So many UPDATEs are decoded, then encoded: they are still at hand then, as what a speaker encodes is.
const AT_ONCE: usize = 500;

/// The best of `rounds` of encoding all `messages`, which `decode` makes values of outside the time that is taken.
fn encoding<T>(
    messages: &[Vec<u8>],
    rounds: usize,
    mut decode: impl FnMut(&[u8]) -> T,
    mut encode: impl FnMut(&T, &mut Vec<u8>),
) -> (Duration, usize) {
    let mut round = || {
        let mut out = Vec::with_capacity(AT_ONCE * 4096);
        let (mut took, mut length) = (Duration::ZERO, 0);
        for some in messages.chunks(AT_ONCE) {
            let values: Vec<T> = some.iter().map(|message| decode(message)).collect();
            out.clear();
            let start = ThreadTime::now();
            for value in &values {
                encode(value, &mut out);
            }
            took += start.elapsed();
            length += black_box(&out).len();
        }
        (took, length)
    };
    (0..rounds)
        .map(|_| round())
        .min()
        .unwrap_or((Duration::ZERO, 0))
}

/// Runs every encoder.
fn encode(messages: &[Vec<u8>], rounds: usize, table: &Table) -> f64 {
    println!("\nencode from decoded values");
    let context = workload::context(SESSION);
    let mut parsing = netgauze::context(SESSION);
    let shared = |message: &[u8]| Bytes::copy_from_slice(message);
    let race = |name: &str, (took, length): (Duration, usize)| {
        assert_eq!(length, table.octets, "{name}");
        table.line(name, took);
        took
    };
    let ours = encoding(
        messages,
        rounds,
        |message| Message::decode(&context, message).expect("ours"),
        |message, out| ours::encode(&context, message, out),
    );
    let ours = race("lockstep", ours);
    let others = [
        race(
            "rustbgpd-wire",
            encoding(
                messages,
                rounds,
                |message| rustbgpd::decode(SESSION, shared(message)).expect("rustbgpd"),
                |update, out| rustbgpd::encode(SESSION, update, out).expect("rustbgpd"),
            ),
        ),
        race(
            "netgauze-bgp-pkt",
            encoding(
                messages,
                rounds,
                |message| netgauze::decode(&mut parsing, message).expect("netgauze"),
                |message, out| netgauze::encode(message, out).expect("netgauze"),
            ),
        ),
        race(
            "bgpkit-parser",
            encoding(
                messages,
                rounds,
                |message| bgpkit::decode(SESSION, shared(message)).expect("bgpkit"),
                |message, out| {
                    out.extend_from_slice(&bgpkit::encode(SESSION, message).expect("bgpkit"));
                },
            ),
        ),
    ];
    println!(
        "  routecore composes only from a builder for one family of its own making: not raced"
    );
    ratio(&others, ours)
}
