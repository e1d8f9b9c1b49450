//! From statements to a configuration: sections call each other as they stand within each other.
//!
//! As in ExaBGP, sections that are open at the end of the text end there, and a `}` too many is of no account
//! where nothing follows it: some of its own sample configurations are written so.

mod known_routes;
mod neighbor;
mod routes;

use crate::bgp::collections::Map;
use crate::bgp::text::{TextError, Word, Words};
use crate::speaker::neighbor::Neighbor;
use crate::speaker::route::ConfiguredRoute;

use super::api::ApiDraft;
use super::intern::Interner;
use super::lexer::{End, Lexer, Statement};
use super::neighbor::NeighborDraft;
use super::process::{Process, ProcessDraft};
use super::route::Purpose;
use super::suggest;

use self::known_routes::KnownRoutes;

/// The sections of a configuration.
const SECTIONS: [&str; 3] = ["neighbor", "process", "template"];

/// After so many mistakes nobody reads on.
const MOST_MISTAKES: usize = 1000;

/// What a section puts its routes into, each with the octet where it stands.
pub trait Routes: Extend<(ConfiguredRoute, usize)> {}

impl<T: Extend<(ConfiguredRoute, usize)>> Routes for T {}

/// Reads sections. Errors are collected, and parsing continues behind them.
#[derive(Debug)]
pub struct Parser<'s, 'i> {
    lexer: &'i mut Lexer<'s>,
    interner: &'i mut Interner,
    purpose: Purpose,
    templates: Map<String, NeighborDraft>,
    known: KnownRoutes,
    /// Processes with errors: using them elsewhere is not a second error.
    pub broken: Vec<String>,
    /// What was wrong so far.
    pub mistakes: Vec<TextError>,
}

/// Every `neighbor` and `process` section, as yet without the link from one to the other.
#[derive(Debug, Default)]
pub struct Sections {
    /// The neighbors, each with its `api` sections and the word that begins it.
    pub neighbors: Vec<(Neighbor, Vec<ApiDraft>, Word)>,
    /// The `process` sections read so far.
    pub processes: Vec<Process>,
}

impl<'s, 'i> Parser<'s, 'i> {
    /// A parser of the statements of `lexer`.
    #[must_use]
    pub fn new(lexer: &'i mut Lexer<'s>, interner: &'i mut Interner, purpose: Purpose) -> Self {
        Self {
            lexer,
            interner,
            purpose,
            templates: Map::default(),
            known: KnownRoutes::default(),
            broken: Vec::new(),
            mistakes: Vec::new(),
        }
    }

    /// Reads a whole configuration.
    pub fn root(&mut self) -> Sections {
        let mut sections = Sections::default();
        loop {
            let statement = self.next();
            match (statement.end, statement.keyword()) {
                (End::Finished, _) => return sections,
                (End::Close, _) => {
                    if let Some(mistake) = self.after_last_brace(statement.at) {
                        self.mistakes.push(mistake);
                    }
                }
                (End::Semicolon, None) => {}
                (End::Semicolon, Some((keyword, _))) => {
                    let mistake = suggest::unknown(keyword, "outside of any section", &SECTIONS);
                    self.mistakes.push(mistake);
                }
                (End::Open, Some((keyword, words))) => {
                    self.root_section(keyword, words, &mut sections)
                }
                (End::Open, None) => self.nameless(&statement),
            }
        }
    }

    fn root_section(&mut self, keyword: &Word, mut words: Words<'_>, sections: &mut Sections) {
        match keyword.text.as_str() {
            "process" => {
                if let Some(process) = self.process(&mut words, &sections.processes) {
                    sections.processes.push(process);
                }
            }
            "template" => self.template(words),
            "neighbor" => {
                if let Some(neighbor) = self.neighbor(keyword, &mut words) {
                    self.unique(&neighbor, &sections.neighbors);
                    sections.neighbors.push(neighbor);
                }
            }
            _ => {
                self.mistakes
                    .push(suggest::unknown(keyword, "as a section", &SECTIONS));
                self.skip();
            }
        }
    }

    fn process(&mut self, words: &mut Words<'_>, known: &[Process]) -> Option<Process> {
        let before = self.mistakes.len();
        let name = self.title(words, "the name of the process");
        let mut draft = ProcessDraft::default();
        self.each(|_, keyword, words| draft.set(keyword, words));
        let name = name?;
        if known.iter().any(|process| process.name == name.text) {
            self.wrong(
                name.span,
                &format!("there is a process `{}` already", name.text),
            );
            return None;
        }
        let process = draft.finish(&name);
        if process.is_err() || self.mistakes.len() > before {
            self.broken.push(name.text);
        }
        self.keep_result(process)
    }

