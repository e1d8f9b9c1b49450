//! The part of a configuration text that is being read: all of it where it was given whole, else as much as is needed.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read};

/// A stretch of a text, and where more of it comes from.
pub struct Window<'s> {
    text: Cow<'s, str>,
    /// Where the stretch begins in the text, in octets.
    base: usize,
    source: Option<&'s mut dyn Read>,
    /// The fewest octets that are asked for at once.
    piece: usize,
    /// The start of a character that is not whole yet.
    partial: Vec<u8>,
    failure: Option<io::Error>,
}

impl<'s> Window<'s> {
    /// A text that is there.
    #[must_use]
    pub const fn whole(text: &'s str) -> Self {
        Self {
            text: Cow::Borrowed(text),
            base: 0,
            source: None,
            piece: 0,
            partial: Vec::new(),
            failure: None,
        }
    }

    /// A text that is read as it is needed, at least `piece` octets at once.
    #[must_use]
    pub fn sliding(source: &'s mut dyn Read, piece: usize) -> Self {
        Self {
            source: Some(source),
            piece,
            ..Self::whole("")
        }
    }

    /// The text of the window.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where in the text its stretch begins, in octets.
    #[must_use]
    pub const fn base(&self) -> usize {
        self.base
    }

    /// Whether more of the text may follow the stretch.
    #[must_use]
    pub const fn has_more(&self) -> bool {
        self.source.is_some()
    }

    /// Leaves the first `count` octets behind and adds some of what follows: as much again as there is, so that a long
    /// statement is not read over too often. Where reading fails the text ends.
    pub fn slide(&mut self, count: usize) {
        let Some(source) = &mut self.source else {
            return;
        };
        let text = self.text.to_mut();
        text.drain(..count);
        self.base += count;
        if text.len() > LONGEST {
            self.source = None;
            self.failure = Some(too_long());
            return;
        }
        let wanted = text.len().max(self.piece);
        let mut octets = std::mem::take(&mut self.partial);
        let before = octets.len();
        let mut failure = source.take(wanted as u64).read_to_end(&mut octets).err();
        let ended = failure.is_some() || octets.len() - before < wanted;
        let valid = match std::str::from_utf8(&octets) {
            Ok(valid) => valid,
            Err(error) => {
                // A character may be cut in two, but not at the end of the text.
                if ended || error.error_len().is_some() {
                    failure.get_or_insert_with(not_utf8);
                }
                let (valid, rest) = octets.split_at(error.valid_up_to());
                self.partial = rest.to_vec();
                std::str::from_utf8(valid).unwrap_or_default()
            }
        };
        text.push_str(valid);
        if ended || failure.is_some() {
            self.source = None;
        }
        self.failure = failure;
    }

    /// Reads no more of the text.
    pub fn end(&mut self) {
        self.source = None;
    }

    /// Why the text ended before its time, if it did.
    pub const fn failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }
}

/// The most octets of a statement: what is longer is no configuration.
const LONGEST: usize = 16 << 20;

fn too_long() -> io::Error {
    let message = format!("a statement of more than {} MiB", LONGEST >> 20);
    io::Error::new(io::ErrorKind::InvalidData, message)
}

fn not_utf8() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is not valid UTF-8")
}

impl fmt::Debug for Window<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window")
            .field("base", &self.base)
            .field("octets", &self.text.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_that_is_cut_in_two_is_whole_again() {
        let text = "é".repeat(10);
        let mut source = text.as_bytes();
        let mut window = Window::sliding(&mut source, 3);
        let mut read = String::new();
        while window.has_more() {
            window.slide(window.text().len());
            assert_eq!(window.base(), read.len());
            read.push_str(window.text());
        }
        assert!(window.failure().is_none());
        assert_eq!(read, text);
    }

    #[test]
    fn what_is_no_text_ends_it() {
        for octets in [&b"route \xff"[..], b"route \xc3", b"route \xffand more"] {
            let mut source = octets;
            let mut window = Window::sliding(&mut source, 64);
            window.slide(0);
            assert_eq!(window.text(), "route ");
            assert!(!window.has_more());
            assert_eq!(
                window.failure().map(|failure| failure.kind()),
                Some(io::ErrorKind::InvalidData)
            );
        }
    }
}
