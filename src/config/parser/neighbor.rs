//! The `neighbor` section and those within it.

use crate::bgp::text::{Word, Words};
use crate::speaker::neighbor::Neighbor;

use super::super::api::{self, ApiDraft};
use super::super::family::FamilySection;
use super::super::lexer::End;
use super::super::neighbor::{self, NeighborDraft};
use super::super::{family, links, operational, suggest};
use super::Parser;

impl Parser<'_, '_> {
    pub(super) fn neighbor(
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
    pub(super) fn inherit(&mut self, draft: &mut NeighborDraft) {
        for name in std::mem::take(&mut draft.inherit) {
            if let Some(template) = self.templates.get(&name.text) {
                draft.inherit(&template.clone());
            } else {
                let known: Vec<&str> = self.templates.keys().map(String::as_str).collect();
                let mut warning = suggest::unknown(&name, "as a template defined before", &known);
                warning.message += ", and ignored, as in ExaBGP";
                self.lexer.warn(warning);
            }
        }
    }

    pub(super) fn unique(
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

    pub(super) fn neighbor_body(&mut self, draft: &mut NeighborDraft) {
        loop {
            let statement = self.next();
            match (statement.end, statement.keyword()) {
                (End::Close | End::Finished, _) => return,
                (End::Semicolon, None) => {}
                (End::Semicolon, Some((keyword, mut words))) => {
                    let done = draft.set(keyword, &mut words);
                    self.finish(done, &words);
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
        if keyword.text == "api" {
            return self.api(keyword, &mut words, draft);
        }
        self.leftover(&words);
        match keyword.text.as_str() {
            "family" => draft.family.merge(self.families()),
            "add-path" => draft.add_path.merge(self.families()),
            "capability" => self.each(|_, keyword, words| draft.capability.set(keyword, words)),
            "nexthop" => self.each(|_, keyword, words| {
                draft.nexthop.push(family::next_hop(keyword, words)?);
                Ok(())
            }),
            "operational" => self.each(|_, keyword, words| {
                draft.operational.push(operational::parse(keyword, words)?);
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
                self.skip();
            }
        }
    }

    fn families(&mut self) -> FamilySection {
        let mut section = FamilySection::default();
        self.each(|_, keyword, words| section.set(keyword, words));
        section
    }

    fn api(&mut self, keyword: &Word, words: &mut Words<'_>, draft: &mut NeighborDraft) {
        let mut section = ApiDraft {
            name: words.take().map(|name| name.text.clone()),
            at: keyword.span.clone(),
            ..ApiDraft::default()
        };
        self.leftover(words);
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
                    self.finish(done, &words);
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
}
