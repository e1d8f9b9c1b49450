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

/// Appends `items` with `separator` between them.
pub fn join<T: Display>(items: impl IntoIterator<Item = T>, separator: &str, out: &mut String) {
    for (position, item) in items.into_iter().enumerate() {
        if position > 0 {
            out.push_str(separator);
        }
        let _ = write!(out, "{item}");
    }
}

/// Appends octets in lower-case hexadecimal.
pub fn hex(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
}

/// Appends octets in upper-case hexadecimal.
pub fn upper_hex(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        let _ = write!(out, "{byte:02X}");
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_string_is_escaped_as_python_does() {
        let mut out = String::new();
        super::string("a\"\\\n\u{1}é\u{1f600}", &mut out);
        assert_eq!(out, r#""a\"\\\n\u0001\u00e9\ud83d\ude00""#);
    }
}
