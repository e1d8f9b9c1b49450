//! The `api` section of a neighbor: which processes may command it, and which events they receive.

use crate::bgp::text::{TextError, Word, Words};
use crate::speaker::neighbor::{ApiSection, MessageSelection};

use super::{suggest, value};

/// The words of the section.
const KEYWORDS: &[&str] = &[
    "processes",
    "processes-match",
    "neighbor-changes",
    "negotiated",
    "fsm",
    "signal",
    "send",
    "receive",
];

/// The words of `send` and `receive`.
const MESSAGES: &[&str] = &[
    "parsed",
    "packets",
    "consolidate",
    "open",
    "update",
    "notification",
    "keepalive",
    "refresh",
    "operational",
];

/// One `api` section as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiDraft {
    /// Its name; sections without one never meet another of a template.
    pub name: Option<String>,
    /// Its byte range in the text.
    pub at: std::ops::Range<usize>,
    /// What it says, but for `processes-match`.
    pub section: ApiSection,
    /// The names of [`ApiSection::processes`], with their places.
    pub processes: Vec<Word>,
    /// The patterns of `processes-match`, with their places.
    pub patterns: Vec<Word>,
}

impl ApiDraft {
    /// Takes one statement.
    ///
    /// # Errors
    /// Where the keyword is unknown or its value is wrong.
    pub fn set(&mut self, keyword: &Word, words: &mut Words<'_>) -> Result<(), TextError> {
        let section = &mut self.section;
        match keyword.text.as_str() {
            "processes" => self.processes = list(words)?,
            "processes-match" => self.patterns = list(words)?,
            "neighbor-changes" => section.neighbor_changes = value::boolean(words, true)?,
            "negotiated" => section.negotiated = value::boolean(words, true)?,
            "fsm" => section.fsm = value::boolean(words, true)?,
            "signal" => section.signal = value::boolean(words, true)?,
            _ => return Err(suggest::unknown(keyword, "in api", KEYWORDS)),
        }
        Ok(())
    }

    /// Takes over what the section of a template says that has the same name.
    pub fn inherit(&mut self, template: &Self) {
        let (mine, theirs) = (&mut self.section, &template.section);
        self.processes.extend(template.processes.iter().cloned());
        self.patterns.extend(template.patterns.iter().cloned());
        mine.neighbor_changes |= theirs.neighbor_changes;
        mine.negotiated |= theirs.negotiated;
        mine.fsm |= theirs.fsm;
        mine.signal |= theirs.signal;
        merge(&mut mine.receive, theirs.receive);
        merge(&mut mine.send, theirs.send);
    }
}

/// Takes one statement of `send` or `receive`.
///
/// # Errors
/// Where the keyword is unknown or its value is wrong.
pub fn select(
    selection: &mut MessageSelection,
    keyword: &Word,
    words: &mut Words<'_>,
) -> Result<(), TextError> {
    let switch = match keyword.text.as_str() {
        "parsed" => &mut selection.parsed,
        "packets" => &mut selection.packets,
        "consolidate" => &mut selection.consolidate,
        "open" => &mut selection.open,
        "update" => &mut selection.update,
        "notification" => &mut selection.notification,
        "keepalive" => &mut selection.keepalive,
        "refresh" => &mut selection.refresh,
        "operational" => &mut selection.operational,
        _ => return Err(suggest::unknown(keyword, "among messages", MESSAGES)),
    };
    *switch = value::boolean(words, true)?;
    Ok(())
}

fn merge(mine: &mut MessageSelection, theirs: MessageSelection) {
    mine.parsed |= theirs.parsed;
    mine.packets |= theirs.packets;
    mine.consolidate |= theirs.consolidate;
    mine.open |= theirs.open;
    mine.update |= theirs.update;
    mine.notification |= theirs.notification;
    mine.keepalive |= theirs.keepalive;
    mine.refresh |= theirs.refresh;
    mine.operational |= theirs.operational;
}

/// The words between brackets, which must be there.
fn list(words: &mut Words<'_>) -> Result<Vec<Word>, TextError> {
    if words.peek() != Some("[") {
        return Err(words
            .error("the names must stand in brackets")
            .help("write for example processes [ one two ];"));
    }
    Ok(words.list("a name")?.into_iter().cloned().collect())
}
