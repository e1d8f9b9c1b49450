//! AS numbers as people write them: `65001`, or `1.1` (RFC 5396 section 2).

/// Reads an AS number in either form; `None` where it is neither or does not fit.
#[must_use]
pub fn parse(text: &str) -> Option<u32> {
    let decimal = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
    match text.split_once('.') {
        Some((high, low)) if decimal(high) && decimal(low) => {
            let (high, low) = (high.parse::<u16>().ok()?, low.parse::<u16>().ok()?);
            Some(u32::from(high) << 16 | u32::from(low))
        }
        None if decimal(text) => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn both_forms_are_read_and_nothing_else() {
        assert_eq!(parse("65001"), Some(65001));
        assert_eq!(parse("1.1"), Some(65537));
        for wrong in ["", "1.", "+1", "1.70000", "4294967296", "1.2.3", "AS1"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
