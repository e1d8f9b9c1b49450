//! A scenario's file as lines of words: comments, quotes and continuations dealt with.

use std::ops::Range;

use crate::bgp::text::{TextError, Word};

/// One logical line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number in the file, from 1.
    pub number: usize,
    /// Its octets in the file.
    pub span: Range<usize>,
    /// Its words; for `write` and `also`, the word and the rest of the line as it stands.
    pub words: Vec<Word>,
}

/// Cuts `text` into logical lines; empty ones and comments are left out.
///
/// # Errors
/// A quotation mark that is not closed.
pub fn split(text: &str) -> Result<Vec<Line>, TextError> {
    let mut lines = Vec::new();
    let mut physical = text.split_inclusive('\n').enumerate();
    let mut offset = 0;
    while let Some((index, first)) = physical.next() {
        let start = offset;
        offset += first.len();
        // Continuations are blanked out octet for octet, so that spans stay true.
        let mut logical = first.trim_end_matches(['\n', '\r']).to_owned();
        while logical.trim_end().ends_with('\\') {
            let cut = logical.rfind('\\').unwrap_or(0);
            logical.truncate(cut);
            let Some((_, next)) = physical.next() else {
                break;
            };
            logical.push_str(&" ".repeat(offset - start - cut));
            offset += next.len();
            logical.push_str(next.trim_end_matches(['\n', '\r']));
        }
        let words = words(&logical, start)?;
        if let (Some(head), Some(tail)) = (words.first(), words.last()) {
            lines.push(Line {
                number: index + 1,
                span: head.span.start..tail.span.end,
                words,
            });
        }
    }
    Ok(lines)
}

fn words(line: &str, offset: usize) -> Result<Vec<Word>, TextError> {
    let mut words = Vec::new();
    let mut at = 0;
    loop {
        let rest = &line[at..];
        let start = at + (rest.len() - rest.trim_start().len());
        let rest = &line[start..];
        if rest.is_empty() || rest.starts_with('#') {
            return Ok(words);
        }
        if words.len() == 1
            && matches!(words[0], Word { ref text, .. } if text == "write" || text == "also")
        {
            words.push(Word {
                text: rest.split_whitespace().collect::<Vec<_>>().join(" "),
                span: offset + start..offset + start + rest.trim_end().len(),
            });
            return Ok(words);
        }
        let (text, end) = if rest.starts_with('"') {
            quoted(line, start, offset)?
        } else {
            let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
            (rest[..length].to_owned(), start + length)
        };
        words.push(Word {
            text,
            span: offset + start..offset + end,
        });
        at = end;
    }
}

fn quoted(line: &str, start: usize, offset: usize) -> Result<(String, usize), TextError> {
    let mut text = String::new();
    let mut characters = line[start + 1..].char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Ok((text, start + 1 + index + 1)),
            '\\' => text.extend(characters.next().map(|(_, escaped)| escaped)),
            other => text.push(other),
        }
    }
    Err(TextError::new(
        offset + start..offset + line.len(),
        "the quotation mark is not closed",
    )
    .help("end the text with another `\"`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_stay_true_across_continuations_and_comments() {
        let text = "about  a line   # why\n\n# nothing\nwrite announce \\\n   route  # kept\nread \"a \\\"b\\\"\"\n";
        let lines = split(text).unwrap();
        let texts: Vec<Vec<&str>> = lines
            .iter()
            .map(|line| line.words.iter().map(|word| word.text.as_str()).collect())
            .collect();
        assert_eq!(
            texts,
            [
                vec!["about", "a", "line"],
                vec!["write", "announce route # kept"],
                vec!["read", "a \"b\""]
            ]
        );
        assert_eq!(lines[1].number, 4);
        assert_eq!(&text[lines[2].words[1].span.clone()], "\"a \\\"b\\\"\"");
    }
}
