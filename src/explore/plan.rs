//! A plan: everything that a run depends on, as a short text file.
//!
//! ```text
//! scenario api-rr
//! mode async
//! seed 4217
//! order drawn
//! latency 300us
//! fault 127.0.0.1#1 received byte 117: reset
//! crash peer 127.0.0.1 at 2s for 1s
//! partition edge core at 2s for 10s
//! ```

use std::fmt;
use std::time::Duration;

use crate::guest::Pace;
use crate::reactor::Mode;
use crate::reactor::defects::Defect;
use crate::scenario::format::host_fault::{HostFault, Partition, ProgramFault, Time};
use crate::sim::{Action, Fault, Link, Moment, Settings, TcpChange, TcpSettings};
use crate::subject::{SpeakerName, Variant};

/// What a run depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The scenario's name.
    pub scenario: String,
    /// The speaker; our own if it is absent.
    pub speaker: Option<SpeakerName>,
    /// The reactor; each in turn if it is absent.
    pub mode: Option<Mode>,
    /// Seed of the scheduling order (`order drawn`) and of jitter.
    pub seed: u64,
    /// Which of several ready tasks or sockets goes first is drawn from the seed.
    pub drawn_order: bool,
    /// The path between speaker and peers.
    pub link: Link,
    /// A socket's receive buffer in octets, its largest window (default: the network's own).
    pub window: Option<usize>,
    /// Settings of the hosts' TCP, after those of the scenario.
    pub tcp: Vec<TcpChange>,
    /// How fast the speaker's clock runs, in parts per million off the true one.
    pub skew: i32,
    /// What a system call and an empty poll of a guest cost in virtual time.
    pub pace: Pace,
    /// How long the session is watched after the scripts have ended, in virtual time.
    pub watch: Duration,
    /// Historical defects enabled.
    pub defects: Vec<Defect>,
    /// Faults of connections, seen from the speaker.
    pub faults: Vec<Fault>,
    /// Faults of hosts and API programs.
    pub host_faults: Vec<HostFault>,
}

impl Plan {
    /// A plan for `scenario` in which nothing goes wrong.
    #[must_use]
    pub fn quiet(scenario: impl Into<String>) -> Self {
        Self {
            scenario: scenario.into(),
            speaker: None,
            mode: None,
            seed: 0,
            drawn_order: false,
            link: Link::default(),
            window: None,
            tcp: Vec::new(),
            skew: 0,
            pace: Pace::default(),
            watch: WATCH,
            defects: Vec::new(),
            faults: Vec::new(),
            host_faults: Vec::new(),
        }
    }

    /// Whether it has no fault of any kind: the golden's bytes are then to be expected.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.faults.is_empty() && self.host_faults.is_empty()
    }

    /// Whether a run of it is no different from one of [`Plan::quiet`], defects aside.
    #[must_use]
    pub fn changes_nothing(&self) -> bool {
        let usual = Self::quiet("");
        self.is_quiet()
            && !self.drawn_order
            && (self.link, self.window, self.skew) == (usual.link, usual.window, usual.skew)
            && self.tcp.is_empty()
            && self.pace == usual.pace
    }

    /// Whether no fault in it is meant to end a session or change what is sent: octets are only delayed, split or
    /// merged.
    #[must_use]
    pub fn is_mild(&self) -> bool {
        self.host_faults.is_empty()
            && self.faults.iter().all(|fault| {
                matches!(
                    fault.action,
                    Action::Split(_)
                        | Action::Coalesce(..)
                        | Action::Delay(_)
                        | Action::Stall(Some(_))
                )
            })
    }

    /// Total time for which its faults delay octets.
    #[must_use]
    pub fn held_up(&self) -> Duration {
        let times = self.faults.iter().map(|fault| match fault.action {
            Action::Stall(Some(time)) | Action::Coalesce(_, time) | Action::Delay(time) => time,
            _ => Duration::ZERO,
        });
        times.sum()
    }

    /// Whether the speaker crashes.
    #[must_use]
    pub fn crashes_speaker(&self) -> bool {
        let mut faults = self.host_faults.iter();
        faults.any(|fault| matches!(fault, HostFault::CrashSpeaker { .. }))
    }

    /// The partitions among its faults.
    pub fn partitions(&self) -> impl Iterator<Item = Partition> {
        self.host_faults.iter().filter_map(|fault| match fault {
            HostFault::Partition(partition) => Some(*partition),
            _ => None,
        })
    }

    /// When TCP has sent again, at the latest, what was lost in `partition`.
    #[must_use]
    pub fn recovery_after(&self, partition: Partition) -> Duration {
        partition.at + partition.time + partition.time.min(self.tcp_rest()) + SECOND
    }

    /// Whether a program exits early: it need not be restarted, so its remaining commands are not expected.
    #[must_use]
    pub fn program_may_end(&self) -> bool {
        self.host_faults.iter().any(|fault| {
            matches!(
                fault,
                HostFault::Program {
                    how: ProgramFault::Dies(_),
                    ..
                }
            )
        })
    }

    /// A time by which its timed faults are over; a fault at an octet has no known time.
    #[must_use]
    pub fn last_timed_fault(&self) -> Duration {
        let host_faults = self.host_faults.iter().map(|fault| match fault {
            HostFault::CrashSpeaker { at, down, .. } | HostFault::CrashPeer { at, down, .. } => {
                *at + *down
            }
            HostFault::Partition(partition) => self.recovery_after(*partition),
            HostFault::StopSpeaker { at, time, .. } => *at + *time,
            HostFault::Reload { at, .. } => *at,
            HostFault::Peer { .. } | HostFault::Program { .. } => Duration::ZERO,
        });
        let times = self.faults.iter().map(|fault| match fault.moment {
            Moment::Time(time) => time,
            Moment::Opening | Moment::Byte(_) => Duration::ZERO,
        });
        let lasting: Duration = self
            .faults
            .iter()
            .map(|fault| match fault.action {
                Action::Stall(Some(time)) => time,
                // TCP has backed off meanwhile, and tries again after as long at most.
                Action::Silence(Some(time)) => time + time.min(self.tcp_rest()) + SECOND,
                Action::Lose(_) => SECOND,
                Action::Stall(None) => SEND_HOLD,
                Action::Coalesce(_, wait) => wait,
                _ => Duration::ZERO,
            })
            .sum();
        host_faults.chain(times).max().unwrap_or_default() + lasting
    }

    /// The variants under test.
    #[must_use]
    pub fn variants(&self) -> Vec<Variant> {
        Variant::all(self.speaker.as_ref(), self.mode)
    }

    /// The same plan, played to `variant` alone.
    #[must_use]
    pub fn on(&self, variant: &Variant) -> Self {
        Self {
            speaker: (!variant.speaker.is_own()).then(|| variant.speaker.clone()),
            mode: variant.mode,
            ..self.clone()
        }
    }

    /// The longest pause of TCP before it sends again.
    fn tcp_rest(&self) -> Duration {
        let hosts = self.tcp.iter().map(|change| change.host).chain([None]);
        let rests = hosts.map(|host| TcpSettings::of_host(host, &self.tcp).rto_max);
        Duration::from_millis(rests.max().unwrap_or_default().into())
    }

    /// The settings of its simulated world.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let defaults = Settings::default();
        Settings {
            seed: crate::sim::Seed(self.seed),
            link: self.link,
            receive_buffer: self.window.unwrap_or(defaults.receive_buffer),
            ..defaults
        }
    }
}

