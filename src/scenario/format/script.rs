//! The contents of a scenario file, as types.

use std::fmt;
use std::net::IpAddr;
use std::ops::Range;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::bgp::nlri::inet::Prefix;
use crate::guest::Pace;
use crate::net::HostName;
use crate::scenario::format::topology::Topology;
use crate::scenario::scripted::sight::Sight;
use crate::speaker::session::Verbatim;
use crate::subject::Variant;

/// A whole scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// The directory's name.
    pub name: String,
    /// Directory of its files.
    pub directory: PathBuf,
    /// One line that says what it exercises.
    pub about: String,
    /// The hosts, and the links between them.
    pub topology: Topology,
    /// What is under test, one on each of its hosts; at least one.
    pub speakers: Vec<SpeakerScript>,
    /// Where the golden comes from.
    pub golden: GoldenSource,
    /// How long the peers watch for unexpected messages after the last step.
    pub settle: Duration,
    /// Where the reference is at fault or racy, and why.
    pub why: Option<String>,
    /// The speakers that it is not for, and why.
    pub not_applicable: Vec<(String, String)>,
    /// The API programs.
    pub programs: Vec<ProgramScript>,
    /// The scripted peers, in the order of the file.
    pub peers: Vec<PeerScript>,
    /// Bytes that the speaker sends to a peer instead of its own messages.
    pub verbatims: Vec<(IpAddr, Arc<Verbatim>)>,
    /// What must hold at the end beyond the golden's octets; `None` where nothing was said.
    pub table: Option<Vec<TableEntry>>,
}

/// One host's speaker under test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeakerScript {
    /// Its host.
    pub host: HostName,
    /// Which speaker it is, whatever is asked for; absent where that decides.
    pub variant: Option<Variant>,
    /// Its configuration files; several are rotated on reload.
    pub config: Vec<PathBuf>,
    /// Files that are put beside its configuration as they are: its own API programs.
    pub files: Vec<PathBuf>,
    /// What its work costs in virtual time, where it is a guest.
    pub pace: Option<Pace>,
    /// Connection attempts before it ends by itself; 0 is unlimited.
    pub attempts: u32,
    /// `exabgp_*` names and values, for our speaker and the reference alike.
    pub environment: Vec<(String, String)>,
}

impl Scenario {
    /// The same for the speakers `names`: without what is said through the control programs of others, and, where none of
    /// them starts API programs, without those.
    #[must_use]
    pub fn for_speakers(self: &Rc<Self>, names: &[&str], start_programs: bool) -> Rc<Self> {
        let applies = |script: &ProgramScript| {
            if script.is_control {
                names.contains(&script.name.as_str())
            } else {
                start_programs
            }
        };
        if self.programs.iter().all(applies) {
            return Rc::clone(self);
        }
        let mut scenario = Self::clone(self);
        scenario.programs.retain(applies);
        Rc::new(scenario)
    }

    /// Why it is not for the speaker `name`, where it says so.
    #[must_use]
    pub fn why_not(&self, name: &str) -> Option<&str> {
        let mut speakers = self.not_applicable.iter();
        speakers.find_map(|(speaker, why)| (speaker == name).then_some(why.as_str()))
    }

    /// The host's name in the names of connections; `None` where only one host is under test.
    #[must_use]
    pub fn label(&self, speaker: &SpeakerScript) -> Option<HostName> {
        (self.speakers.len() > 1).then_some(speaker.host)
    }

    /// The speaker on `host`.
    #[must_use]
    pub fn speaker(&self, host: HostName) -> Option<&SpeakerScript> {
        let mut speakers = self.speakers.iter();
        speakers.find(|speaker| speaker.host == host)
    }

    /// The last time that a step, a verbatim or a partition names, counted from the opening of a connection; the time
    /// that one script sleeps.
    #[must_use]
    pub fn span(&self) -> Duration {
        let sleeps = self.programs.iter().map(ProgramScript::sleeps);
        let partitions = self.topology.partitions.iter();
        let partitions = partitions.map(|partition| partition.at + partition.time);
        let others = sleeps.chain(partitions).max();
        let programs = self.programs.iter().flat_map(|program| &program.steps);
        let programs = programs.filter_map(|step| match step.action {
            ProgramAction::At(time, _) => Some(time),
            _ => None,
        });
        let peers = self.peers.iter().flat_map(|peer| {
            let connections = peer.connections.iter().flat_map(|(_, steps)| steps);
            peer.steps.iter().chain(connections)
        });
        let peers = peers.filter_map(|step| match step.action {
            PeerAction::At(time) => Some(time),
            _ => None,
        });
        let verbatims = self
            .verbatims
            .iter()
            .flat_map(|(_, verbatim)| verbatim.pieces());
        let verbatims = verbatims.map(|(time, _)| *time);
        programs
            .chain(peers)
            .chain(verbatims)
            .chain(others)
            .max()
            .unwrap_or_default()
    }
}

/// Where a golden comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoldenSource {
    /// Recorded from the real ExaBGP.
    ExaBgp,
    /// Built from the lines of `golden.messages`.
    Messages,
    /// There is none: the steps and the tables decide.
    None,
}

/// A route that the peer's table must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableEntry {
    /// The destination, IPv4 or IPv6.
    pub prefix: Prefix,
    /// Its next hop, if it matters.
    pub next_hop: Option<IpAddr>,
}

