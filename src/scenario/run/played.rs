//! What came of a run.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::scenario::run::mark::Mark;
use crate::scenario::scripted::progress::StepFailure;
use crate::scenario::scripted::table::View;
use crate::scenario::scripted::transcript::Transcript;

/// A run that is over.
#[derive(Debug, Clone)]
pub struct RunResult {
    /// The connections, in the order in which they were accepted.
    pub transcripts: Vec<Transcript>,
    /// What each peer held at the end.
    pub tables: BTreeMap<IpAddr, View>,
    /// What each program was told: (program, line), in order.
    pub heard: Vec<(String, String)>,
    /// What happened beside messages, in order of time, as far as it was watched.
    pub marks: Vec<Mark>,
    /// The first step that was not met, if any.
    pub failure: Option<StepFailure>,
    /// The hash of everything that happened, where the network keeps a trace.
    pub hash: Option<u64>,
    /// How long it took on the run's own clock.
    pub elapsed: Duration,
    /// When it was over and the speaker told to end: what is closed from then on is no part of it.
    pub over: Duration,
}
