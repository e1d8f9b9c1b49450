//! Which sessions are compared with each other, and what of their messages is not.

use std::net::IpAddr;

use lockstep::capture::Happening;
use lockstep::compare::{Class, Ignored, Options, Report};

use super::{FromClient, FromServer, compare, one, open, update};
use crate::capture::{message, record, wire};

/// What two ends say in turn: the first of each pair is who.
type Said = Vec<(u8, Vec<u8>)>;

/// A session in which end 1 announces `first` and end 2 `second`, after their OPENs.
fn said(first: &[u8], second: &[u8]) -> Said {
    let mut said = vec![(1, open(1)), (2, open(2))];
    said.extend(first.iter().map(|prefix| (1, one(*prefix))));
    said.extend(second.iter().map(|prefix| (2, one(*prefix))));
    said
}

/// What is `said` on a connection between `ends`, which `opener` opens.
fn between(ends: [&str; 2], opener: u8, said: &Said) -> Vec<u8> {
    sessions(&[(ends, opener, true, said)])
}

/// Several connections, one after the other; without its beginning where that is not asked for.
fn sessions(sessions: &[([&str; 2], u8, bool, &Said)]) -> Vec<u8> {
    let mut happenings = Vec::new();
    for (number, (ends, opener, begins, said)) in sessions.iter().enumerate() {
        let [client, server] = if *opener == 1 {
            *ends
        } else {
            [ends[1], ends[0]]
        };
        let port = 40_000 + number;
        let wire = wire(
            &format!("{client}:{port}"),
            &format!("{server}:179"),
            number as u32 + 1,
        );
        if *begins {
            happenings.push((wire, Happening::Opened));
        }
        for (who, octets) in *said {
            let way = if who == opener {
                FromClient
            } else {
                FromServer
            };
            happenings.push((wire, Happening::Data(way, octets)));
        }
    }
    record(&happenings)
}

const HOME: [&str; 2] = ["192.0.2.1", "192.0.2.2"];
const AWAY: [&str; 2] = ["198.51.100.1", "198.51.100.2"];

fn plain(left: Vec<u8>, right: Vec<u8>) -> Report {
    compare(left, right, Options::default())
}

fn ignoring(fields: &[&str], map: &[(&str, &str)]) -> Options {
    let fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    let map = map
        .iter()
        .map(|(left, right)| (address(left), address(right)))
        .collect();
    Options {
        ignored: Ignored::new(&fields, map).unwrap(),
        ..Options::default()
    }
}

#[test]
fn other_addresses_are_the_same_session() {
    let said = said(&[1, 2, 3], &[9]);
    let report = plain(between(HOME, 1, &said), between(AWAY, 1, &said));
    assert!(
        report.is_same() && report.is_complete(),
        "{:?}",
        report.counts
    );
    assert_eq!((report.connections, report.matched), (1, 6));
    let [pairing] = &report.pairings[..] else {
        panic!("{:?}", report.pairings)
    };
    assert!(!pairing.swapped);
}

#[test]
fn the_other_end_may_open_it() {
    let said = said(&[1, 2, 3], &[9]);
    for away in [HOME, AWAY] {
        let report = plain(between(HOME, 1, &said), between(away, 2, &said));
        assert!(report.is_same(), "{:?}", report.counts);
        assert_eq!((report.connections, report.matched), (1, 6));
        assert!(report.pairings[0].swapped);
    }
}

#[test]
fn what_differs_is_found_whoever_opened_it() {
    let (mut home, mut away) = (said(&[1, 2, 3], &[9]), said(&[1, 2, 3], &[9]));
    away[3].1 = update(&[2], 7, false);
    let report = plain(between(HOME, 1, &home), between(AWAY, 2, &away));
    assert_eq!(
        report.counts.into_iter().collect::<Vec<_>>(),
        [(Class::Value, 1)]
    );
    // It is named as the left names it.
    assert_eq!(report.differences[0].stream.direction, FromClient);
    home.pop();
    let report = plain(
        between(HOME, 1, &home),
        between(AWAY, 2, &said(&[1, 2, 3], &[9])),
    );
    assert_eq!(
        report.counts.into_iter().collect::<Vec<_>>(),
        [(Class::Extra, 1)]
    );
    assert_eq!(report.differences[0].stream.direction, FromServer);
}

