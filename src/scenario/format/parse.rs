//! A scenario's text to a [`Scenario`].

use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use crate::bgp::text::{TextError, Word, Words};
use crate::os::small_file;
use crate::scenario::format::error::ScenarioError;
use crate::scenario::format::lines::{self, Line};
use crate::scenario::format::parse_peer;
use crate::scenario::format::parse_program;
use crate::scenario::format::parse_speaker::{Placing, SPEAKER, SpeakerDraft};
use crate::scenario::format::parse_topology::{self, address};
use crate::scenario::format::parse_verbatim::Draft;
use crate::scenario::format::script::{
    GoldenSource, OpenAnswer, PeerScript, ProgramScript, Scenario, TableEntry,
};
use crate::scenario::format::topology::Topology;
use crate::scenario::format::values::{duration, unknown};

const HEAD: &str = "about, config, attempts, environment, golden, settle, why, not-applicable, host, link, partition, tcp, \
                    speaker, process, control, peer, verbatim or hold";

/// Reads the scenario of `directory`.
///
/// # Errors
/// Where its file cannot be read or says something that no scenario says.
pub fn load(directory: &Path) -> Result<Scenario, ScenarioError> {
    let path = directory.join("scenario");
    let name = path.display().to_string();
    if let Some(file_name) = directory.file_name()
        && !is_name(&file_name.to_string_lossy())
    {
        return Err(ScenarioError::misnamed(&name));
    }
    let text =
        small_file::read_text(&path).map_err(|error| ScenarioError::unreadable(&name, &error))?;
    parse(directory, &text).map_err(|error| ScenarioError::from_text(&name, &text, error))
}

/// Whether a scenario's directory may have this name: it is printed in commands to paste, in XML, Markdown and HTML.
fn is_name(name: &str) -> bool {
    let is_kept = |c: char| c.is_alphanumeric() || "-_.+,:@=~%".contains(c);
    !name.starts_with(['-', '~']) && name.chars().all(is_kept)
}

/// Reads `text` as the scenario of `directory`.
///
/// # Errors
/// Where it says something that no scenario says.
pub fn parse(directory: &Path, text: &str) -> Result<Scenario, TextError> {
    let mut parser = Parser::new(directory);
    for line in lines::split(text)? {
        parser.line(&line)?;
    }
    parser.finish(text.len())
}

enum Section {
    Head,
    Speaker(usize),
    Program(usize),
    Peer(usize, Option<usize>),
    Verbatim,
    Hold,
}

struct Parser {
    scenario: Scenario,
    section: Section,
    verbatims: Vec<Draft>,
    /// What the head says of every speaker.
    usual: SpeakerDraft,
    speakers: Vec<SpeakerDraft>,
    /// The hosts whose TCP is set, and where they are named: there may be more hosts to come.
    hosts_of_tcp: Vec<Word>,
}

impl Parser {
    fn new(directory: &Path) -> Self {
        Self {
            scenario: Scenario {
                name: directory
                    .file_name()
                    .map(|name| name.to_string_lossy().into_owned())
                    .unwrap_or_default(),
                directory: directory.to_owned(),
                about: String::new(),
                topology: Topology::default(),
                speakers: Vec::new(),
                golden: GoldenSource::ExaBgp,
                settle: Duration::from_millis(200),
                why: None,
                not_applicable: Vec::new(),
                programs: Vec::new(),
                peers: Vec::new(),
                verbatims: Vec::new(),
                table: None,
            },
            section: Section::Head,
            verbatims: Vec::new(),
            usual: SpeakerDraft::default(),
            speakers: Vec::new(),
            hosts_of_tcp: Vec::new(),
        }
    }

    fn line(&mut self, line: &Line) -> Result<(), TextError> {
        let mut words = Words::new(&line.words, line.span.end);
        let head = words.word("a keyword")?;
        match head.text.as_str() {
            "process" => self.program(&mut words, false)?,
            "control" => self.program(&mut words, true)?,
            "peer" => self.peer(&mut words)?,
            "host" | "link" | "partition" | "tcp" => {
                self.section = Section::Head;
                let topology = &mut self.scenario.topology;
                match head.text.as_str() {
                    "host" => parse_topology::host(topology, &mut words)?,
                    "link" => parse_topology::link(topology, &mut words)?,
                    "tcp" => self
                        .hosts_of_tcp
                        .extend(parse_topology::tcp(topology, &mut words)?),
                    _ => parse_topology::partition(topology, &mut words)?,
                }
            }
            "speaker" => {
                let draft = self.placing().speaker(&mut words)?;
                self.section = Section::Speaker(self.speakers.len());
                self.speakers.push(draft);
            }
            "verbatim" => {
                let topology = &self.scenario.topology;
                let peer = address(topology, &mut words, "the address of a peer")?;
                self.section = Section::Verbatim;
                self.verbatims.push(Draft::new(peer, line.span.clone()));
            }
            "hold" => {
                self.section = Section::Hold;
                self.scenario.table.get_or_insert_default();
            }
            keyword => match &mut self.section {
                Section::Head => {
                    if !self.usual.line(keyword, &mut words)? {
                        self.head(keyword, &head.span, &mut words)?;
                    }
                }
                Section::Speaker(at) => {
                    if !self.speakers[*at].line(keyword, &mut words)? {
                        return Err(unknown(&head.span, keyword, SPEAKER));
                    }
                }
                Section::Program(at) => {
                    let steps = &mut self.scenario.programs[*at].steps;
                    parse_program::step(steps, keyword, line, &mut words, &self.scenario.topology)?;
                }
                Section::Peer(at, connection) => {
                    let peer = &mut self.scenario.peers[*at];
                    let topology = &self.scenario.topology;
                    parse_peer::step(peer, connection, keyword, line, &mut words, topology)?;
                }
                Section::Verbatim => {
                    if let Some(draft) = self.verbatims.last_mut() {
                        draft.step(keyword, &head.span, &mut words)?;
                    }
                }
                Section::Hold => {
                    let table = self.scenario.table.get_or_insert_default();
                    hold(table, keyword, &head.span, &mut words)?;
                }
            },
        }
        words.finish()
    }

