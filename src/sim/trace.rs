//! What happened, in order, and its hash: two runs with the same hash are the same run.

use std::cell::{OnceCell, RefCell};
use std::fmt::{self, Write as _};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::net::clock::Clock;
use crate::net::name::{ConnectionName, HostName};

/// A cheap handle on one run's trace; whoever has something to tell holds one.
///
/// The hash is SHA-256 over the records as they come: for each the time in
/// nanoseconds (64 bits), the host, the event's number and its fields, integers
/// big-endian and every text or octet string after its length (64 bits).
#[derive(Debug, Clone)]
pub struct Trace {
    log: Rc<RefCell<Log>>,
    ear: Rc<OnceCell<TraceListener>>,
    clock: Clock,
}

/// Who listens to a trace.
struct TraceListener(Box<dyn Fn(&Record)>);

/// Whether records are kept, or only hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Every record.
    All,
    /// What sockets saw and did, and faults: no notes.
    Sockets,
    /// None: enough to tell whether two runs are the same.
    Hash,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// True virtual time since the run began.
    pub time: Duration,
    /// The host, or the program on it, that saw it.
    pub host: Rc<str>,
    /// What it saw or did.
    pub event: TraceEvent,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TraceEvent {
    /// Something on a connection, as its socket saw it.
    Socket(ConnectionName, Socket),
    /// A fault triggered.
    Fault(String),
    /// What another room has to say.
    Note {
        /// Its kind, a word: `state`, `answer`.
        kind: Rc<str>,
        /// One line.
        text: String,
    },
}

/// What a socket saw or did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Socket {
    /// It began to connect.
    Connecting(SocketAddr),
    /// The connection is open, from our address to the peer's, whoever asked for it.
    Open(SocketAddr, SocketAddr),
    /// It could not be opened.
    Failed(io::ErrorKind),
    /// The network took these octets.
    Sent(Bytes),
    /// The network takes no octets for now: the peer's window is closed, and the send buffer full.
    Blocked,
    /// These octets were read.
    Received(Bytes),
    /// The peer's FIN was read.
    Finished,
    /// We sent FIN, and may still read.
    Shutdown,
    /// A call failed: the connection was reset, or timed out.
    Broken(io::ErrorKind),
    /// We closed it.
    Closed,
}

/// The hash of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceHash(pub [u8; 32]);

#[derive(Debug)]
struct Log {
    hasher: Sha256,
    scratch: Vec<u8>,
    /// For the text of the next note: most notes are hashed and not kept, and there are many.
    text: String,
    count: u64,
    keep: Keep,
    records: Vec<Record>,
}

impl Trace {
    /// An empty trace, timed by `clock`.
    #[must_use]
    pub fn new(clock: Clock, keep: Keep) -> Self {
        let log = Log {
            hasher: Sha256::new(),
            scratch: Vec::with_capacity(4_096),
            text: String::new(),
            count: 0,
            keep,
            records: Vec::new(),
        };
        Self {
            log: Rc::new(RefCell::new(log)),
            ear: Rc::default(),
            clock,
        }
    }

    /// Tells `ear` of every record from now on; the first ear stays.
    pub fn listen(&self, ear: impl Fn(&Record) + 'static) {
        let _ = self.ear.set(TraceListener(Box::new(ear)));
    }

    /// Adds what `host` has to say; to be called inside the run.
    pub fn note(&self, host: &Rc<str>, kind: &Rc<str>, text: impl fmt::Display) {
        let mut buffer = std::mem::take(&mut self.log.borrow_mut().text);
        let _ = write!(buffer, "{text}");
        let event = TraceEvent::Note {
            kind: kind.clone(),
            text: buffer,
        };
        self.record(host, event);
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// Adds a record, now.
    pub fn record(&self, host: &Rc<str>, event: TraceEvent) {
        let record = Record {
            time: self.clock.now(),
            host: host.clone(),
            event,
        };
        if let Some(TraceListener(ear)) = self.ear.get() {
            ear(&record);
        }
        self.log.borrow_mut().append(record);
    }

    /// The hash of everything so far.
    #[must_use]
    pub fn hash(&self) -> TraceHash {
        let hasher = self.log.borrow().hasher.clone();
        TraceHash(hasher.finalize().into())
    }

    /// How many records there were, kept or not.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.log.borrow().count
    }

    /// Takes the records kept so far.
    #[must_use]
    pub fn take_records(&self) -> Vec<Record> {
        std::mem::take(&mut self.log.borrow_mut().records)
    }
}

impl fmt::Debug for TraceListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TraceListener")
    }
}

