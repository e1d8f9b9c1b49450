//! The HTML page of a failing plan: the golden beside the run in each mode, with faults on the time axis.

use super::column::{Column, What};
use super::data::{Note, Sheet};
use super::rows::{self, Rule};
use crate::explore::finding::Finding;
use crate::report::terminal::time;
use crate::scenario::format::message::KEEPALIVE;
use crate::scenario::format::script::Scenario;
use crate::scenario::golden::Golden;
use crate::scenario::run::played::RunResult;
use crate::subject::Variant;

/// The sheet of `finding`, whose plan was run in each of the modes of `runs`.
pub(super) fn sheet(
    scenario: &Scenario,
    golden: Option<&Golden>,
    finding: &Finding,
    runs: &[(Variant, RunResult)],
    again: String,
) -> Sheet {
    let none = Golden::default();
    let mut lanes = vec![Column::of_golden(golden.unwrap_or(&none))];
    lanes.extend(runs.iter().map(|(variant, played)| {
        let verdict = (*variant == finding.variant).then_some("failed");
        let lane = Column::of_run(variant.to_string(), played, golden);
        let messages = lane.items.iter().filter_map(|item| item.message());
        let sent =
            messages.filter(|one| one.from_speaker && one.octets.get(18) != Some(&KEEPALIVE));
        let facts = format!(
            "{} messages, {} virtual",
            sent.count(),
            time(played.elapsed)
        );
        Column {
            verdict,
            facts,
            ..lane
        }
    }));
    let rows = rows::align(&lanes, Rule::Others);
    let note = Note {
        title: format!("{} in {}", finding.failure.oracle, finding.variant),
        lines: vec![
            ("what".into(), finding.failure.text.clone()),
            ("plan".into(), finding.plan().to_string().trim_end().into()),
        ],
        again,
        place: place(&lanes, &rows, &finding.variant),
    };
    Sheet {
        name: scenario.name.clone(),
        about: scenario.about.clone(),
        why: scenario.why.clone().unwrap_or_default(),
        lanes,
        rows,
        notes: vec![note],
    }
}

/// Where to look first: the first fault of the mode that fails, else the first difference of the modes.
fn place(lanes: &[Column], rows: &[rows::Row], variant: &Variant) -> Option<(usize, usize)> {
    let lane = lanes
        .iter()
        .position(|lane| lane.label == variant.to_string())?;
    let items = lanes[lane].items.iter();
    let mut faults = items
        .enumerate()
        .filter(|(_, item)| matches!(item.what, What::Mark("fault", _)));
    let first_difference = || {
        let row = rows.iter().find(|row| row.differs)?;
        let found = row.items.iter().enumerate().skip(1);
        let mut found = found.filter_map(|(lane, item)| Some((lane, (*item)?)));
        found.next()
    };
    faults
        .next()
        .map(|(item, _)| (lane, item))
        .or_else(first_difference)
}