    fn placing(&mut self) -> Placing<'_> {
        Placing {
            scenario: &mut self.scenario,
            usual: &mut self.usual,
            speakers: &mut self.speakers,
        }
    }

    fn program(&mut self, words: &mut Words<'_>, is_control: bool) -> Result<(), TextError> {
        let name = words.word(if is_control {
            "the name of a speaker"
        } else {
            "the name of a process"
        })?;
        let taken = self.scenario.programs.iter().any(|p| p.name == name.text);
        if taken {
            return Err(TextError::new(
                name.span.clone(),
                format!("`{}` has a section already", name.text),
            ));
        }
        self.section = Section::Program(self.scenario.programs.len());
        self.scenario.programs.push(ProgramScript {
            name: name.text.clone(),
            is_control,
            steps: Vec::new(),
        });
        Ok(())
    }

    fn peer(&mut self, words: &mut Words<'_>) -> Result<(), TextError> {
        let span = words.span();
        let topology = &self.scenario.topology;
        let address = address(topology, words, "the address of a peer")?;
        let host = self.placing().host_of_peer(address, &span)?;
        if self.scenario.peers.iter().any(|p| p.address == address) {
            return Err(TextError::new(
                span,
                format!("the peer {address} has a section already"),
            ));
        }
        self.section = Section::Peer(self.scenario.peers.len(), None);
        self.scenario.peers.push(PeerScript {
            host,
            address,
            open: OpenAnswer::default(),
            patient: false,
            steps: Vec::new(),
            connections: Vec::new(),
        });
        Ok(())
    }

    fn head(
        &mut self,
        keyword: &str,
        span: &Range<usize>,
        words: &mut Words<'_>,
    ) -> Result<(), TextError> {
        let scenario = &mut self.scenario;
        match keyword {
            "about" => scenario.about = rest(words, "what the scenario exercises")?,
            "why" => scenario.why = Some(rest(words, "the reason")?),
            "not-applicable" => not_applicable(scenario, words)?,
            "golden" => {
                let word = words.word("`exabgp`, `messages` or `none`")?;
                scenario.golden = match word.text.as_str() {
                    "exabgp" => GoldenSource::ExaBgp,
                    "messages" => GoldenSource::Messages,
                    "none" => GoldenSource::None,
                    other => {
                        return Err(TextError::new(
                            word.span.clone(),
                            format!("`{other}` is not where a golden can come from"),
                        )
                        .help("write exabgp (recorded), messages (built from golden.messages) or none (the steps decide)"));
                    }
                };
            }
            "settle" => scenario.settle = duration(words)?,
            other => return Err(unknown(span, other, HEAD)),
        }
        Ok(())
    }

    fn finish(mut self, end: usize) -> Result<Scenario, TextError> {
        if self.scenario.about.is_empty() {
            return Err(TextError::new(0..0, "the scenario has no description")
                .help("begin it with a line `about …`"));
        }
        // Two speakers are each other's peers; what they do is then seen by their programs, or by how they end.
        let ends = self.speakers.iter().any(SpeakerDraft::ends);
        let suffices = ends || self.speakers.len() > 1 && !self.scenario.programs.is_empty();
        if self.scenario.peers.is_empty() && !suffices {
            return Err(TextError::new(end..end, "the scenario has no peer")
                .help("add a line `peer 127.0.0.1` and what it expects"));
        }
        self.scenario.speakers = self.placing().place_speakers()?;
        for word in &self.hosts_of_tcp {
            parse_topology::known_host(&self.scenario.topology, word)?;
        }
        for draft in self.verbatims {
            self.scenario.verbatims.push(draft.finish()?);
        }
        Ok(self.scenario)
    }
}

/// A speaker that the scenario is not for, and why: what its documentation says.
fn not_applicable(scenario: &mut Scenario, words: &mut Words<'_>) -> Result<(), TextError> {
    let speaker = words.word("the name of a speaker")?;
    if scenario.why_not(&speaker.text).is_some() {
        return Err(TextError::new(
            speaker.span.clone(),
            format!("`{}` has a reason already", speaker.text),
        ));
    }
    let why = rest(words, "why it is not, and where that is documented")?;
    scenario.not_applicable.push((speaker.text.clone(), why));
    Ok(())
}

fn hold(
    table: &mut Vec<TableEntry>,
    keyword: &str,
    span: &Range<usize>,
    words: &mut Words<'_>,
) -> Result<(), TextError> {
    if keyword != "table" {
        return Err(unknown(span, keyword, "table"));
    }
    if words.accept("empty") {
        return Ok(());
    }
    let prefix = words.parse("a prefix, or `empty`")?;
    let next_hop = if words.accept("next-hop") {
        Some(words.parse("an address")?)
    } else {
        None
    };
    table.push(TableEntry { prefix, next_hop });
    Ok(())
}

fn rest(words: &mut Words<'_>, expected: &str) -> Result<String, TextError> {
    let mut text = words.word(expected)?.text.clone();
    while let Some(word) = words.take() {
        text.push(' ');
        text.push_str(&word.text);
    }
    Ok(text)
}
