//! Verdicts as Markdown, short enough for a pull request.

use std::fmt::Write as _;

use super::terminal::{explanation, percentage};
use crate::bgp::text::plain_lines;
use crate::report::variants;
use crate::scenario::run::suite::{NotRun, Report};

/// A table of the modes, a section for each failure, and a line for each of `not_run`.
#[must_use]
pub fn document(reports: &[Report], not_run: &[NotRun]) -> String {
    let mut text = String::from("## Lockstep\n\n| mode | scenarios | passed |\n|---|---|---|\n");
    for variant in variants(reports) {
        let of_mode = reports.iter().filter(|report| report.variant == variant);
        let (run, passed) = (
            of_mode.clone().count(),
            of_mode.filter(|report| report.passed()).count(),
        );
        if run > 0 {
            let _ = writeln!(text, "| {variant} | {run} | {} |", percentage(run, passed));
        }
    }
    for report in reports.iter().filter(|report| !report.passed()) {
        let explanation = explanation(report);
        let fence = fence(&explanation);
        let _ = write!(
            text,
            "\n<details open><summary><b>{}</b> in {} on {}</summary>\n\n{fence}\n{}{fence}\n\n</details>\n",
            report.scenario,
            report.variant,
            report.network,
            plain_lines(&explanation, false)
        );
    }
    for it in not_run {
        let reason = plain_lines(&it.reason, false);
        let fence = fence(&reason);
        let _ = write!(
            text,
            "\n<b>{}</b> in {} was not run: its input is invalid\n\n{fence}\n{reason}\n{fence}\n",
            it.scenario, it.variant
        );
    }
    text
}

/// A fence that `text` does not close: longer than its longest run of backquotes.
fn fence(text: &str) -> String {
    let runs = text.split(|character| character != '`').map(str::len);
    "`".repeat(runs.max().unwrap_or(0).max(2) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::test_reports::reports;

    #[test]
    fn no_text_closes_its_fence() {
        assert_eq!(fence("a `b` c"), "```");
        assert_eq!(fence("```\n````"), "`````");
    }

    #[test]
    fn modes_make_a_table_and_failures_a_section() {
        let text = document(&reports(), &[]);
        assert!(
            text.starts_with(
                "## Lockstep\n\n| mode | scenarios | passed |\n|---|---|---|\n\
                 | sync | 1 | 0.0% |\n| async | 1 | 100.0% |\n"
            ),
            "{text}"
        );
        assert_eq!(text.matches("<details open>").count(), 1);
        assert_eq!(text.matches("</details>").count(), 1);
        assert_eq!(text.matches("```").count(), 2);
        assert!(text.contains("<b>conf-ebgp</b> in sync on sim"));
        assert!(text.contains("expected <UPDATE> & 100% of it"));
        assert!(text.contains("lockstep run conf-ebgp --mode sync --network sim"));
    }
}
