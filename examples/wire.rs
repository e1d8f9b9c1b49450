//! Throwaway: pure speaker against the expected bytes.
use lockstep::speaker::peer::Peer;
use lockstep::speaker::session::{Direction, Ends, Session, SessionEvent};
use lockstep::speaker::settings::Settings;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn drain(session: &mut Session, out: &mut Vec<u8>) {
    while let Some(bytes) = session.poll_transmit() {
        if bytes.is_empty() {
            break;
        }
        let n = bytes.len();
        out.extend_from_slice(bytes);
        session.transmitted(n, Duration::ZERO);
    }
}

fn main() {
    let mut good = 0;
    let mut all = 0;
    for entry in std::fs::read_dir("scenarios").unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let only = std::env::args().nth(1);
        if only
            .as_ref()
            .is_some_and(|only| !name.contains(only.as_str()))
        {
            continue;
        }
        let expected = std::path::PathBuf::from(format!("/work/team/expected/{name}.txt"));
        let conf = format!("scenarios/{name}/speaker.conf");
        if !Path::new(&conf).exists() {
            continue;
        }
        let Ok(expected) = std::fs::read_to_string(expected) else {
            continue;
        };
        let want: Vec<&str> = expected
            .lines()
            .skip(1)
            .take_while(|l| !l.starts_with('#'))
            .collect();
        let api = name.starts_with("api") || name == "conf-watchdog" || name == "unknown-message";
        all += 1;
        let text = std::fs::read_to_string(&conf).unwrap();
        let configuration = match lockstep::config::parse(&conf, &text) {
            Ok(c) => c,
            Err(e) => {
                println!("{name}: CONFIG {}", e.mistakes().len());
                if only.is_some() {
                    println!("{}", e.render())
                }
                continue;
            }
        };
        let Some(neighbor) = configuration.neighbors.into_iter().next() else {
            println!("{name}: none");
            continue;
        };
        let asn = (name == "conf-ebgp").then_some(65000);
        let (mut peer, refused) = Peer::new(Arc::new(neighbor));
        for (_, r) in refused {
            println!("{name}: REFUSED {r}")
        }
        let ip = if text.contains("neighbor ::1") {
            "[::1]"
        } else {
            "127.0.0.1"
        };
        let local: SocketAddr = format!("{ip}:50000").parse().unwrap();
        let to: SocketAddr = format!("{ip}:179").parse().unwrap();
        let settings = Settings {
            version: "5.0.0-0+test".into(),
            ..Settings::default()
        };
        let mut session = peer.open(
            Ends {
                local,
                peer: to,
                direction: Direction::Outgoing,
            },
            &settings,
            Duration::ZERO,
        );
        let mut out = Vec::new();
        drain(&mut session, &mut out);
        let cap = (name == "conf-unknowncap").then_some(66);
        let open = lockstep::scenario::message::mirror(&out, asn, cap);
        let mut input = open;
        input.extend(lockstep::scenario::message::keepalive());
        session.handle_bytes(Duration::ZERO, &input);
        while let Some(event) = session.poll_event() {
            if let SessionEvent::Closed { .. } = &event {
                println!("{name}: closed {event:?}")
            }
            peer.handle_event(Duration::ZERO, &event);
        }
        for _ in 0..200 {
            peer.take_changes();
            let f = peer.fill(Duration::ZERO, &mut session, 25);
            for r in &f.refused {
                println!("{name}: refused {r}")
            }
            drain(&mut session, &mut out);
            if f.messages == 0 {
                break;
            }
        }
        let mut got = Vec::new();
        let mut at = 0;
        while at + 19 <= out.len() {
            let n = usize::from(u16::from_be_bytes([out[at + 16], out[at + 17]]));
            if out[at + 18] != 4 {
                got.push(
                    out[at + 16..at + n]
                        .iter()
                        .map(|b| format!("{b:02x}"))
                        .collect::<String>(),
                )
            }
            at += n;
        }
        let n = if api {
            got.len().min(want.len())
        } else {
            got.len().max(want.len())
        };
        let mut ok = true;
        for i in 0..n {
            let (g, w) = (got.get(i).map(String::as_str), want.get(i).copied());
            if g != w {
                println!(
                    "{name}: message {i}\n  want {}\n  got  {}",
                    w.unwrap_or("-"),
                    g.unwrap_or("-")
                );
                ok = false;
                if only.is_none() {
                    break;
                }
            }
        }
        good += usize::from(ok);
    }
    println!("{good}/{all}");
}
