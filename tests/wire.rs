//! Properties of the codec: what a decoder accepts the encoder reproduces, and nothing makes it panic.

use lockstep::bgp::attribute::{Attributes, WireContext};
use lockstep::bgp::dissect;
use lockstep::bgp::family::{Families, Family};
use lockstep::bgp::message::{Message, Open, header};
use lockstep::bgp::nlri::KNOWN_FAMILIES;
use lockstep::bgp::wire::Reader;
use lockstep::capture::{Canonical, Capture, Stream};
use proptest::prelude::*;

fn context() -> impl Strategy<Value = WireContext> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(four_octet_as, add_path, extended_message)| WireContext {
            four_octet_as,
            add_path: if add_path {
                KNOWN_FAMILIES.iter().copied().collect()
            } else {
                Families::new()
            },
            extended_message,
            bgpsec: false,
        },
    )
}

#[path = "../qa/fuzz/src/lib.rs"]
mod harness;

use harness::{framed, message as reproduced};

/// One attribute: any code that is likely to be known, flags that fit or not, any value.
fn attribute() -> impl Strategy<Value = Vec<u8>> {
    let code = prop_oneof![0u8..42, any::<u8>()];
    let value = proptest::collection::vec(any::<u8>(), 0..60);
    (any::<u8>(), code, any::<bool>(), value).prop_map(|(noise, code, fits, value)| {
        let flags = match lockstep::bgp::attribute::rules(code) {
            Some(rules) if fits => rules.flags.0,
            _ => noise & 0xe0,
        };
        let mut bytes = vec![flags, code, value.len() as u8];
        bytes.extend_from_slice(&value);
        bytes
    })
}

/// MP_REACH_NLRI or MP_UNREACH_NLRI of a known family with any octets in it.
fn multiprotocol() -> impl Strategy<Value = Vec<u8>> {
    let families = proptest::sample::select(KNOWN_FAMILIES.to_vec());
    let lengths = proptest::sample::select(vec![0u8, 4, 12, 16, 24, 32, 48]);
    let routes = proptest::collection::vec(any::<u8>(), 0..60);
    (families, lengths, any::<bool>(), routes).prop_map(|(family, length, reach, routes)| {
        let mut value = family.afi.0.to_be_bytes().to_vec();
        value.push(family.safi.0);
        if reach {
            value.push(length);
            value.resize(value.len() + usize::from(length) + 1, 0);
        }
        value.extend_from_slice(&routes);
        let mut bytes = vec![0x80, if reach { 14 } else { 15 }, value.len() as u8];
        bytes.extend_from_slice(&value);
        bytes
    })
}

proptest! {
    #[test]
    fn any_octets((context, kind, body) in (context(), 0u8..9, proptest::collection::vec(any::<u8>(), 0..300))) {
        reproduced(&context, &framed(kind, &body));
    }

    #[test]
    fn any_stream(bytes in proptest::collection::vec(any::<u8>(), 0..64), extended in any::<bool>()) {
        let _ = header::frame(&bytes, extended);
        let _ = dissect::message(&WireContext::default(), &bytes);
    }

    #[test]
    fn any_attributes((context, list) in (context(), proptest::collection::vec(attribute(), 0..6))) {
        let list = list.concat();
        let mut body = vec![0, 0];
        body.extend_from_slice(&(list.len() as u16).to_be_bytes());
        body.extend_from_slice(&list);
        body.extend_from_slice(&[8, 10]);
        reproduced(&context, &framed(2, &body));
        let mut malformed = Vec::new();
        let _ = Attributes::decode(&context, Reader::new(&list), &mut malformed);
    }

    #[test]
    fn any_routes((context, list) in (context(), multiprotocol())) {
        let mut body = vec![0, 0];
        body.extend_from_slice(&(list.len() as u16).to_be_bytes());
        body.extend_from_slice(&list);
        reproduced(&context, &framed(2, &body));
    }

    #[test]
    fn any_capability((code, value) in (any::<u8>(), proptest::collection::vec(any::<u8>(), 0..40))) {
        let mut body = vec![4, 0xfd, 0xe8, 0, 180, 1, 1, 1, 1, value.len() as u8 + 4, 2, value.len() as u8 + 2];
        body.extend_from_slice(&[code, value.len() as u8]);
        body.extend_from_slice(&value);
        reproduced(&WireContext::default(), &framed(1, &body));
    }
}

