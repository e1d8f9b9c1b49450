//! A capture of a session that ended becomes a scenario and a plan.
//!
//! Start at [`Import::of`]. [`trace`] reads the capture, [`timeline`] is the session in it as a speaker and its peer.
//! The peer replays the captured octets. The speaker regenerates them if it can ([`own`]: a configuration
//! and API commands), and replays them verbatim if it cannot. The result is run before it is accepted
//! ([`check`]): in both modes the same octets at the same microseconds, and the reset on the same octet.

pub mod against;
pub mod bird;
pub mod check;
pub mod configuration;
pub mod error;
pub mod opening;
pub mod own;
pub mod text;
pub mod timeline;
pub mod trace;

mod files;
mod plan;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::rc::Rc;

pub use error::ImportError;
pub use timeline::{Choice, Ended, Timeline};
pub use trace::Trace;

use crate::compare::Declared;
use crate::explore::plan::Plan;
use crate::explore::run::Runner;
use crate::scenario::format::parse;
use crate::sim::{Direction as Way, Keep};
use crate::subject::Variant;

/// How the speaker produces the captured octets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Voice {
    /// Regenerated from a configuration and this many API commands.
    Own(usize),
    /// Replayed verbatim, for this reason.
    Verbatim(String),
}

/// A capture that has become a scenario and a plan.
#[derive(Debug, Clone)]
pub struct Import {
    /// The scenario's name.
    pub name: String,
    /// The session to replay.
    pub timeline: Timeline,
    /// How the speaker produces its side.
    pub voice: Voice,
    /// The plan with the reset.
    pub plan: Plan,
    /// Lines of the connections that were left out, numbered as in the capture.
    pub left_out: String,
}

/// Name of the API program that sends the commands.
const PROGRAM: &str = "import";

impl Import {
    /// Reads the capture `file`, and writes scenario, plan and golden below `directory`.
    ///
    /// # Errors
    /// There is no such session in it, or part of it is missing; a file cannot be written; the replay differs from the
    /// capture.
    pub fn of(
        file: &Path,
        choice: &Choice,
        verbatim: bool,
        declared: &Declared,
        directory: &Path,
    ) -> Result<Self, ImportError> {
        let trace = Trace::read(file, declared)?;
        let first = Self::from(&trace, file, choice, verbatim, directory);
        let Err(ImportError::Differs { .. }) = &first else {
            return first;
        };
        // Our speaker may say more than the captured one did; at the other end it may not.
        let Some(other) = choice.speaker.is_none().then(|| trace.other_end(choice)) else {
            return first;
        };
        let choice = Choice {
            speaker: Some(other?),
            ..*choice
        };
        match Self::from(&trace, file, &choice, verbatim, directory) {
            Ok(import) => Ok(import),
            Err(_) => first,
        }
    }

    fn from(
        trace: &Trace,
        file: &Path,
        choice: &Choice,
        verbatim: bool,
        directory: &Path,
    ) -> Result<Self, ImportError> {
        let conversation = trace.chosen(choice)?;
        let others = (1..)
            .zip(&trace.conversations)
            .filter(|(_, other)| other.id() != conversation.id());
        let mut import = Self {
            name: name(file),
            timeline: Timeline::of(conversation, &trace.contexts, choice)?,
            voice: Voice::Own(0),
            plan: Plan::quiet(name(file)),
            left_out: trace::listed(others),
        };
        import.voice = match import.own(file, directory, verbatim)? {
            Ok(commands) => Voice::Own(commands),
            Err(reason) => {
                import.replay_verbatim(file, directory, &reason)?;
                Voice::Verbatim(reason)
            }
        };
        files::golden(&import.timeline, file, &import.name, directory)?;
        Ok(import)
    }

    /// The regenerated side, if its octets are the captured ones; otherwise the reason.
    fn own(
        &mut self,
        file: &Path,
        directory: &Path,
        verbatim: bool,
    ) -> Result<Result<usize, String>, ImportError> {
        if verbatim {
            return Ok(Err(String::from("as asked for")));
        }
        let Some(configuration) = self.configuration(Some(PROGRAM)) else {
            return Ok(Err(String::from("its OPEN does not decode")));
        };
        let batches = match own::commands(&self.timeline, &configuration) {
            Ok(batches) => batches,
            Err(reason) => return Ok(Err(reason)),
        };
        files::scenario(
            self,
            file,
            directory,
            &configuration,
            &files::program(&self.timeline, &batches),
        )?;
        let commands = batches.iter().map(|batch| batch.lines.len()).sum();
        let paced = plan::pace(&self.timeline);
        Ok(self
            .settle(file, directory, &paced)?
            .map_or(Ok(commands), |(_, what)| Err(what)))
    }

    fn replay_verbatim(
        &mut self,
        file: &Path,
        directory: &Path,
        reason: &str,
    ) -> Result<(), ImportError> {
        let configuration = self.configuration(None).unwrap_or_default();
        let verbatim = files::verbatim(&self.timeline, reason);
        files::scenario(self, file, directory, &configuration, &verbatim)?;
        match self.settle(file, directory, &[])? {
            None => Ok(()),
            Some((variant, what)) => Err(ImportError::Differs {
                variant,
                what,
                help: format!(
                    "it is in {}: look at it with `lockstep replay {}/plan --verbose`",
                    directory.display(),
                    directory.display()
                ),
            }),
        }
    }

    /// Writes the plan whose reset is at the right octet in both modes; otherwise the last one tried, and where it
    /// differs.
    fn settle(
        &mut self,
        file: &Path,
        directory: &Path,
        paced: &[crate::sim::Fault],
    ) -> Result<Option<(Variant, String)>, ImportError> {
        let scenario = parse::load(&directory.join(&self.name))?;
        let runner = Runner::new(Rc::new(scenario), &Variant::both())?;
        let mut differs = None;
        for end in plan::ends(&self.timeline) {
            let mut faults = paced.to_vec();
            faults.extend(end);
            self.plan = plan::of(&self.name, faults);
            differs = None;
            for variant in Variant::both() {
                let ran = runner.run(&self.plan, &variant, Keep::Sockets, None)?;
                if let Some(what) = check::deviation(&self.timeline, &ran) {
                    differs = Some((variant, what));
                    break;
                }
            }
            if differs.is_none() {
                break;
            }
        }
        files::plan(self, file, directory)?;
        Ok(differs)
    }

    fn configuration(&self, process: Option<&str>) -> Option<String> {
        let open = configuration::read(self.timeline.open(Way::Sent)?)?;
        let answer = self
            .timeline
            .open(Way::Received)
            .and_then(configuration::read);
        Some(configuration::text(
            &open,
            answer.as_ref(),
            self.timeline.replay_address(),
            process,
        ))
    }
}

impl Timeline {
    /// The address of both ends in the replay: every network has it.
    #[must_use]
    pub const fn replay_address(&self) -> IpAddr {
        match self.speaker {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        }
    }
}

/// A scenario's name from that of a capture: letters, digits and hyphens.
fn name(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let name: String = stem
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' {
                c
            } else {
                '-'
            }
        })
        .collect();
    // No option begins with a hyphen; standard input, `-`, has no name of its own.
    match name.trim_start_matches('-') {
        "" => String::from("trace"),
        name => name.to_owned(),
    }
}

impl fmt::Display for Voice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(commands) => write!(
                f,
                "regenerated from a configuration and {commands} API command(s)"
            ),
            Self::Verbatim(reason) => write!(f, "replayed byte for byte: {reason}"),
        }
    }
}
