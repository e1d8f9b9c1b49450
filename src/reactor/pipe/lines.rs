//! What a program writes, cut into lines.

use thiserror::Error;

/// The longest line that is waited for, in octets: without a limit a program that never ends its line would take all memory (ExaBGP's limit).
const LONGEST: usize = 1024 * 1024;

/// A program wrote more than a line may have, and no end of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a command of {0} octets without an end of line; the limit is 1048576")]
pub struct Oversized(pub usize);

/// Keeps the line that is not whole yet.
#[derive(Debug, Default)]
pub struct LineBuffer {
    partial: Vec<u8>,
}

impl LineBuffer {
    /// Adds what was read and gives the lines that are whole now, ends included; empty where there is none.
    ///
    /// Octets that are not UTF-8 are replaced: the command that has them is then not understood, and answered so.
    ///
    /// # Errors
    /// A line longer than 1 MiB; what there was of it is dropped.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<String, Oversized> {
        let Some(end) = bytes.iter().rposition(|&octet| octet == b'\n') else {
            self.partial.extend_from_slice(bytes);
            if self.partial.len() > LONGEST {
                return Err(Oversized(std::mem::take(&mut self.partial).len()));
            }
            return Ok(String::new());
        };
        let mut whole = std::mem::take(&mut self.partial);
        whole.extend_from_slice(&bytes[..=end]);
        self.partial.extend_from_slice(&bytes[end + 1..]);
        Ok(String::from_utf8(whole)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn half_a_line_is_kept() {
        let mut buffer = LineBuffer::default();
        assert_eq!(buffer.feed(b"announce ro").unwrap(), "");
        assert_eq!(buffer.feed(b"ute\nvers").unwrap(), "announce route\n");
        assert_eq!(buffer.feed(b"ion\n\n").unwrap(), "version\n\n");
    }

    #[test]
    fn an_endless_line_is_refused() {
        let mut buffer = LineBuffer::default();
        assert_eq!(buffer.feed(&[b'a'; LONGEST]), Ok(String::new()));
        assert_eq!(buffer.feed(b"a"), Err(Oversized(LONGEST + 1)));
        assert_eq!(buffer.feed(b"help\n").unwrap(), "help\n");
    }

    proptest! {
        #[test]
        fn however_it_is_cut_the_lines_are_the_same(text in "[ab\n]{0,60}", cuts in prop::collection::vec(1..9_usize, 1..60)) {
            let mut buffer = LineBuffer::default();
            let (mut rest, mut got) = (text.as_bytes(), String::new());
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (now, later) = rest.split_at((*cut).min(rest.len()));
                got += &buffer.feed(now).unwrap();
                rest = later;
            }
            let whole = text.rfind('\n').map_or(0, |end| end + 1);
            prop_assert_eq!(got, &text[..whole]);
        }
    }
}
