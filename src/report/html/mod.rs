//! The HTML report: one file that needs no network, with lanes of messages side by side and the meaning of each octet.
//!
//! Each kind of page makes [`Sheet`](data::Sheet)s of [`Column`](column::Column)s; [`rows`] aligns their lanes, [`data`] writes them down for the
//! script.

mod data;
mod diff;
mod finding;
mod column;
mod rows;
mod suite;

use serde_json::Value;

use crate::bgp::text::is_unsafe;
use crate::capture::Canonical;
use crate::compare;
use crate::explore::finding::Finding;
use crate::report::diff_text;
use crate::scenario::format::script::Scenario;
use crate::scenario::golden::Golden;
use crate::scenario::run::mark::Mark;
use crate::scenario::run::played::RunResult;
use crate::scenario::run::suite::{Case, Report};
use crate::subject::Variant;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPTS: [&str; 3] = [
    include_str!("page.js"),
    include_str!("ladder.js"),
    include_str!("detail.js"),
];

/// One side of a comparison.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// Name that the user gave.
    pub name: &'a str,
    /// Its messages.
    pub capture: &'a Canonical,
    /// Its events other than messages, if it is a run.
    pub marks: &'a [Mark],
}

/// The page for `reports`, each of which is of one of `cases`.
#[must_use]
pub fn document(cases: &[Case], reports: &[Report]) -> String {
    let sheets = cases.iter().flat_map(|case| suite::sheets(case, reports));
    let sheets: Vec<_> = sheets.collect();
    page("Lockstep", &data::page("Scenario", None, &sheets))
}

/// The page for two sides, and what comparing them under `options` found.
#[must_use]
pub fn comparison(
    sides: [Side<'_>; 2],
    report: &compare::Report,
    options: &compare::Options,
) -> String {
    let sheets = diff::sheets(&sides, report, options);
    let headline = diff_text::headline(report);
    let data = data::page("Connection", Some(&headline), &sheets);
    page("Lockstep diff", &data)
}

/// The page for a finding, with the run of its plan in each mode that ended, and the command that replays it.
#[must_use]
pub fn finding(
    scenario: &Scenario,
    golden: Option<&Golden>,
    finding: &Finding,
    runs: &[(Variant, RunResult)],
    again: String,
) -> String {
    let sheet = finding::sheet(scenario, golden, finding, runs, again);
    let headline = format!("{}: {}", finding.failure.oracle, finding.failure.text);
    let data = data::page("Scenario", Some(&headline), &[sheet]);
    page("Lockstep explore", &data)
}

/// The page that shows `data`.
fn page(title: &str, data: &Value) -> String {
    let data = harmless(&data.to_string());
    PAGE.replace("/*TITLE*/", title)
        .replace("/*STYLE*/", STYLE)
        .replace("/*SCRIPT*/", &SCRIPTS.concat())
        .replace("/*DATA*/", &data)
}

/// `json` as the content of a script element, in which `</script` ends the data early and `<!--<script` keeps it from ending.
/// What turns or hides text is shown as its number, as in a terminal.
fn harmless(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' => out.push_str("\\u003c"),
            _ if is_unsafe(character) => {
                out.push('\\');
                out.extend(character.escape_default());
            }
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_neither_ends_its_element_nor_turns_text() {
        let text = "</script><!--<script>\u{202e}\u{9b}\x1b\\u{202e}";
        let data = harmless(&Value::from(text).to_string());
        assert!(data.is_ascii() && !data.contains('<'), "{data}");
        let read: String = serde_json::from_str(&data).unwrap();
        assert_eq!(read, "</script><!--<script>\\u{202e}\\u{9b}\x1b\\u{202e}");
    }
}
