//! One harness for every fuzz target: a name says what the octets are, and what decodes has to be reproduced.
//!
//! Names: `message_TYPE`, `attribute_CODE`, `capability_CODE`, `family_AFI_SAFI`, `stream`, `capture`, `configuration`,
//! `command`, and `all`, whose first two octets choose one of the others.
//! The first octet of the others says how the session writes: 1 four-octet AS numbers, 2 path identifiers, 4 extended messages.

use std::io::Cursor;

use lockstep::bgp::attribute::{WireContext, rules};
use lockstep::bgp::capability;
use lockstep::bgp::dissect;
use lockstep::bgp::family::{Families, Family};
use lockstep::bgp::iana::{Afi, Safi};
use lockstep::bgp::message::view::AttributeView;
use lockstep::bgp::message::{Message, UpdateView, header};
use lockstep::bgp::nlri::{KNOWN_FAMILIES, Nlri};
use lockstep::bgp::wire::Reader;
use lockstep::capture::Capture;

/// Every target but `all`.
pub fn targets() -> Vec<String> {
    let messages = (1..=6u8).chain([255]).map(|kind| format!("message_{kind}"));
    let attributes = (0..=255u8)
        .filter(|code| rules(*code).is_some())
        .chain([153])
        .map(|code| format!("attribute_{code}"));
    let capabilities = (0..=255u8)
        .filter(|code| capability::is_known(*code))
        .map(|code| format!("capability_{code}"));
    let families = KNOWN_FAMILIES
        .iter()
        .copied()
        .chain([Family::new(Afi(99), Safi(99))])
        .map(|family| format!("family_{}_{}", family.afi.0, family.safi.0));
    let others = ["stream", "capture", "configuration", "command"].map(str::to_owned);
    messages
        .chain(attributes)
        .chain(capabilities)
        .chain(families)
        .chain(others)
        .collect()
}

/// Hands `data` to the target of that name; panics where something is wrong.
pub fn run(target: &str, data: &[u8]) {
    let Some((&first, octets)) = data.split_first() else {
        return;
    };
    let context = WireContext {
        four_octet_as: first & 1 != 0,
        add_path: if first & 2 == 0 {
            Families::new()
        } else {
            KNOWN_FAMILIES.iter().copied().collect()
        },
        extended_message: first & 4 != 0,
    };
    let mut parts = target.split('_');
    let kind = parts.next().unwrap_or_default();
    let codes: Vec<u16> = parts.filter_map(|part| part.parse().ok()).collect();
    match (kind, codes.as_slice()) {
        ("all", []) => {
            let targets = targets();
            let Some((&second, rest)) = octets.split_first() else {
                return;
            };
            let chosen = usize::from(u16::from_be_bytes([first, second])) % targets.len();
            run(&targets[chosen], rest);
        }
        ("message", [kind]) => message(&context, &framed(*kind as u8, octets)),
        ("attribute", [code]) => attribute(&context, *code as u8, octets),
        ("capability", [code]) => capability(*code as u8, octets),
        ("family", [afi, safi]) => {
            family(&context, Family::new(Afi(*afi), Safi(*safi as u8)), octets);
        }
        ("stream", []) => stream(&context, octets),
        ("capture", []) => {
            if let Ok(mut capture) = Capture::new("fuzz", Cursor::new(octets)) {
                let _ = capture.read_all(|_| {});
            }
        }
        ("configuration", []) => {
            let text = String::from_utf8_lossy(octets);
            if let Err(error) = lockstep::config::parse("fuzz", &text) {
                let _ = error.render();
            }
        }
        ("command", []) => {
            for line in String::from_utf8_lossy(octets).lines() {
                let _ = lockstep::api::command::parse(line);
            }
        }
        _ => panic!("there is no fuzz target {target}"),
    }
}

/// `body` as a whole message.
pub fn framed(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0xff; 16];
    bytes.extend_from_slice(&((19 + body.len()) as u16).to_be_bytes());
    bytes.push(kind);
    bytes.extend_from_slice(body);
    bytes
}

