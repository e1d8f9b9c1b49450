//! The race of the codecs: decode and encode the same UPDATEs on one thread, every side looking at every value.
//!
//! usage: codec [COUNT] [ROUNDS]   (200,000 UPDATEs and 7 rounds; the best round counts)

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
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

/// Processor time of this thread, so that what else the machine does counts for little; the clock where the kernel does not tell.
fn used() -> Duration {
    thread_local! {
        static START: Instant = Instant::now();
    }
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = spent.and_then(|text| text.split(' ').next()?.parse().ok());
    match nanoseconds {
        Some(nanoseconds) => Duration::from_nanos(nanoseconds),
        None => START.with(Instant::elapsed),
    }
}

/// The best of `rounds`.
fn best<T>(rounds: usize, mut work: impl FnMut() -> T) -> (Duration, T) {
    let mut round = || {
        let start = used();
        let outcome = black_box(work());
        (used() - start, outcome)
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

/// Runs every encoder.
fn encode(messages: &[Vec<u8>], rounds: usize, table: &Table) -> f64 {
    println!("\nencode from decoded values");
    let context = workload::context(SESSION);
    let decoded: Vec<Message> = messages
        .iter()
        .map(|message| Message::decode(&context, message).expect("ours"))
        .collect();
    let mut out = Vec::with_capacity(table.octets);
    let (took_ours, length) = best(rounds, || {
        out.clear();
        for update in &decoded {
            ours::encode(&context, update, &mut out);
        }
        out.len()
    });
    assert_eq!(length, table.octets);
    assert_eq!(out, messages.concat());
    table.line("lockstep", took_ours);
    drop(decoded);

    let decoded: Vec<_> = messages
        .iter()
        .map(|message| rustbgpd::decode(SESSION, Bytes::from(message.clone())).expect("rustbgpd"))
        .collect();
    let (took_rustbgpd, length) = best(rounds, || {
        out.clear();
        for update in &decoded {
            rustbgpd::encode(SESSION, update, &mut out).expect("rustbgpd");
        }
        out.len()
    });
    assert_eq!(length, table.octets, "rustbgpd");
    table.line("rustbgpd-wire", took_rustbgpd);
    drop(decoded);

    let mut parsing = netgauze::context(SESSION);
    let decoded: Vec<_> = messages
        .iter()
        .map(|message| netgauze::decode(&mut parsing, message).expect("netgauze"))
        .collect();
    let (took_netgauze, length) = best(rounds, || {
        out.clear();
        for update in &decoded {
            netgauze::encode(update, &mut out).expect("netgauze");
        }
        out.len()
    });
    assert_eq!(length, table.octets, "netgauze");
    table.line("netgauze-bgp-pkt", took_netgauze);
    drop(decoded);

    let decoded: Vec<_> = messages
        .iter()
        .map(|message| bgpkit::decode(SESSION, Bytes::from(message.clone())).expect("bgpkit"))
        .collect();
    let (took_bgpkit, length) = best(rounds, || {
        out.clear();
        for update in &decoded {
            out.extend_from_slice(&bgpkit::encode(SESSION, update).expect("bgpkit"));
        }
        out.len()
    });
    assert_eq!(length, table.octets, "bgpkit");
    table.line("bgpkit-parser", took_bgpkit);
    ratio(&[took_rustbgpd, took_netgauze, took_bgpkit], took_ours)
}
