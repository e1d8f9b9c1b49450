//! JSON as Python's `json.dumps` writes it, which is what ExaBGP's readers get: ASCII alone, `", "` and `": "` between items.

use std::fmt::{Display, Write as _};

/// Appends `text` as a JSON string, all but ASCII escaped.
pub fn string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

/// `text` as a JSON string, as [`string`] writes it.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    string(text, &mut out);
    out
}

/// Appends `items` with `separator` between them.
pub fn join<T: Display>(items: impl IntoIterator<Item = T>, separator: &str, out: &mut String) {
    for (position, item) in items.into_iter().enumerate() {
        if position > 0 {
            out.push_str(separator);
        }
        let _ = write!(out, "{item}");
    }
}

/// Octets of any length as one number, in decimal digits: Python's `int.from_bytes`.
#[must_use]
pub fn decimal(octets: &[u8]) -> String {
    let mut number = octets.to_vec();
    let mut digits = Vec::new();
    while number.iter().any(|octet| *octet != 0) {
        let mut rest = 0_u16;
        for octet in &mut number {
            let part = rest << 8 | u16::from(*octet);
            *octet = (part / 10) as u8;
            rest = part % 10;
        }
        digits.push(char::from(b'0' + rest as u8));
    }
    if digits.is_empty() {
        return "0".to_owned();
    }
    digits.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn octets_of_any_length_are_one_number() {
        assert_eq!(super::decimal(&[]), "0");
        assert_eq!(super::decimal(&[0, 0]), "0");
        assert_eq!(super::decimal(&[1, 0]), "256");
        let most = "340282366920938463463374607431768211455";
        assert_eq!(super::decimal(&[0xff; 16]), most);
    }

    #[test]
    fn a_string_is_escaped_as_python_does() {
        let mut out = String::new();
        super::string("a\"\\\n\u{1}é\u{1f600}", &mut out);
        assert_eq!(out, r#""a\"\\\n\u0001\u00e9\ud83d\ude00""#);
    }
}
