//! What a scenario or a plan would start on this machine: its author's programs run only where the user says `--trust`.
//!
//! On the simulated network programs are played, and speakers of somebody else are confined guests. On the kernel's network
//! a speaker of somebody else is a process like any other, and starts what its configuration names.

use std::path::Path;

use clap::Args;
use miette::miette;

use crate::config;
use crate::os::small_file;
use crate::scenario::format::script::{Scenario, SpeakerScript};
use crate::scenario::run::network::NetworkKind;
use crate::subject::Variant;

/// The command that is played by the scenario wherever it is started.
const PLAYED: &str = "./program";

/// Whether scenarios and plans may start programs.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Trust {
    /// Allow scenarios and plans to start the programs that they name on this machine.
    #[arg(long)]
    pub trust: bool,
}

impl Trust {
    /// Refuses `scenarios`, to be run with `variants` on `network`, where one of them starts something.
    ///
    /// # Errors
    /// What would be started.
    pub(super) fn check(
        self,
        scenarios: &[Scenario],
        variants: &[Variant],
        network: NetworkKind,
    ) -> miette::Result<()> {
        if self.trust {
            return Ok(());
        }
        let is_process = network == NetworkKind::Kernel
            && variants.iter().any(|variant| variant.own_mode().is_none());
        for scenario in scenarios {
            for speaker in &scenario.speakers {
                refuse(&scenario.name, speaker_path(speaker.variant.as_ref()))?;
                if is_process {
                    refuse(&scenario.name, started(&scenario.directory, speaker))?;
                }
            }
        }
        Ok(())
    }

    /// Refuses a plan that names the path of a speaker.
    ///
    /// # Errors
    /// The program that would be started.
    pub(super) fn check_plan(self, plan: &Path, variants: &[Variant]) -> miette::Result<()> {
        if self.trust {
            return Ok(());
        }
        let named = variants
            .iter()
            .find_map(|variant| speaker_path(Some(variant)));
        refuse(&plan.display().to_string(), named)
    }
}

fn refuse(who: &str, what: Option<String>) -> miette::Result<()> {
    match what {
        None => Ok(()),
        Some(what) => Err(miette!(
            help = "read it, and pass --trust if it may run",
            "`{who}` starts a program on this machine: {what}"
        )),
    }
}

/// The path of a speaker, or the file that describes it: either is asked for its version before it becomes a guest.
fn speaker_path(variant: Option<&Variant>) -> Option<String> {
    let speaker = &variant?.speaker;
    speaker.path().or(speaker.description())?;
    Some(format!("the speaker {speaker}"))
}

/// What a process of somebody else's speaker would start or load for `speaker`.
fn started(directory: &Path, speaker: &SpeakerScript) -> Option<String> {
    let loads = |(name, _): &&(String, String)| !is_setting(name);
    if let Some((name, value)) = speaker.environment.iter().find(loads) {
        return Some(format!("environment {name}={value} decides what it loads"));
    }
    speaker.config.iter().find_map(|file| {
        let path = directory.join(file);
        // What cannot be read is refused when it is to be run.
        let text = small_file::read_text(&path).ok()?;
        let name = path.display().to_string();
        match config::parse(&name, &text) {
            Ok(configuration) => configuration.processes.iter().find_map(|process| {
                let played = process.run.first().is_some_and(|command| command == PLAYED);
                (!played).then(|| {
                    format!(
                        "process {} of {name} runs `{}`",
                        process.name,
                        process.run.join(" ")
                    )
                })
            }),
            Err(_) => text
                .contains("process")
                .then(|| format!("{name} is not understood here, and names a process")),
        }
    })
}

/// Whether a variable of the environment is one of ExaBGP's settings.
fn is_setting(name: &str) -> bool {
    name.starts_with("exabgp_") || name.starts_with("exabgp.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::format::parse;
    use crate::subject::SpeakerName;

    fn exabgp() -> Variant {
        Variant {
            speaker: SpeakerName::new("exabgp", None),
            mode: None,
        }
    }

    /// The error for a scenario with this line, and these lines in its configuration.
    fn refused(line: &str, configuration: &str, network: NetworkKind) -> Option<String> {
        let root = tempfile(line, configuration);
        let scenario = parse::load(&root).unwrap();
        let error = Trust::default()
            .check(&[scenario], &[exabgp()], network)
            .err();
        std::fs::remove_dir_all(root).unwrap();
        error.map(|error| error.to_string())
    }

    fn tempfile(line: &str, configuration: &str) -> std::path::PathBuf {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let root =
            std::env::temp_dir().join(format!("lockstep-trust-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&root).unwrap();
        let script = format!(
            "about a trial\nconfig speaker.conf\ngolden none\n{line}\n\npeer 127.0.0.1\n    expect up\n"
        );
        std::fs::write(root.join("scenario"), script).unwrap();
        let neighbor = "neighbor 127.0.0.1 { local-address 127.0.0.1; local-as 1; peer-as 1; }";
        std::fs::write(
            root.join("speaker.conf"),
            format!("{configuration}\n{neighbor}\n"),
        )
        .unwrap();
        root
    }

    #[test]
    fn programs_and_what_is_loaded_are_named_on_the_kernels_network_alone() {
        let evil = "process p { run /bin/sh -c true; encoder text; }";
        let told = refused("", evil, NetworkKind::Kernel).unwrap();
        assert!(
            told.contains("process p of ") && told.contains("runs `/bin/sh -c true`"),
            "{told}"
        );
        assert_eq!(refused("", evil, NetworkKind::Sim), None);
        assert_eq!(refused("", "", NetworkKind::Kernel), None);
        let told = refused("environment PYTHONPATH=.", "", NetworkKind::Kernel).unwrap();
        assert!(
            told.contains("environment PYTHONPATH=. decides what it loads"),
            "{told}"
        );
        assert_eq!(
            refused("environment exabgp_api_ack=false", "", NetworkKind::Kernel),
            None
        );
    }

    #[test]
    fn a_plan_may_not_name_a_path() {
        let named = Variant {
            speaker: SpeakerName::new("exabgp", Some("./venv")),
            mode: None,
        };
        let told = Trust::default()
            .check_plan(Path::new("x.plan"), &[exabgp(), named.clone()])
            .unwrap_err();
        assert_eq!(
            told.to_string(),
            "`x.plan` starts a program on this machine: the speaker exabgp=./venv"
        );
        assert!(
            Trust { trust: true }
                .check_plan(Path::new("x.plan"), &[named])
                .is_ok()
        );
        assert!(
            Trust::default()
                .check_plan(Path::new("x.plan"), &[exabgp()])
                .is_ok()
        );
    }
}
