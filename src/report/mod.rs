//! Verdicts for a terminal, and as JSON, JUnit, Markdown and HTML.

pub mod diff_json;
pub mod diff_text;
pub mod hexdump;
pub mod ladder;
pub mod story;
mod style;
pub mod summary;
pub mod tally;
pub mod tree;
pub mod why;
pub mod field;
pub mod terminal;
pub mod annotation;
pub mod html;
pub mod junit;
pub mod markdown;
#[cfg(test)]
mod test_reports;

use crate::scenario::run::suite::Report;
use crate::subject::Variant;

/// The variants of `reports`, each once, in the order in which they ran.
fn variants(reports: &[Report]) -> Vec<Variant> {
    let mut variants: Vec<Variant> = Vec::new();
    for report in reports {
        if !variants.contains(&report.variant) {
            variants.push(report.variant.clone());
        }
    }
    variants
}
