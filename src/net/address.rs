//! Addresses in a text.

use std::net::IpAddr;

/// `text` with `to` in place of `from`, wherever that stands as a whole: 10.0.0.1 is no part of 10.0.0.12.
#[must_use]
pub fn replaced(text: &str, from: IpAddr, to: IpAddr) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.' || (c == ':' && from.is_ipv6());
    let (from, to) = (from.to_string(), to.to_string());
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(&from) {
        let (before, found) = rest.split_at(at);
        let after = &found[from.len()..];
        let is_whole = !before.ends_with(is_part) && !after.starts_with(is_part);
        out.push_str(before);
        out.push_str(if is_whole { &to } else { &from });
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(text: &str, from: &str, to: &str) -> String {
        let [from, to] = [from, to].map(|it| it.parse().expect("an address"));
        replaced(text, from, to)
    }

    #[test]
    fn an_address_is_replaced_where_it_stands_as_a_whole() {
        assert_eq!(
            changed(
                "neighbor 127.0.0.1 { x 127.0.0.12; y 1127.0.0.1; z 127.0.0.1:179; }",
                "127.0.0.1",
                "10.0.0.2"
            ),
            "neighbor 10.0.0.2 { x 127.0.0.12; y 1127.0.0.1; z 10.0.0.2:179; }"
        );
        assert_eq!(
            changed("::1#1 opened; fd00::1#2 and ::1", "::1", "2001:db8::9"),
            "2001:db8::9#1 opened; fd00::1#2 and 2001:db8::9"
        );
    }
}
