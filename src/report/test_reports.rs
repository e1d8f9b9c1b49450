//! Reports for the tests of the output formats: a failure in sync, a pass in async.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::reactor::Mode;
use crate::scenario::run::network::NetworkKind;
use crate::scenario::run::played::RunResult;
use crate::scenario::run::suite::Report;
use crate::scenario::run::verdict::{Faults, Verdict};
use crate::scenario::scripted::progress::StepFailure;
use crate::subject::Variant;

pub(super) fn reports() -> [Report; 2] {
    let failure = StepFailure {
        message: "expected <UPDATE> & 100% of it".into(),
        step: Some((0..1, 7)),
    };
    [(Mode::Sync, Some(failure)), (Mode::Async, None)].map(|(mode, step)| Report {
        scenario: "conf-ebgp".into(),
        variant: Variant::own(mode),
        network: NetworkKind::Sim,
        directory: "scenarios/conf-ebgp".into(),
        defects: Vec::new(),
        verdict: Verdict {
            faults: Faults {
                step: step.clone(),
                ..Faults::default()
            },
            messages: 3,
            elapsed: Duration::from_millis(5),
        },
        played: RunResult {
            died: Vec::new(),
            transcripts: Vec::new(),
            between: Vec::new(),
            tables: BTreeMap::new(),
            program_input: Vec::new(),
            marks: Vec::new(),
            failure: step,
            hash: None,
            elapsed: Duration::from_millis(5),
            over: Duration::from_millis(5),
        },
        wall: Duration::from_millis(1),
    })
}
