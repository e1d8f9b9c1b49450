//! Captures as other programs write them, and ours as other programs read them.

mod bmp;
mod envelopes;
mod formats;
mod hostile;
mod judge;
mod links;
mod mrt;
mod recorded;
mod streams;

use std::net::SocketAddr;
use std::time::Duration;

use lockstep::capture::{
    Canonical, Capture, EventKind, Happening, Recorder, Resolution, StreamDirection, Tally, Wire,
};

pub(crate) const MARKER: [u8; 16] = [0xff; 16];

/// A message of `kind` with `body`.
pub(crate) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = MARKER.to_vec();
    message.extend((19 + body.len() as u16).to_be_bytes());
    message.push(kind);
    message.extend(body);
    message
}

pub(crate) fn keepalive() -> Vec<u8> {
    message(4, &[])
}

pub(crate) fn wire(client: &str, server: &str, attempt: u32) -> Wire {
    Wire {
        client: client.parse::<SocketAddr>().unwrap(),
        server: server.parse::<SocketAddr>().unwrap(),
        attempt,
    }
}

/// A capture of a run in which `happenings` came a second apart.
pub(crate) fn record(happenings: &[(Wire, Happening<'_>)]) -> Vec<u8> {
    let epoch = Duration::from_secs(1_700_000_000);
    let mut recorder = Recorder::new(Vec::new(), Resolution::Nanoseconds, epoch).unwrap();
    for (second, (wire, happening)) in happenings.iter().enumerate() {
        let time = Duration::from_secs(second as u64);
        recorder.record(time, wire, *happening).unwrap();
    }
    recorder.finish().unwrap()
}

/// What a capture tells, a line an event.
pub(crate) fn told(file: &[u8]) -> (Vec<String>, Tally) {
    let mut capture = Capture::new("test.pcap", file).unwrap();
    let mut lines = Vec::new();
    let end = capture.read_all(|event| {
        let side = match event.direction {
            StreamDirection::FromClient => "client",
            StreamDirection::FromServer => "server",
        };
        let what = match event.kind {
            EventKind::Opened => format!("opened, handshake {}", event.connection.handshake),
            EventKind::Message { offset, octets } => {
                format!("at {offset} message {} of {}", octets[18], octets.len())
            }
            EventKind::Junk {
                offset,
                reason,
                octets,
            } => format!("at {offset} junk of {}: {reason}", octets.len()),
            EventKind::Gap { offset, lost } => format!("at {offset} gap of {lost}"),
            EventKind::Finished => "finished".to_owned(),
            EventKind::Reset => "reset".to_owned(),
            EventKind::Noted(note) => format!("{note:?}"),
        };
        lines.push(format!("{} {side} {what}", event.connection.id));
    });
    if let Err(error) = end {
        lines.push(error.to_string());
    }
    (lines, capture.tally().clone())
}

pub(crate) fn canonical(file: &[u8]) -> Canonical {
    Canonical::read("test.pcap", file).unwrap()
}
