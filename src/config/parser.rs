//! From statements to a configuration: sections call each other as they stand within each other.
//!
//! As in ExaBGP, sections that are open at the end of the text end there, and a `}` too many is of no account
//! where nothing follows it: some of its own sample configurations are written so.

use crate::bgp::collections::Map;
use crate::bgp::iana::Afi;
use crate::bgp::text::{TextError, Word, Words};
use crate::speaker::neighbor::Neighbor;
use crate::speaker::route::ConfiguredRoute;

use super::announce;
use super::api::{self, ApiDraft};
use super::family;
use super::flow::{self, FlowDraft};
use super::intern::Interner;
use super::lexer::{End, Lexer, Statement};
use super::neighbor::{self, NeighborDraft};
use super::process::{Process, ProcessDraft};
use super::route::{self, Kind, Purpose, RouteDraft};
use super::vpls::{self, VplsDraft};
use super::{links, suggest};

/// The sections of a configuration.
const SECTIONS: [&str; 3] = ["neighbor", "process", "template"];

/// Routes as a section collects them: each with the octet where it stands.
type Routes = Vec<(ConfiguredRoute, usize)>;

/// Reads sections. Mistakes are collected, and reading goes on behind them.
#[derive(Debug)]
pub struct Parser<'s, 'i> {
    lexer: Lexer<'s>,
    interner: &'i mut Interner,
    purpose: Purpose,
    templates: Map<String, NeighborDraft>,
    /// Processes with mistakes: their use elsewhere is no second mistake.
    pub broken: Vec<String>,
    /// What was wrong so far.
    pub mistakes: Vec<TextError>,
}

/// Every `neighbor` and `process` section, as yet without the link from one to the other.
#[derive(Debug, Default)]
pub struct Sections {
    /// The neighbors, each with its `api` sections and the word that begins it.
    pub neighbors: Vec<(Neighbor, Vec<ApiDraft>, Word)>,
    /// The processes.
    pub processes: Vec<Process>,
}

