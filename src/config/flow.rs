//! Flow routes (RFC 8955): `match`, `scope` and `then`, in blocks or on one line.

use crate::bgp::iana::Afi;
use crate::bgp::nlri::flow::{Flow, is_match_keyword, parse_match};
use crate::bgp::nlri::{Nlri, NlriValue};
use crate::bgp::text::{TextError, Word, Words};
use crate::speaker::route::ConfiguredRoute;

use super::intern::Interner;
use super::route::RouteDraft;
use super::{flow_action, suggest};

/// The sections of a flow route.
pub const SECTIONS: [&str; 3] = ["match", "scope", "then"];

/// Keywords of `match`.
const MATCHES: &[&str] = &[
    "source",
    "source-ipv4",
    "source-ipv6",
    "destination",
    "destination-ipv4",
    "destination-ipv6",
    "protocol",
    "next-header",
    "port",
    "destination-port",
    "source-port",
    "icmp-type",
    "icmp-code",
    "tcp-flags",
    "packet-length",
    "dscp",
    "traffic-class",
    "fragment",
    "flow-label",
];

/// A flow route in the making.
#[derive(Debug, Clone, Default)]
pub struct FlowDraft {
    flow: Flow,
    rest: RouteDraft,
}

impl FlowDraft {
    /// Takes a statement of `match`.
    ///
    /// # Errors
    /// Where the keyword is unknown or its words are wrong.
    pub fn set_match(&mut self, keyword: &Word, words: &mut Words<'_>) -> Result<(), TextError> {
        if !is_match_keyword(&keyword.text) {
            return Err(suggest::unknown(keyword, "in match", MATCHES));
        }
        parse_match(&mut self.flow, &keyword.text, words)
    }

    /// Takes a statement of `then` or `scope`; `place` names which.
    ///
    /// # Errors
    /// Where the keyword is unknown or its words are wrong.
    pub fn set_action(
        &mut self,
        keyword: &Word,
        words: &mut Words<'_>,
        place: &str,
    ) -> Result<(), TextError> {
        match flow_action::parse(keyword, words, &mut self.rest) {
            Some(done) => done,
            None => Err(suggest::unknown(keyword, place, flow_action::KEYWORDS)),
        }
    }

    /// Takes a statement of the route itself: `rd`, `next-hop`; on one line anything.
    ///
    /// # Errors
    /// Where the keyword is unknown or its words are wrong.
    pub fn set(&mut self, keyword: &Word, words: &mut Words<'_>) -> Result<(), TextError> {
        if is_match_keyword(&keyword.text) {
            return self.set_match(keyword, words);
        }
        if let Some(done) = flow_action::parse(keyword, words, &mut self.rest) {
            return done;
        }
        if matches!(
            keyword.text.as_str(),
            "rd" | "route-distinguisher" | "next-hop"
        ) {
            return self.rest.set(keyword, words);
        }
        let valid: Vec<&str> = ["rd", "next-hop"]
            .iter()
            .chain(&SECTIONS)
            .chain(MATCHES)
            .chain(flow_action::KEYWORDS)
            .copied()
            .collect();
        Err(suggest::unknown(keyword, "in a flow route", &valid))
    }

    /// Takes a statement of a route in a block: what it matches and what becomes of that stand in sections of their own.
    ///
    /// # Errors
    /// Where the keyword is unknown or its words are wrong.
    pub fn set_own(&mut self, keyword: &Word, words: &mut Words<'_>) -> Result<(), TextError> {
        const OWN: [&str; 3] = ["rd", "route-distinguisher", "next-hop"];
        if OWN.contains(&keyword.text.as_str()) {
            return self.rest.set(keyword, words);
        }
        let valid: Vec<&str> = OWN.iter().chain(&SECTIONS).copied().collect();
        Err(suggest::unknown(keyword, "in a flow route", &valid))
    }

    /// The route; `at` is the word that begins it.
    ///
    /// # Errors
    /// Where it matches nothing in particular, and so every packet: no octets stand for that, to be announced or withdrawn.
    pub fn finish(
        self,
        afi: Afi,
        at: &Word,
        interner: &mut Interner,
    ) -> Result<ConfiguredRoute, TextError> {
        if self.flow.components.is_empty() {
            return Err(TextError::new(
                at.span.clone(),
                "a flow route without a match would match every packet",
            )
            .help("add a match, for example source 192.0.2.0/24"));
        }
        let mut flow = self.flow;
        if let Some(rd) = self.rest.rd {
            flow = flow.with_rd(rd);
        }
        let nlri = Nlri {
            family: flow.family(afi),
            path_id: None,
            value: NlriValue::Flow(Box::new(flow)),
        };
        Ok(self.rest.route(nlri, interner))
    }
}

/// Reads a flow route on one line, all the words after `at`.
///
/// # Errors
/// Where it is none.
pub fn line(
    afi: Afi,
    at: &Word,
    words: &mut Words<'_>,
    interner: &mut Interner,
) -> Result<ConfiguredRoute, TextError> {
    let mut draft = FlowDraft::default();
    while let Some(keyword) = words.take() {
        draft.set(keyword, words)?;
    }
    draft.finish(afi, at, interner)
}