    fn template(&mut self, words: Words<'_>) {
        self.leftover(&words);
        loop {
            let statement = self.next();
            match (statement.end, statement.keyword()) {
                (End::Close | End::Finished, _) => return,
                (End::Semicolon, None) => {}
                (End::Open, Some((keyword, mut words))) if keyword.text == "neighbor" => {
                    let name = self.title(&mut words, "the name of the template");
                    let mut draft = NeighborDraft::default();
                    self.neighbor_body(&mut draft);
                    self.inherit(&mut draft);
                    let Some(name) = name else { continue };
                    if self.templates.contains_key(&name.text) {
                        self.wrong(
                            name.span,
                            &format!("there is a template `{}` already", name.text),
                        );
                    } else {
                        self.templates.insert(name.text, draft);
                    }
                }
                (End::Open, None) => self.nameless(&statement),
                (end, Some((keyword, _))) => {
                    let mistake = suggest::unknown(keyword, "in a template section", &["neighbor"]);
                    self.mistakes.push(mistake);
                    if end == End::Open {
                        self.skip();
                    }
                }
            }
        }
    }

    fn collect(
        &mut self,
        found: Result<Vec<ConfiguredRoute>, TextError>,
        at: &Word,
        routes: &mut impl Routes,
    ) {
        if let Some(found) = self.keep_result(found) {
            routes.extend(found.into_iter().map(|route| (route, at.span.start)));
        }
    }

    /// Takes every statement of a section without sections, up to its closing brace.
    fn each(
        &mut self,
        mut take: impl FnMut(&mut Self, &Word, &mut Words<'_>) -> Result<(), TextError>,
    ) {
        loop {
            let statement = self.next();
            match (statement.end, statement.keyword()) {
                (End::Close | End::Finished, _) => return,
                (End::Semicolon, None) => {}
                (End::Semicolon, Some((keyword, mut words))) => {
                    let done = take(self, keyword, &mut words);
                    self.finish(done, &words);
                }
                (End::Open, _) => {
                    let at = statement
                        .words
                        .first()
                        .map_or(statement.at..statement.at + 1, |word| word.span.clone());
                    self.wrong(at, "there are no sections here");
                    self.skip();
                }
            }
        }
    }

    /// The one word behind a section's keyword.
    fn title(&mut self, words: &mut Words<'_>, what: &str) -> Option<Word> {
        let title = self.keep_result(words.word(what).cloned());
        self.leftover(words);
        title
    }

    fn next(&mut self) -> Statement {
        if self.mistakes.len() >= MOST_MISTAKES {
            return self.lexer.give_up();
        }
        self.lexer.next(&mut self.mistakes)
    }

    /// A `}` that closes no section is an error if more follows it.
    fn after_last_brace(&mut self, at: usize) -> Option<TextError> {
        if self.lexer.is_at_end() {
            return None;
        }
        Some(
            TextError::new(at..at + 1, "`}` closes no section")
                .help("remove it, or see whether a section before it has a `}` too many"),
        )
    }

    /// Leaves out everything up to the brace that closes the section that was just opened.
    fn skip(&mut self) {
        let mut depth = 1usize;
        // What is within cannot be judged.
        let mut ignored = Vec::new();
        while depth > 0 {
            ignored.clear();
            match self.lexer.next(&mut ignored).end {
                End::Open => depth += 1,
                End::Close => depth -= 1,
                End::Semicolon => {}
                End::Finished => return,
            }
        }
    }

    fn nameless(&mut self, statement: &Statement) {
        self.wrong(statement.at..statement.at + 1, "a section without a name");
        self.skip();
    }

    fn wrong(&mut self, span: std::ops::Range<usize>, message: &str) {
        self.mistakes.push(TextError::new(span, message));
    }

    /// A statement was read, and `words` are left of it.
    fn finish(&mut self, done: Result<(), TextError>, words: &Words<'_>) {
        if self.keep_result(done).is_some() {
            self.leftover(words);
        }
    }

    /// Words behind what a statement takes are ignored, as in ExaBGP.
    fn leftover(&mut self, words: &Words<'_>) {
        let Some(word) = words.peek() else { return };
        let message = format!("`{word}` is not expected here, and ignored");
        let warning = TextError::new(words.span(), message).help(
            "remove it and what follows it up to the end of the statement; ExaBGP too ignores that",
        );
        self.lexer.warn(warning);
    }

    fn keep_result<T>(&mut self, result: Result<T, TextError>) -> Option<T> {
        result.map_err(|mistake| self.mistakes.push(mistake)).ok()
    }
}
