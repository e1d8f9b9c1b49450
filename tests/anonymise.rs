//! `lockstep anonymise`: nothing of the original is left, and every verdict stays.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use lockstep::bgp::attribute::WireContext;
use lockstep::bgp::dissect;
use lockstep::bgp::message::Message;
use lockstep::capture::{Capture, EventKind, StreamDirection};
use lockstep::compare::{Contexts, Declared, Input, Options, captures};
use lockstep::field::anonymise::{Key, anonymise};
use lockstep::field::import::{Choice, Import};
use lockstep::field::why::Why;

/// An event of a capture: when, on which connection, from which end, and what.
#[derive(Debug, Clone)]
struct Told {
    time: u64,
    connection: usize,
    direction: StreamDirection,
    kind: String,
    octets: Vec<u8>,
    context: WireContext,
}

/// Fields of four octets or more that hold no address, AS number or name, by the ends of their dotted names.
const PLAIN: &[&str] = &[
    "header.marker",
    "local-pref.value",
    "multi-exit-disc.value",
    "path-identifier",
    "ethernet-tag",
    "distinguisher",
    "color",
    "teid",
    "metric",
    "stale-time",
];

fn anonymous(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut input = Input::Memory("test.pcap".to_owned(), octets.to_vec());
    anonymise(
        &mut input,
        &Key::new(b"test"),
        &Declared::default(),
        &mut out,
    )
    .unwrap();
    out
}

fn told(octets: &[u8]) -> Vec<Told> {
    let mut contexts = Contexts::new(Declared::default());
    let mut told = Vec::new();
    let mut capture = Capture::new("test.pcap", octets).unwrap();
    let _ = capture.read_all(|event| {
        contexts.note(&event);
        let (kind, octets) = match event.kind {
            EventKind::Message { octets, .. } => (format!("message {}", octets[18]), octets),
            EventKind::Junk { octets, reason, .. } => (format!("junk: {reason}"), octets),
            other => (format!("{other:?}"), &[][..]),
        };
        let number = event.connection.number;
        told.push(Told {
            time: event.time,
            connection: number,
            direction: event.direction,
            kind,
            octets: octets.to_vec(),
            context: contexts.context(number, event.direction).clone(),
        });
    });
    told
}

