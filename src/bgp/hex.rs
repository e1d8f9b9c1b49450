//! Octets as people write them: hexadecimal digits, colons and white space between them.

use super::text::TextError;

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

/// Octets as lower-case hexadecimal digits.
#[must_use]
pub fn text(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len() * 2);
    super::json::hex(octets, &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn digits_are_read_and_their_mistakes_placed() {
        assert_eq!(parse("0xff:00 1e").unwrap(), [0xff, 0x00, 0x1e]);
        assert!(parse("").unwrap().is_empty());
        assert_eq!(parse("ff0").unwrap_err().span, 2..3);
        assert_eq!(parse("ffé0").unwrap_err().span, 2..4);
    }
}
