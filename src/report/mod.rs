//! Verdicts for a terminal, JSON, JUnit and HTML.

pub mod diff_json;
pub mod diff_text;
pub mod hexdump;
pub mod ladder;
pub mod summary;
pub mod tally;
pub mod tree;
pub mod field;
pub mod terminal;
pub mod annotation;
pub mod html;
pub mod junit;
pub mod markdown;
#[cfg(test)]
mod test_reports;