/// The longest that a session survives an endless stall: twice the longest hold time of a scenario (RFC 9687
/// section 3.1).
const SEND_HOLD: Duration = Duration::from_secs(1_200);

/// How long a program waits for an event that faults may prevent.
pub const PROGRAM_PATIENCE: Duration = Duration::from_secs(15);

const SECOND: Duration = Duration::from_secs(1);

/// How long a session is watched after the scripts have ended, unless a plan says otherwise.
pub const WATCH: Duration = Duration::from_secs(1);

/// Millionths, as a percentage: `0.5%`.
struct Percent(u32);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = format!("{}.{:04}", self.0 / 10_000, self.0 % 10_000);
        write!(f, "{}%", whole.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl fmt::Display for Plan {
    /// Lines that the parser reads back; default settings are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let usual = Self::quiet("");
        writeln!(f, "scenario {}", self.scenario)?;
        if let Some(speaker) = &self.speaker {
            writeln!(f, "speaker {speaker}")?;
        }
        if let Some(mode) = self.mode {
            writeln!(f, "mode {mode}")?;
        }
        writeln!(f, "seed {}", self.seed)?;
        if self.drawn_order {
            writeln!(f, "order drawn")?;
        }
        if self.link.latency != usual.link.latency {
            writeln!(f, "latency {}", Time(self.link.latency))?;
        }
        if self.link.jitter != usual.link.jitter {
            writeln!(f, "jitter {}", Time(self.link.jitter))?;
        }
        if let Some(bandwidth) = self.link.bandwidth {
            writeln!(f, "bandwidth {bandwidth}")?;
        }
        if let Some(window) = self.window {
            writeln!(f, "window {window}")?;
        }
        if self.link.loss != 0 {
            writeln!(f, "loss {}", Percent(self.link.loss))?;
        }
        for change in &self.tcp {
            writeln!(f, "{change}")?;
        }
        if self.skew != 0 {
            writeln!(f, "skew {}", self.skew)?;
        }
        if self.pace.call != usual.pace.call {
            writeln!(f, "pace call {}", self.pace.call)?;
        }
        if self.pace.empty_poll != usual.pace.empty_poll {
            writeln!(f, "pace empty-poll {}", self.pace.empty_poll)?;
        }
        if self.pace.late_poll != usual.pace.late_poll {
            writeln!(f, "pace late-poll {}", self.pace.late_poll)?;
        }
        if self.watch != usual.watch {
            writeln!(f, "watch {}", Time(self.watch))?;
        }
        for defect in &self.defects {
            writeln!(f, "defect {defect}")?;
        }
        for fault in &self.faults {
            writeln!(f, "fault {fault}")?;
        }
        for fault in &self.host_faults {
            writeln!(f, "{fault}")?;
        }
        Ok(())
    }
}
