//! What a user may name as a capture: a file, `-`, a scenario's golden, or a scenario in a mode, which is then run.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use clap::Args;
use miette::{IntoDiagnostic, miette};

use super::subject::subject_of;
use crate::compare::Input;
use crate::reactor::defects::Defects;
use crate::scenario::format::directory;
use crate::scenario::golden::manifest::Manifest;
use crate::scenario::run::mark::Mark;
use crate::scenario::run::network::NetworkKind;
use crate::scenario::run::play::play;
use crate::scenario::run::record::pcap;
use crate::subject::Variant;

/// What stands for a subject in the name of a golden.
const GOLDEN: &str = "golden";

/// Where scenarios and goldens are.
#[derive(Debug, Args)]
pub struct Places {
    /// Directory of the scenarios.
    #[arg(long, default_value = "scenarios", value_name = "DIR")]
    scenario_dir: PathBuf,
    /// Directory of the goldens.
    #[arg(long, default_value = "captures", value_name = "DIR")]
    captures: PathBuf,
}

impl Places {
    /// The directory of the scenarios.
    #[must_use]
    pub fn scenario_dir(&self) -> &Path {
        &self.scenario_dir
    }

    /// The capture that `name` stands for, and where a scenario is run for it, what happened beside the messages.
    ///
    /// # Errors
    /// There is none of that name; the scenario cannot be run.
    pub fn told(&self, name: &str) -> miette::Result<(Input, Vec<Mark>)> {
        if let Some((scenario, variant)) = Self::run(name)? {
            return self.played(name, scenario, &variant);
        }
        Ok((self.recorded(name)?, Vec::new()))
    }

    /// The capture that `name` stands for.
    ///
    /// # Errors
    /// There is none of that name; the scenario cannot be run.
    pub fn input(&self, name: &str) -> miette::Result<Input> {
        Ok(self.told(name)?.0)
    }

    /// The scenario and the subject of `SCENARIO@SUBJECT`, unless a file has that name.
    fn run(name: &str) -> miette::Result<Option<(&str, Variant)>> {
        let path = Path::new(name);
        let before = Path::new(name.split('@').next().unwrap_or(name));
        let is_path =
            path.exists() || before.extension().is_some() || before.components().count() > 1;
        match name.split_once('@') {
            Some((scenario, subject)) if !is_path && subject != GOLDEN => {
                Ok(Some((scenario, subject_of(subject)?)))
            }
            _ => Ok(None),
        }
    }

    fn recorded(&self, name: &str) -> miette::Result<Input> {
        if name == "-" {
            if io::stdin().is_terminal() {
                return Err(miette!(
                    help = "for example: tcpdump -w - port 179 | lockstep show -",
                    "`-` is standard input, which is a terminal: a capture must be piped in"
                ));
            }
            return Ok(Input::Once("-".to_owned(), Box::new(io::stdin())));
        }
        let path = Path::new(name);
        // What is no regular file, like a named pipe, can be read once as well.
        if path.is_file() {
            return Ok(Input::File(path.to_owned()));
        }
        if path.is_dir() {
            return Err(miette!(
                help = "name a pcap or pcapng file in it",
                "{name} is a directory"
            ));
        }
        if path.exists() {
            let file = std::fs::File::open(path).into_diagnostic()?;
            return Ok(Input::Once(name.to_owned(), Box::new(file)));
        }
        if path.extension().is_some() || path.components().count() > 1 {
            return Err(miette!(
                help = "a capture is named by its path, as `-` for standard input, or as a scenario: `api-rib@async`, `api-rib@golden`",
                "no such file: {name}"
            ));
        }
        self.golden(name.split('@').next().unwrap_or(name))
    }

    fn golden(&self, scenario: &str) -> miette::Result<Input> {
        let manifest = Manifest::load(&self.captures).into_diagnostic()?;
        let Some(entry) = manifest.entry(scenario) else {
            // That there is no such scenario says more than that it has no golden.
            directory::select(&self.scenario_dir, &[scenario.to_owned()]).map_err(|error| {
                miette::Report::from(error).wrap_err(format!("no such file: {scenario}"))
            })?;
            return Err(miette!(
                help = "`{scenario}@sync` and `{scenario}@async` are what our own speaker sends",
                "scenario {scenario} has no golden"
            ));
        };
        Ok(Input::File(self.captures.join(&entry.file)))
    }

    fn played(
        &self,
        name: &str,
        scenario: &str,
        variant: &Variant,
    ) -> miette::Result<(Input, Vec<Mark>)> {
        let mut scenarios = directory::select(&self.scenario_dir, &[scenario.to_owned()])?;
        let Some(scenario) = scenarios.pop() else {
            return Err(miette!("there is no scenario `{scenario}`"));
        };
        let played = play(
            &Rc::new(scenario),
            variant,
            NetworkKind::Sim,
            Defects::default(),
        )?;
        let octets = pcap(&played.transcripts, Duration::ZERO).into_diagnostic()?;
        Ok((Input::Memory(name.to_owned(), octets), played.marks))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::{Options, captures};

    fn places() -> Places {
        Places {
            scenario_dir: PathBuf::from("scenarios"),
            captures: PathBuf::from("captures"),
        }
    }

    #[test]
    fn a_scenario_in_a_mode_is_run_and_its_golden_found() {
        let mut golden = places().input("conf-mvpn").unwrap();
        for mode in ["conf-mvpn@sync", "conf-mvpn@async"] {
            let mut run = places().input(mode).unwrap();
            let options = Options {
                endings: false,
                ..Options::default()
            };
            let report = captures(&mut golden, &mut run, options, &mut |_| ()).unwrap();
            assert!(report.is_same(), "{mode}: {:?}", report.counts);
            assert!(report.matched > 5);
        }
    }

    #[test]
    fn what_there_is_not_is_said() {
        let said = |name: &str| match places().input(name) {
            Err(report) => report.to_string(),
            Ok(_) => "found".to_owned(),
        };
        assert_eq!(said("no-such.pcap"), "no such file: no-such.pcap");
        assert_eq!(said("src"), "src is a directory");
        assert_eq!(said("conf-mvpm@sync"), "there is no scenario `conf-mvpm`");
        assert_eq!(
            said("conf-mvpn@asinc"),
            "there is no mode or speaker `asinc`"
        );
        assert!(
            said("conf-mvpn@both").contains("both"),
            "{}",
            said("conf-mvpn@both")
        );
    }
}
