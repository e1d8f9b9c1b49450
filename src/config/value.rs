//! Values that several sections have: switches, addresses, AS numbers, ports, names.

use std::net::{IpAddr, Ipv4Addr};

use crate::bgp::text::{TextError, Word, Words};
use crate::speaker::neighbor::{Address, AsNumber};

/// An error at `word`.
pub fn wrong(word: &Word, expected: &str) -> TextError {
    TextError::new(
        word.span.clone(),
        format!("`{}` is not {expected}", word.text),
    )
}

/// `enable`, `disable` and their kin; `default` where nothing is said.
pub fn boolean(words: &mut Words<'_>, default: bool) -> Result<bool, TextError> {
    let Some(word) = words.take() else {
        return Ok(default);
    };
    match word.text.to_ascii_lowercase().as_str() {
        "true" | "enable" | "enabled" => Ok(true),
        "false" | "disable" | "disabled" => Ok(false),
        _ => Err(wrong(word, "a switch").help("write enable or disable (or true or false)")),
    }
}

/// Like [`boolean`], or `auto`, which is `None`.
pub fn auto_boolean(words: &mut Words<'_>, default: bool) -> Result<Option<bool>, TextError> {
    if words.accept("auto") {
        return Ok(None);
    }
    boolean(words, default).map(Some)
}

/// An IP address.
pub fn address(words: &mut Words<'_>) -> Result<IpAddr, TextError> {
    let word = words.word("an IP address")?;
    word.text.parse().map_err(|_| {
        wrong(word, "an IP address").help("write for example 192.0.2.1 or 2001:db8::1")
    })
}

/// An IP address, or `auto`.
pub fn auto_address(words: &mut Words<'_>) -> Result<Address, TextError> {
    if words.accept("auto") {
        return Ok(Address::Auto);
    }
    address(words).map(Address::Ip)
}

/// An IPv4 address that serves as an identifier.
pub fn router_id(words: &mut Words<'_>) -> Result<Ipv4Addr, TextError> {
    let word = words.word("a router identifier")?;
    word.text.parse().map_err(|_| {
        wrong(word, "a router identifier")
            .help("write it in the form of an IPv4 address, as in 192.0.2.1")
    })
}

/// An AS number, plain or dotted (RFC 5396).
pub fn as_number(word: &Word) -> Result<u32, TextError> {
    let parsed = match word.text.split_once('.') {
        Some((high, low)) => match (digits::<u16>(high), digits::<u16>(low)) {
            (Some(high), Some(low)) => Some(u32::from(high) << 16 | u32::from(low)),
            _ => None,
        },
        None => digits(&word.text),
    };
    parsed.ok_or_else(|| {
        wrong(word, "an AS number")
            .help("write a number from 0 to 4294967295, or two from 0 to 65535 as in 1.10")
    })
}

/// An AS number, or `auto`.
pub fn auto_as_number(words: &mut Words<'_>) -> Result<AsNumber, TextError> {
    if words.accept("auto") {
        return Ok(AsNumber::Auto);
    }
    as_number(words.word("an AS number")?).map(AsNumber::Number)
}

/// A number from 0 to `most`.
pub fn number(words: &mut Words<'_>, what: &str, most: u32) -> Result<u32, TextError> {
    let word = words.word(what)?;
    digits::<u32>(&word.text)
        .filter(|value| *value <= most)
        .ok_or_else(|| wrong(word, what).help(format!("write a number from 0 to {most}")))
}

/// A number of two octets.
pub fn port_sized(words: &mut Words<'_>, what: &str) -> Result<u16, TextError> {
    let number = number(words, what, 65535)?;
    Ok(u16::try_from(number).unwrap_or(u16::MAX))
}

/// A name of letters, digits, dots and hyphens of at most 255 octets, as the hostname capability carries it.
pub fn host_name(words: &mut Words<'_>, what: &str) -> Result<String, TextError> {
    let word = words.word(what)?;
    let text = &word.text;
    let fits = text.len() <= 255
        && !text.contains("..")
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-')
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.ends_with(|last: char| last.is_ascii_alphanumeric());
    if fits {
        Ok(text.clone())
    } else {
        Err(wrong(word, what).help(
            "use letters, digits, `-` and single `.`, begin and end with a letter or digit, 255 characters at most",
        ))
    }
}

/// `text` as a number, of decimal digits only.
pub fn digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bgp::text::split;

    fn with<T>(
        text: &str,
        read: impl Fn(&mut Words<'_>) -> Result<T, TextError>,
    ) -> Result<T, String> {
        let words = split(text).unwrap();
        read(&mut Words::new(&words, text.len())).map_err(|error| error.message)
    }

    #[test]
    fn as_numbers() {
        assert_eq!(with("65000", auto_as_number), Ok(AsNumber::Number(65000)));
        assert_eq!(with("1.10", auto_as_number), Ok(AsNumber::Number(65546)));
        assert_eq!(with("auto", auto_as_number), Ok(AsNumber::Auto));
        for wrong in ["-1", "4294967296", "1.65536", "1.2.3", "+5", "٣"] {
            assert!(with(wrong, auto_as_number).is_err(), "{wrong}");
        }
    }

    #[test]
    fn switches() {
        assert_eq!(with("", |words| boolean(words, true)), Ok(true));
        assert_eq!(with("Disabled", |words| boolean(words, true)), Ok(false));
        assert_eq!(
            with("maybe", |words| boolean(words, true)),
            Err("`maybe` is not a switch".to_owned())
        );
    }
}
