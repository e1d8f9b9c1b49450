//! The `process` section: an API program.

use crate::bgp::text::{TextError, Word, Words};

use super::{suggest, value};

/// The words of the section.
const KEYWORDS: [&str; 3] = ["run", "encoder", "respawn"];

/// The format in which a process receives events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoder {
    /// `encoder json`.
    #[default]
    Json,
    /// `encoder text`.
    Text,
}

/// An API program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// The name by which `api` sections refer to it.
    pub name: String,
    /// The program and its arguments, as written: a relative program is looked for by whoever starts it.
    pub run: Vec<String>,
    /// Where the program stands in the text, in octets.
    pub at: std::ops::Range<usize>,
    /// The format of the events that it receives.
    pub encoder: Encoder,
    /// Whether it is started again when it ends.
    pub respawn: bool,
}

/// How the process that stands for ExaBGP's command-line client is called, up to a number.
const CLIENT: &str = "api-internal-cli";

impl Process {
    /// The process that stands for ExaBGP's command-line client.
    #[must_use]
    pub fn client(number: u32) -> Self {
        Self {
            name: format!("{CLIENT}-{number:x}"),
            run: vec![CLIENT.to_owned()],
            at: 0..0,
            encoder: Encoder::Text,
            respawn: true,
        }
    }
}

/// Whether a process of that name is ExaBGP's command-line client: it may command every neighbor, and is always
/// answered.
#[must_use]
pub fn is_client(name: &str) -> bool {
    name.starts_with(CLIENT)
}

/// What the section says.
#[derive(Debug, Clone, Default)]
pub struct ProcessDraft {
    run: Option<(Vec<String>, std::ops::Range<usize>)>,
    encoder: Option<Encoder>,
    respawn: Option<bool>,
}

impl ProcessDraft {
    /// Takes one statement.
    ///
    /// # Errors
    /// Where the keyword is unknown or its value is wrong.
    pub fn set(&mut self, keyword: &Word, words: &mut Words<'_>) -> Result<(), TextError> {
        match keyword.text.as_str() {
            "run" => {
                let program = words.word("the program")?;
                let mut command = vec![program.text.clone()];
                while let Some(word) = words.take() {
                    command.push(word.text.clone());
                }
                self.run = Some((command, program.span.clone()));
            }
            "encoder" => {
                let word = words.word("an encoder")?;
                self.encoder = Some(match word.text.as_str() {
                    "json" => Encoder::Json,
                    "text" => Encoder::Text,
                    _ => return Err(suggest::unknown(word, "as an encoder", &["json", "text"])),
                });
            }
            "respawn" => self.respawn = Some(value::boolean(words, true)?),
            _ => return Err(suggest::unknown(keyword, "in a process", &KEYWORDS)),
        }
        Ok(())
    }

    /// The finished process, called `name`.
    ///
    /// # Errors
    /// Where `run` or `encoder` is missing.
    pub fn finish(self, name: &Word) -> Result<Process, TextError> {
        let missing = |what: &str, help: &str| {
            TextError::new(
                name.span.clone(),
                format!("the process `{}` has no `{what}`", name.text),
            )
            .help(help)
        };
        let (run, at) = self
            .run
            .ok_or_else(|| missing("run", "add for example run ./program.py;"))?;
        Ok(Process {
            name: name.text.clone(),
            run,
            at,
            encoder: self
                .encoder
                .ok_or_else(|| missing("encoder", "add encoder json; or encoder text;"))?,
            respawn: self.respawn.unwrap_or(true),
        })
    }
}