/// A step and where it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step<T> {
    /// What to do.
    pub action: T,
    /// Byte range in the file.
    pub span: Range<usize>,
    /// Line of the file, from 1.
    pub line: usize,
}

/// The script of one API program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramScript {
    /// The `process` section of the configuration that it stands for, or the speaker whose control program it uses.
    pub name: String,
    /// Whether it is a `control` section: what it writes are commands of the speaker's control program.
    pub is_control: bool,
    /// What it does, in order.
    pub steps: Vec<Step<ProgramAction>>,
}

impl ProgramScript {
    /// How long its steps sleep in all.
    fn sleeps(&self) -> Duration {
        let sleeps = self.steps.iter().map(|step| match step.action {
            ProgramAction::Sleep(time) => time,
            _ => Duration::ZERO,
        });
        sleeps.sum()
    }

    /// Whether it says something through the control program of the speaker `name`.
    #[must_use]
    pub fn controls(&self, name: &str) -> bool {
        self.is_control && self.name == name
    }
}

/// What an API program can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProgramAction {
    /// Wait until the peers have seen something.
    Wait(Condition),
    /// Write these lines at once.
    Write(Vec<String>),
    /// The next answer must be this.
    Answer(Answer),
    /// The next line that is no answer and contains this text.
    Read(String),
    /// Nothing but `shutdown` may come from here on.
    Nothing,
    /// Let time pass.
    Sleep(Duration),
    /// Wait until the first connection with this peer has been open for so long.
    At(Duration, IpAddr),
    /// Let time pass if answers come early: a speaker that answers early is sent no more at once than
    /// ExaBGP's own test programs send. Any other is sent commands as fast as it answers.
    Pause(Duration),
    /// Ends with status 0 and closes its pipes.
    Exit,
}

/// An answer to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// `done`.
    Done,
    /// `error`.
    Error,
    /// Either `done` or `error`.
    Any,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done => "`done`",
            Self::Error => "`error`",
            Self::Any => "any answer",
        })
    }
}

/// Something that peers have seen, so many times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What must have been seen.
    pub what: Sight,
    /// Number of times in all.
    pub count: usize,
    /// The peer at which it is counted; all peers together if absent.
    pub from: Option<IpAddr>,
}

/// The script of one peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerScript {
    /// Its host.
    pub host: HostName,
    /// Address at which it listens.
    pub address: IpAddr,
    /// How it answers OPEN.
    pub open: OpenAnswer,
    /// Its hold timer never expires; set by plans, never by scenarios.
    pub patient: bool,
    /// Steps of every connection that has none of its own.
    pub steps: Vec<Step<PeerAction>>,
    /// Steps of the Nth connection, from 1.
    pub connections: Vec<(usize, Vec<Step<PeerAction>>)>,
}

impl PeerScript {
    /// The steps of the connection numbered `wanted`, from 1.
    #[must_use]
    pub fn steps_of(&self, wanted: usize) -> &[Step<PeerAction>] {
        self.connections
            .iter()
            .find(|(number, _)| *number == wanted)
            .map_or(&self.steps, |(_, steps)| steps)
    }

    /// How many connections the script speaks of.
    #[must_use]
    pub fn last_connection(&self) -> usize {
        self.connections
            .iter()
            .map(|(number, _)| *number)
            .max()
            .unwrap_or(1)
    }
}

/// How a peer makes its OPEN from the one it received.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OpenAnswer {
    /// Its AS number; the speaker's own where it is absent.
    pub asn: Option<u32>,
    /// An empty capability of this code is added.
    pub capability: Option<u8>,
    /// Before it answers its first connection, it connects to the speaker itself, there: the two collide.
    pub connect: Option<ConnectTarget>,
    /// The OPEN is held back until then.
    pub after: Option<Condition>,
    /// Its OPEN is a step like any other, and nothing is sent that is no step, until all of them are done.
    pub verbatim: bool,
}

/// Where a speaker listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectTarget {
    /// The address that the speaker listens on.
    pub address: IpAddr,
    /// The port; that of the peers where it is absent.
    pub port: Option<u16>,
}

/// What a peer can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerAction {
    /// Send these octets, a whole message unless the script is about something else.
    Send(Vec<u8>),
    /// The next message must be this.
    Expect(Sight),
    /// The speaker must close; where that is said, with octets unread too, which resets the connection.
    ExpectClose {
        /// Whether it may be reset.
        or_reset: bool,
    },
    /// Wait until something was seen.
    Wait(Condition),
    /// Send back every UPDATE received so far on this connection.
    Replay,
    /// Send every UPDATE that this peer, another of the scenario, has received so far on its last connection.
    Relay(IpAddr),
    /// Read nothing for so long: the receive window fills and closes.
    Stall(Duration),
    /// Read nothing until then.
    StallUntil(Condition),
    /// Signal the speaker.
    Signal(Signal),
    /// Let time pass.
    Sleep(Duration),
    /// Wait until the connection has been open for so long.
    At(Duration),
    /// Close the connection.
    Close,
}

/// A signal to the speaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGUSR1.
    Reload,
    /// SIGUSR2.
    Restart,
    /// SIGTERM.
    Terminate,
}
