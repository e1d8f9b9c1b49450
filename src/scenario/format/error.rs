//! A mistake in a file that a person wrote: file, line, column, caret, and what would be right.

use std::ops::Range;

use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;

use crate::bgp::text::TextError;

/// A mistake in a scenario (or a file beside it).
#[derive(Debug, Error, Diagnostic)]
#[error("{message}")]
pub struct ScenarioError {
    message: Box<str>,
    #[source_code]
    source_code: NamedSource<String>,
    #[label("here")]
    span: SourceSpan,
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
            message: message.into().into_boxed_str(),
            source_code: NamedSource::new(name, text.to_owned()),
            span: (start, length).into(),
            help: help.map(String::into_boxed_str),
        }
    }

    /// The same for a mistake found among words.
    #[must_use]
    pub fn from_text(name: &str, text: &str, error: TextError) -> Self {
        Self::new(name, text, error.span, error.message, error.help)
    }

    /// A file that could not be read.
    #[must_use]
    pub fn unreadable(name: &str, error: &std::io::Error) -> Self {
        Self::new(
            name,
            "",
            0..0,
            format!("{name} cannot be read: {error}"),
            Some("a scenario is a directory with a file `scenario` and the configurations that it names".into()),
        )
    }
}
