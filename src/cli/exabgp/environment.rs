//! `exabgp env`: every setting of the environment, and what it is now.

use std::ffi::OsStr;

use clap::Args;
use miette::IntoDiagnostic;

use super::super::Status;
use super::super::output::say;
use crate::config::environment::{self, read_file};
use crate::os::small_file;

/// In which form, and which.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Show only what differs from the defaults.
    #[arg(short, long)]
    diff: bool,
    /// Show the names of variables, not the sections of a file.
    #[arg(short, long)]
    env: bool,
}

/// The settings of ExaBGP 5.0.15 in its order: section, name, default as it shows it, and what it is for.
const SETTINGS: &[(&str, &str, &str, &str)] = &[
    (
        "profile",
        "enable",
        "false",
        "accepted; there is no Python to profile",
    ),
    (
        "profile",
        "file",
        "''",
        "accepted; there is no Python to profile",
    ),
    (
        "pdb",
        "enable",
        "false",
        "accepted; there is no Python debugger",
    ),
    ("daemon", "pid", "''", "where to save the process number"),
    (
        "daemon",
        "user",
        "'nobody'",
        "whom to run as where root started it",
    ),
    ("daemon", "daemonize", "false", "run in the background"),
    ("daemon", "drop", "true", "start programs as that user too"),
    ("daemon", "umask", "'0o137'", "the umask of the daemon"),
    ("log", "enable", "true", "log at all"),
    (
        "log",
        "level",
        "INFO",
        "log what is at least as serious (syslog's levels)",
    ),
    (
        "log",
        "destination",
        "'stdout'",
        "stdout, stderr, syslog, host:NAME or a file",
    ),
    ("log", "all", "false", "accepted; the level decides"),
    (
        "log",
        "configuration",
        "true",
        "accepted; the level decides",
    ),
    ("log", "reactor", "true", "accepted; the level decides"),
    ("log", "daemon", "true", "accepted; the level decides"),
    ("log", "processes", "true", "accepted; the level decides"),
    ("log", "network", "true", "accepted; the level decides"),
    ("log", "statistics", "true", "accepted; the level decides"),
    ("log", "packets", "false", "accepted; the level decides"),
    ("log", "rib", "false", "accepted; the level decides"),
    ("log", "message", "false", "accepted; the level decides"),
    ("log", "timers", "false", "accepted; the level decides"),
    ("log", "routes", "false", "accepted; the level decides"),
    ("log", "parser", "false", "accepted; the level decides"),
    ("log", "short", "true", "accepted"),
    (
        "tcp",
        "once",
        "false",
        "try each connection once (older name of attempts = 1)",
    ),
    (
        "tcp",
        "attempts",
        "0",
        "connection attempts per peer, 0 without limit",
    ),
    ("tcp", "delay", "0", "accepted"),
    (
        "tcp",
        "bind",
        "''",
        "addresses to listen on, separated by spaces",
    ),
    (
        "tcp",
        "port",
        "179",
        "the port to connect to and to listen on",
    ),
    (
        "tcp",
        "acl",
        "false",
        "accepted; ExaBGP has nothing behind it either",
    ),
    (
        "bgp",
        "passive",
        "false",
        "never connect, whatever the neighbors say",
    ),
    (
        "bgp",
        "openwait",
        "60",
        "seconds to wait for the peer's OPEN",
    ),
    ("cache", "attributes", "true", "accepted; they always are"),
    ("cache", "nexthops", "true", "accepted; they always are"),
    ("api", "ack", "true", "answer commands"),
    ("api", "chunk", "1", "accepted"),
    ("api", "show-routes-format", "v1", "accepted"),
    ("api", "encoder", "json", "json or text"),
    (
        "api",
        "compact",
        "false",
        "shorter JSON for unicast prefixes",
    ),
    ("api", "respawn", "true", "start programs again that end"),
    (
        "api",
        "terminate",
        "false",
        "end where a program cannot be started",
    ),
    ("api", "cli", "true", "take commands from named pipes"),
    ("api", "pipename", "'exabgp'", "the name of those pipes"),
    ("reactor", "speed", "1.0", "accepted"),
];

