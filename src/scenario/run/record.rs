//! The capture of a run.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::capture::{Happening, Recorder, Resolution, StreamDirection, Wire};
use crate::scenario::scripted::transcript::{Ending, Transcript};

/// Every connection of a written capture has these ports: the real ones vary from run to run.
const PORTS: (u16, u16) = (49152, 179);

/// The pcap of `transcripts`, which began at `epoch` since 1970.
///
/// # Errors
/// Ends of different IP versions.
pub fn pcap(transcripts: &[Transcript], epoch: Duration) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut recorder = Recorder::new(&mut bytes, Resolution::Microseconds, epoch)?;
    let mut events: Vec<(Duration, Wire, Happening<'_>)> = Vec::new();
    let mut counts: BTreeMap<IpAddr, u32> = BTreeMap::new();
    for transcript in transcripts {
        let peer = transcript.name.peer;
        // A golden says nothing of who opened a connection: the speaker is always the client, and the order counts.
        let attempt = counts.entry(peer).or_default();
        *attempt += 1;
        let wire = Wire {
            client: SocketAddr::new(peer, PORTS.0),
            server: SocketAddr::new(peer, PORTS.1),
            attempt: *attempt,
        };
        events.push((transcript.opened, wire, Happening::Opened));
        for passed in &transcript.messages {
            let direction = if passed.from_speaker {
                StreamDirection::FromClient
            } else {
                StreamDirection::FromServer
            };
            events.push((passed.at, wire, Happening::Data(direction, &passed.bytes)));
        }
        if let Some((at, ending)) = transcript.ended {
            match ending {
                Ending::ByPeer => {
                    events.push((at, wire, Happening::Finished(StreamDirection::FromServer)));
                    events.push((at, wire, Happening::Finished(StreamDirection::FromClient)));
                }
                Ending::BySpeaker => {
                    events.push((at, wire, Happening::Finished(StreamDirection::FromClient)));
                    events.push((at, wire, Happening::Finished(StreamDirection::FromServer)));
                }
                Ending::Reset => {
                    events.push((at, wire, Happening::Reset(StreamDirection::FromClient)))
                }
            }
        }
    }
    // Stable: what happened at one instant on one connection stays in its order.
    events.sort_by_key(|(at, ..)| *at);
    for (at, wire, happening) in events {
        recorder.record(at, &wire, happening)?;
    }
    drop(recorder);
    Ok(bytes)
}
