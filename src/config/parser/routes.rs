//! The sections that hold routes: `static`, `announce`, `flow`, `l2vpn`.

use crate::bgp::iana::Afi;
use crate::bgp::text::{TextError, Word, Words};
use crate::speaker::route::ConfiguredRoute;

use super::super::flow::{self, FlowDraft};
use super::super::lexer::End;
use super::super::route::{self, Kind, RouteDraft};
use super::super::vpls::{self, VplsDraft};
use super::super::{announce, suggest};
use super::{Parser, Routes};

impl Parser<'_, '_> {
    /// The body of `static`.
    pub fn static_routes(&mut self, routes: &mut impl Routes) {
        loop {
            let mut new = None;
            if let Some(line) = self.lexer.plain_route() {
                if let Some(route) = self.known.find(&line) {
                    routes.extend([(route, line.at)]);
                    let length = line.length;
                    self.lexer.pass(length);
                    continue;
                }
                new = self.known.missing(&line);
            }
            let told = (self.mistakes.len(), self.lexer.warnings.len());
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
                    if let (Some(rest), Ok(found)) = (new, &found)
                        && told == (self.mistakes.len(), self.lexer.warnings.len())
                    {
                        self.known.insert(rest, found);
                    }
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
        self.leftover(words);
        self.each(|_, keyword, words| draft.set(keyword, words));
        let at = title?;
        let prefix = route::prefix(Kind::Static, &at)?;
        if self.mistakes.len() > before {
            return Ok(Vec::new());
        }
        draft.routes(Kind::Static, prefix, self.purpose, &at, self.interner)
    }

    pub(super) fn announce(&mut self, routes: &mut impl Routes) {
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
    pub fn announce_family(&mut self, afi: Afi, routes: &mut impl Routes) {
        let purpose = self.purpose;
        self.each(|parser, keyword, words| {
            let lines = announce::line(afi, keyword, words, purpose, parser.interner)?;
            routes.extend(lines.into_iter().map(|route| (route, keyword.span.start)));
            Ok(())
        });
    }

    /// The body of `flow`.
    pub fn flow(&mut self, routes: &mut impl Routes) {
        loop {
            let statement = self.next();
            match (statement.end, statement.keyword()) {
                (End::Close | End::Finished, _) => return,
                (End::Semicolon, None) => {}
                (End::Open, None) => self.nameless(&statement),
                (End::Semicolon, Some((keyword, mut words))) if keyword.text == "route" => {
                    let found = flow::line(Afi::IPV4, keyword, &mut words, self.interner);
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
                    let done = draft.set_own(keyword, &mut words);
                    self.finish(done, &words);
                }
                (End::Open, Some((keyword, _))) => match keyword.text.as_str() {
                    "match" => self.each(|_, keyword, words| draft.set_match(keyword, words)),
                    place @ ("then" | "scope") => self.each(|_, keyword, words| {
                        draft.set_action(keyword, words, &format!("in {place}"))
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
        let route = draft.finish(Afi::IPV4, at, self.interner)?;
        Ok(vec![route])
    }

    /// The body of `l2vpn`.
    pub fn l2vpn(&mut self, routes: &mut impl Routes) {
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
                    self.each(|_, keyword, words| draft.set(keyword, words));
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
}
