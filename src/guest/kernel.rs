//! What the tracer keeps for the guests of one host: threads, processes, open file descriptions, time.
//!
//! All of it is plain data and can be copied; what cannot (traced threads, connections of the simulated network) stands
//! beside it in [`Host`](super::host::Host), under the same numbers.

use std::collections::{BTreeMap, VecDeque};

use super::channel::Channel;
use super::description::Description;
use super::output::Line;
use super::pace::Pace;
use super::process::Process;
use super::random::Random;
use super::refusal::Refusal;
use super::schedule::Schedule;
use super::thread::Thread;
use super::trace::Trace;
use super::unix::Name;

/// Virtual time in nanoseconds since the world began.
pub(super) type Time = i64;
/// The number of a description, a channel or a socket; never used twice.
pub(super) type Id = u64;

/// The state of a host.
#[derive(Debug, Clone)]
pub(super) struct Kernel {
    /// The host's time: never behind the world's, and ahead of it by what calls cost.
    pub now: Time,
    pub pace: Pace,
    pub schedule: Schedule,
    /// The vDSO is hidden: every look at the clock is a call.
    pub clock_stops: bool,
    pub identity: super::identity::Identity,
    pub threads: BTreeMap<i32, Thread>,
    pub processes: BTreeMap<i32, Process>,
    pub descriptions: BTreeMap<Id, Description>,
    pub channels: BTreeMap<Id, Channel>,
    /// Unix sockets by where they are bound.
    pub names: BTreeMap<Name, Id>,
    /// Who waits for /dev/log.
    pub random: Random,
    pub trace: Trace,
    pub output: Vec<Line>,
    pub refusals: Vec<Refusal>,
    /// Signals sent by timers, to be delivered when the scheduler looks next.
    pub signals: VecDeque<(i32, i32)>,
    /// The caller lets others run before it goes on.
    pub yields: bool,
    /// Calls that stopped.
    pub stops: u64,
    /// Connections to other hosts that were tried or accepted.
    pub connections: u64,
    next_id: Id,
    next_pid: i32,
}

impl Kernel {
    pub(super) fn new(pace: Pace, identity: super::identity::Identity, seed: u64) -> Self {
        Self {
            now: 0,
            pace,
            schedule: Schedule::new(seed, false),
            clock_stops: false,
            next_pid: identity.first_pid,
            identity,
            threads: BTreeMap::new(),
            processes: BTreeMap::new(),
            descriptions: BTreeMap::new(),
            channels: BTreeMap::new(),
            names: BTreeMap::new(),
            random: Random::new(seed),
            trace: Trace::default(),
            output: vec![],
            refusals: vec![],
            signals: VecDeque::new(),
            yields: false,
            stops: 0,
            connections: 0,
            next_id: 1,
        }
    }

    /// Time passes for a call that stops in the tracer.
    pub(super) fn pay_for_call(&mut self) {
        self.now += self.schedule.cost(self.pace.call);
    }

    pub(super) fn new_id(&mut self) -> Id {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    pub(super) fn new_pid(&mut self) -> i32 {
        let pid = self.next_pid;
        self.next_pid += 1;
        pid
    }
}
