//! Events as ExaBGP 5.0.15 writes them to an API process: a JSON object or lines of text.

pub mod json;
mod message;
pub mod text;
mod content;

use crate::bgp::collections::Map;
use crate::config::Encoder;

use super::event::{ApiEvent, PeerIdentity};

/// What is the same in every event of one speaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// The version of the encoding.
    pub version: String,
    /// The name of the machine.
    pub name: String,
    /// Process identifier of the speaker.
    pub pid: u32,
    /// That of its parent.
    pub ppid: u32,
    /// `exabgp_api_compact`: prefixes alone are strings.
    pub compact: bool,
}

impl Default for Host {
    /// The version of ExaBGP 5's encoding; the rest is for the caller to say.
    fn default() -> Self {
        Self {
            version: "5.0.0".to_owned(),
            name: "localhost".to_owned(),
            pid: 1,
            ppid: 1,
            compact: false,
        }
    }
}

/// Writes events, and counts them: JSON numbers the events of each neighbor, whichever process receives them.
#[derive(Debug, Clone)]
pub struct Events {
    host: Host,
    counters: Map<String, u64>,
}

impl Events {
    /// A writer of the events of the speaker on `host`.
    #[must_use]
    pub fn new(host: Host) -> Self {
        Self {
            host,
            counters: Map::default(),
        }
    }

    /// What is written to a process with that encoder, final newline included; nothing where the form has no word for
    /// it. `time` is in seconds since 1970.
    pub fn encode(
        &mut self,
        encoder: Encoder,
        time: f64,
        peer: &PeerIdentity,
        event: &ApiEvent<'_>,
    ) -> Option<String> {
        match encoder {
            Encoder::Json => Some(self.json(time, peer, event)),
            Encoder::Text => text::event(peer, event),
        }
    }

    /// The JSON line of `event`, with its newline; every event has one.
    /// `time` is in seconds since 1970.
    pub fn json(&mut self, time: f64, peer: &PeerIdentity, event: &ApiEvent<'_>) -> String {
        let counter = match self.counters.get_mut(&peer.name) {
            Some(counter) => {
                *counter += 1;
                *counter
            }
            None => {
                self.counters.insert(peer.name.clone(), 1);
                1
            }
        };
        json::event(&self.host, time, counter, peer, event)
    }

    /// What is written to a process with that encoder when the speaker ends.
    #[must_use]
    pub fn shutdown(&self, encoder: Encoder, time: f64) -> String {
        match encoder {
            Encoder::Json => json::shutdown(&self.host, time),
            Encoder::Text => text::shutdown(&self.host),
        }
    }
}