#[test]
fn of_several_sessions_each_finds_its_own() {
    let tables = [
        said(&[1, 2, 3, 4], &[]),
        said(&[11, 12, 13, 14], &[]),
        said(&[21, 22], &[]),
    ];
    let away = [
        ["203.0.113.5", "203.0.113.9"],
        ["203.0.113.6", "203.0.113.9"],
        ["203.0.113.7", "203.0.113.9"],
    ];
    let home = [
        ["192.0.2.5", "192.0.2.9"],
        ["192.0.2.6", "192.0.2.9"],
        ["192.0.2.7", "192.0.2.9"],
    ];
    let left: Vec<_> = (0..3).map(|at| (home[at], 1, true, &tables[at])).collect();
    // In another order.
    let right: Vec<_> = [2, 0, 1]
        .map(|at| (away[at], 1, true, &tables[at]))
        .to_vec();
    let report = plain(sessions(&left), sessions(&right));
    assert!(
        report.is_same(),
        "{:?} {:?}",
        report.counts,
        report.pairings
    );
    assert_eq!((report.connections, report.matched), (3, 16));
}

#[test]
fn an_attempt_that_failed_before_moves_nothing() {
    let (failed, whole) = (said(&[], &[]), said(&[1, 2, 3, 4], &[9]));
    let left = sessions(&[(HOME, 1, true, &failed), (HOME, 1, true, &whole)]);
    let report = plain(left, between(HOME, 1, &whole));
    assert_eq!(report.connections, 1);
    assert_eq!(report.matched, 7);
    // The attempt that only the left has, in both directions.
    let counts: Vec<_> = report.counts.into_iter().collect();
    assert_eq!(counts, [(Class::ConnectionMissing, 2)]);
}

#[test]
fn sessions_that_have_nothing_in_common_are_not_forced_together() {
    let foreign = vec![(1, message(3, &[6, 2])), (2, message(3, &[6, 4]))];
    let home = said(&[1, 2, 3], &[9]);
    let left = sessions(&[(HOME, 1, true, &home), (AWAY, 1, true, &foreign)]);
    let right = between(["203.0.113.1", "203.0.113.2"], 1, &home);
    let report = plain(left, right);
    assert_eq!((report.connections, report.matched), (1, 6));
    assert!(report.counts.contains_key(&Class::ConnectionMissing));
    assert!(!report.counts.contains_key(&Class::Value));
}

#[test]
fn a_capture_that_begins_mid_session_is_compared_from_there_and_never_the_same() {
    let all: Vec<u8> = (0..40).collect();
    let whole = said(&all, &[99]);
    let late: Said = whole[12..].to_vec();
    for opener in [1, 2] {
        let full = between(HOME, 1, &whole);
        let part = sessions(&[(HOME, opener, false, &late)]);
        for (left, right, side) in [(full.clone(), part.clone(), 1), (part, full, 0)] {
            let report = plain(left, right);
            assert!(report.is_same(), "{:?}", report.counts);
            assert!(!report.is_complete());
            assert_eq!(report.matched, 31);
            let unread = report.unread[side].join(", ");
            assert!(unread.contains("12 messages"), "{unread}");
            assert!(report.unread[1 - side].is_empty());
        }
    }
}

#[test]
fn what_differs_after_a_late_beginning_is_found() {
    let all: Vec<u8> = (0..40).collect();
    let whole = said(&all, &[99]);
    let mut late: Said = whole[12..].to_vec();
    late[0].1 = update(&[10], 7, false);
    late.remove(5);
    let report = plain(
        between(HOME, 1, &whole),
        sessions(&[(HOME, 1, false, &late)]),
    );
    let counts: Vec<_> = report.counts.into_iter().collect();
    assert_eq!(counts, [(Class::Missing, 1), (Class::Value, 1)]);
}

