//! Under which conditions a run goes on: strict, or with faults of hosts and programs.

use std::time::Duration;

use crate::net::HostName;
use crate::scenario::format::host_fault::{HostFault, PeerBehaviour, ProgramFault};
use crate::scenario::format::script::{ConnectTarget, PeerScript};
use crate::scenario::scripted::program::ProgramBehaviour;

/// How long a scenario may take on its own clock.
pub const LIMIT: Duration = Duration::from_secs(120);

/// Where a speaker listens for a peer that connects if its configuration names no address.
pub const MEETING: u16 = 1179;

/// What is expected of a run, and what may go wrong in it.
#[derive(Debug, Clone)]
pub enum Conditions {
    /// Every step must be met as it is written.
    Strict,
    /// Faults are injected: steps that cannot be met are abandoned, and the run is watched until it has recovered.
    Adverse(AdverseConditions),
}

/// The faults of a run, and how long it is watched.
#[derive(Debug, Clone, Default)]
pub struct AdverseConditions {
    /// Faults of hosts and programs.
    pub host_faults: Vec<HostFault>,
    /// How long a program waits for an event that faults may prevent.
    pub patience: Duration,
    /// Nothing goes wrong, and the subject may take its time before it connects: every peer's script is waited for.
    pub whole: bool,
    /// Where a peer that connects finds a subject that listens where its own configuration says.
    pub meeting: Option<ConnectTarget>,
    /// When the last fault is over.
    pub calm: Duration,
    /// How long recovery may take from then, or from the last script's end.
    pub recovery: Duration,
    /// How long the run is watched once it has recovered.
    pub watch: Duration,
}

impl Conditions {
    pub(super) const fn host_faults(&self) -> &[HostFault] {
        match self {
            Self::Strict => &[],
            Self::Adverse(adverse) => adverse.host_faults.as_slice(),
        }
    }

    /// Where the subject listens, if it listens at an address of its own as it is configured.
    fn meeting(&self) -> Option<ConnectTarget> {
        match self {
            Self::Adverse(adverse) => adverse.meeting,
            Self::Strict => None,
        }
    }

    /// The crashes of the speaker on `host`, the last first; of the only one where no host is named.
    pub(super) fn crashes(&self, name: Option<HostName>) -> Vec<(Duration, Duration)> {
        let crashes = self
            .host_faults()
            .iter()
            .filter_map(|host_fault| match host_fault {
                HostFault::CrashSpeaker { host, at, down }
                    if host.is_none() || name.is_none() || *host == name =>
                {
                    Some((*at, *down))
                }
                _ => None,
            });
        latest_first(crashes)
    }

    /// The crashes of one peer, the last first.
    pub(super) fn outages(&self, script: &PeerScript) -> Vec<(Duration, Duration)> {
        let crashes = self
            .host_faults()
            .iter()
            .filter_map(|host_fault| match host_fault {
                HostFault::CrashPeer { peer, at, down } if *peer == script.address => {
                    Some((*at, *down))
                }
                _ => None,
            });
        latest_first(crashes)
    }

    /// The script of a peer, with the unusual behaviour that the faults give it.
    pub(super) fn cast(&self, script: &PeerScript) -> PeerScript {
        let mut script = script.clone();
        for host_fault in self.host_faults() {
            match host_fault {
                HostFault::Peer { peer, behaviour } if *peer == script.address => match behaviour {
                    PeerBehaviour::Patient => script.patient = true,
                    PeerBehaviour::Connects => {
                        let usual = ConnectTarget {
                            address: script.address,
                            port: Some(MEETING),
                        };
                        script
                            .open
                            .connect
                            .get_or_insert(self.meeting().unwrap_or(usual));
                    }
                },
                _ => {}
            }
        }
        script
    }

    /// How programs behave under the faults of the run.
    pub(super) fn program_behaviour(&self, pauses: bool) -> ProgramBehaviour {
        let patience = match self {
            Self::Strict => None,
            Self::Adverse(adverse) => Some(adverse.patience),
        };
        let program_faults: Vec<(String, ProgramFault)> = self
            .host_faults()
            .iter()
            .filter_map(|host_fault| match host_fault {
                HostFault::Program { name, how } => Some((name.clone(), *how)),
                _ => None,
            })
            .collect();
        ProgramBehaviour::new(patience, pauses, program_faults)
    }
}

fn latest_first(crashes: impl Iterator<Item = (Duration, Duration)>) -> Vec<(Duration, Duration)> {
    let mut crashes: Vec<_> = crashes.collect();
    crashes.sort_by(|one, other| other.cmp(one));
    crashes
}
