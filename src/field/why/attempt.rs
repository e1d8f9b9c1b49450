//! Connections that came to nothing: refused, never answered, or closed before an OPEN.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::cause::{Confidence, EndCause};
use super::explanation::{Explanation, SessionEnd};
use super::flow::TcpFlow;
use super::lane::Lane;
use crate::capture::{Attempt, Connection, StreamDirection};

/// Pairs of hosts of which attempts are remembered.
const MAX_PAIRS: usize = 4_096;

/// Time to live that TTL security expects (RFC 5082).
const GTSM: u8 = 255;

/// Attempts of one host to connect to another, which came to the same.
#[derive(Debug, Clone)]
pub(super) struct Attempts {
    pub(super) connection: Connection,
    pub(super) kind: Attempt,
    pub(super) count: u32,
    pub(super) first: u64,
    pub(super) last: u64,
    /// SYNs of all of them.
    syns: u32,
    flow: Option<TcpFlow>,
}

/// All of a capture, by client, server and what they came to.
#[derive(Debug, Default)]
pub(super) struct AttemptsSeen(BTreeMap<(IpAddr, IpAddr, u8), Attempts>);

const fn rank(kind: Attempt) -> u8 {
    match kind {
        Attempt::Refused => 0,
        Attempt::Unanswered(_) => 1,
        Attempt::Silent => 2,
    }
}

