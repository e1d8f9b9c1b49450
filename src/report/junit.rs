//! Verdicts as JUnit XML, for CI systems that read it.

use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite};

use super::terminal::explanation;
use crate::bgp::text::plain_lines;
use crate::report::variants;
use crate::scenario::run::suite::{NotRun, Report};

/// The document: a test suite per variant under test, a test case per scenario; an error for each of `not_run`.
///
/// # Errors
/// A text that XML cannot hold.
pub fn document(
    reports: &[Report],
    not_run: &[NotRun],
) -> Result<String, quick_junit::SerializeError> {
    let mut document = Document::new("lockstep");
    let mut all = variants(reports);
    for invalid in not_run {
        if !all.contains(&invalid.variant) {
            all.push(invalid.variant.clone());
        }
    }
    for variant in all {
        let of_mode: Vec<&Report> = reports
            .iter()
            .filter(|report| report.variant == variant)
            .collect();
        let invalid = not_run.iter().filter(|it| it.variant == variant);
        if of_mode.is_empty() && invalid.clone().next().is_none() {
            continue;
        }
        let mut suite = TestSuite::new(variant.to_string());
        suite.set_time(of_mode.iter().map(|report| report.wall).sum());
        for report in of_mode {
            let status = if report.passed() {
                TestCaseStatus::success()
            } else {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status.set_message(
                    "the bytes on the wire, a step or the table differ from what is expected",
                );
                status.set_type(kind(report));
                status.set_description(plain_lines(&explanation(report), false));
                status
            };
            let mut case = TestCase::new(report.scenario.clone(), status);
            case.set_classname(format!("{variant}.{}", report.network));
            case.set_time(report.wall);
            suite.add_test_case(case);
        }
        for it in invalid {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message("it could not be run: its input is invalid");
            status.set_type("invalid");
            status.set_description(plain_lines(&it.reason, false));
            let mut case = TestCase::new(it.scenario.clone(), status);
            case.set_classname(variant.to_string());
            suite.add_test_case(case);
        }
        document.add_test_suite(suite);
    }
    document.to_string()
}

/// The kind of the first error, one word.
const fn kind(report: &Report) -> &'static str {
    let faults = &report.verdict.faults;
    if faults.divergence.is_some() {
        "octets"
    } else if faults.step.is_some() {
        "step"
    } else {
        "table"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::test_reports::reports;

    #[test]
    fn it_reads_back_as_junit() {
        let text = document(&reports(), &[]).unwrap();
        let read = Document::deserialize_from_str(&text).unwrap();
        let suites: Vec<_> = read
            .test_suites
            .iter()
            .map(|suite| (suite.name.as_str(), suite.tests, suite.failures))
            .collect();
        assert_eq!(suites, [("sync", 1, 1), ("async", 1, 0)]);
        let case = &read.test_suites[0].test_cases[0];
        assert_eq!(case.name.as_str(), "conf-ebgp");
        let TestCaseStatus::NonSuccess {
            description, ty, ..
        } = &case.status
        else {
            panic!("{:?}", case.status);
        };
        assert_eq!(ty.as_ref().map(|kind| kind.as_str()), Some("step"));
        let text = description.as_ref().unwrap().as_str();
        assert!(text.contains("expected <UPDATE> & 100%"), "{text}");
    }
}