/// If `bytes` decode: their encoding decodes to the same, and text and JSON of every part can be made. The tree covers every octet.
pub fn message(context: &WireContext, bytes: &[u8]) {
    let tree = dissect::message(context, bytes);
    let mut next = 0;
    for leaf in tree.leaves().filter(|leaf| !leaf.range.is_empty()) {
        assert_eq!(leaf.range.start, next, "{}", leaf.id);
        next = leaf.range.end;
    }
    assert_eq!(next, bytes.len());
    let decoded = Message::decode(context, bytes);
    view(context, bytes);
    let Ok(mut message) = decoded else {
        let _ = decoded.map_err(|error| (error.notification(), error.to_string()));
        return;
    };
    shown(&message);
    if let Message::Update(update) = &mut message {
        // What was malformed is not sent again.
        update.malformed.clear();
    }
    let mut out = Vec::new();
    if message.encode(context, &mut out).is_err() {
        // Cutting a long field anew may need more octets than a message has; it must not be anything else.
        assert!(bytes.len() > 4000, "{message:?}");
        return;
    }
    let mut again = Message::decode(context, &out).expect("what was encoded decodes");
    if let Message::Update(update) = &mut again {
        update.malformed.clear();
    }
    assert_eq!(again, message);
}

fn shown(message: &Message) {
    match message {
        Message::Open(open) => {
            json(&open.json());
            let _ = open.capabilities_text();
        }
        Message::Update(update) => {
            json(&update.json(false));
            json(&update.json_as_written(true));
            let _ = update.attributes.received().text();
            let announced = update.announced().map(|(nlri, _)| nlri);
            for nlri in announced.chain(update.withdrawn()) {
                let _ = (nlri.text(), nlri.index());
            }
        }
        Message::Notification(notification) => {
            json(&notification.json());
            let _ = notification.to_string();
        }
        Message::RouteRefresh(refresh) => json(&refresh.json()),
        Message::Operational(operational) => operational.json().iter().for_each(|text| json(text)),
        Message::Keepalive | Message::Unknown(_) => {}
    }
}

fn json(text: &str) {
    let parsed = serde_json::from_str::<serde_json::Value>(text);
    assert!(parsed.is_ok(), "{}: {text}", parsed.unwrap_err());
}

fn view(context: &WireContext, bytes: &[u8]) {
    let Ok(view) = UpdateView::new(context, bytes) else {
        return;
    };
    let mut count = view.withdrawn_routes().count() + view.nlri().count();
    for attribute in view.attributes().flatten() {
        count += match attribute {
            AttributeView::AsPath(path) => path.map(|segment| segment.asns().count()).sum(),
            AttributeView::Reach { routes, .. } | AttributeView::Unreach { routes, .. } => {
                routes.count()
            }
            _ => 1,
        };
    }
    assert!(count <= bytes.len());
}

fn attribute(context: &WireContext, code: u8, value: &[u8]) {
    let value = &value[..value.len().min(3_000)];
    let flags = rules(code).map_or(0xc0, |rules| rules.flags.0);
    let mut list = vec![0x40, 1, 1, 0, 0x40, 2, 0, 0x40, 3, 4, 1, 1, 1, 1];
    list.extend_from_slice(&[flags | 0x10, code]);
    list.extend_from_slice(&(value.len() as u16).to_be_bytes());
    list.extend_from_slice(value);
    let mut body = vec![0, 0];
    body.extend_from_slice(&(list.len() as u16).to_be_bytes());
    body.extend_from_slice(&list);
    body.extend_from_slice(&[8, 10]);
    message(context, &framed(2, &body));
}

fn capability(code: u8, value: &[u8]) {
    let value = &value[..value.len().min(200)];
    let length = value.len() as u8;
    let mut body = vec![4, 0xfd, 0xe8, 0, 180, 1, 1, 1, 1];
    body.extend_from_slice(&[length + 4, 2, length + 2, code, length]);
    body.extend_from_slice(value);
    message(&WireContext::default(), &framed(1, &body));
}

fn family(context: &WireContext, family: Family, octets: &[u8]) {
    let add_path = context.add_path.contains(family);
    let Ok(routes) = Nlri::decode_all(family, add_path, Reader::new(octets)) else {
        return;
    };
    for nlri in &routes {
        json(&nlri.json());
        let _ = (nlri.text(), nlri.index());
        let mut withdraw = Vec::new();
        let _ = nlri.encode_withdraw(add_path, &mut withdraw);
    }
    let mut out = Vec::new();
    for nlri in &routes {
        nlri.encode(add_path, &mut out)
            .expect("what was decoded fits");
    }
    let again = Nlri::decode_all(family, add_path, Reader::new(&out));
    assert_eq!(again.as_ref(), Ok(&routes));
}

fn stream(context: &WireContext, octets: &[u8]) {
    let mut rest = octets;
    while let Ok(Some(found)) = header::frame(rest, context.extended_message) {
        message(context, found);
        rest = &rest[found.len()..];
    }
    message(context, octets);
}
