//! A run of the speaker: what it is given, and how it ends.

use std::fmt;
use std::path::PathBuf;
use std::rc::Rc;

use crate::api::apply::Identity;
use crate::config::Configuration;
use crate::net::clock::Clock;
use crate::reactor::control::ControlReceiver;
use crate::reactor::observer::Observer;
use crate::reactor::order::{Arrival, Order};
use crate::speaker::neighbor::Neighbor;
use crate::speaker::settings::Settings;

/// Where a speaker's configuration comes from, at its start and at each reload.
pub trait Configurations {
    /// Reads the next one.
    ///
    /// # Errors
    /// What is wrong with it, for a person to read.
    fn read(&mut self) -> Result<Configuration, String>;

    /// The directory of the one that was read last: API programs are started there.
    fn directory(&self) -> PathBuf;
}

/// Configurations that are known beforehand: each reload takes the next, and after the last the first again.
#[derive(Debug, Clone)]
pub struct Rotation {
    configurations: Vec<Configuration>,
    next: usize,
    directory: PathBuf,
}

impl Rotation {
    /// Takes turns over `configurations`.
    #[must_use]
    pub const fn new(configurations: Vec<Configuration>, directory: PathBuf) -> Self {
        Self {
            configurations,
            next: 0,
            directory,
        }
    }

    /// Has every neighbor of every configuration changed by `change`.
    pub fn change_neighbors(&mut self, mut change: impl FnMut(&mut Neighbor)) {
        for configuration in &mut self.configurations {
            configuration.neighbors.iter_mut().for_each(&mut change);
        }
    }
}

impl Configurations for Rotation {
    fn read(&mut self) -> Result<Configuration, String> {
        let configuration = self
            .configurations
            .get(self.next)
            .cloned()
            .ok_or_else(|| "there is no configuration".to_owned())?;
        self.next = (self.next + 1) % self.configurations.len();
        Ok(configuration)
    }

    fn directory(&self) -> PathBuf {
        self.directory.clone()
    }
}

/// What runs: its configurations and settings.
pub struct Speaker {
    /// Its configuration, and what a reload finds.
    pub configurations: Box<dyn Configurations>,
    /// What the environment sets.
    pub settings: Settings,
    /// Who it says it is.
    pub identity: Identity,
    /// Which of several ready sockets or tasks goes first.
    pub order: Box<dyn Order>,
}

impl Speaker {
    /// A speaker that is nobody in particular and serves first what came first.
    #[must_use]
    pub fn new(configurations: impl Configurations + 'static, settings: Settings) -> Self {
        Self {
            configurations: Box::new(configurations),
            settings,
            identity: Identity::default(),
            order: Box::new(Arrival),
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was asked to.
    Terminated,
    /// Every peer's connection attempts are used up.
    PeersEnded,
    /// The configuration cannot be used: nothing was started.
    Refused(String),
    /// It cannot listen where it should: nothing was started.
    CannotListen(String),
    /// An API program kept dying.
    ProgramKeptDying(String),
}

impl Outcome {
    /// Whether it ended as it should.
    #[must_use]
    pub const fn is_orderly(&self) -> bool {
        matches!(self, Self::Terminated | Self::PeersEnded)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Terminated => f.write_str("terminated"),
            Self::PeersEnded => f.write_str("no peer is left"),
            Self::Refused(reason) | Self::CannotListen(reason) => f.write_str(reason),
            Self::ProgramKeptDying(name) => {
                write!(f, "process {name} died too often, ending")
            }
        }
    }
}

/// What surrounds a speaker that runs.
pub(super) struct Surroundings<N, P, C> {
    pub network: N,
    pub programs: P,
    pub clock: Clock,
    pub observer: Rc<dyn Observer>,
    pub control: ControlReceiver,
    pub defects: C,
}
