//! Configuration text to statements: words that end in `;`, `{` or `}`.
//!
//! The tokens are ExaBGP's: white space parts words; `, [ ] ( )` stand alone; `#` starts a comment;
//! `"` and `'` hold spaces together; a backslash escapes the next character, and at the end of a line continues it.

use std::ops::Range;

use crate::bgp::text::{TextError, Word, Words};

use super::plain_route::PlainRoute;
use super::window::Window;

/// What ended a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// `;`
    Semicolon,
    /// `{`: a section begins.
    Open,
    /// `}`: the section that is open ends. There are no words before it.
    Close,
    /// The text is at its end. There are no words before it.
    Finished,
}

/// The words up to a `;`, `{` or `}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The words, without the terminator.
    pub words: Vec<Word>,
    /// The terminator: `;`, `{`, `}` or the end of the text.
    pub end: End,
    /// Where it ended, in octets of the source.
    pub at: usize,
}

impl Statement {
    /// The first word and a cursor over the others; nothing where the statement is empty.
    #[must_use]
    pub fn keyword(&self) -> Option<(&Word, Words<'_>)> {
        let (first, rest) = self.words.split_first()?;
        Some((first, Words::new(rest, self.at)))
    }
}

const MOST_WARNINGS: usize = 1000;

/// Words whose arguments are not cut at parentheses: programs, patterns, and free text.
const VERBATIM: [&str; 6] = [
    "run",
    "processes-match",
    "description",
    "md5-password",
    "host-name",
    "domain-name",
];

/// Cuts text into statements, one at a time.
#[derive(Debug)]
pub struct Lexer<'s> {
    source: Window<'s>,
    /// The next octet of the window.
    at: usize,
    /// A statement may end with the text, and lines do not matter: an API command.
    command: bool,
    /// What is passed over, as ExaBGP passes over it.
    pub warnings: Vec<TextError>,
}

impl<'s> Lexer<'s> {
    /// The statements of a configuration.
    #[must_use]
    pub const fn new(source: Window<'s>) -> Self {
        Self {
            source,
            at: 0,
            command: false,
            warnings: Vec::new(),
        }
    }

    /// The statements of an API command, the text of which begins at octet `at` of `source`.
    #[must_use]
    pub const fn command(source: &'s str, at: usize) -> Self {
        Self {
            source: Window::whole(source),
            at,
            command: true,
            warnings: Vec::new(),
        }
    }

    /// The next statement; errors go to `mistakes`, and the statement is returned as if corrected.
    pub fn next(&mut self, mistakes: &mut Vec<TextError>) -> Statement {
        let (known, warned) = (mistakes.len(), self.warnings.len());
        loop {
            let start = self.at;
            let statement = self.statement(mistakes);
            // What looked beyond the window has also come to its end.
            if self.at < self.source.text().len() || !self.source.has_more() {
                return statement;
            }
            mistakes.truncate(known);
            self.warnings.truncate(warned);
            self.source.slide(start);
            self.at = 0;
        }
    }

