//! Verdicts as Markdown, short enough for a pull request.

use std::fmt::Write as _;

use super::terminal::{explanation, percentage};
use crate::reactor::Mode;
use crate::scenario::suite::Report;

/// A table of the modes, and a section for each failure.
#[must_use]
pub fn document(reports: &[Report]) -> String {
    let mut text = String::from("## Lockstep\n\n| mode | scenarios | passed |\n|---|---|---|\n");
    for mode in Mode::ALL {
        let of_mode = reports.iter().filter(|report| report.mode == mode);
        let (run, passed) = (
            of_mode.clone().count(),
            of_mode.filter(|report| report.passed()).count(),
        );
        if run > 0 {
            let _ = writeln!(text, "| {mode} | {run} | {} |", percentage(run, passed));
        }
    }
    for report in reports.iter().filter(|report| !report.passed()) {
        let _ = write!(
            text,
            "\n<details open><summary><b>{}</b> in {} on {}</summary>\n\n```\n{}```\n\n</details>\n",
            report.scenario,
            report.mode,
            report.network,
            explanation(report)
        );
    }
    text
}
