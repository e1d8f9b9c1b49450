//! The sessions between hosts under test: no scripted peer has a transcript of them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use crate::net::{ConnectionName, Opener};
use crate::scenario::format::message::frame;
use crate::scenario::format::script::Scenario;
use crate::scenario::scripted::transcript::{Passed, Transcript};
use crate::sim::{World, Written};

/// Records what such hosts write to each other.
#[derive(Debug, Clone, Default)]
pub struct Between {
    sessions: Rc<RefCell<BTreeMap<Ends, Session>>>,
}

/// Who connected, and to whom.
type Ends = (SocketAddr, SocketAddr);

/// One connection.
#[derive(Debug)]
struct Session {
    /// As the host that connected calls it; as the other does, where only that one has written.
    name: ConnectionName,
    opened: Duration,
    /// Octets that are no whole message yet: of who connected, and of the other.
    partial: [Vec<u8>; 2],
    /// Messages, and whether who connected wrote them.
    messages: Vec<(Duration, bool, Vec<u8>)>,
}

impl Between {
    /// A recorder of `world`; it records nothing where `scenario` has one host under test.
    #[must_use]
    pub fn new(world: &World, scenario: &Scenario) -> Self {
        let recorder = Self::default();
        let speakers = scenario.speakers.iter();
        let hosts = speakers.filter_map(|speaker| scenario.topology.host(speaker.host));
        let addresses: Vec<IpAddr> = hosts.flat_map(|host| host.addresses.clone()).collect();
        if scenario.speakers.len() > 1 {
            let sessions = recorder.clone();
            world.on_written(move |written| {
                let ends = [written.local.ip(), written.peer.ip()];
                if ends.iter().all(|end| addresses.contains(end)) {
                    sessions.take_in(written);
                }
            });
        }
        recorder
    }

    fn take_in(&self, written: &Written<'_>) {
        let connected = written.name.opener == Opener::Us;
        let ends = if connected {
            (written.local, written.peer)
        } else {
            (written.peer, written.local)
        };
        let mut sessions = self.sessions.borrow_mut();
        let session = sessions.entry(ends).or_insert_with(|| Session {
            name: written.name,
            opened: written.at,
            partial: [Vec::new(), Vec::new()],
            messages: Vec::new(),
        });
        if connected {
            session.name = written.name;
        }
        let partial = &mut session.partial[usize::from(!connected)];
        partial.extend_from_slice(written.octets);
        while let Ok(Some(length)) = frame(partial) {
            let rest = partial.split_off(length);
            let message = std::mem::replace(partial, rest);
            session.messages.push((written.at, connected, message));
        }
    }

    /// Takes what was recorded, in the order in which the sessions began.
    #[must_use]
    pub fn take(&self) -> Vec<Transcript> {
        let sessions = self.sessions.take().into_values();
        let mut transcripts: Vec<Transcript> = sessions
            .map(|session| {
                let own = session.name.opener == Opener::Us;
                let passed = |(at, by_connector, bytes)| Passed {
                    at,
                    from_speaker: by_connector == own,
                    bytes,
                };
                Transcript {
                    name: session.name,
                    opened: session.opened,
                    messages: session.messages.into_iter().map(passed).collect(),
                    ended: None,
                }
            })
            .collect();
        transcripts.sort_by_key(|transcript| (transcript.opened, transcript.name));
        transcripts
    }
}
