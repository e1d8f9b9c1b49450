//! The TCP connections of a capture as their segments tell them.

use std::collections::BTreeMap;

use super::lane::Lane;
use crate::capture::{Endpoint, Segment, StreamDirection};

/// Connections remembered at once.
const MAX_FLOWS: usize = 16_384;

/// Both directions of a TCP connection.
#[derive(Debug, Clone)]
pub struct TcpFlow {
    /// Who opened it, as far as the capture tells.
    pub client: Endpoint,
    /// Who accepted it.
    pub server: Endpoint,
    /// What either end sent, the client first.
    pub lanes: [Lane; 2],
    /// When its last packet came.
    pub last: u64,
}

impl TcpFlow {
    /// What is sent in `direction`.
    #[must_use]
    pub const fn lane(&self, direction: StreamDirection) -> &Lane {
        &self.lanes[direction as usize]
    }

    fn direction(&self, segment: &Segment<'_>) -> StreamDirection {
        if segment.source == self.client {
            StreamDirection::FromClient
        } else {
            StreamDirection::FromServer
        }
    }

    /// Whether `segment` begins another connection between the same ports.
    fn is_renewed_by(&self, segment: &Segment<'_>) -> bool {
        let lane = self.lane(self.direction(segment));
        let is_over = self.lanes.iter().any(|lane| lane.rst.is_some())
            || self.lanes.iter().all(|lane| lane.fin.is_some());
        match lane.initial {
            Some(initial) => {
                initial != segment.sequence
                    && (is_over || self.lanes.iter().any(|lane| lane.last_data.is_some()))
            }
            None => lane.first.is_some(),
        }
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Flows {
    flows: BTreeMap<(Endpoint, Endpoint), TcpFlow>,
}

fn key(one: Endpoint, other: Endpoint) -> (Endpoint, Endpoint) {
    (one.min(other), one.max(other))
}

const BGP_PORT: u16 = 179;

impl Flows {
    /// Takes a segment. Gives the connection that it replaces, if the ports are used again.
    pub(super) fn take(&mut self, time: u64, segment: &Segment<'_>) -> Option<TcpFlow> {
        let key = key(segment.source, segment.destination);
        let is_syn = segment.has(Segment::SYN);
        let mut replaced = None;
        let known = self.flows.get(&key);
        if known.is_none_or(|flow| is_syn && flow.is_renewed_by(segment)) {
            if segment.has(Segment::RST) && known.is_none() {
                return None;
            }
            if self.flows.len() >= MAX_FLOWS {
                self.forget();
            }
            replaced = self.flows.insert(key, begun(time, segment));
        }
        let flow = self.flows.get_mut(&key)?;
        let direction = flow.direction(segment);
        let [own, other] = [direction as usize, direction.opposite() as usize];
        let others_last = flow.lanes[other].last;
        flow.lanes[own].sent(time, segment, others_last);
        flow.lanes[other].acknowledge(time, segment);
        flow.last = time;
        replaced
    }

    /// The one between two endpoints.
    pub(super) fn get(&self, client: Endpoint, server: Endpoint) -> Option<&TcpFlow> {
        self.flows.get(&key(client, server))
    }

    /// Makes room: those that have been silent for longest, of BGP's port last.
    fn forget(&mut self) {
        let mut order: Vec<_> = self
            .flows
            .iter()
            .map(|(key, flow)| {
                let is_bgp = flow.client.port == BGP_PORT || flow.server.port == BGP_PORT;
                (is_bgp, flow.last, *key)
            })
            .collect();
        order.sort_unstable();
        for (_, _, key) in order.into_iter().take(MAX_FLOWS / 4) {
            self.flows.remove(&key);
        }
    }
}

/// A connection that begins with `segment`, or of which this is the first that was captured.
fn begun(time: u64, segment: &Segment<'_>) -> TcpFlow {
    let (source, destination) = (segment.source, segment.destination);
    let from_client = match (segment.has(Segment::SYN), segment.has(Segment::ACK)) {
        (true, acknowledges) => !acknowledges,
        (false, _) => match (source.port, destination.port) {
            (_, BGP_PORT) => true,
            (BGP_PORT, _) => false,
            (source, destination) => source >= destination,
        },
    };
    let (client, server) = if from_client {
        (source, destination)
    } else {
        (destination, source)
    };
    TcpFlow {
        client,
        server,
        lanes: Default::default(),
        last: time,
    }
}