impl Log {
    fn append(&mut self, record: Record) {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let nanos = u64::try_from(record.time.as_nanos()).unwrap_or(u64::MAX);
        scratch.extend(nanos.to_be_bytes());
        put(&mut scratch, record.host.as_bytes());
        record.event.encode(&mut scratch);
        self.hasher.update(&scratch);
        self.scratch = scratch;
        self.count += 1;
        let is_kept = match self.keep {
            Keep::All => true,
            Keep::Sockets => !matches!(record.event, TraceEvent::Note { .. }),
            Keep::Hash => false,
        };
        if is_kept {
            self.records.push(record);
        } else if let TraceEvent::Note { mut text, .. } = record.event {
            text.clear();
            self.text = text;
        }
    }
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as u64).to_be_bytes());
    out.extend(bytes);
}

fn put_text(out: &mut Vec<u8>, text: impl fmt::Display) {
    put(out, text.to_string().as_bytes());
}

impl TraceEvent {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Socket(name, socket) => {
                out.push(0);
                put(
                    out,
                    name.host.as_ref().map_or("", HostName::as_str).as_bytes(),
                );
                match name.peer {
                    std::net::IpAddr::V4(peer) => put(out, &peer.octets()),
                    std::net::IpAddr::V6(peer) => put(out, &peer.octets()),
                }
                out.push(name.opener as u8);
                out.extend(name.attempt.to_be_bytes());
                socket.encode(out);
            }
            Self::Fault(text) => {
                out.push(1);
                put(out, text.as_bytes());
            }
            Self::Note { kind, text } => {
                out.push(2);
                put(out, kind.as_bytes());
                put(out, text.as_bytes());
            }
        }
    }
}

impl Socket {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Connecting(to) => {
                out.push(0);
                put_text(out, to);
            }
            Self::Open(local, peer) => {
                out.push(1);
                put_text(out, local);
                put_text(out, peer);
            }
            Self::Failed(kind) => {
                out.push(2);
                put_text(out, kind);
            }
            Self::Sent(bytes) => {
                out.push(3);
                put(out, bytes);
            }
            Self::Received(bytes) => {
                out.push(4);
                put(out, bytes);
            }
            Self::Finished => out.push(5),
            Self::Shutdown => out.push(6),
            Self::Broken(kind) => {
                out.push(7);
                put_text(out, kind);
            }
            Self::Closed => out.push(8),
            Self::Blocked => out.push(9),
        }
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, micros) = (self.time.as_secs(), self.time.subsec_micros());
        write!(f, "{seconds}.{micros:06} {} {}", self.host, self.event)
    }
}

impl fmt::Display for TraceEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(name, socket) => write!(f, "{name} {socket}"),
            Self::Fault(text) => write!(f, "fault {text}"),
            Self::Note { kind, text } => write!(f, "{kind} {text}"),
        }
    }
}

impl fmt::Display for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connecting(to) => write!(f, "connecting to {to}"),
            Self::Open(local, peer) => write!(f, "open {local} {peer}"),
            Self::Failed(kind) => write!(f, "failed: {kind}"),
            Self::Sent(bytes) => write!(f, "sent {} {bytes:02x}", bytes.len()),
            Self::Blocked => write!(f, "send buffer full"),
            Self::Received(bytes) => write!(f, "received {} {bytes:02x}", bytes.len()),
            Self::Finished => write!(f, "finished by the peer"),
            Self::Shutdown => write!(f, "shut down"),
            Self::Broken(kind) => write!(f, "broken: {kind}"),
            Self::Closed => write!(f, "closed"),
        }
    }
}

/// The first 64 bits, in hexadecimal: enough to compare by eye.
impl fmt::Display for TraceHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for octet in &self.0[..8] {
            write!(f, "{octet:02x}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_hash_knows_time_host_and_text() {
        let hash = async |host: &str, pause: u64, text: &str| {
            let trace = Trace::new(Clock::start(), Keep::Hash);
            tokio::time::sleep(Duration::from_millis(pause)).await;
            trace.note(&host.into(), &"state".into(), text);
            trace.hash()
        };
        let first = hash("a", 5, "Idle").await;
        assert_eq!(first, hash("a", 5, "Idle").await);
        assert_ne!(first, hash("b", 5, "Idle").await);
        assert_ne!(first, hash("a", 6, "Idle").await);
        assert_ne!(first, hash("a", 5, "Active").await);
    }

    #[tokio::test(start_paused = true)]
    async fn the_hash_is_the_same_on_every_machine() {
        let trace = Trace::new(Clock::start(), Keep::All);
        trace.note(&"speaker".into(), &"state".into(), "Idle to Connect");
        assert_eq!(trace.hash().to_string(), "5a432cbf26425bad");
        let told: Vec<String> = trace.take_records().iter().map(Record::to_string).collect();
        assert_eq!(told, ["0.000000 speaker state Idle to Connect"]);
    }
}
