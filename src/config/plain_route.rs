//! Lines of routes as tables have them by the hundred thousand.

/// A line `route PREFIX …;` of words and lists alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlainRoute<'l> {
    /// The word behind `route`.
    pub prefix: &'l str,
    /// What follows it, up to the `;`.
    pub rest: &'l str,
    /// Where `route` stands, in octets of the source.
    pub at: usize,
    /// Octets from where it was looked for up to behind the `;`.
    pub length: usize,
}

impl<'l> PlainRoute<'l> {
    /// The one that `text`, which begins at octet `base` of the source, begins with: where all of it and more is there.
    #[must_use]
    pub fn find(text: &'l str, base: usize) -> Option<Self> {
        let line = text.trim_start_matches([' ', '\t', '\r', '\n']);
        let start = text.len() - line.len();
        let words = line.strip_prefix(ROUTE)?;
        let length = words
            .bytes()
            .position(|octet| !IS_PLAIN[usize::from(octet)])?;
        // What ends with the text may go on behind it.
        if words.as_bytes()[length] != b';' || words.len() == length + 1 {
            return None;
        }
        let (prefix, rest) = words[..length].split_once(' ')?;
        Some(Self {
            prefix,
            rest,
            at: base + start,
            length: start + ROUTE.len() + length + 1,
        })
    }
}

const ROUTE: &str = "route ";

/// Octets that are part of a word, part words, or stand alone, and mean nothing else.
static IS_PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut octet = 0_u8;
    while octet < 128 {
        plain[octet as usize] = octet.is_ascii_alphanumeric()
            || matches!(
                octet,
                b' ' | b'.' | b':' | b'/' | b'-' | b'[' | b']' | b',' | b'_'
            );
        octet += 1;
    }
    plain
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_plain_and_whole_is_found() {
        let found = PlainRoute::find("\n  route 10.0.0.0/8 next-hop self med 1; x", 7).unwrap();
        assert_eq!(
            (found.prefix, found.rest),
            ("10.0.0.0/8", "next-hop self med 1")
        );
        assert_eq!((found.at, found.length), (10, 40));
        for text in [
            "route 10.0.0.0/8 next-hop self;",
            "route 10.0.0.0/8 next-hop self",
            "route 10.0.0.0/8 { next-hop self; }",
            "route 10.0.0.0/8 next-hop self # why\n;",
            "route 10.0.0.0/8 as-path ( 1 ); x",
            "route 10.0.0.0/8 name \"a;b\"; x",
            "route 10.0.0.0/8 name a\\;b; x",
            "route 10.0.0.0/8\n next-hop self; x",
            "routes 10.0.0.0/8 next-hop self; x",
            "route 10.0.0.0/8; x",
            "",
        ] {
            assert_eq!(PlainRoute::find(text, 0), None, "{text}");
        }
    }
}
