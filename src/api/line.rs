//! The words of a command, borrowed from its line.

use std::ops::Range;

use crate::bgp::text::{TextError, Word};
use crate::config::did_you_mean;

/// A word of a command, and where it stands in the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineWord<'a> {
    /// The word, without quotes.
    pub text: &'a str,
    /// Its octets in the line.
    pub span: Range<usize>,
}

impl LineWord<'_> {
    /// An error at this word.
    pub fn error(&self, message: impl Into<String>) -> TextError {
        TextError::new(self.span.clone(), message)
    }

    /// This word is none of `valid`.
    pub fn unknown(&self, place: &str, valid: &[&str]) -> TextError {
        let word = Word {
            text: self.text.to_owned(),
            span: self.span.clone(),
        };
        did_you_mean(&word, place, valid)
    }
}

/// A cursor over a line: white space parts words, a comma stands alone.
#[derive(Debug, Clone)]
pub struct Line<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Line<'a> {
    /// A cursor at the beginning of `text`.
    pub const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The line as read.
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// The octet where the next word begins.
    pub fn at(&self) -> usize {
        let rest = &self.text[self.at..];
        self.at + (rest.len() - rest.trim_start().len())
    }

    /// The next word, if any.
    pub fn word(&mut self) -> Option<LineWord<'a>> {
        let start = self.at();
        let rest = &self.text[start..];
        let length = match rest.chars().next()? {
            ',' => 1,
            _ => rest
                .find(|character: char| character == ',' || character.is_whitespace())
                .unwrap_or(rest.len()),
        };
        self.at = start + length;
        Some(LineWord {
            text: &rest[..length],
            span: start..self.at,
        })
    }

    /// The next word, without consuming it.
    pub fn peek(&self) -> Option<LineWord<'a>> {
        self.clone().word()
    }

    /// The next word; `what` says what it should be.
    pub fn expect(&mut self, what: &str) -> Result<LineWord<'a>, TextError> {
        let at = self.at();
        self.word()
            .ok_or_else(|| TextError::new(at..at, format!("{what} is missing")))
    }

    /// Insists that nothing is left.
    pub fn finish(&self) -> Result<(), TextError> {
        match self.peek() {
            None => Ok(()),
            Some(word) => Err(word.error(format!("`{}` is not expected here", word.text))),
        }
    }

    /// Leaves nothing.
    pub const fn drain(&mut self) {
        self.at = self.text.len();
    }
}