    /// The line that stands here, where it is so plain; nothing is taken. A command is read but once.
    #[must_use]
    pub fn plain_route(&self) -> Option<PlainRoute<'_>> {
        let line = if self.command { "" } else { self.rest() };
        PlainRoute::find(line, self.place(self.at))
    }

    /// Keeps a warning: the first of them, which are enough.
    pub fn warn(&mut self, warning: TextError) {
        if self.warnings.len() < MOST_WARNINGS {
            self.warnings.push(warning);
        }
    }

    /// Reads no further.
    pub fn give_up(&mut self) -> Statement {
        self.at = self.source.text().len();
        self.source.end();
        self.finish(Vec::new(), &mut Vec::new())
    }

    /// Takes the next `length` octets of the window, which are whole statements.
    pub const fn pass(&mut self, length: usize) {
        self.at += length;
    }

    /// Why the text could not be read to its end, if so.
    pub const fn failure(&mut self) -> Option<std::io::Error> {
        self.source.failure()
    }

    /// The next statement of the window.
    fn statement(&mut self, mistakes: &mut Vec<TextError>) -> Statement {
        let mut words: Vec<Word> = Vec::new();
        loop {
            let Some(byte) = self.peek() else {
                return self.finish(words, mistakes);
            };
            match byte {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\n' => {
                    if !words.is_empty() && !self.command {
                        missing_semicolon(&words, "at the end of the line", mistakes);
                        return self.end(words, End::Semicolon);
                    }
                    self.at += 1;
                }
                b'#' => self.comment(),
                b'\\' if self.continued() => self.at += self.continuation(),
                b';' => return self.end(words, End::Semicolon),
                b'{' => return self.end(words, End::Open),
                b'}' if words.is_empty() => return self.end(words, End::Close),
                b'}' if self.command => {
                    missing_semicolon(&words, "before `}`", mistakes);
                    let at = self.place(self.at);
                    return Statement {
                        words,
                        end: End::Semicolon,
                        at,
                    };
                }
                b'}' => {
                    self.cut_off(&words);
                    return self.end(Vec::new(), End::Close);
                }
                b',' | b'[' | b']' => words.push(self.sign()),
                b'(' | b')' if !verbatim(&words) => words.push(self.sign()),
                _ => {
                    let keep = verbatim(&words);
                    words.push(self.word(keep, mistakes));
                }
            }
        }
    }

    /// `words` are no statement, since `}` follows them.
    fn cut_off(&mut self, words: &[Word]) {
        let start = words.first().map_or(0, |word| word.span.start);
        let end = words.last().map_or(0, |word| word.span.end);
        self.warn(
            TextError::new(start..end, "this is ignored: `;` is missing before `}`")
                .help("end the statement with `;`; ExaBGP too ignores what `}` cuts off"),
        );
    }

    /// Whether nothing but white space, comments and closing braces follows.
    #[must_use]
    pub fn is_at_end(&mut self) -> bool {
        while self.source.has_more() {
            self.source.slide(std::mem::take(&mut self.at));
        }
        self.source.text()[self.at..]
            .lines()
            .map(|line| line.trim_start_matches([' ', '\t', '}', ';', '\r']))
            .all(|line| line.is_empty() || line.starts_with('#'))
    }

    fn peek(&self) -> Option<u8> {
        self.source.text().as_bytes().get(self.at).copied()
    }

    /// What is left of the window.
    fn rest(&self) -> &str {
        &self.source.text()[self.at..]
    }

    /// Where octet `at` of the window is in the source.
    const fn place(&self, at: usize) -> usize {
        self.source.base() + at
    }

    /// The octets of the window from `start` to here, as a place in the source.
    const fn since(&self, start: usize) -> Range<usize> {
        self.place(start)..self.place(self.at)
    }

    fn end(&mut self, words: Vec<Word>, end: End) -> Statement {
        let at = self.place(self.at);
        self.at += 1;
        Statement { words, end, at }
    }

    fn finish(&mut self, words: Vec<Word>, mistakes: &mut Vec<TextError>) -> Statement {
        let at = self.place(self.source.text().len());
        let end = if words.is_empty() {
            End::Finished
        } else {
            if !self.command {
                missing_semicolon(&words, "at the end of the text", mistakes);
            }
            End::Semicolon
        };
        Statement { words, end, at }
    }

    fn comment(&mut self) {
        let rest = self.rest();
        self.at += rest.find('\n').unwrap_or(rest.len());
    }

    /// Whether the backslash here ends its line.
    fn continued(&self) -> bool {
        self.rest()[1..]
            .trim_start_matches(['\r', ' ', '\t'])
            .starts_with('\n')
    }

    /// Octets of the backslash here and of what is left of its line.
    fn continuation(&self) -> usize {
        let rest = self.rest();
        rest.find('\n').map_or(rest.len(), |length| length + 1)
    }

    /// A token of one character.
    fn sign(&mut self) -> Word {
        let text = self.rest()[..1].to_owned();
        self.at += 1;
        Word {
            text,
            span: self.since(self.at - 1),
        }
    }

    fn word(&mut self, keep_parentheses: bool, mistakes: &mut Vec<TextError>) -> Word {
        let start = self.at;
        let mut text = String::new();
        let mut run = start;
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{' | b'}' | b'#' | b',' | b'[' | b']' => {
                    break;
                }
                b'(' | b')' if !keep_parentheses => break,
                b'\\' if self.continued() => break,
                b'\\' => {
                    text.push_str(&self.source.text()[run..self.at]);
                    let escaped = self.escape(mistakes);
                    text.push_str(&escaped);
                    run = self.at;
                }
                b'"' | b'\'' => {
                    text.push_str(&self.source.text()[run..self.at]);
                    let quoted = self.quoted(byte, mistakes);
                    text.push_str(&quoted);
                    run = self.at;
                }
                _ => self.at += 1,
            }
        }
        text.push_str(&self.source.text()[run..self.at]);
        Word {
            text,
            span: self.since(start),
        }
    }

    /// The text between two quotation marks, of which the first stands here.
    fn quoted(&mut self, mark: u8, mistakes: &mut Vec<TextError>) -> String {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        let mut run = self.at;
        while let Some(byte) = self.peek() {
            if byte == mark {
                text.push_str(&self.source.text()[run..self.at]);
                self.at += 1;
                return text;
            }
            match byte {
                b'\\' => {
                    text.push_str(&self.source.text()[run..self.at]);
                    if self.continued() {
                        self.at += self.continuation();
                    } else {
                        text.push_str(&self.escape(mistakes));
                    }
                    run = self.at;
                }
                b'\n' => break,
                _ => self.at += 1,
            }
        }
        text.push_str(&self.source.text()[run..self.at]);
        let mark = char::from(mark);
        mistakes.push(
            TextError::new(self.since(start), "the quotation mark is not closed").help(format!(
                "end the text with another `{mark}` on the same line"
            )),
        );
        text
    }

    /// The character that a backslash stands before, by ExaBGP's list.
    fn escape(&mut self, mistakes: &mut Vec<TextError>) -> String {
        let start = self.at;
        self.at += 1;
        let Some(character) = self.rest().chars().next() else {
            mistakes.push(TextError::new(
                self.since(start),
                "nothing follows the backslash",
            ));
            return String::new();
        };
        self.at += character.len_utf8();
        let plain = match character {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unicode(start, mistakes),
            other => other,
        };
        plain.to_string()
    }

    /// The four digits of `\u20ac`.
    fn unicode(&mut self, start: usize, mistakes: &mut Vec<TextError>) -> String {
        let digits = self.rest().get(..4);
        let code = digits
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .and_then(char::from_u32);
        let Some(character) = code else {
            mistakes.push(
                TextError::new(
                    self.since(start),
                    "`\\u` needs a character's four hexadecimal digits",
                )
                .help("write for example \\u0041"),
            );
            return String::new();
        };
        self.at += 4;
        character.to_string()
    }
}

