//! The HTML page of a suite: a sheet per scenario, with the golden beside each mode.

use super::column::Column;
use super::data::{Note, Sheet};
use super::rows::{self, Rule};
use crate::net::ConnectionName;
use crate::report::terminal::{findings, time};
use crate::scenario::format::script::Scenario;
use crate::scenario::run::network::NetworkKind;
use crate::scenario::run::suite::{Case, Report};

/// The sheets of `case`: one, or for a scenario with several hosts one for each run, which has a lane for each pair of
/// hosts that exchanged anything, all on one time axis.
pub(super) fn sheets(case: &Case, reports: &[Report]) -> Vec<Sheet> {
    let scenario = &case.scenario;
    if !scenario.topology.is_declared {
        return vec![sheet(case, reports)];
    }
    let of_case = reports.iter().filter(|it| it.scenario == scenario.name);
    let sheets = of_case.map(|report| {
        let lanes = Column {
            verdict: Some(if report.passed() { "passed" } else { "failed" }),
            facts: facts(report),
            ..Column::of_run(report.variant.to_string(), &report.played, case.golden())
        }
        .by_pair(|name| pair(scenario, name));
        let notes = (!report.passed()).then(|| note(report, 0, &[]));
        Sheet {
            name: format!("{} {}", scenario.name, report.variant),
            about: scenario.about.clone(),
            why: scenario.why.clone().unwrap_or_default(),
            rows: rows::by_time(&lanes),
            lanes,
            notes: notes.into_iter().collect(),
        }
    });
    sheets.collect()
}

/// The hosts of a connection. Two speakers name their session each from its own end: it is one ladder.
fn pair(scenario: &Scenario, name: ConnectionName) -> String {
    let mut speakers = scenario.speakers.iter().map(|speaker| speaker.host);
    let Some(host) = name.host.or_else(|| speakers.next()) else {
        return name.peer.to_string();
    };
    match scenario.topology.owner(name.peer) {
        Some(peer) if scenario.speaker(peer.name).is_some() && peer.name < host => {
            format!("{} – {host}", peer.name)
        }
        Some(peer) => format!("{host} – {}", peer.name),
        None => format!("{host} – {}", name.peer),
    }
}

/// The sheet of `case`, with its runs among `reports`.
fn sheet(case: &Case, reports: &[Report]) -> Sheet {
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
            caption: caption(report),
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

const fn caption(report: &Report) -> &'static str {
    match report.network {
        NetworkKind::Kernel => "speaker → peer, real time",
        NetworkKind::Sim | NetworkKind::Turmoil => "speaker → peer, virtual time",
    }
}

fn facts(report: &Report) -> String {
    let hash = report.played.hash;
    format!(
        "{} messages, {} {}, {} wall{}",
        report.verdict.messages,
        time(report.verdict.elapsed),
        report.network.clock(),
        time(report.wall),
        hash.map_or_else(String::new, |hash| format!(", trace {hash:016x}")),
    )
}

fn note(report: &Report, lane: usize, lanes: &[Column]) -> Note {
    let divergence = report.verdict.faults.divergence.as_ref();
    let place = divergence.and_then(|divergence| {
        let connection = divergence.connection;
        let at = |lane: usize| {
            let column = lanes.get(lane)?;
            Some((lane, column.compared(connection, divergence.number)?))
        };
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