impl AttemptsSeen {
    /// Takes note of one that ended at `time`.
    pub(super) fn add(
        &mut self,
        connection: &Connection,
        kind: Attempt,
        time: u64,
        flow: Option<&TcpFlow>,
    ) {
        let peer = connection.id.peer;
        let syns = match kind {
            Attempt::Unanswered(syns) => syns,
            _ => 1,
        };
        let key = (peer.client, peer.server, rank(kind));
        if let Some(known) = self.0.get_mut(&key) {
            known.count += 1;
            known.syns = known.syns.saturating_add(syns);
            known.last = known.last.max(time);
            return;
        }
        if self.0.len() < MAX_PAIRS {
            let attempts = Attempts {
                connection: *connection,
                kind,
                count: 1,
                first: connection.opened,
                last: time,
                syns,
                flow: flow.cloned(),
            };
            self.0.insert(key, attempts);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Attempts> {
        self.0.values()
    }

    /// What the server's own attempts at the client show of its segments.
    fn reverse(&self, attempts: &Attempts) -> Option<&Lane> {
        let peer = attempts.connection.id.peer;
        let found = (0..3).find_map(|rank| self.0.get(&(peer.server, peer.client, rank)))?;
        found
            .flow
            .as_ref()
            .map(|flow| flow.lane(StreamDirection::FromClient))
    }

    /// Explains all of them.
    pub(super) fn explain(&self) -> impl Iterator<Item = Explanation> {
        self.0.values().map(|attempts| self.one(attempts))
    }

    fn one(&self, attempts: &Attempts) -> Explanation {
        let ending = SessionEnd::Attempt {
            at: attempts.first,
            count: attempts.count,
        };
        let mut explanation = Explanation::new(attempts.connection, ending);
        let peer = attempts.connection.id.peer;
        let (client, server) = (peer.client, peer.server);
        match attempts.kind {
            Attempt::Refused => {
                explanation
                    .judge(EndCause::Refused, Confidence::Likely)
                    .tell(format!("{server} answered the SYN of {client} with RST: nothing listens on its port 179 for that address, its BGP process is down, or a firewall refuses in its name."))
                    .confirm(format!("`ss -ltn` on {server}; whether {client} is configured there"));
            }
            Attempt::Unanswered(_) => self.unanswered(attempts, &mut explanation),
            Attempt::Silent => silent(attempts, &mut explanation),
        }
        explanation
    }

    fn unanswered(&self, attempts: &Attempts, explanation: &mut Explanation) {
        let peer = attempts.connection.id.peer;
        let (client, server) = (peer.client, peer.server);
        let own = attempts
            .flow
            .as_ref()
            .map(|flow| flow.lane(StreamDirection::FromClient));
        let theirs = self.reverse(attempts);
        explanation.at(
            attempts.first,
            format!("{client} sends {} SYN(s), none is answered", attempts.syns),
        );
        let [own_md5, their_md5] = [own, theirs].map(|lane| lane.is_some_and(|lane| lane.md5));
        let [own_ao, their_ao] = [own, theirs].map(|lane| lane.is_some_and(|lane| lane.ao));
        let own_hops = own.map_or(0, Lane::usual_hops);
        let their_hops = theirs.map_or(0, Lane::usual_hops);
        let keys = format!(
            "the key configured on both ends for this neighbor; counters of dropped segments (`nstat -az TcpExtTCPMD5*`, `TcpExtTCPAO*`) on {server}"
        );
        if own_md5 || their_md5 {
            explanation.judge(EndCause::Md5Mismatch, Confidence::Likely).tell(match (own_md5, theirs) {
                (true, Some(_)) if !their_md5 => format!("The SYNs of {client} bear an MD5 signature (RFC 2385), those of {server} bear none: one end has a password, the other has not. A kernel drops such segments in silence."),
                (false, _) => format!("The SYNs of {server} bear an MD5 signature (RFC 2385), those of {client} bear none: {server} has a password for this neighbor, {client} has not. A kernel drops such segments in silence."),
                _ => format!("The SYNs of {client} bear an MD5 signature (RFC 2385) and are dropped in silence: {server} has another password for it, or none."),
            });
            explanation.confirm(keys).instead(
                EndCause::Unanswered,
                format!("{server} may be down, or a filter may drop the SYNs"),
            );
        } else if own_ao || their_ao {
            explanation
                .judge(EndCause::AoMismatch, Confidence::Likely)
                .tell(format!("The SYNs of {} bear the TCP authentication option (RFC 5925) and are dropped in silence: the other end has other keys or key identifiers for it, or none.", if own_ao { client } else { server }))
                .confirm(keys)
                .instead(EndCause::Unanswered, format!("{server} may be down, or a filter may drop the SYNs"));
        } else if own_hops != 0 && own_hops < GTSM - 1 && their_hops >= GTSM - 1 {
            explanation
                .judge(EndCause::TtlMismatch, Confidence::Likely)
                .tell(format!("{server} sends with a time to live of {their_hops}, as TTL security does (RFC 5082), and {client} with {own_hops}: {server} drops what does not come with nearly 255."))
                .confirm("TTL security (`ttl-security`, `neighbor … ttl-security hops`) on both ends");
        } else {
            explanation
                .judge(EndCause::Unanswered, Confidence::Possible)
                .tell(format!("{server} never answered the SYNs of {client}: it is down or unreachable, a filter drops them, or its kernel does (it requires an MD5 password or TTL security)."))
                .confirm(format!("whether {server} answers ping; filters on port 179; a capture at {server}; password and TTL security there"))
                .instead(EndCause::Md5Mismatch, format!("{server} may require an MD5 signature, which these SYNs do not bear"))
                .instead(EndCause::TtlMismatch, if own_hops == 1 {
                    format!("the SYNs have a time to live of 1, so they reach {server} only if it is directly connected; beyond that, external sessions need multihop")
                } else {
                    format!("{server} may require a time to live of 255; these SYNs were seen with {own_hops}")
                });
        }
        explanation.seen(format!("time to live of the SYNs: {own_hops}"));
    }
}

/// Connected, and closed before an OPEN.
fn silent(attempts: &Attempts, explanation: &mut Explanation) {
    let peer = attempts.connection.id.peer;
    let (client, server) = (peer.client, peer.server);
    explanation.judge(EndCause::Silent, Confidence::Possible);
    let Some(flow) = &attempts.flow else { return };
    let [own, theirs] = StreamDirection::BOTH.map(|direction| flow.lane(direction));
    if theirs.syns > 1 && own.last_progress.is_none() && own.md5 != theirs.md5 {
        explanation
            .judge(EndCause::Md5Mismatch, Confidence::Likely)
            .tell(format!("{server} answered, and {client} did not take the answer: one of the two signs its segments (RFC 2385) and the other does not."));
        return;
    }
    let closer = match (
        own.fin.or(own.rst.map(|rst| rst.time)),
        theirs.fin.or(theirs.rst.map(|rst| rst.time)),
    ) {
        (Some(one), Some(other)) if one <= other => client,
        (Some(_), None) => client,
        (_, Some(_)) => server,
        (None, None) => {
            explanation.tell(format!(
                "{client} and {server} are connected, and neither says anything."
            ));
            return;
        }
    };
    explanation
        .tell(format!("{closer} closed the connection before an OPEN: it does not expect a connection from that address, its neighbor is disabled or not ready yet, or it was a collision."))
        .confirm(format!("whether the other end is configured as a neighbor of {closer}, with that source address"));
    explanation.culprit = Some(closer);
}
