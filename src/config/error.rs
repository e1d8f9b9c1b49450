//! Mistakes in a configuration, shown with their place in the text.

use std::fmt;
use std::sync::Arc;

#[cfg(not(feature = "cli"))]
use miette::NarratableReportHandler;
use miette::{Diagnostic, LabeledSpan, NamedSource, Severity, SourceCode};
#[cfg(feature = "cli")]
use miette::{GraphicalReportHandler, GraphicalTheme};

use crate::bgp::text::{TextError, in_place, plain};

/// Everything that is wrong with a configuration, in the order of the text.
#[derive(Debug, Clone)]
pub struct ConfigError {
    mistakes: Vec<Mistake>,
}

/// One error and the text that it is in.
#[derive(Debug, Clone)]
pub struct Mistake {
    error: TextError,
    source: Arc<NamedSource<String>>,
    /// A warning: something that is ignored.
    is_warning: bool,
}

impl ConfigError {
    /// `mistakes` (at least one) in the text of the file `name`.
    #[must_use]
    pub fn new(name: &str, text: &str, mistakes: Vec<TextError>) -> Self {
        Self::of(name, text, mistakes, false)
    }

    /// `warnings` (at least one) of what is passed over in the text of the file `name`.
    #[must_use]
    pub fn warnings(name: &str, text: &str, warnings: Vec<TextError>) -> Self {
        Self::of(name, text, warnings, true)
    }

    fn of(name: &str, text: &str, mut mistakes: Vec<TextError>, is_warning: bool) -> Self {
        mistakes.sort_by_key(|mistake| mistake.span.start);
        let source = Arc::new(NamedSource::new(plain(name), in_place(text).into_owned()));
        let mistakes = mistakes
            .into_iter()
            .map(|error| Mistake {
                error: shown(within(error, text)),
                source: Arc::clone(&source),
                is_warning,
            })
            .collect();
        Self { mistakes }
    }

    /// The errors, in the order of the text.
    #[must_use]
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// The whole report without colour, as it stands in logs and tests: file, line, column, the text with a mark, and
    /// what would be right.
    #[must_use]
    pub fn render(&self) -> String {
        #[cfg(feature = "cli")]
        let handler =
            GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(120);
        #[cfg(not(feature = "cli"))]
        let handler = NarratableReportHandler::new();
        let mut report = String::new();
        for mistake in &self.mistakes {
            // A report that cannot be drawn still names its error.
            if handler.render_report(&mut report, mistake).is_err() {
                report.push_str(&mistake.to_string());
                report.push('\n');
            }
        }
        report
    }
}

/// `error` with its span inside `text` and on character boundaries, as the drawing of the report needs it.
fn within(mut error: TextError, text: &str) -> TextError {
    let mut start = error.span.start.min(text.len());
    let mut end = error.span.end.clamp(start, text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    while !text.is_char_boundary(end) {
        end += 1;
    }
    error.span = start..end;
    error
}

/// `error` in words that a terminal can show.
fn shown(error: TextError) -> TextError {
    TextError {
        message: plain(&error.message).into_owned(),
        help: error.help.map(|help| plain(&help).into_owned()),
        ..error
    }
}

impl Mistake {
    /// What is wrong, and where in octets.
    #[must_use]
    pub const fn error(&self) -> &TextError {
        &self.error
    }

    /// File, line and column: `speaker.conf:3:5`.
    #[must_use]
    pub fn place(&self) -> String {
        let (line, column) = self.line_and_column();
        format!("{}:{line}:{column}", self.source.name())
    }

    /// Line and column, both from 1; columns count characters.
    #[must_use]
    pub fn line_and_column(&self) -> (usize, usize) {
        let before = &self.source.inner()[..self.error.span.start];
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        (line, before[start..].chars().count() + 1)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self
            .mistakes
            .first()
            .map_or("", |mistake| mistake.source.name());
        match self.mistakes.len() {
            1 => write!(f, "the configuration {name} has a mistake"),
            count => write!(f, "the configuration {name} has {count} errors"),
        }
    }
}

impl std::error::Error for ConfigError {}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error.message)
    }
}

impl std::error::Error for Mistake {}

impl Diagnostic for ConfigError {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(
            self.mistakes
                .iter()
                .map(|mistake| mistake as &dyn Diagnostic),
        ))
    }
}

impl Diagnostic for Mistake {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.error.help.as_ref()?;
        Some(Box::new(help))
    }

    fn severity(&self) -> Option<Severity> {
        self.is_warning.then_some(Severity::Warning)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&*self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.error.span.clone();
        Some(Box::new(std::iter::once(LabeledSpan::underline(span))))
    }
}
