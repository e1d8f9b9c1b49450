//! The table of RFC 4271 section 8.2.2: every state of an open connection against everything that can happen in it.

use std::io;
use std::time::Duration;

use lockstep::bgp::attribute::WireContext;
use lockstep::bgp::family::Family;
use lockstep::bgp::message::{
    Message, Notification, NotificationCode, RefreshSubtype, RouteRefresh, Update,
};
use lockstep::speaker::session::{Session, State};
use lockstep::speaker::settings::Settings;
use std::sync::Arc;

use crate::session_pair::{LEFT, RIGHT, ends, neighbor, words};
use lockstep::net::Opener;
use lockstep::speaker::session::SessionEvent;

const NOW: Duration = Duration::from_secs(1);

fn session(opener: Opener) -> Session {
    let (local, peer) = match opener {
        Opener::Us => (LEFT, RIGHT),
        Opener::Peer => (RIGHT, LEFT),
    };
    Session::new(
        Arc::new(neighbor(local, peer)),
        ends(local, peer, opener),
        &Settings::default(),
        false,
        Duration::ZERO,
    )
}

/// The peer's OPEN.
fn open() -> Vec<u8> {
    session(Opener::Peer).poll_transmit().unwrap().to_vec()
}

fn encoded(message: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    message.encode(&WireContext::default(), &mut out).unwrap();
    out
}

/// A session that has been brought to `state`.
fn in_state(state: State) -> Session {
    let mut session = session(Opener::Us);
    if state != State::OpenSent {
        session.handle_bytes(NOW, &open());
    }
    if state == State::Established {
        session.handle_bytes(NOW, &encoded(&Message::Keepalive));
    }
    while session.poll_event().is_some() {}
    let count = session.transmit_len();
    session.transmitted(count, NOW);
    assert_eq!(session.state(), state);
    session
}

/// What `happens` leads to: the new state, and what was sent.
fn outcome(state: State, happens: impl Fn(&mut Session)) -> String {
    let mut session = in_state(state);
    happens(&mut session);
    let mut said = Vec::new();
    while let Some(event) = session.poll_event() {
        if let SessionEvent::Sent { raw } = event {
            let message = Message::decode(&WireContext::default(), &raw).unwrap();
            said.push(words(&message, &raw));
        }
    }
    format!("{:<12} {}", session.state().to_string(), said.join(", "))
        .trim_end()
        .to_owned()
}

#[test]
fn every_state_and_every_event() {
    let refresh = RouteRefresh::new(Family::IPV4_UNICAST, RefreshSubtype::REQUEST);
    let cease = Notification::new(NotificationCode::CEASE, 2, Vec::new());
    type Happening = Box<dyn Fn(&mut Session)>;
    let receive = |bytes: Vec<u8>| -> Happening {
        Box::new(move |session| session.handle_bytes(NOW, &bytes))
    };
    let happenings: Vec<(&str, Happening)> = vec![
        ("OPEN", receive(open())),
        ("KEEPALIVE", receive(encoded(&Message::Keepalive))),
        (
            "UPDATE",
            receive(encoded(&Message::Update(Update::of_end_of_rib(
                Family::IPV4_UNICAST,
            )))),
        ),
        (
            "ROUTE-REFRESH",
            receive(encoded(&Message::RouteRefresh(refresh))),
        ),
        (
            "NOTIFICATION",
            receive(encoded(&Message::Notification(cease.clone()))),
        ),
        ("garbage", receive(vec![0; 19])),
        ("half a header", receive(vec![0xff; 18])),
        ("FIN", Box::new(|session| session.handle_eof(NOW))),
        (
            "RST",
            Box::new(|session| session.handle_reset(NOW, io::ErrorKind::ConnectionReset)),
        ),
        (
            "stop",
            Box::new(move |session| session.close(NOW, cease.clone())),
        ),
        (
            "61 s of silence",
            Box::new(|session| session.handle_timeout(Duration::from_secs(61))),
        ),
        (
            "182 s of silence",
            Box::new(|session| session.handle_timeout(Duration::from_secs(182))),
        ),
    ];
    let mut table = String::new();
    for (name, happening) in &happenings {
        for state in [State::OpenSent, State::OpenConfirm, State::Established] {
            let line = outcome(state, happening);
            table.push_str(&format!("{name:<17} {:<12} {line}\n", state.to_string()));
        }
    }
    insta::assert_snapshot!(table);
}