/// Every message of every capture here: decoded, encoded and found the same to the octet.
#[test]
fn captured_messages_are_reproduced_to_the_octet() {
    let mut messages = 0;
    for directory in ["captures", "captures/field"] {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/");
        let Ok(entries) = std::fs::read_dir(format!("{root}{directory}")) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if !path
                .extension()
                .is_some_and(|kind| kind == "pcap" || kind == "pcapng")
            {
                continue;
            }
            let mut canonical = Canonical::default();
            Capture::open(&path)
                .unwrap()
                .read_all(|event| canonical.push(&event))
                .unwrap();
            for (id, stream) in &canonical.streams {
                let other = canonical.streams.iter().find(|(other, _)| {
                    other.connection == id.connection && other.direction != id.direction
                });
                let receiver = other.and_then(|(_, stream)| open(stream));
                let context = match (open(stream), receiver) {
                    (Some(sender), Some(receiver)) => WireContext::agreed(&sender, &receiver),
                    _ => WireContext::default(),
                };
                for bytes in stream.messages() {
                    reproduce(&path, &context, bytes);
                    messages += 1;
                }
            }
        }
    }
    assert!(messages > 50, "{messages}");
}

fn reproduce(path: &std::path::Path, context: &WireContext, bytes: &[u8]) {
    let message = Message::read(context, bytes)
        .unwrap_or_else(|error| panic!("{}: {error}: {bytes:02x?}", path.display()));
    let mut out = Vec::new();
    message.encode(context, &mut out).unwrap();
    assert_eq!(out, bytes, "{}: {message:?}", path.display());
}

fn open(stream: &Stream) -> Option<Open> {
    let first = stream.messages().next()?;
    match Message::decode(&WireContext::default(), first) {
        Ok(Message::Open(open)) => Some(open),
        _ => None,
    }
}

#[test]
fn every_known_family_has_its_end_of_rib() {
    let context = WireContext::default();
    for family in KNOWN_FAMILIES {
        let update = lockstep::bgp::message::Update::of_end_of_rib(*family);
        let mut out = Vec::new();
        Message::Update(update).encode(&context, &mut out).unwrap();
        let length = if *family == Family::IPV4_UNICAST {
            23
        } else {
            30
        };
        assert_eq!(out.len(), length);
        let Ok(Message::Update(update)) = Message::decode(&context, &out) else {
            panic!("{family} does not decode")
        };
        assert_eq!(update.end_of_rib(), Some(*family));
    }
}

#[test]
fn every_message_family_attribute_and_capability_has_a_fuzz_target() {
    let manifest = include_str!("../qa/fuzz/Cargo.toml");
    let missing: Vec<String> = harness::targets()
        .into_iter()
        .filter(|target| !manifest.contains(&format!("name = \"{target}\"")))
        .map(|target| format!("\n[[bin]]\nname = \"{target}\"\npath = \"src/target.rs\"\n"))
        .collect();
    assert!(
        missing.is_empty(),
        "add to qa/fuzz/Cargo.toml:\n{}",
        missing.concat()
    );
    // `all` and qa/fuzz/seed know them by their places.
    let names: Vec<&str> = manifest
        .lines()
        .filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
        .filter(|name| !matches!(*name, "lockstep-fuzz" | "all"))
        .collect();
    assert_eq!(names, harness::targets());
}

/// The fuzz targets, a few hundred random inputs each: enough to know that they run.
#[test]
fn every_fuzz_target_survives_random_octets() {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for target in harness::targets().iter().map(String::as_str).chain(["all"]) {
        for _ in 0..200 {
            let length = (next() % 64) as usize;
            // Small numbers make more of what lengths and types are.
            let small = next() % 2 == 0;
            let data: Vec<u8> = (0..length)
                .map(|_| {
                    if small {
                        (next() % 24) as u8
                    } else {
                        next() as u8
                    }
                })
                .collect();
            harness::run(target, &data);
        }
    }
}