#[test]
fn what_is_ignored_is_not_compared_and_said() {
    let home = said(&[1, 2], &[]);
    let mut away = home.clone();
    away[0].1[23] = 180;
    away[0].1[27] = 77;
    // NEXT_HOP and MED of the first UPDATE.
    let at = away[2].1.len() - 3 - 7 - 1;
    assert_eq!(away[2].1[at - 3..=at], [192, 0, 2, 1]);
    away[2].1[at] = 200;
    away[2].1[at + 7] = 5;
    let report =
        |options: Options| compare(between(HOME, 1, &home), between(HOME, 1, &away), options);
    let count = |fields: &[&str]| report(ignoring(fields, &[])).counts.values().sum::<u64>();
    assert_eq!(count(&[]), 2);
    assert_eq!(count(&["identifier"]), 2);
    assert_eq!(count(&["identifier", "hold-time"]), 1);
    assert_eq!(count(&["identifier", "hold-time", "next-hop"]), 1);
    assert_eq!(count(&["hold-time", "addresses", "med"]), 0);
    let quiet = report(ignoring(&["hold-time", "addresses", "attribute-4"], &[]));
    assert!(quiet.is_same());
    assert!(
        quiet.ignored.contains(&"med".to_owned()),
        "{:?}",
        quiet.ignored
    );
    // The NLRI are compared still.
    away[3].1 = one(50);
    let other = compare(
        between(HOME, 1, &home),
        between(HOME, 1, &away),
        ignoring(&["hold-time", "addresses", "med"], &[]),
    );
    assert_eq!(
        other.counts.into_iter().collect::<Vec<_>>(),
        [(Class::Value, 1)]
    );
    assert!(Ignored::new(&["nexthop!".to_owned()], vec![]).is_err());
}

#[test]
fn mapped_addresses_name_sessions_identifiers_and_next_hops() {
    let home = said(&[1, 2], &[]);
    let mut away = home.clone();
    away[0].1[24..28].copy_from_slice(&[198, 51, 100, 1]);
    for (_, octets) in &mut away[2..] {
        let at = octets.len() - 3 - 7 - 4;
        octets[at..at + 4].copy_from_slice(&[198, 51, 100, 1]);
    }
    let report = |options| compare(between(HOME, 1, &home), between(AWAY, 1, &away), options);
    assert!(!report(Options::default()).is_same());
    let map = [("192.0.2.1", "198.51.100.1"), ("192.0.2.2", "198.51.100.2")];
    let mapped = report(ignoring(&[], &map));
    assert!(mapped.is_same(), "{:?}", mapped.counts);
    assert_eq!((mapped.connections, mapped.matched), (1, 4));
}

#[test]
fn times_in_communities_are_told_from_other_numbers() {
    let with = |time: u32, number: u32| {
        let mut body = vec![
            0, 0, 0, 0, 0x40, 1, 1, 0, 0x40, 2, 0, 0x40, 3, 4, 192, 0, 2, 1,
        ];
        body.extend([0xc0, 32, 12]);
        for word in [65_000, time, number] {
            body.extend(word.to_be_bytes());
        }
        body[3] = (body.len() - 4) as u8;
        body.extend([16, 10, 1]);
        message(2, &body)
    };
    let session = |time, number| {
        let said = vec![(1, open(1)), (2, open(2)), (1, with(time, number))];
        between(HOME, 1, &said)
    };
    // The captures are of 1,700,000,000 s.
    let left = || session(1_700_000_002, 5);
    let options = || ignoring(&["timestamps"], &[]);
    assert!(!plain(left(), session(1_700_000_900, 5)).is_same());
    assert!(compare(left(), session(1_700_000_900, 5), options()).is_same());
    assert!(!compare(left(), session(1_700_000_900, 6), options()).is_same());
    assert!(!compare(left(), session(1_500_000_900, 5), options()).is_same());
}
