//! `split /25`: one prefix as all the longer ones within it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::bgp::nlri::inet::Prefix;
use crate::bgp::text::{TextError, Word, Words};

use super::value;

/// The most routes that one `split` makes.
const LIMIT: u128 = 1 << 20;

/// Reads `/25`.
///
/// # Errors
/// Where it is not a length.
pub fn parse(words: &mut Words<'_>) -> Result<u8, TextError> {
    let word = words.word("a prefix length")?;
    word.text
        .strip_prefix('/')
        .and_then(value::digits::<u8>)
        .filter(|length| *length <= 128)
        .ok_or_else(|| value::wrong(word, "a prefix length").help("write for example split /25"))
}

/// The prefixes of `length` bits within `prefix`, which is shorter. `at` is where it stands.
///
/// # Errors
/// Where the address has fewer bits, or there are too many prefixes.
pub fn prefixes(
    prefix: Prefix,
    length: u8,
    at: &Word,
) -> Result<impl Iterator<Item = Prefix>, TextError> {
    let whole = if prefix.address.is_ipv4() { 32 } else { 128 };
    if length > whole {
        return Err(TextError::new(
            at.span.clone(),
            format!("`{prefix}` cannot be split into /{length}"),
        )
        .help(format!("the address has {whole} bits")));
    }
    let count = 1u128
        .checked_shl(u32::from(length - prefix.length))
        .unwrap_or(u128::MAX);
    if count > LIMIT {
        return Err(TextError::new(
            at.span.clone(),
            format!("`{prefix}` split into /{length} would be too many routes"),
        )
        .help(format!("at most {LIMIT} are made of one")));
    }
    let step = u32::from(whole - length);
    let base = match prefix.address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    };
    Ok((0..count).map(move |index| {
        let bits = base | index.checked_shl(step).unwrap_or(0);
        let address = match prefix.address {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from(bits as u32)),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from(bits)),
        };
        Prefix { address, length }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, length: u8) -> Result<Vec<String>, String> {
        let at = Word {
            text: text.to_owned(),
            span: 0..text.len(),
        };
        match prefixes(text.parse().unwrap(), length, &at) {
            Ok(prefixes) => Ok(prefixes.map(|prefix| prefix.to_string()).collect()),
            Err(error) => Err(error.message),
        }
    }

    #[test]
    fn halves_and_quarters() {
        assert_eq!(
            split("10.0.0.0/22", 24).unwrap(),
            ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24"]
        );
        assert_eq!(split("0.0.0.0/0", 1).unwrap(), ["0.0.0.0/1", "128.0.0.0/1"]);
        assert_eq!(
            split("ffff::/16", 17).unwrap(),
            ["ffff::/17", "ffff:8000::/17"]
        );
        assert_eq!(split("::/127", 128).unwrap(), ["::/128", "::1/128"]);
    }

    #[test]
    fn too_many_are_refused() {
        assert_eq!(
            split("::/0", 128),
            Err("`::/0` split into /128 would be too many routes".to_owned())
        );
        assert_eq!(
            split("10.0.0.0/8", 33),
            Err("`10.0.0.0/8` cannot be split into /33".to_owned())
        );
    }
}