fn verbatim(words: &[Word]) -> bool {
    words
        .first()
        .is_some_and(|word| VERBATIM.contains(&word.text.as_str()))
}

fn missing_semicolon(words: &[Word], place: &str, mistakes: &mut Vec<TextError>) {
    let end = words.last().map_or(0, |word| word.span.end);
    let start = words.last().map_or(0, |word| word.span.start);
    // An open quotation mark has taken the `;` into its text, and is reported already.
    if mistakes
        .last()
        .is_some_and(|last| last.span == (start..end))
    {
        return;
    }
    mistakes.push(
        TextError::new(start..end, format!("`;` is missing {place}"))
            .help("end the statement with `;`, or continue it on the next line with a backslash at the end of this one"),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(mut lexer: Lexer<'_>) -> (Vec<Statement>, Vec<TextError>) {
        let mut mistakes = Vec::new();
        let mut statements = Vec::new();
        loop {
            let statement = lexer.next(&mut mistakes);
            if statement.end == End::Finished {
                return (statements, mistakes);
            }
            statements.push(statement);
        }
    }

    fn lex(source: &str) -> (Vec<String>, Vec<TextError>) {
        let (statements, mistakes) = statements(Lexer::new(Window::whole(source)));
        let line = |statement: &Statement| {
            let words: Vec<&str> = statement
                .words
                .iter()
                .map(|word| word.text.as_str())
                .collect();
            let end = match statement.end {
                End::Semicolon => ";",
                End::Open => "{",
                End::Close => "}",
                End::Finished => unreachable!(),
            };
            format!("{}{end}", words.join("|"))
        };
        (statements.iter().map(line).collect(), mistakes)
    }

    #[test]
    fn statements_and_sections() {
        let (lines, mistakes) =
            lex("neighbor 10.0.0.1 { # a peer\n  local-as 1;\n}process a { run \"./a b\" c; }\n");
        assert_eq!(
            lines,
            [
                "neighbor|10.0.0.1{",
                "local-as|1;",
                "}",
                "process|a{",
                "run|./a b|c;",
                "}"
            ]
        );
        assert_eq!(mistakes, []);
    }

    #[test]
    fn lists_stand_alone_but_patterns_do_not() {
        let (lines, _) = lex("community [1:2,3:4];as-path (1 2);processes-match [ ^a(b|c)$ ];");
        assert_eq!(
            lines,
            [
                "community|[|1:2|,|3:4|];",
                "as-path|(|1|2|);",
                "processes-match|[|^a(b|c)$|];"
            ]
        );
    }

    #[test]
    fn lines_continue_and_characters_are_escaped() {
        let (lines, mistakes) =
            lex("route 10.0.0.0/8 \\\n  next-hop self;\ndescription a\\u0041\\\"b;");
        assert_eq!(
            lines,
            ["route|10.0.0.0/8|next-hop|self;", "description|aA\"b;"]
        );
        assert_eq!(mistakes, []);
    }

    #[test]
    fn a_missing_semicolon_is_told_and_survived() {
        let (lines, mistakes) = lex("local-as 1\npeer-as 2;\nx { parsed; update }");
        assert_eq!(lines, ["local-as|1;", "peer-as|2;", "x{", "parsed;", "}"]);
        let told: Vec<&str> = mistakes
            .iter()
            .map(|mistake| mistake.message.as_str())
            .collect();
        assert_eq!(told, ["`;` is missing at the end of the line"]);
    }

    #[test]
    fn what_a_brace_cuts_off_is_ignored_with_a_warning_but_is_a_mistake_in_a_command() {
        let text = "a { all }";
        let mut lexer = Lexer::new(Window::whole(text));
        let mut mistakes = Vec::new();
        lexer.next(&mut mistakes);
        let cut = lexer.next(&mut mistakes);
        assert_eq!((cut.words, cut.end), (Vec::new(), End::Close));
        assert_eq!(mistakes, []);
        assert_eq!(lexer.warnings[0].span, 4..7);
        statements(Lexer::command(text, 0)).1.remove(0);
    }

    proptest::proptest! {
        #[test]
        fn read_in_pieces_it_is_the_same(
            parts in proptest::collection::vec(
                proptest::sample::select(vec![
                    "route", "é", " ", "  ", "\n", ";", "{", "}", "[", ",", "(", "#", "\\", "\"", "'", "\\u0041", "\r",
                ]),
                0..40,
            ),
            piece in 1..9_usize,
        ) {
            let text = parts.concat();
            let mut source = text.as_bytes();
            proptest::prop_assert_eq!(
                statements(Lexer::new(Window::sliding(&mut source, piece))),
                statements(Lexer::new(Window::whole(&text)))
            );
        }
    }
}
