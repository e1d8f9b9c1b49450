//! Symbolic addresses in configuration files: `$HOST`, mapped when a scenario is played.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::net::HostName;

/// What the names of hosts stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Symbols(BTreeMap<HostName, Vec<IpAddr>>);

impl Symbols {
    /// The hosts with their addresses.
    #[must_use]
    pub fn new(hosts: impl IntoIterator<Item = (HostName, Vec<IpAddr>)>) -> Self {
        Self(hosts.into_iter().collect())
    }

    /// `text` with every `$HOST` replaced by the host's first address, and `$HOST:2` by its second, and so on. A `$` that
    /// no host's name follows stays as it is.
    #[must_use]
    pub fn substitute(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            let length = after.find(|c| !is_name(c)).unwrap_or(after.len());
            match self.symbol(&after[..length], &after[length..]) {
                Some((address, used)) => {
                    out.push_str(&address.to_string());
                    rest = &after[used..];
                }
                None => {
                    out.push('$');
                    rest = after;
                }
            }
        }
        out.push_str(rest);
        out
    }

    /// The address that `word` and what follows it stand for, and how many octets that takes. A sentence's full stop is
    /// no part of a name.
    fn symbol(&self, word: &str, rest: &str) -> Option<(IpAddr, usize)> {
        let name = word.trim_end_matches('.');
        let addresses = self.0.get(&name.parse().ok()?)?;
        let rest = if name.len() == word.len() { rest } else { "" };
        if let Some(digits) = rest.strip_prefix(':') {
            let length = digits
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(digits.len());
            if let Ok(number) = digits[..length].parse::<usize>() {
                let address = addresses.get(number.checked_sub(1)?)?;
                return Some((*address, name.len() + 1 + length));
            }
        }
        Some((*addresses.first()?, name.len()))
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbols() -> Symbols {
        let hosts = [
            ("edge", vec!["10.0.0.1", "fd00::1"]),
            ("edge-2", vec!["10.0.0.2"]),
        ];
        Symbols::new(hosts.map(|(name, addresses)| {
            let addresses = addresses.iter().map(|it| it.parse().unwrap());
            (name.parse().unwrap(), addresses.collect())
        }))
    }

    #[test]
    fn a_name_behind_a_dollar_sign_is_an_address() {
        for (text, replaced) in [
            ("neighbor $edge {", "neighbor 10.0.0.1 {"),
            ("local $edge:2;", "local fd00::1;"),
            ("$edge-2;$edge", "10.0.0.2;10.0.0.1"),
            ("[$edge]:179", "[10.0.0.1]:179"),
            ("$edge:3 $core $", "$edge:3 $core $"),
            ("of $edge. Then", "of 10.0.0.1. Then"),
            ("$edge: up", "10.0.0.1: up"),
        ] {
            assert_eq!(symbols().substitute(text), replaced);
        }
    }
}
