//! Octets in hexadecimal digits: how they are written, and how they are read.

use std::fmt;

use super::text::TextError;

/// Octets in lower-case digits, nothing between them.
#[must_use]
pub const fn lower(octets: &[u8]) -> impl fmt::Display + '_ {
    Digits {
        octets,
        digits: b"0123456789abcdef",
    }
}

/// Octets in upper-case digits, nothing between them.
#[must_use]
pub const fn upper(octets: &[u8]) -> impl fmt::Display + '_ {
    Digits {
        octets,
        digits: b"0123456789ABCDEF",
    }
}

/// Octets as [`lower`] writes them.
#[must_use]
pub fn text(octets: &[u8]) -> String {
    lower(octets).to_string()
}

struct Digits<'a> {
    octets: &'a [u8],
    digits: &'static [u8; 16],
}

impl fmt::Display for Digits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Octets written at a time.
        const CHUNK: usize = 64;
        let mut text = [0; 2 * CHUNK];
        self.octets.chunks(CHUNK).try_for_each(|octets| {
            for (octet, pair) in octets.iter().zip(text.as_chunks_mut::<2>().0) {
                *pair = [octet >> 4, octet & 0xf].map(|digit| self.digits[usize::from(digit)]);
            }
            // Digits are ASCII.
            let digits = str::from_utf8(&text[..2 * octets.len()]);
            f.write_str(digits.unwrap_or_default())
        })
    }
}

/// The octets that `text` stands for, which is digits alone, with or without `0x`; `None` where it is not.
#[must_use]
pub fn octets(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (pairs, rest) = digits.unwrap_or(text).as_bytes().as_chunks::<2>();
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let octets = pairs
        .iter()
        .map(|[high, low]| Some((digit(*high)? << 4 | digit(*low)?) as u8))
        .collect();
    if rest.is_empty() { octets } else { None }
}

/// Reads hexadecimal digits; colons, white space and a leading `0x` are passed over, as ExaBGP's `decode` does.
///
/// # Errors
/// Where a character is no digit, or a digit is missing.
pub fn parse(text: &str) -> Result<Vec<u8>, TextError> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut high = None;
    let skip = if text.starts_with("0x") { 2 } else { 0 };
    for (at, character) in text.char_indices().skip(skip) {
        if character == ':' || character.is_whitespace() {
            continue;
        }
        let span = at..at + character.len_utf8();
        let Some(digit) = character.to_digit(16) else {
            let message = format!("`{character}` is not a hexadecimal digit");
            return Err(TextError::new(span, message).help(
                "write the message as hexadecimal digits; colons and spaces may stand between them",
            ));
        };
        match high.take() {
            None => high = Some((digit as u8, span)),
            Some((high, _)) => bytes.push(high << 4 | digit as u8),
        }
    }
    match high {
        None => Ok(bytes),
        Some((_, span)) => Err(TextError::new(
            span,
            "an octet has two digits: one is missing after this one",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_and_their_mistakes_placed() {
        assert_eq!(parse("0xff:00 1e").unwrap(), [0xff, 0x00, 0x1e]);
        assert!(parse("").unwrap().is_empty());
        assert_eq!(parse("ff0").unwrap_err().span, 2..3);
        assert_eq!(parse("ffé0").unwrap_err().span, 2..4);
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(lower(&[0x0a, 0xf0]).to_string(), "0af0");
        assert_eq!(upper(&[0x0a, 0xf0]).to_string(), "0AF0");
        for text in ["0af0", "0AF0", "0x0af0", "0X0AF0"] {
            assert_eq!(octets(text), Some(vec![0x0a, 0xf0]), "{text}");
        }
        for text in ["0a f0", "0af", "0xg0", "+a"] {
            assert_eq!(octets(text), None, "{text}");
        }
    }
}
