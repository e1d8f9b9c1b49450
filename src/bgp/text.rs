//! Words: the text that people write routes in, as a cursor that remembers where each word stood.
//!
//! The tokens are ExaBGP's: words parted by white space, `[ ]` around lists,
//! `( )` around groups, `,` between items, double quotes around text with spaces.

use std::borrow::Cow;
use std::ops::Range;
use std::str::FromStr;

use thiserror::Error;

/// `text` on one line of a terminal: what would move its cursor, colour it or turn its direction is escaped as in Rust
/// (`\u{1b}`): control characters (C0, DEL, C1), line and paragraph separators, and characters of bidirectional text.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_unsafe(character) {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

/// `text` with each character that [`plain`] would escape replaced by one that takes as many octets, so that places in it
/// stay where they are: for reports that point into a file. Ends of lines and tabs stay.
#[must_use]
pub fn in_place(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut characters = text.chars().peekable();
    let mut out = String::with_capacity(text.len());
    while let Some(character) = characters.next() {
        let ends_line = character == '\r' && characters.peek() == Some(&'\n');
        out.push(match character.len_utf8() {
            _ if matches!(character, '\n' | '\t') || ends_line || !is_unsafe(character) => {
                character
            }
            1 => '?',
            2 => '\u{b7}',
            3 => char::REPLACEMENT_CHARACTER,
            _ => '\u{1fbc4}',
        });
    }
    Cow::Owned(out)
}

/// `text` of several lines for a terminal: as [`plain`], but ends of lines and tabs stay, and so do the escape sequences that
/// colour text (SGR) where `coloured`.
#[must_use]
pub fn plain_lines(text: &str, coloured: bool) -> Cow<'_, str> {
    let stays = |character| matches!(character, '\n' | '\t') || !is_unsafe(character);
    if text.chars().all(stays) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let colour = if coloured { colour_length(rest) } else { 0 };
        let length = colour.max(character.len_utf8());
        if colour > 0 || stays(character) {
            out.push_str(&rest[..length]);
        } else {
            out.extend(character.escape_default());
        }
        rest = &rest[length..];
    }
    Cow::Owned(out)
}

/// Octets of the SGR sequence that `text` begins with; 0 where there is none.
fn colour_length(text: &str) -> usize {
    let Some(rest) = text.strip_prefix("\x1b[") else {
        return 0;
    };
    let end = rest.find(|character: char| !matches!(character, '0'..='9' | ';'));
    match end {
        Some(end) if rest[end..].starts_with('m') => 2 + end + 1,
        _ => 0,
    }
}

/// Whether a terminal may do something else with it than show it in its place.
#[must_use]
pub const fn is_unsafe(character: char) -> bool {
    matches!(
        character,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// A mistake in what a person wrote: where, what, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct TextError {
    /// Octets of the source that it concerns.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
}

impl TextError {
    /// A mistake at `span`.
    #[must_use]
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
            help: None,
        }
    }

    /// Adds what would be right.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// One word and where it stood in its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word, without quotes.
    pub text: String,
    /// Its octets in the source.
    pub span: Range<usize>,
}

/// A cursor over the words of one statement.
#[derive(Debug, Clone)]
pub struct Words<'a> {
    words: &'a [Word],
    end: usize,
}

impl<'a> Words<'a> {
    /// A cursor over `words`, the statement of which ends at octet `end` of the source.
    #[must_use]
    pub const fn new(words: &'a [Word], end: usize) -> Self {
        Self { words, end }
    }