/// Every golden and every capture of the field.
fn all() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::from("captures")];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let ending = path
                .extension()
                .and_then(|it| it.to_str())
                .map(str::to_owned);
            match ending.as_deref() {
                _ if path.is_dir() => open.push(path),
                Some("pcap" | "pcapng") => found.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// The addresses in a text, but those that mean the same everywhere.
fn addresses(text: &str) -> Vec<IpAddr> {
    let words = text.split(|c: char| !(c.is_ascii_hexdigit() || ".:".contains(c)));
    words
        .filter(|word| word.contains('.') && !word.contains(":") || word.matches(':').count() > 1)
        .filter_map(|word| word.parse().ok())
        .filter(|address: &IpAddr| match address {
            // The bits that tell what cannot be a host stay, and so does the network beside each.
            IpAddr::V4(it) => !matches!(
                it.octets(),
                [0 | 1 | 126 | 127, 0, 0, 0] | [255, 255, 255, 255]
            ),
            IpAddr::V6(it) => !it.is_unspecified() && !it.is_loopback(),
        })
        .collect()
}

/// What a decoder says of a message: what is wrong with it.
fn faults(one: &Told) -> String {
    match Message::read(&one.context, &one.octets) {
        Ok(Message::Update(update)) => {
            let mut text = format!("{:?}", update.action());
            for malformed in &update.malformed {
                text.push_str(&format!(" {:?} {}", malformed.code, malformed.kind.name()));
            }
            text
        }
        Ok(_) => "whole".to_owned(),
        Err(error) => {
            let notification = error.notification();
            format!("{:?}/{}", notification.code, notification.subcode)
        }
    }
}

/// Compares a message with what became of it, field by field, and returns what is wrong with it.
fn check(one: &Told, other: &Told) -> Vec<String> {
    let mut wrong = Vec::new();
    if faults(one) != faults(other) {
        wrong.push(format!("{} was {}", faults(other), faults(one)));
    }
    let [before, after] = [one, other].map(|it| dissect::message(&it.context, &it.octets));
    let (before, after): (Vec<_>, Vec<_>) = (before.leaves().collect(), after.leaves().collect());
    if before.len() != after.len() {
        wrong.push(format!("{} fields were {}", after.len(), before.len()));
    }
    for (before, after) in before.iter().zip(&after) {
        let id = &before.id;
        if (id, &before.range) != (&after.id, &after.range) {
            wrong.push(format!("{} was {id}", after.id));
        }
        let [old, new] =
            [(before, one), (after, other)].map(|(leaf, it)| &it.octets[leaf.range.clone()]);
        let left = addresses(&after.value);
        if addresses(&before.value)
            .iter()
            .any(|address| left.contains(address))
        {
            wrong.push(format!(
                "{id} shows {} and then {}",
                before.value, after.value
            ));
        }
        let says_something = old.iter().any(|octet| *octet != 0 && *octet != 0xff);
        let is_plain = PLAIN.iter().any(|plain| id.ends_with(plain))
            || id.contains(".filter.") && !id.ends_with("rd");
        let is_same = old == new && says_something && old.len() >= 4;
        if is_same && !is_plain && !stays(id, old) {
            wrong.push(format!("{id} stays {} ({old:02x?})", before.value));
        }
        let is_as = id.contains(".as.") || id.ends_with("my-as") || id.ends_with(".as");
        let number = old
            .iter()
            .fold(0, |sum, octet| sum << 8 | u64::from(*octet));
        let special = [0, 23_456, 65_535, u64::from(u32::MAX)].contains(&number);
        if is_as && old == new && !special {
            wrong.push(format!("{id} stays AS {number}"));
        }
    }
    wrong
}

/// Values with a meaning of their own.
fn stays(id: &str, octets: &[u8]) -> bool {
    let is_well_known = id.contains(".communities.") && octets.starts_with(&[0xff, 0xff]);
    // Rates and other actions on traffic without an AS number, colours and encapsulations.
    let is_action = id.contains("extended-communities")
        && matches!(
            octets,
            [0x80, 0x06 | 0x0c, 0, 0, ..]
                | [0x80, 0x07 | 0x09, ..]
                | [0x03 | 0x43, ..]
                | [_, _, 0, 0, 0, 0, 0, 0]
        );
    // Label indices, preferences, priorities and the like.
    let is_number = id.contains("prefix-sid.tlv") && octets.len() < 16
        || id.contains("sub-tlv") && matches!(octets, [4 | 12 | 13 | 14 | 15, _, ..])
        // A segment list of labels alone.
        || id.contains("sub-tlv") && matches!(octets, [0x80, 0, 0x11, ..])
        || id == "notification.data" && octets.len() == 7;
    let is_loopback = octets.len() == 16 && octets[..15] == [0; 15];
    let is_trans = octets == [0, 0, 0x5b, 0xa0];
    is_well_known || is_action || is_number || is_loopback || is_trans
}

#[test]
fn nothing_of_the_original_is_left_and_every_message_reads_as_before() {
    let paths = all();
    assert!(paths.len() > 150, "{}", paths.len());
    let mut messages = 0;
    let mut wrong = Vec::new();
    for path in paths {
        let original = std::fs::read(&path).unwrap();
        let result = anonymous(&original);
        let (before, after) = (told(&original), told(&result));
        let shape = |told: &[Told]| -> Vec<_> {
            told.iter()
                .map(|it| {
                    (
                        it.time,
                        it.connection,
                        it.direction,
                        it.kind.clone(),
                        it.octets.len(),
                    )
                })
                .collect()
        };
        assert_eq!(shape(&before), shape(&after), "{}", path.display());
        for (one, other) in before.iter().zip(&after) {
            if one.kind.starts_with("message") {
                messages += 1;
                let found = check(one, other).into_iter();
                wrong.extend(found.map(|what| format!("{}: {what}", path.display())));
            }
        }
        // Names, wherever they may be.
        for one in before.iter().filter(|it| it.kind == "message 1") {
            let tree = dissect::message(&one.context, &one.octets);
            for leaf in tree.leaves() {
                let is_name = [
                    "hostname.host",
                    "hostname.domain",
                    "software-version.version",
                ]
                .iter()
                .any(|name| leaf.id.ends_with(name));
                let name = &one.octets[leaf.range.clone()];
                if is_name && name.len() > 3 {
                    let is_left = result.windows(name.len()).any(|window| window == name);
                    if is_left {
                        wrong.push(format!("{}: {}", path.display(), leaf.value));
                    }
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of them: {:#?}",
        wrong.len(),
        &wrong[..wrong.len().min(60)]
    );
    assert!(messages > 4_000, "{messages}");
}

#[test]
fn why_says_the_same_before_and_after() {
    let mut wrong = Vec::new();
    for path in all() {
        let original = std::fs::read(&path).unwrap();
        let result = anonymous(&original);
        let [before, after] = [original, result].map(|octets| {
            let mut input = Input::Memory("test.pcap".to_owned(), octets);
            let why = Why::read(&mut input, Declared::default()).unwrap();
            let causes = why.sessions.iter().map(|one| {
                let ending = std::mem::discriminant(&one.ending);
                (
                    one.cause,
                    one.certainty,
                    ending,
                    one.ending.at(),
                    one.evidence.len(),
                    one.pattern.is_some(),
                )
            });
            causes.collect::<Vec<_>>()
        });
        if before != after {
            wrong.push(format!("{}: {before:?} became {after:?}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn diff_finds_as_many_differences_before_and_after() {
    let names = [
        "session-ipv4",
        "route-replace",
        "graceful-restart",
        "maximum-prefixes",
    ];
    for name in names {
        let [one, other] = ["bird", "frr"]
            .map(|daemon| std::fs::read(format!("captures/daemons/{daemon}/{name}.pcap")).unwrap());
        let compared = |one: &[u8], other: &[u8]| {
            let [mut one, mut other] =
                [one, other].map(|octets| Input::Memory("test.pcap".to_owned(), octets.to_vec()));
            let report = captures(&mut one, &mut other, Options::default(), &mut |_| ()).unwrap();
            (
                report.matched,
                report.equivalent,
                report.differences.len(),
                report.problems.len(),
            )
        };
        let before = compared(&one, &other);
        let after = compared(&anonymous(&one), &anonymous(&other));
        assert_eq!(before, after, "{name}");
    }
}

#[test]
fn what_was_imported_is_imported_afterwards() {
    let names = [
        "bfd-down",
        "unread-input",
        "malformed-nlri",
        "host-unreachable",
        "open-as",
        "collision",
    ];
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("anonymise");
    std::fs::create_dir_all(&scratch).unwrap();
    for name in names {
        let original = PathBuf::from(format!("captures/why/{name}.pcap"));
        let result = scratch.join(format!("{name}.pcap"));
        std::fs::write(&result, anonymous(&std::fs::read(&original).unwrap())).unwrap();
        let choice = Choice {
            connection: Some(1),
            ..Choice::default()
        };
        let [before, after] = [original, result].map(|path| {
            let out = scratch.join("out");
            let import = Import::of(&path, &choice, false, &Declared::default(), &out)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            (
                import.timeline.ended,
                import.timeline.end,
                import.timeline.pieces.len(),
            )
        });
        assert_eq!(before, after, "{name}");
    }
}

#[test]
fn one_key_keeps_captures_consistent_and_another_does_not() {
    let octets = std::fs::read("captures/field/bird-reset.pcap").unwrap();
    let with = |key: &[u8]| {
        let mut out = Vec::new();
        let mut input = Input::Memory("test.pcap".to_owned(), octets.clone());
        anonymise(&mut input, &Key::new(key), &Declared::default(), &mut out).unwrap();
        out
    };
    assert_eq!(with(b"one"), with(b"one"));
    assert_ne!(with(b"one"), with(b"two"));
}
