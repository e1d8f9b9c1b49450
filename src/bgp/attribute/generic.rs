//! An attribute by its code, flags and octets: unknown ones as they came, configured ones as they were written.

use std::fmt::Write as _;

use super::{Attribute, AttributeValue, Flags, PathAttribute, WireContext};
use crate::bgp::hex;
use crate::bgp::text::{TextError, Word, Words};
use crate::bgp::wire::Reader;

/// Any attribute, uninterpreted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generic {
    /// Type code.
    pub code: u8,
    /// Flags, sent as they are.
    pub flags: Flags,
    /// The value.
    pub value: Vec<u8>,
}

impl Generic {
    /// ExaBGP's keyword.
    pub const NAME: &'static str = "attribute";

    /// Reads `[ 0x20 0xc0 0x010203 ]`: code, flags, value.
    ///
    /// # Errors
    /// Where the words are not of that form.
    pub fn parse(words: &mut Words<'_>) -> Result<Attribute, TextError> {
        words.expect("[")?;
        let code = octet(words.word("the attribute's code")?)?;
        let flags = Flags(octet(words.word("the attribute's flags")?)?);
        let value = octets(words.word("the attribute's value")?)?;
        words.expect("]")?;
        Ok(Self { code, flags, value }.into())
    }

    pub(super) fn text(&self, out: &mut String) {
        let _ = write!(out, "0x{}", hex::lower(&self.value));
    }

    pub(super) fn json(&self, out: &mut String) {
        out.push('"');
        self.text(out);
        out.push('"');
    }
}

impl From<Generic> for Attribute {
    fn from(generic: Generic) -> Self {
        Self {
            flags: generic.flags,
            value: AttributeValue::Generic(generic),
        }
    }
}

/// Reads the value of an attribute that ExaBGP has no words for: `what` in hexadecimal, as in `example`.
pub(super) fn parse_octets<T: PathAttribute>(
    words: &mut Words<'_>,
    what: &str,
    example: &str,
) -> Result<T, TextError> {
    let word = words.word(&format!("the {what} in hexadecimal"))?;
    hex::octets(&word.text)
        .and_then(|octets| T::decode(&WireContext::default(), Reader::new(&octets)).ok())
        .ok_or_else(|| {
            let message = format!("`{}` is not a {what}", word.text);
            let help = format!("write the value's octets, as in {example}");
            TextError::new(word.span.clone(), message).help(help)
        })
}

fn octet(word: &Word) -> Result<u8, TextError> {
    let digits = word.text.to_ascii_lowercase();
    digits
        .strip_prefix("0x")
        .and_then(|digits| u8::from_str_radix(digits, 16).ok())
        .ok_or_else(|| {
            TextError::new(
                word.span.clone(),
                format!("`{}` is not an octet in hexadecimal", word.text),
            )
            .help("write it as 0x20")
        })
}

fn octets(word: &Word) -> Result<Vec<u8>, TextError> {
    let prefixed = word.text.starts_with("0x") || word.text.starts_with("0X");
    let octets = prefixed.then(|| hex::octets(&word.text)).flatten();
    octets.ok_or_else(|| {
        TextError::new(
            word.span.clone(),
            format!("`{}` is not octets in hexadecimal", word.text),
        )
        .help("write 0x and an even number of the digits 0-9 and a-f")
    })
}
