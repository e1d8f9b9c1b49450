//! The codec's targets: what decodes has to be reproduced, announced or withdrawn.

use lockstep::api::{ApiEvent, Events, Host, PeerIdentity};
use lockstep::bgp::attribute::{WireContext, rules};
use lockstep::bgp::dissect;
use lockstep::bgp::error::DecodeError;
use lockstep::bgp::family::Family;
use lockstep::bgp::message::view::AttributeView;
use lockstep::bgp::message::{Message, UpdateView, header};
use lockstep::bgp::nlri::inet::{Inet, Prefix};
use lockstep::bgp::nlri::{Nlri, NlriValue, PathId};
use lockstep::bgp::wire::Reader;
use lockstep::config::Encoder;
use lockstep::net::Direction;

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
    view(context, bytes, decoded.as_ref().ok());
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
    let peer = PeerIdentity {
        name: String::new(),
        peer: String::new(),
        local: None,
        local_as: Some(1),
        peer_as: Some(2),
        router_id: None,
    };
    for compact in [false, true] {
        let mut events = Events::new(Host {
            compact,
            ..Host::default()
        });
        json(&events.json(0.0, &peer, &ApiEvent::Decoded(message)));
        for direction in [Direction::Received, Direction::Sent] {
            let event = ApiEvent::Message {
                direction,
                message,
                negotiated: None,
                raw: None,
            };
            json(&events.json(0.0, &peer, &event));
            let _ = events.encode(Encoder::Text, 0.0, &peer, &event);
        }
    }
    match message {
        Message::Update(update) => {
            let announced = update.announced().map(|(nlri, _)| nlri);
            for nlri in announced.chain(update.withdrawn()) {
                let _ = (nlri.text(), nlri.index());
            }
        }
        Message::Notification(notification) => {
            let _ = notification.to_string();
        }
        _ => {}
    }
}

fn json(text: &str) {
    let parsed = serde_json::from_str::<serde_json::Value>(text);
    assert!(parsed.is_ok(), "{}: {text}", parsed.unwrap_err());
}

/// The view of `bytes` ends, and gives the routes that `message`, decoded from them, has.
fn view(context: &WireContext, bytes: &[u8], message: Option<&Message>) {
    let Ok(view) = UpdateView::new(context, bytes) else {
        return;
    };
    let mut fields = vec![
        (Family::IPV4_UNICAST, all(view.withdrawn_routes())),
        (Family::IPV4_UNICAST, all(view.nlri())),
    ];
    let mut count = 0;
    let mut faults = 0;
    for attribute in view.attributes() {
        match attribute {
            Ok(AttributeView::AsPath(path)) => {
                count += path.map(|segment| segment.asns().count()).sum::<usize>();
            }
            Ok(
                AttributeView::Reach { family, routes, .. }
                | AttributeView::Unreach { family, routes },
            ) => fields.push((family, all(routes))),
            Ok(_) => count += 1,
            Err(_) => faults += 1,
        }
    }
    count += fields.iter().map(|(_, routes)| routes.len()).sum::<usize>();
    assert!(count <= bytes.len());
    let Some(Message::Update(update)) = message else {
        return;
    };
    if faults > 0 || !update.malformed.is_empty() {
        return;
    }
    let mut viewed: Vec<Nlri> = fields
        .into_iter()
        .flat_map(|(family, routes)| routes.into_iter().map(move |route| (family, route)))
        .map(|(family, route)| {
            let (path_id, prefix) = route.expect("it decodes");
            let value = NlriValue::Inet(Inet { prefix });
            Nlri {
                family,
                path_id,
                value,
            }
        })
        .collect();
    let reached = update.mp_reach().map(|reach| reach.nlri.as_slice());
    let unreached = update.mp_unreach().map(|unreach| unreach.nlri.as_slice());
    let owned = [
        Some(&*update.withdrawn_routes),
        Some(&*update.nlri),
        reached,
        unreached,
    ];
    let mut owned: Vec<Nlri> = owned
        .into_iter()
        .flatten()
        .flatten()
        .filter(|nlri| matches!(nlri.value, NlriValue::Inet(_)))
        .cloned()
        .collect();
    let key = |nlri: &Nlri| nlri.index().expect("what was decoded fits");
    viewed.sort_by_cached_key(key);
    owned.sort_by_cached_key(key);
    assert_eq!(viewed, owned);
}

type Viewed = Vec<Result<(Option<PathId>, Prefix), DecodeError>>;

fn all(routes: impl Iterator<Item = Result<(Option<PathId>, Prefix), DecodeError>>) -> Viewed {
    routes.collect()
}

/// An attribute of type `code` in an UPDATE that announces a prefix.
pub fn attribute(context: &WireContext, code: u8, value: &[u8]) {
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

/// A capability in an OPEN.
pub fn capability(code: u8, value: &[u8]) {
    let value = &value[..value.len().min(200)];
    let length = value.len() as u8;
    let mut body = vec![4, 0xfd, 0xe8, 0, 180, 1, 1, 1, 1];
    body.extend_from_slice(&[length + 4, 2, length + 2, code, length]);
    body.extend_from_slice(value);
    message(&WireContext::default(), &framed(1, &body));
}

/// The NLRI of one family: announced and withdrawn they decode to the same, alone and in a message.
pub fn family(context: &WireContext, family: Family, octets: &[u8]) {
    let octets = &octets[..octets.len().min(3_000)];
    carried(context, family, octets);
    let add_path = context.add_path.contains(family);
    let Ok(routes) = Nlri::decode_all(family, add_path, Reader::new(octets)) else {
        return;
    };
    let (mut announced, mut withdrawn) = (Vec::new(), Vec::new());
    for nlri in &routes {
        json(&nlri.json());
        let _ = nlri.text();
        nlri.index().expect("what was decoded fits");
        nlri.encode(add_path, &mut announced)
            .expect("what was decoded fits");
        nlri.encode_withdraw(add_path, &mut withdrawn)
            .expect("what was decoded fits");
    }
    for encoded in [announced, withdrawn] {
        let again = Nlri::decode_all(family, add_path, Reader::new(&encoded));
        assert_eq!(again.as_ref(), Ok(&routes));
    }
}

/// The NLRI in an UPDATE that announces them, and in one that withdraws them.
fn carried(context: &WireContext, family: Family, octets: &[u8]) {
    let mut value = family.afi.0.to_be_bytes().to_vec();
    value.push(family.safi.0);
    let unreach = [&value, octets].concat();
    value.extend_from_slice(&[4, 1, 1, 1, 1, 0]);
    let reach = [&value, octets].concat();
    for (code, value) in [(14, reach), (15, unreach)] {
        let mut list = vec![0x40, 1, 1, 0, 0x40, 2, 0];
        list.extend_from_slice(&[0x90, code]);
        list.extend_from_slice(&(value.len() as u16).to_be_bytes());
        list.extend_from_slice(&value);
        let mut body = vec![0, 0];
        body.extend_from_slice(&(list.len() as u16).to_be_bytes());
        body.extend_from_slice(&list);
        message(context, &framed(2, &body));
    }
    if family == Family::IPV4_UNICAST {
        let mut body = (octets.len() as u16).to_be_bytes().to_vec();
        body.extend_from_slice(octets);
        body.extend_from_slice(&[0, 0]);
        message(context, &framed(2, &body));
    }
}

/// Messages one after another.
pub fn stream(context: &WireContext, octets: &[u8]) {
    let mut rest = octets;
    while let Ok(Some(found)) = header::frame(rest, context.extended_message) {
        message(context, found);
        rest = &rest[found.len()..];
    }
    message(context, octets);
}
