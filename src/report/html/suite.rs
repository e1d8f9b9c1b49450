//! The HTML page of a suite: a sheet per scenario, with the golden beside each mode.

use super::column::Column;
use super::data::{Note, Sheet};
use super::rows::{self, Rule};
use crate::report::terminal::{findings, time};
use crate::scenario::run::suite::{Case, Report};

/// The sheet of `case`, with its runs among `reports`.
pub(super) fn sheet(case: &Case, reports: &[Report]) -> Sheet {
    let scenario = &case.scenario;
    let reports: Vec<&Report> = reports
        .iter()
        .filter(|report| report.scenario == scenario.name)
        .collect();
    let mut lanes: Vec<Column> = case.golden().map(Column::of_golden).into_iter().collect();
    let first = lanes.len();
    lanes.extend(reports.iter().map(|report| {
        let label = report.variant.to_string();
        Column {
            verdict: Some(if report.passed() { "passed" } else { "failed" }),
            facts: facts(report),
            ..Column::of_run(label, &report.played, case.golden())
        }
    }));
    let failed = reports
        .iter()
        .zip(first..)
        .filter(|(report, _)| !report.passed());
    let notes = failed
        .map(|(report, lane)| note(report, lane, &lanes))
        .collect();
    Sheet {
        name: scenario.name.clone(),
        about: scenario.about.clone(),
        why: scenario.why.clone().unwrap_or_default(),
        rows: rows::align(&lanes, Rule::All),
        lanes,
        notes,
    }
}

fn facts(report: &Report) -> String {
    let hash = report.played.hash;
    format!(
        "{} messages, {} virtual, {} wall{}",
        report.verdict.messages,
        time(report.verdict.elapsed),
        time(report.wall),
        hash.map_or_else(String::new, |hash| format!(", trace {hash:016x}")),
    )
}

fn note(report: &Report, lane: usize, lanes: &[Column]) -> Note {
    let divergence = report.verdict.faults.divergence.as_ref();
    let place = divergence.and_then(|divergence| {
        let connection = divergence.connection;
        let at = |lane: usize| Some((lane, lanes[lane].compared(connection, divergence.number)?));
        match divergence.found {
            Some(_) => at(lane),
            None => at(0),
        }
    });
    Note {
        title: format!("{} is not as it should be", report.variant),
        // The octets are shown beside the ladder.
        lines: findings(report)
            .into_iter()
            .filter(|(label, _)| !matches!(&label[..], "" | "golden" | "found"))
            .collect(),
        again: report.command(),
        place,
    }
}
