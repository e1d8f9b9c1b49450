//! A mistake in a file that a person wrote: file, line, column, caret, and what would be right.

use std::ops::Range;
use std::sync::Arc;

use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;

use crate::bgp::text::{TextError, in_place, plain};

/// A mistake in a scenario (or a file beside it).
#[derive(Debug, Error, Diagnostic)]
#[error("{message}")]
pub struct ScenarioError {
    message: Box<str>,
    #[source_code]
    source_code: Arc<NamedSource<String>>,
    #[label("here")]
    span: Option<SourceSpan>,
    #[help]
    help: Option<Box<str>>,
}

impl ScenarioError {
    /// A mistake at octets `span` of `text`, the content of the file `name`.
    #[must_use]
    pub fn new(
        name: &str,
        text: &str,
        span: Range<usize>,
        message: impl Into<String>,
        help: Option<String>,
    ) -> Self {
        let start = span.start.min(text.len());
        let length = span.end.min(text.len()).saturating_sub(start);
        Self {
            message: plain(&message.into()).into(),
            source_code: Arc::new(NamedSource::new(plain(name), in_place(text).into_owned())),
            span: Some((start, length).into()),
            help: help.map(|help| plain(&help).into()),
        }
    }

    /// The same for a mistake found among words.
    #[must_use]
    pub fn from_text(name: &str, text: &str, error: TextError) -> Self {
        Self::new(name, text, error.span, error.message, error.help)
    }

    /// A file that cannot be opened or read.
    #[must_use]
    pub fn cannot_open(name: &str, error: &std::io::Error) -> Self {
        let reason = match error.kind() {
            std::io::ErrorKind::NotFound => "no such file".to_owned(),
            std::io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
            _ => error.to_string(),
        };
        Self::of_file(name, format!("cannot open {name}: {reason}"), None)
    }

    /// A file whose `bytes` are not UTF-8: the first that is not is marked.
    #[must_use]
    pub fn not_utf8(name: &str, bytes: &[u8]) -> Self {
        let valid = bytes
            .utf8_chunks()
            .next()
            .map_or(0, |chunk| chunk.valid().len());
        let text = String::from_utf8_lossy(bytes);
        let byte = bytes.get(valid).copied().unwrap_or_default();
        Self::new(
            name,
            &text,
            // A replacement character takes three octets.
            valid..valid + 3,
            format!("byte 0x{byte:02x} at offset {valid} is not UTF-8"),
            Some("save the file as UTF-8 text".into()),
        )
    }

    /// A file of a scenario that cannot be read.
    #[must_use]
    pub fn unreadable(name: &str, error: &std::io::Error) -> Self {
        Self {
            help: Some("a scenario is a directory with a file `scenario` and the configurations that it names".into()),
            ..Self::cannot_open(name, error)
        }
    }

    /// The scenario of the file `name` cannot be named.
    pub(super) fn misnamed(name: &str) -> Self {
        let message = format!(
            "{name}: the name of a scenario is that of its directory, and this one cannot be"
        );
        let help = "use letters, digits, `-`, `_`, `.`, `+`, `,`, `:`, `@`, `=`, `~` and `%`, and begin with none of `-` and `~`";
        Self::of_file(name, message, Some(help.into()))
    }

    /// A mistake in no particular line of the file `name`.
    fn of_file(name: &str, message: String, help: Option<String>) -> Self {
        Self {
            span: None,
            ..Self::new(name, "", 0..0, message, help)
        }
    }
}
