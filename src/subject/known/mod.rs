//! The speakers that are known by name: a description each.
//!
//! To add one, write its description beside this file and add a line to [`DESCRIPTIONS`].

use super::variant::OWN;

/// The descriptions, by name.
const DESCRIPTIONS: &[(&str, &str)] = &[
    ("exabgp", include_str!("exabgp.toml")),
    ("bird", include_str!("bird.toml")),
    ("frr", include_str!("frr.toml")),
    ("gobgp", include_str!("gobgp.toml")),
    ("openbgpd", include_str!("openbgpd.toml")),
];

/// The names that `--speaker` knows, our own first.
pub fn names() -> impl Iterator<Item = &'static str> {
    std::iter::once(OWN).chain(DESCRIPTIONS.iter().map(|(name, _)| *name))
}

/// The text of the description of the speaker `name`.
#[must_use]
pub fn text(name: &str) -> Option<&'static str> {
    let mut descriptions = DESCRIPTIONS.iter();
    descriptions.find_map(|(known, text)| (*known == name).then_some(*text))
}
