//! Faults of hosts and API programs: crashes and misbehaviour. Faults of connections are [`crate::sim::Fault`].

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::net::HostName;

/// A fault of a host or an API program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostFault {
    /// The speaker stops at once, its sockets with it, and starts anew after a while.
    CrashSpeaker {
        /// Its host; `None` where only one is under test.
        host: Option<HostName>,
        /// Virtual time since the start of the run.
        at: Duration,
        /// How long it is down.
        down: Duration,
    },
    /// Every process of a real daemon stops for a while, as at SIGSTOP, and goes on at SIGCONT; its sockets stay.
    StopSpeaker {
        /// Its host; `None` where only one is under test.
        host: Option<HostName>,
        /// Virtual time since the start of the run.
        at: Duration,
        /// How long it stands still.
        time: Duration,
    },
    /// A real daemon is told, by its signal, to read its configuration again, which has not changed.
    Reload {
        /// Its host; `None` where only one is under test.
        host: Option<HostName>,
        /// Virtual time since the start of the run.
        at: Duration,
    },
    /// A peer stops at once and starts anew after a while.
    CrashPeer {
        /// Its address.
        peer: IpAddr,
        /// Virtual time since the start of the run.
        at: Duration,
        /// How long it is down.
        down: Duration,
    },
    /// A peer behaves unusually during the whole run.
    Peer {
        /// Its address.
        peer: IpAddr,
        /// What it does.
        behaviour: PeerBehaviour,
    },
    /// Two hosts do not reach each other for a while.
    Partition(Partition),
    /// An API program misbehaves.
    Program {
        /// The name of its `process` section.
        name: String,
        /// What it does.
        how: ProgramFault,
    },
}

/// Two hosts that do not reach each other for a while: what one sends is lost, in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition {
    /// The hosts, which have a link.
    pub ends: [HostName; 2],
    /// Virtual time since the start of the run.
    pub at: Duration,
    /// How long it lasts.
    pub time: Duration,
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, other] = self.ends;
        let (at, time) = (Time(self.at), Time(self.time));
        write!(f, "partition {one} {other} at {at} for {time}")
    }
}

/// Unusual behaviour of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerBehaviour {
    /// Before it answers the speaker's first connection it connects to the speaker itself: the two collide (RFC 4271
    /// section 6.8).
    Connects,
    /// It never gives the session up for the speaker's silence, and goes on sending KEEPALIVEs (RFC 9687 section 2).
    Patient,
}

/// How an API program misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgramFault {
    /// It does nothing for so long after its start.
    Late(Duration),
    /// It waits so long before each of its steps.
    Slow(Duration),
    /// It ends once before the step of this number, from 1.
    Dies(usize),
    /// Before its first step it writes so many comment lines at once.
    Floods(usize),
}

impl fmt::Display for HostFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CrashSpeaker { host, at, down } => {
                let host = host.as_ref().map_or("speaker", HostName::as_str);
                write!(f, "crash {host} at {} for {}", Time(*at), Time(*down))
            }
            Self::StopSpeaker { host, at, time } => {
                let host = host.as_ref().map_or("speaker", HostName::as_str);
                write!(f, "stop {host} at {} for {}", Time(*at), Time(*time))
            }
            Self::Reload { host, at } => {
                let host = host.as_ref().map_or("speaker", HostName::as_str);
                write!(f, "signal {host} reload at {}", Time(*at))
            }
            Self::CrashPeer { peer, at, down } => {
                write!(f, "crash peer {peer} at {} for {}", Time(*at), Time(*down))
            }
            Self::Partition(partition) => write!(f, "{partition}"),
            Self::Peer { peer, behaviour } => match behaviour {
                PeerBehaviour::Connects => write!(f, "peer {peer} connects"),
                PeerBehaviour::Patient => write!(f, "peer {peer} patient"),
            },
            Self::Program { name, how } => match how {
                ProgramFault::Late(by) => write!(f, "program {name} late {}", Time(*by)),
                ProgramFault::Slow(by) => write!(f, "program {name} slow {}", Time(*by)),
                ProgramFault::Dies(step) => write!(f, "program {name} dies {step}"),
                ProgramFault::Floods(lines) => write!(f, "program {name} floods {lines}"),
            },
        }
    }
}

/// A duration in the largest unit that says it whole: `2s`, `300ms`, `150us`.
#[derive(Debug, Clone, Copy)]
pub struct Time(pub Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.as_micros();
        match micros {
            0 => f.write_str("0s"),
            _ if micros.is_multiple_of(1_000_000) => write!(f, "{}s", micros / 1_000_000),
            _ if micros.is_multiple_of(1_000) => write!(f, "{}ms", micros / 1_000),
            _ => write!(f, "{micros}us"),
        }
    }
}
