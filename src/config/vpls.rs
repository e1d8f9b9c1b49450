//! `vpls` routes (RFC 4761): the keywords of the NLRI stand among those of the attributes.

use crate::bgp::family::Family;
use crate::bgp::iana::{Afi, Safi};
use crate::bgp::nlri::Nlri;
use crate::bgp::text::{TextError, Word, Words};
use crate::speaker::route::ConfiguredRoute;

use super::intern::Interner;
use super::route::RouteDraft;

/// Keywords of the NLRI, of a word each.
const NLRI: [&str; 6] = [
    "endpoint",
    "base",
    "offset",
    "size",
    "rd",
    "route-distinguisher",
];

const FAMILY: Family = Family::new(Afi::L2VPN, Safi::VPLS);

/// A VPLS route in the making.
#[derive(Debug, Clone, Default)]
pub struct VplsDraft {
    nlri: Vec<Word>,
    rest: RouteDraft,
}

impl VplsDraft {
    /// Takes `keyword` and the words that belong to it; others are left.
    ///
    /// # Errors
    /// Where the keyword is unknown or its words are wrong.
    pub fn set(&mut self, keyword: &Word, words: &mut Words<'_>) -> Result<(), TextError> {
        if !NLRI.contains(&keyword.text.as_str()) {
            return self.rest.set(keyword, words);
        }
        let value = words.word("a value")?;
        self.nlri.extend([keyword.clone(), value.clone()]);
        Ok(())
    }

    /// The route; `at` is the word that begins it.
    ///
    /// # Errors
    /// Where part of the NLRI is missing or wrong.
    pub fn finish(self, at: &Word, interner: &mut Interner) -> Result<ConfiguredRoute, TextError> {
        let mut words = Words::new(&self.nlri, at.span.end);
        let nlri = Nlri::parse(FAMILY, &mut words)?;
        words.finish()?;
        self.rest.fits(FAMILY, at)?;
        Ok(self.rest.route(nlri, interner))
    }
}

/// Reads `KEYWORD …`, the whole line that follows `at`.
///
/// # Errors
/// Where it is no VPLS route.
pub fn line(
    at: &Word,
    words: &mut Words<'_>,
    interner: &mut Interner,
) -> Result<ConfiguredRoute, TextError> {
    let mut draft = VplsDraft::default();
    while let Some(keyword) = words.take() {
        draft.set(keyword, words)?;
    }
    draft.finish(at, interner)
}
