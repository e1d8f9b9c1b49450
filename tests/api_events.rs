//! Events against the lines that ExaBGP 5.0.15 wrote for the same: `data/api-events.txt`.

use std::net::{IpAddr, Ipv4Addr};

use lockstep::api::{ApiEvent, Events, Host, PeerIdentity};
use lockstep::bgp::attribute::WireContext;
use lockstep::bgp::family::{Families, Family};
use lockstep::bgp::hex;
use lockstep::bgp::iana::{Afi, Safi};
use lockstep::bgp::message::Message;
use lockstep::config::Encoder;
use lockstep::net::Direction;
use lockstep::speaker::session::{Negotiated, Refresh, State};

const RECORDED: &str = include_str!("data/api-events.txt");

fn host() -> Host {
    Host {
        version: "5.0.0".to_owned(),
        name: "host".to_owned(),
        pid: 100,
        ppid: 99,
        compact: false,
    }
}

fn peer() -> PeerIdentity {
    PeerIdentity {
        name: "neighbor 127.0.0.1".to_owned(),
        peer: "127.0.0.1".to_owned(),
        local: Some(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2))),
        local_as: Some(65000),
        peer_as: Some(65001),
        router_id: Some(Ipv4Addr::new(1, 2, 3, 4)),
    }
}

fn negotiated() -> Negotiated {
    let flow = Family::new(Afi::IPV4, Safi::FLOW);
    let paths: Families = [Family::IPV4_UNICAST, Family::IPV6_UNICAST]
        .into_iter()
        .collect();
    let context = WireContext {
        four_octet_as: true,
        add_path: paths,
        extended_message: true,
        bgpsec: false,
    };
    Negotiated {
        hold_time: 180,
        families: [Family::IPV4_UNICAST, flow, Family::IPV6_UNICAST]
            .into_iter()
            .collect(),
        nexthops: vec![(Family::IPV4_UNICAST, Afi::IPV6)],
        send: context.clone(),
        receive: context,
        refresh: Refresh::Enhanced,
        operational: true,
        multi_session: true,
        ..Negotiated::default()
    }
}

/// What is written of `event`, JSON and text, as the seventh event of the neighbor.
fn written(event: &ApiEvent<'_>) -> (String, Option<String>) {
    let mut events = Events::new(host());
    let peer = peer();
    for _ in 0..6 {
        events.encode(Encoder::Json, 1.5, &peer, &ApiEvent::Up);
    }
    let json = events.encode(Encoder::Json, 1.5, &peer, event).unwrap();
    (json, events.encode(Encoder::Text, 1.5, &peer, event))
}

fn of_message(kind: &str, digits: &str) -> (String, Option<String>) {
    let raw = hex::octets(digits).unwrap();
    let context = WireContext {
        four_octet_as: true,
        extended_message: true,
        ..WireContext::default()
    };
    let message =
        Message::decode(&context, &raw).unwrap_or_else(|error| panic!("{digits}: {error:?}"));
    let negotiated = negotiated();
    written(&ApiEvent::Message {
        direction: if kind.ends_with("send") {
            Direction::Sent
        } else {
            Direction::Received
        },
        message: &message,
        negotiated: kind.ends_with("negotiated").then_some(&negotiated),
        raw: kind.ends_with("raw").then_some(raw.as_slice()),
    })
}

fn of_packet(kind: &str, digits: &str) -> (String, Option<String>) {
    let raw = hex::octets(digits).unwrap();
    let negotiated = negotiated();
    written(&ApiEvent::Packet {
        direction: Direction::Received,
        negotiated: kind.ends_with("negotiated").then_some(&negotiated),
        raw: &raw,
    })
}

fn told(kind: &str, argument: &str) -> (String, Option<String>) {
    match kind {
        "up" => written(&ApiEvent::Up),
        "connected" => written(&ApiEvent::Connected),
        "down" => {
            let reason: String = serde_json::from_str(argument).unwrap();
            written(&ApiEvent::Down { reason: &reason })
        }
        "shutdown" => {
            let events = Events::new(host());
            let text = events.shutdown(Encoder::Text, 1.5);
            (events.shutdown(Encoder::Json, 1.5), Some(text))
        }
        "negotiated" => written(&ApiEvent::Negotiated(&negotiated())),
        "fsm" => written(&ApiEvent::Fsm(State::Established)),
        "signal" => written(&ApiEvent::Signal(argument.parse().unwrap())),
        _ if kind.starts_with("packet") => of_packet(kind, argument),
        _ => of_message(kind, argument),
    }
}

#[test]
fn every_recorded_event_is_written_as_the_reference_writes_it() {
    let lines: Vec<&str> = RECORDED
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    assert!(lines.len() >= 3 * 50, "{}", lines.len());
    for event in lines.chunks(3) {
        let [event, json, text] = event else {
            panic!("three lines each")
        };
        let (kind, argument) = event.split_once(' ').unwrap();
        let (ours, our_text) = told(kind, argument);
        // A newline follows each, whatever it ends with.
        assert_eq!(ours, format!("{json}\n"), "{event}");
        let text: Option<String> = (*text != "-").then(|| serde_json::from_str(text).unwrap());
        assert_eq!(our_text, text.map(|text| text + "\n"), "{event}");
    }
}

#[test]
fn json_that_is_written_is_json() {
    for event in RECORDED
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect::<Vec<_>>()
        .chunks(3)
    {
        let (kind, argument) = event[0].split_once(' ').unwrap();
        let line = told(kind, argument).0;
        serde_json::from_str::<serde_json::Value>(&line)
            .unwrap_or_else(|error| panic!("{error}: {line}"));
    }
}

proptest::proptest! {
    /// Whatever a peer sends, what is written of it is one JSON object on one line, and text of whole lines.
    #[test]
    fn a_message_with_changed_octets_is_still_written_as_json(
        which in 0usize..1000,
        changes in proptest::collection::vec((proptest::prelude::any::<u16>(), proptest::prelude::any::<u8>()), 0..4),
    ) {
        let messages: Vec<&str> = RECORDED
            .lines()
            .filter_map(|line| line.strip_prefix("message ").or_else(|| line.strip_prefix("open ")))
            .collect();
        let mut raw = hex::octets(messages[which % messages.len()]).unwrap();
        let body = raw.len() - 19;
        for (at, octet) in changes {
            if body > 0 {
                raw[19 + usize::from(at) % body] = octet;
            }
        }
        let context = WireContext { four_octet_as: true, extended_message: true, ..WireContext::default() };
        if let Ok(message) = Message::decode(&context, &raw) {
            let event = ApiEvent::Message { direction: Direction::Received, message: &message, negotiated: None, raw: None };
            let (json, text) = written(&event);
            proptest::prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{}", json);
            proptest::prop_assert_eq!(json.matches('\n').count(), 1);
            for line in text.unwrap().lines() {
                proptest::prop_assert!(line.is_empty() || line.starts_with("neighbor 127.0.0.1 receive "), "{}", line);
            }
        }
    }
}