/// Shows them.
///
/// # Errors
/// A value that its name cannot have.
pub fn run(arguments: &Arguments, file: Option<&OsStr>) -> miette::Result<Status> {
    let file = environment_file(file);
    let variables = || read_file(&file).chain(std::env::vars());
    environment::parse(variables()).into_diagnostic()?;
    let now: Vec<(&str, &str, String)> = SETTINGS
        .iter()
        .map(|(section, name, default, _)| {
            (*section, *name, value(section, name, default, variables()))
        })
        .zip(SETTINGS)
        .filter(|((_, _, value), (_, _, default, _))| !arguments.diff || value != default)
        .map(|(shown, _)| shown)
        .collect();
    if arguments.env {
        for (section, name, value) in now {
            say!("exabgp.{section}.{name}={value}");
        }
        return Ok(Status::Passed);
    }
    let mut sections: Vec<&str> = now.iter().map(|(section, _, _)| *section).collect();
    sections.sort_unstable();
    sections.dedup();
    for section in sections {
        say!("\n[exabgp.{section}]");
        let mut lines: Vec<String> = now
            .iter()
            .filter(|(of, _, _)| *of == section)
            .map(|(_, name, value)| format!("{name} = {value}"))
            .collect();
        lines.sort_unstable();
        lines.iter().for_each(|line| say!("{line}"));
    }
    Ok(Status::Passed)
}

/// The text of the environment file; as in ExaBGP it need not be there.
pub(super) fn environment_file(named: Option<&OsStr>) -> String {
    let variable = std::env::var_os("EXABGP_ENVFILE");
    let path = named
        .map(OsStr::to_os_string)
        .or(variable)
        .unwrap_or_else(|| "/etc/exabgp/exabgp.env".into());
    small_file::read_text(path.as_ref()).unwrap_or_default()
}

/// The value of a setting as it is shown: in quotation marks where its default is.
fn value(
    section: &str,
    name: &str,
    default: &str,
    variables: impl Iterator<Item = (String, String)>,
) -> String {
    let wanted = format!("exabgp_{section}_{name}").replace('-', "_");
    let known = |given: &str| given.to_ascii_lowercase().replace(['.', '-'], "_") == wanted;
    let Some((_, given)) = variables.filter(|(given, _)| known(given)).last() else {
        return default.to_owned();
    };
    let given = given.trim().trim_matches(['"', '\'']);
    if (section, name) == ("daemon", "umask") {
        return format!(
            "'0o{}'",
            given.trim_start_matches("0o").trim_start_matches('0')
        );
    }
    match default {
        "true" | "false" => match given.to_ascii_lowercase().as_str() {
            "1" | "yes" | "on" | "enable" | "true" => "true".to_owned(),
            _ => "false".to_owned(),
        },
        _ if default.starts_with('\'') => format!("'{given}'"),
        _ => given.to_owned(),
    }
}

/// A line for each setting, by name: what it is for, and its default.
pub fn described() -> String {
    let mut lines: Vec<String> = SETTINGS
        .iter()
        .map(|(section, name, default, about)| {
            format!(
                "    {:<32}{about}. default ({default})",
                format!("exabgp.{section}.{name}")
            )
        })
        .collect();
    lines.sort_unstable();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_known_and_shown_as_it_was_given() {
        for (section, name, default, _) in SETTINGS {
            let given = default.trim_matches('\'').trim_start_matches("0o");
            let variable = (format!("exabgp_{section}_{name}"), given.to_owned());
            let read = environment::parse([variable.clone()]).unwrap();
            assert!(read.unknown.is_empty(), "{:?}", read.unknown);
            assert_eq!(
                value(section, name, default, [variable].into_iter()),
                *default
            );
        }
        let given = [("exabgp.daemon.umask".to_owned(), "0022".to_owned())];
        assert_eq!(
            value("daemon", "umask", "'0o137'", given.into_iter()),
            "'0o22'"
        );
    }
}
