//! The result of a run.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::scenario::run::mark::Mark;
use crate::scenario::scripted::progress::StepFailure;
use crate::scenario::scripted::table::View;
use crate::scenario::scripted::transcript::Transcript;

/// A finished run.
#[derive(Debug, Clone)]
pub struct RunResult {
    /// The connections, in the order in which they were accepted.
    pub transcripts: Vec<Transcript>,
    /// The sessions between hosts under test, in the order in which they began: no peer compares them with a golden.
    pub between: Vec<Transcript>,
    /// What each peer held at the end.
    pub tables: BTreeMap<IpAddr, View>,
    /// The lines that programs received: (program, line), in order.
    pub program_input: Vec<(String, String)>,
    /// Events other than messages, in order of time, as far as they were observed.
    pub marks: Vec<Mark>,
    /// The first step that was not met, if any.
    pub failure: Option<StepFailure>,
    /// What was under test and ended by itself without being asked to: why, in order.
    pub died: Vec<String>,
    /// The trace hash, if the network keeps a trace.
    pub hash: Option<u64>,
    /// How long it took on the run's own clock.
    pub elapsed: Duration,
    /// When the run was over and the speaker was asked to end; later closes are not part of the run.
    pub over: Duration,
}

impl RunResult {
    /// All sessions that are known: those with scripted peers, then those between hosts under test.
    pub fn sessions(&self) -> impl Iterator<Item = &Transcript> + Clone {
        self.transcripts.iter().chain(&self.between)
    }
}
