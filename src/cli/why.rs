//! `lockstep why`: why the sessions of a capture ended.

use std::fs::File;
use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use miette::{IntoDiagnostic, miette};
use serde_json::json;

use super::Status;
use super::diff::print;
use super::encoding::Encoding;
use super::input::Places;
use super::plan_file::{PlanFile, captured};
use super::subject::SubjectArguments;
use super::trust::Trust;
use crate::explore::finished_run::FinishedRun;
use crate::field::why::{Explanation, Why, run};
use crate::report::{story, why as report};
use crate::sim::Keep;

/// Octets by which a plan is told from a capture.
const BEGINNING: u64 = 4096;

/// The captures, and which of their sessions.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Captures (pcap, pcapng or MRT, compressed or not), `-` for standard input, a scenario in a mode, or a plan or the
    /// directory of a finding, which is then run.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Only this session: its number in the capture, from 1.
    #[arg(long, value_name = "N")]
    session: Option<usize>,
    /// Only sessions of this address.
    #[arg(long, value_name = "ADDRESS")]
    peer: Option<IpAddr>,
    /// Write JSON, an object for each capture.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    encoding: Encoding,
    #[command(flatten)]
    places: Places,
    #[command(flatten)]
    trust: Trust,
}

/// Explains.
///
/// # Errors
/// A capture that cannot be read, or has no session of that number.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    let declared = arguments.encoding.declared()?;
    let mut has_end = true;
    let several = arguments.files.len() > 1;
    for name in &arguments.files {
        if let Some(plan) = plan_of(Path::new(name)) {
            arguments.check_plan(name)?;
            has_end &= arguments.of_plan(name, plan)?;
            continue;
        }
        let mut input = arguments.places.input(name)?;
        let why = Why::read(&mut input, declared.clone()).into_diagnostic()?;
        let shown = arguments.chosen(name, &why)?;
        has_end &= shown.iter().any(|one| one.is_ended());
        if arguments.json {
            print(&format!("{}\n", report::json(&why, &shown, name)))?;
            continue;
        }
        if several {
            print(&format!("{name}\n"))?;
        }
        print(&report::text(&why, &shown, name, console::colors_enabled()))?;
    }
    Ok(if has_end {
        Status::Passed
    } else {
        Status::Invalid
    })
}

/// The plan that `path` is, or that the directory of a finding holds.
fn plan_of(path: &Path) -> Option<PathBuf> {
    if path.is_dir() {
        let plan = path.join("plan");
        return plan.is_file().then_some(plan);
    }
    let mut beginning = Vec::new();
    let file = path.is_file().then(|| File::open(path).ok())??;
    file.take(BEGINNING).read_to_end(&mut beginning).ok()?;
    let beginning = String::from_utf8_lossy(&beginning);
    let mut lines = beginning.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'))?;
    first.starts_with("scenario ").then(|| path.to_owned())
}

impl Arguments {
    /// Options that say how to read a capture have no effect on a plan.
    fn check_plan(&self, name: &str) -> miette::Result<()> {
        let option = match self.session {
            Some(_) => Some("--session"),
            None => self.encoding.option(),
        };
        match option {
            None => Ok(()),
            Some(option) => Err(miette!(
                help = "leave it out; --peer chooses among the connections of a run",
                "{option} is for captures, and {name} is a plan"
            )),
        }
    }

    /// Runs the plan, says why its connections ended, and whether one did and every fault triggered.
    fn of_plan(&self, name: &str, plan: PathBuf) -> miette::Result<bool> {
        let file = PlanFile::at(plan, self.places.scenario_dir().to_owned(), self.trust);
        let subject = SubjectArguments {
            speaker: None,
            mode: None,
        };
        let (text, trier, variants) = file.load_for(&subject)?;
        let captured = captured(&text);
        let mut has_end = false;
        let mut has_triggered = true;
        let mut objects = Vec::new();
        for variant in &variants {
            let (trial, ran) = trier
                .try_variant(&text.plan, variant, Keep::All)
                .map_err(|error| text.explain(error))?;
            let untriggered = ran.as_ref().map_or_else(Vec::new, FinishedRun::untriggered);
            let mut ends = ran.map_or_else(Vec::new, |ran| run::ends(&text.plan, &ran));
            ends.retain(|end| self.peer.is_none_or(|peer| end.connection.peer == peer));
            has_end |= !ends.is_empty();
            has_triggered &= untriggered.is_empty();
            if self.json {
                objects.push(
                    json!({ "variant": variant.to_string(), "ends": story::json(&ends, captured), "untriggered": untriggered }),
                );
                continue;
            }
            print(&format!(
                "{name}, {variant}\n{}",
                story::closing(&ends, captured)
            ))?;
            if ends.is_empty() {
                let of = self
                    .peer
                    .map_or_else(String::new, |peer| format!(" with {peer}"));
                print(&format!(
                    "no connection{of} of this run ended before it was over\n"
                ))?;
            }
            for fault in &untriggered {
                print(&format!("never triggered: {fault}\n"))?;
            }
            for failure in &trial.failures {
                print(&format!("{}: {}\n", failure.oracle, failure.text))?;
            }
            print(&format!(
                "  replay    lockstep replay {}\n\n",
                file.plan.display()
            ))?;
        }
        if self.json {
            print(&format!("{}\n", json!({ "plan": name, "runs": objects })))?;
        }
        Ok(has_end && has_triggered)
    }

    fn chosen<'w>(&self, name: &str, why: &'w Why) -> miette::Result<Vec<&'w Explanation>> {
        let is_of = |explanation: &Explanation| {
            let peer = explanation.connection.id.peer;
            self.peer
                .is_none_or(|address| [peer.client, peer.server].contains(&address))
                && self
                    .session
                    .is_none_or(|session| explanation.session == Some(session))
        };
        let shown: Vec<&Explanation> = why.sessions.iter().filter(|one| is_of(one)).collect();
        if let (Some(session), true) = (self.session, shown.is_empty()) {
            let count = why
                .sessions
                .iter()
                .filter(|one| one.session.is_some())
                .count();
            return Err(miette!(
                help = "leave --session out to see all of them",
                "{name} has no session {session}: it has {count}"
            ));
        }
        Ok(shown)
    }
}