impl<'s, 'i> Parser<'s, 'i> {
    /// A parser of the statements of `lexer`.
    #[must_use]
    pub fn new(lexer: Lexer<'s>, interner: &'i mut Interner, purpose: Purpose) -> Self {
        Self {
            lexer,
            interner,
            purpose,
            templates: Map::default(),
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
        self.check(words.finish());
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

    fn neighbor(
        &mut self,
        keyword: &Word,
        words: &mut Words<'_>,
    ) -> Option<(Neighbor, Vec<ApiDraft>, Word)> {
        let before = self.mistakes.len();
        let mut draft = NeighborDraft::default();
        let at = self
            .title(words, "the peer's address")
            .unwrap_or_else(|| keyword.clone());
        if self.mistakes.len() == before {
            draft.peer = self.keep_result(neighbor::peer(&at));
        }
        self.neighbor_body(&mut draft);
        self.inherit(&mut draft);
        if self.mistakes.len() > before {
            // What is missing may only seem so, because the statement that says it is wrong.
            return None;
        }
        let api = std::mem::take(&mut draft.api);
        let neighbor = self.keep_result(draft.finish(&at))?;
        Some((neighbor, api, at))
    }

    /// Takes over what the templates say that `draft` inherits.
    fn inherit(&mut self, draft: &mut NeighborDraft) {
        for name in std::mem::take(&mut draft.inherit) {
            if let Some(template) = self.templates.get(&name.text) {
                draft.inherit(&template.clone());
            } else {
                let known: Vec<&str> = self.templates.keys().map(String::as_str).collect();
                let mistake = suggest::unknown(&name, "as a template defined before", &known);
                self.mistakes.push(mistake);
            }
        }
    }

    fn unique(
        &mut self,
        new: &(Neighbor, Vec<ApiDraft>, Word),
        known: &[(Neighbor, Vec<ApiDraft>, Word)],
    ) {
        let index = links::index(&new.0);
        if known
            .iter()
            .any(|(neighbor, _, _)| links::index(neighbor) == index)
        {
            self.wrong(
                new.2.span.clone(),
                &format!(
                    "there is a neighbor `{}` like this one already",
                    new.0.peer()
                ),
            );
        }
    }

    fn neighbor_body(&mut self, draft: &mut NeighborDraft) {
        loop {
            let statement = self.next();
            match (statement.end, statement.keyword()) {
                (End::Close | End::Finished, _) => return,
                (End::Semicolon, None) => {}
                (End::Semicolon, Some((keyword, mut words))) => {
                    let done = draft.set(keyword, &mut words);
                    self.check(done);
                }
                (End::Open, Some((keyword, words))) => self.neighbor_section(keyword, words, draft),
                (End::Open, None) => self.nameless(&statement),
            }
        }
    }

    fn neighbor_section(
        &mut self,
        keyword: &Word,
        mut words: Words<'_>,
        draft: &mut NeighborDraft,
    ) {
        match keyword.text.as_str() {
            "api" => return self.api(keyword, &mut words, draft),
            "family" => self.each(|_, keyword, words| draft.family.set(keyword, words)),
            "add-path" => self.each(|_, keyword, words| draft.add_path.set(keyword, words)),
            "capability" => self.each(|_, keyword, words| draft.capability.set(keyword, words)),
            "nexthop" => self.each(|_, keyword, words| {
                draft.nexthop.push(family::next_hop(keyword, words)?);
                Ok(())
            }),
            "operational" => self.each(|_, keyword, words| {
                draft
                    .operational
                    .push(super::operational::parse(keyword, words)?);
                Ok(())
            }),
            "static" => self.static_routes(&mut draft.routes),
            "announce" => self.announce(&mut draft.routes),
            "flow" => self.flow(&mut draft.routes),
            "l2vpn" => {
                self.l2vpn(&mut draft.routes);
                draft.put_routes_late();
            }
            _ => {
                self.mistakes.push(neighbor::unknown(keyword));
                return self.skip();
            }
        }
        self.check(words.finish());
    }

    fn api(&mut self, keyword: &Word, words: &mut Words<'_>, draft: &mut NeighborDraft) {
        let mut section = ApiDraft {
            name: words.take().map(|name| name.text.clone()),
            at: keyword.span.clone(),
            ..ApiDraft::default()
        };
        self.check(words.finish());
        if section.name.is_some() && draft.api.iter().any(|known| known.name == section.name) {
            self.wrong(
                keyword.span.clone(),
                "there is an api section of that name already",
            );
        }
        loop {
            let statement = self.next();
            match (statement.end, statement.keyword()) {
                (End::Close | End::Finished, _) => break,
                (End::Semicolon, None) => {}
                (End::Semicolon, Some((keyword, mut words))) => {
                    let done = section.set(keyword, &mut words);
                    self.check(done);
                }
                (End::Open, Some((keyword, _))) => match keyword.text.as_str() {
                    "send" => self.each(|_, keyword, words| {
                        api::select(&mut section.section.send, keyword, words)
                    }),
                    "receive" => {
                        self.each(|_, keyword, words| {
                            api::select(&mut section.section.receive, keyword, words)
                        });
                    }
                    _ => {
                        self.mistakes.push(suggest::unknown(
                            keyword,
                            "as a section of api",
                            &["send", "receive"],
                        ));
                        self.skip();
                    }
                },
                (End::Open, None) => self.nameless(&statement),
            }
        }
        draft.api.push(section);
    }

    /// The body of `static`.
    pub fn static_routes(&mut self, routes: &mut Routes) {
        loop {
            let statement = self.next();
            match (statement.end, statement.keyword()) {
                (End::Close | End::Finished, _) => return,
                (End::Semicolon, None) => {}
                (End::Semicolon, Some((keyword, mut words))) => {
                    let found = match keyword.text.as_str() {
                        "route" => {
                            route::line(Kind::Static, &mut words, self.purpose, self.interner)
                        }
                        "attributes" | "attribute" => {
                            route::attributes(&mut words, self.purpose, self.interner)
                        }
                        _ => Err(suggest::unknown(
                            keyword,
                            "in static",
                            &["route", "attributes"],
                        )),
                    };
                    self.collect(found, keyword, routes);
                }
                (End::Open, Some((keyword, mut words))) if keyword.text == "route" => {
                    let found = self.route_block(&mut words);
                    self.collect(found, keyword, routes);
                }
                (End::Open, Some((keyword, _))) => {
                    self.mistakes.push(suggest::unknown(
                        keyword,
                        "as a section of static",
                        &["route"],
                    ));
                    self.skip();
                }
                (End::Open, None) => self.nameless(&statement),
            }
        }
    }

    /// `route PREFIX { … }`, up to the closing brace.
    fn route_block(&mut self, words: &mut Words<'_>) -> Result<Vec<ConfiguredRoute>, TextError> {
        let title = words.word("a prefix").cloned();
        let mut draft = RouteDraft::default();
        let before = self.mistakes.len();
        self.check(words.finish());
        self.each(|_, keyword, words| {
            draft.set(keyword, words)?;
            words.finish()
        });
        let at = title?;
        let prefix = route::prefix(Kind::Static, &at)?;
        if self.mistakes.len() > before {
            return Ok(Vec::new());
        }
        draft.routes(Kind::Static, prefix, self.purpose, &at, self.interner)
    }

    fn announce(&mut self, routes: &mut Routes) {
        loop {
            let statement = self.next();
            match (statement.end, statement.keyword()) {
                (End::Close | End::Finished, _) => return,
                (End::Semicolon, None) => {}
                (End::Open, None) => self.nameless(&statement),
                (end, Some((keyword, _))) => match (end, keyword.text.as_str()) {
                    (End::Open, "ipv4") => self.announce_family(Afi::IPV4, routes),
                    (End::Open, "ipv6") => self.announce_family(Afi::IPV6, routes),
                    (End::Open, "l2vpn") => self.announce_family(Afi::L2VPN, routes),
                    _ => {
                        self.mistakes.push(suggest::unknown(
                            keyword,
                            "in announce",
                            &announce::SECTIONS,
                        ));
                        if end == End::Open {
                            self.skip();
                        }
                    }
                },
            }
        }
    }

    /// The body of `ipv4`, `ipv6` or `l2vpn` in `announce`.
    pub fn announce_family(&mut self, afi: Afi, routes: &mut Routes) {
        let mut found = Vec::new();
        let purpose = self.purpose;
        self.each(|parser, keyword, words| {
            let lines = announce::line(afi, keyword, words, purpose, parser.interner)?;
            found.extend(lines.into_iter().map(|route| (route, keyword.span.start)));
            words.finish()
        });
        routes.append(&mut found);
    }

    /// The body of `flow`.
    pub fn flow(&mut self, routes: &mut Routes) {
        loop {
            let statement = self.next();
            match (statement.end, statement.keyword()) {
                (End::Close | End::Finished, _) => return,
                (End::Semicolon, None) => {}
                (End::Open, None) => self.nameless(&statement),
                (End::Semicolon, Some((keyword, mut words))) if keyword.text == "route" => {
                    let found =
                        flow::line(Afi::IPV4, keyword, &mut words, self.purpose, self.interner);
                    self.collect(found.map(|route| vec![route]), keyword, routes);
                }
                (End::Open, Some((keyword, _))) if keyword.text == "route" => {
                    let found = self.flow_block(keyword);
                    self.collect(found, keyword, routes);
                }
                (end, Some((keyword, _))) => {
                    self.mistakes
                        .push(suggest::unknown(keyword, "in flow", &["route"]));
                    if end == End::Open {
                        self.skip();
                    }
                }
            }
        }
    }

    /// `route NAME { match { … } scope { … } then { … } }`, up to the closing brace; the name is for the reader alone.
    fn flow_block(&mut self, at: &Word) -> Result<Vec<ConfiguredRoute>, TextError> {
        let before = self.mistakes.len();
        let mut draft = FlowDraft::default();
        loop {
            let statement = self.next();
            match (statement.end, statement.keyword()) {
                (End::Close | End::Finished, _) => break,
                (End::Semicolon, None) => {}
                (End::Semicolon, Some((keyword, mut words))) => {
                    let done = draft.set(keyword, &mut words).and_then(|()| words.finish());
                    self.check(done);
                }
                (End::Open, Some((keyword, _))) => match keyword.text.as_str() {
                    "match" => self.each(|_, keyword, words| {
                        draft.set_match(keyword, words)?;
                        words.finish()
                    }),
                    place @ ("then" | "scope") => self.each(|_, keyword, words| {
                        draft.set_action(keyword, words, &format!("in {place}"))?;
                        words.finish()
                    }),
                    _ => {
                        self.mistakes.push(suggest::unknown(
                            keyword,
                            "in a flow route",
                            &flow::SECTIONS,
                        ));
                        self.skip();
                    }
                },
                (End::Open, None) => self.nameless(&statement),
            }
        }
        if self.mistakes.len() > before {
            return Ok(Vec::new());
        }
        let route = draft.finish(Afi::IPV4, at, self.purpose, self.interner)?;
        Ok(vec![route])
    }

    /// The body of `l2vpn`.
    pub fn l2vpn(&mut self, routes: &mut Routes) {
        loop {
            let statement = self.next();
            match (statement.end, statement.keyword()) {
                (End::Close | End::Finished, _) => return,
                (End::Semicolon, None) => {}
                (End::Open, None) => self.nameless(&statement),
                (End::Semicolon, Some((keyword, mut words))) if keyword.text == "vpls" => {
                    let found = vpls::line(keyword, &mut words, self.interner);
                    self.collect(found.map(|route| vec![route]), keyword, routes);
                }
                (End::Open, Some((keyword, _))) if keyword.text == "vpls" => {
                    let before = self.mistakes.len();
                    let mut draft = VplsDraft::default();
                    self.each(|_, keyword, words| {
                        draft.set(keyword, words)?;
                        words.finish()
                    });
                    if self.mistakes.len() == before {
                        let found = draft.finish(keyword, self.interner);
                        self.collect(found.map(|route| vec![route]), keyword, routes);
                    }
                }
                (end, Some((keyword, _))) => {
                    self.mistakes
                        .push(suggest::unknown(keyword, "in l2vpn", &["vpls"]));
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
        routes: &mut Routes,
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
                    self.check(done);
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
        self.check(words.finish());
        title
    }

    fn next(&mut self) -> Statement {
        self.lexer.next(&mut self.mistakes)
    }

    /// A `}` that closes no section is a mistake where more follows it.
    fn after_last_brace(&self, at: usize) -> Option<TextError> {
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

    fn check(&mut self, done: Result<(), TextError>) {
        self.keep_result(done);
    }

    fn keep_result<T>(&mut self, result: Result<T, TextError>) -> Option<T> {
        result.map_err(|mistake| self.mistakes.push(mistake)).ok()
    }
}
