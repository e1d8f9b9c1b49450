//! `exabgp cli`: a command to a running server, over its named pipes.

use std::ffi::OsStr;
use std::io;
use std::time::Duration;

use clap::Args;
use miette::{IntoDiagnostic, WrapErr, miette};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe::{OpenOptions, Receiver};
use tokio::runtime::Builder;
use tokio::time::timeout;

use super::super::Status;
use super::super::output::{complain, say};
use super::environment::environment_file;
use crate::config::environment::{self, read_file};
use crate::os::fifo::NamedPipes;

/// What to command, and whom.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The name of the pipes (exabgp_api_pipename).
    #[arg(long, value_name = "NAME")]
    pipename: Option<String>,
    /// The command; its words may be shortened, as in `s n s`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

/// How long the server may take for the next part of its answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sends the command and shows the answer.
///
/// # Errors
/// No pipes, or nobody who reads them.
pub fn run(arguments: &Arguments, file: Option<&OsStr>) -> miette::Result<Status> {
    let file = environment_file(file);
    let environment =
        environment::parse(read_file(&file).chain(std::env::vars())).into_diagnostic()?;
    let name = arguments.pipename.as_ref().unwrap_or(&environment.pipename);
    let mut typed = arguments.command.join(" ");
    if typed.trim().is_empty() {
        say!("no command provided, sending \"help\"");
        typed = "help".to_owned();
    }
    let command = spelled_out(&typed);
    if command != typed.trim() {
        say!("command: {command}");
    }
    let pipes = NamedPipes::find(name).map_err(|scanned| {
        let scanned: Vec<String> = scanned
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        miette!(
            help = format!("make them with mkfifo in one of: {}", scanned.join(", ")),
            "could not find the named pipes {name}.in and {name}.out"
        )
    })?;
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .into_diagnostic()?;
    runtime.block_on(converse(&pipes, &command))
}

async fn converse(pipes: &NamedPipes, command: &str) -> miette::Result<Status> {
    // Open for writing too, so that a server which closes its end is no end of the answer.
    let mut answers = OpenOptions::new()
        .read_write(true)
        .open_receiver(&pipes.answers)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot read {}", pipes.answers.display()))?;
    clear(&answers);
    let mut commands = OpenOptions::new()
        .open_sender(&pipes.commands)
        .map_err(|error| {
            miette!(
                help = "start one with the same exabgp_api_pipename",
                "no server reads {}: {error}",
                pipes.commands.display()
            )
        })?;
    commands
        .write_all(format!("{command}\n").as_bytes())
        .await
        .into_diagnostic()?;
    // The one command that is not answered.
    if command == "reset" {
        return Ok(Status::Passed);
    }
    let mut partial = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let Ok(read) = timeout(PATIENCE, answers.read(&mut buffer)).await else {
            complain!(
                "warning: no end of the answer was received; where exabgp.api.ack is false there is none"
            );
            return Ok(Status::Passed);
        };
        partial.extend_from_slice(&buffer[..read.into_diagnostic()?]);
        while let Some(end) = partial.iter().position(|octet| *octet == b'\n') {
            let line: Vec<u8> = partial.drain(..=end).collect();
            match String::from_utf8_lossy(&line[..end]).as_ref() {
                "done" => return Ok(Status::Passed),
                "error" => {
                    complain!(
                        "the server answers with an error: its log says why, `help` lists the commands"
                    );
                    return Ok(Status::Failed);
                }
                line => say!("{line}"),
            }
        }
    }
}

/// Reads away what a client before left unread.
fn clear(answers: &Receiver) {
    let mut buffer = [0; 4096];
    loop {
        match answers.try_read(&mut buffer) {
            Ok(count) if count > 0 => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            _ => return,
        }
    }
}

/// A word that may be shortened: its short form, the word, and whether it may stand behind the words `before`.
type Short = (&'static str, &'static str, fn(before: &[&str]) -> bool);

const fn first(before: &[&str]) -> bool {
    before.is_empty()
}

fn after_announce(before: &[&str]) -> bool {
    before.last() == Some(&"announce")
}

fn after_announce_or_withdraw(before: &[&str]) -> bool {
    matches!(before.last(), Some(&("announce" | "withdraw")))
}

fn after_adj_rib(before: &[&str]) -> bool {
    before.last() == Some(&"adj-rib")
}

/// ExaBGP's list (`cli.py`), without the words that it spells wrongly; of several the first counts.
const SHORT: &[Short] = &[
    ("a", "announce", first),
    ("a", "attributes", after_announce_or_withdraw),
    ("c", "configuration", |before| before.contains(&"show")),
    ("e", "eor", after_announce),
    ("e", "extensive", |before| before.contains(&"show")),
    ("f", "flow", after_announce_or_withdraw),
    ("f", "flush", first),
    ("h", "help", first),
    ("i", "in", after_adj_rib),
    ("n", "neighbor", |before| {
        first(before) || before.last() == Some(&"show")
    }),
    ("s", "show", first),
    ("t", "teardown", first),
    ("s", "summary", |before| before.contains(&"show")),
    ("o", "out", after_adj_rib),
    ("a", "adj-rib", |before| {
        matches!(before.last(), Some(&("clear" | "flush" | "show")))
    }),
    ("w", "withdraw", first),
    ("w", "watchdog", after_announce_or_withdraw),
    ("neighbour", "neighbor", |_| true),
    ("neigbour", "neighbor", |_| true),
    ("neigbor", "neighbor", |_| true),
];

fn spelled_out(typed: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    for token in typed.split_whitespace() {
        let long = SHORT.iter().find(|(short, long, stands)| {
            let same = *short == token || (short.len() == 1 && long.starts_with(token));
            same && stands(&words)
        });
        words.push(long.map_or(token, |(_, long, _)| long));
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_may_be_shortened_where_they_stand() {
        for (typed, sent) in [
            ("s n s", "show neighbor summary"),
            ("show neighbour e", "show neighbor extensive"),
            ("s a o e", "show adj-rib out extensive"),
            ("f a o", "flush adj-rib out"),
            ("a e", "announce eor"),
            ("withdraw watchdog dog", "withdraw watchdog dog"),
            (
                "announce route 10.0.0.0/24 next-hop self",
                "announce route 10.0.0.0/24 next-hop self",
            ),
            (
                "neighbor 10.0.0.1 teardown 2",
                "neighbor 10.0.0.1 teardown 2",
            ),
        ] {
            assert_eq!(spelled_out(typed), sent);
        }
    }
}
