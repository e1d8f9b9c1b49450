//! Which neighbors a command is for: `neighbor 10.0.0.1 local-as 1, neighbor 10.0.0.2 …`.

use crate::bgp::text::TextError;
use crate::speaker::neighbor::Neighbor;

use super::line::Line;

/// The words that may narrow a selector, besides `neighbor` itself.
pub const KEYS: [&str; 6] = [
    "neighbor",
    "local-ip",
    "local-as",
    "peer-as",
    "router-id",
    "family-allowed",
];

/// One selector: every term must hold of a neighbor. Several selectors of one command are alternatives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    /// Key and value, as written: `("neighbor", "10.0.0.1")`, `("local-as", "1")`.
    pub terms: Vec<(&'static str, String)>,
}

impl Selector {
    /// Whether the neighbor of that name is meant; `neighbor *` means every one, whatever else is said (as in ExaBGP).
    ///
    /// `name` is what [`Neighbor::name`] gives.
    #[must_use]
    pub fn matches_name(&self, name: &str) -> bool {
        self.terms
            .iter()
            .any(|(key, value)| *key == "neighbor" && value == "*")
            || self
                .terms
                .iter()
                .all(|(key, value)| holds(name, key, value))
    }

    /// Whether `neighbor` is meant.
    #[must_use]
    pub fn matches(&self, neighbor: &Neighbor) -> bool {
        self.matches_name(&neighbor.name())
    }
}

/// Reads the selectors at the beginning of a command, if there are any, and leaves the cursor behind them.
///
/// # Errors
/// A key without a value.
pub(super) fn parse(words: &mut Line<'_>) -> Result<Vec<Selector>, TextError> {
    let mut selectors = Vec::new();
    if words.peek().is_none_or(|word| word.text != "neighbor") {
        return Ok(selectors);
    }
    let mut terms = Vec::new();
    while let Some(word) = words.peek() {
        if word.text == "," {
            words.word();
            selectors.push(Selector {
                terms: std::mem::take(&mut terms),
            });
            continue;
        }
        let Some(key) = KEYS.iter().find(|key| **key == word.text) else {
            break;
        };
        words.word();
        let value = words.expect(&format!("what follows `{key}`"))?;
        terms.push((*key, value.text.to_owned()));
    }
    if !terms.is_empty() {
        selectors.push(Selector { terms });
    }
    Ok(selectors)
}

/// Whether the words `key value` stand side by side in `name`.
fn holds(name: &str, key: &str, value: &str) -> bool {
    let mut words = name.split_ascii_whitespace();
    while let Some(word) = words.next() {
        if word == key {
            return words.next() == Some(value);
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "neighbor 10.0.0.1 local-ip 10.0.0.2 local-as 65001 peer-as 65002 router-id 1.2.3.4 family-allowed in-open";

    fn selector(terms: &[(&'static str, &str)]) -> Selector {
        Selector {
            terms: terms
                .iter()
                .map(|(key, value)| (*key, (*value).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn every_term_must_hold() {
        assert!(selector(&[("neighbor", "10.0.0.1")]).matches_name(NAME));
        assert!(selector(&[("neighbor", "10.0.0.1"), ("peer-as", "65002")]).matches_name(NAME));
        assert!(!selector(&[("neighbor", "10.0.0.1"), ("peer-as", "65001")]).matches_name(NAME));
        assert!(!selector(&[("neighbor", "10.0.0.11")]).matches_name(NAME));
        assert!(!selector(&[("local-as", "6500")]).matches_name(NAME));
    }

    #[test]
    fn a_star_is_everyone() {
        assert!(selector(&[("neighbor", "*"), ("peer-as", "1")]).matches_name(NAME));
    }
}