    /// The next word, without consuming it.
    #[must_use]
    pub fn peek(&self) -> Option<&'a str> {
        self.words.first().map(|word| word.text.as_str())
    }

    /// Where the next word stands (or the statement's end).
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.words
            .first()
            .map_or(self.end..self.end, |word| word.span.clone())
    }

    /// Whether no word is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// A mistake at the next word.
    #[must_use]
    pub fn error(&self, message: impl Into<String>) -> TextError {
        TextError::new(self.span(), message)
    }

    /// The next word, if any.
    pub fn take(&mut self) -> Option<&'a Word> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    /// The next word; `expected` says what it should be ("a prefix").
    ///
    /// # Errors
    /// Where the statement has ended.
    pub fn word(&mut self, expected: &str) -> Result<&'a Word, TextError> {
        let at = self.span();
        self.take()
            .ok_or_else(|| TextError::new(at, format!("{expected} is missing")))
    }

    /// Consumes the next word if it is `text`.
    pub fn accept(&mut self, text: &str) -> bool {
        let found = self.peek() == Some(text);
        if found {
            self.words = &self.words[1..];
        }
        found
    }

    /// Insists that the next word is `text`.
    ///
    /// # Errors
    /// Where it is another.
    pub fn expect(&mut self, text: &str) -> Result<(), TextError> {
        if self.accept(text) {
            return Ok(());
        }
        let found = self.peek().unwrap_or("the end");
        Err(self.error(format!("`{text}` is expected here, not `{found}`")))
    }

    /// The next word as a `T`; `expected` says what it should be ("a number from 0 to 255").
    ///
    /// # Errors
    /// Where it is missing or is not one.
    pub fn parse<T: FromStr>(&mut self, expected: &str) -> Result<T, TextError> {
        let word = self.word(expected)?;
        word.text.parse().map_err(|_| {
            TextError::new(
                word.span.clone(),
                format!("`{}` is not {expected}", word.text),
            )
        })
    }

    /// One word, or the words between `[` and `]` (commas between them are skipped).
    ///
    /// # Errors
    /// Where nothing follows or the bracket is not closed.
    pub fn list(&mut self, expected: &str) -> Result<Vec<&'a Word>, TextError> {
        if !self.accept("[") {
            return Ok(vec![self.word(expected)?]);
        }
        let mut items = Vec::new();
        loop {
            let word = self.word("`]`")?;
            match word.text.as_str() {
                "]" => return Ok(items),
                "," => {}
                _ => items.push(word),
            }
        }
    }

    /// Insists that no word is left.
    ///
    /// # Errors
    /// Where one is.
    pub fn finish(&self) -> Result<(), TextError> {
        match self.words.first() {
            None => Ok(()),
            Some(word) => Err(TextError::new(
                word.span.clone(),
                format!("`{}` is not expected here", word.text),
            )),
        }
    }
}

/// Cuts `line` into words: white space parts them, `[ ] ( ) ,` stand alone, double quotes hold spaces together.
///
/// # Errors
/// A quotation mark that is not closed.
pub fn split(line: &str) -> Result<Vec<Word>, TextError> {
    split_from(line, 0)
}

/// Cuts what `line` has from octet `from` on, as [`split`] does a whole line; places are those in `line`.
///
/// # Errors
/// A quotation mark that is not closed.
///
/// # Panics
/// Where `from` is not between two characters of `line`.
pub fn split_from(line: &str, from: usize) -> Result<Vec<Word>, TextError> {
    let mut words = Vec::new();
    let mut open: Option<usize> = None;
    let mut characters = line[from..]
        .char_indices()
        .map(|(at, character)| (from + at, character));
    let close = |words: &mut Vec<Word>, open: &mut Option<usize>, end: usize| {
        if let Some(start) = open.take() {
            words.push(Word {
                text: line[start..end].to_owned(),
                span: start..end,
            });
        }
    };
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                close(&mut words, &mut open, at);
                let Some(length) = line[at + 1..].find('"') else {
                    return Err(
                        TextError::new(at..line.len(), "the quotation mark is not closed")
                            .help("end the text with another `\"`"),
                    );
                };
                let end = at + 1 + length;
                words.push(Word {
                    text: line[at + 1..end].to_owned(),
                    span: at..end + 1,
                });
                while characters.next().is_some_and(|(here, _)| here < end) {}
            }
            '[' | ']' | '(' | ')' | ',' => {
                close(&mut words, &mut open, at);
                words.push(Word {
                    text: character.to_string(),
                    span: at..at + 1,
                });
            }
            _ if character.is_whitespace() => close(&mut words, &mut open, at),
            _ => {
                open.get_or_insert(at);
            }
        }
    }
    close(&mut words, &mut open, line.len());
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_a_cursor_stays() {
        assert_eq!(plain("tést 漢"), "tést 漢");
        let hostile = "a\x1b[31m\r\n\u{9b}1A\u{202e}\u{2066}\u{e0001}\x7f";
        assert_eq!(
            plain(hostile),
            "a\\u{1b}[31m\\r\\n\\u{9b}1A\\u{202e}\\u{2066}\\u{e0001}\\u{7f}"
        );
        let replaced = in_place(hostile);
        assert_eq!(replaced.len(), hostile.len());
        assert_eq!(replaced, "a?[31m\r\n\u{b7}1A\u{fffd}\u{fffd}\u{1fbc4}?");
        assert_eq!(in_place("a\rb"), "a?b");
        assert_eq!(
            plain_lines("a\x1b[31mb\x1b[0m\tc\n\x1b[2J", true),
            "a\x1b[31mb\x1b[0m\tc\n\\u{1b}[2J"
        );
        assert_eq!(plain_lines("\x1b[31mb\r\n", false), "\\u{1b}[31mb\\r\n");
    }
}
