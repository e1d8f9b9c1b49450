//! The HTML report: one file that needs no network, with lanes of messages side by side and what each octet is.

mod data;
mod diff;
mod rows;

use serde_json::Value;

use crate::capture::Canonical;
use crate::compare;
use crate::scenario::suite::{Case, Report};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page for `reports`, each of which is of one of `cases`.
#[must_use]
pub fn document(cases: &[Case], reports: &[Report]) -> String {
    page("Lockstep", &data::of_suite(cases, reports))
}

/// The page for two captures, which the user calls `names`, and what comparing them found.
/// `keepalives` are shown where they were compared.
#[must_use]
pub fn comparison(
    names: [&str; 2],
    captures: [&Canonical; 2],
    report: &compare::Report,
    keepalives: bool,
) -> String {
    let data = diff::of_comparison(names, captures, report, keepalives);
    page("Lockstep diff", &data)
}

/// The page that shows `data`.
fn page(title: &str, data: &Value) -> String {
    // In a script element, nothing but `</` could end the data early.
    let data = data.to_string().replace("</", "<\\/");
    PAGE.replace("/*TITLE*/", title)
        .replace("/*STYLE*/", STYLE)
        .replace("/*SCRIPT*/", SCRIPT)
        .replace("/*DATA*/", &data)
}
