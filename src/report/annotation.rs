//! Failures as GitHub's workflow commands, which show them at the file and line that they are about.

use super::terminal::explanation;
use crate::scenario::suite::Report;

/// One line for `report`, if it failed: at the step that was not met, else at the scenario's first line.
#[must_use]
pub fn line(report: &Report) -> Option<String> {
    if report.passed() {
        return None;
    }
    let step = report.verdict.faults.step.as_ref();
    let line = step
        .and_then(|step| step.step.as_ref())
        .map_or(1, |(_, line)| *line);
    Some(format!(
        "::error file=scenarios/{}/scenario,line={line},title={} in {}::{}",
        report.scenario,
        report.scenario,
        report.mode,
        escaped(explanation(report).trim_end())
    ))
}

/// What GitHub asks of a message that has several lines.
fn escaped(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}
