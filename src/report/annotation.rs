//! Failures as GitHub workflow commands, which show them at their file and line.

use super::terminal::explanation;
use crate::bgp::text::plain_lines;
use crate::scenario::run::suite::Report;

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
        "::error file={},line={line},title={} in {}::{}",
        property(&report.script().display().to_string()),
        property(&report.scenario.to_string()),
        report.variant,
        escaped(plain_lines(explanation(report).trim_end(), false).as_ref())
    ))
}

/// Escapes a message for a workflow command.
fn escaped(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes a property of a workflow command.
fn property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::test_reports::reports;

    #[test]
    fn a_failure_is_one_line_at_the_step_that_was_not_met() {
        let lines: Vec<_> = reports().iter().map(line).collect();
        assert_eq!(lines[1], None);
        let line = lines[0].as_deref().unwrap();
        assert!(
            line.starts_with(
                "::error file=scenarios/conf-ebgp/scenario,line=7,title=conf-ebgp in sync::"
            ),
            "{line}"
        );
        assert_eq!(line.lines().count(), 1);
        assert!(line.contains("100%25 of it"), "{line}");
        assert!(line.contains("%0A"), "{line}");
    }

    #[test]
    fn what_ends_a_line_is_escaped() {
        assert_eq!(escaped("50%\r\nof"), "50%25%0D%0Aof");
    }
}
