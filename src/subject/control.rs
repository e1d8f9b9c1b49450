//! What a scenario's script says through a speaker's control program: each line that it writes is a command, whose answer
//! is what the program prints, and then `done` or `error`.

use std::io;
use std::path::Path;
use std::task::{Context, Poll, ready};

use super::launcher::{Launcher, Setup};
use crate::net::Stream;
use crate::net::programs::{COMMAND_SEPARATOR, Program, Programs};

/// The most octets that are read from the script at once.
const CHUNK: usize = 4_096;
/// The place of the command among the arguments of a control program that takes it as one.
const COMMAND: &str = "{command}";

/// The script's end of a control program.
pub(super) struct ControlScript<T> {
    pipe: T,
    /// What the script wrote and is not a line yet.
    asked: Vec<u8>,
    /// What the script has not read.
    answer: Vec<u8>,
}

impl<T: Stream> ControlScript<T> {
    /// Starts the script of `setup` for the control program of `launcher`; `None` where it has none.
    ///
    /// # Errors
    /// The speaker has no control program.
    pub(super) fn start<P: Programs<Pipe = T>>(
        launcher: &Launcher,
        setup: &Setup,
        speaker: &str,
        directory: &Path,
        programs: &mut P,
    ) -> io::Result<Option<Self>> {
        if !setup.has_control {
            return Ok(None);
        }
        let description = &launcher.description;
        let Some([name, ..]) = description.control.as_deref() else {
            return Err(io::Error::other(format!(
                "{} has no control program",
                description.title
            )));
        };
        let pipe = programs.start(&Program {
            name: speaker.to_owned(),
            command: vec![name.clone()],
            directory: directory.to_owned(),
        })?;
        Ok(Some(Self {
            pipe,
            asked: Vec::new(),
            answer: Vec::new(),
        }))
    }

    /// The next command, once the answers before it are written; `None` where the script is over.
    pub(super) fn poll_command(&mut self, context: &mut Context<'_>) -> Poll<Option<String>> {
        while !self.answer.is_empty() {
            match ready!(self.pipe.poll_write(context, &self.answer)) {
                Ok(count) => drop(self.answer.drain(..count)),
                Err(_) => self.answer.clear(),
            }
        }
        loop {
            if let Some(end) = self.asked.iter().position(|octet| *octet == b'\n') {
                let line: Vec<u8> = self.asked.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line[..end]).into_owned();
                return Poll::Ready(Some(line));
            }
            let mut buffer = [0; CHUNK];
            match ready!(self.pipe.poll_read(context, &mut buffer)) {
                Ok(count) if count > 0 => self.asked.extend(&buffer[..count]),
                _ => return Poll::Ready(None),
            }
        }
    }

    /// Answers the command with what the program `printed`, and whether it ended with status 0.
    pub(super) fn answer(&mut self, printed: &[u8], is_done: bool) {
        self.answer.extend(printed);
        if !printed.is_empty() && !printed.ends_with(b"\n") {
            self.answer.push(b'\n');
        }
        let end: &[u8] = if is_done { b"done\n" } else { b"error\n" };
        self.answer.extend(end);
    }
}

/// The arguments of a control program whose own are `arguments` for `command`: in the place of `{command}` as one, the
/// commands of one run a line each, or word by word behind them.
pub(super) fn arguments(arguments: &[String], command: &str) -> Vec<String> {
    let mut arguments = arguments.to_vec();
    match arguments.iter_mut().find(|argument| *argument == COMMAND) {
        Some(place) => *place = command.replace(COMMAND_SEPARATOR, "\n"),
        None => {
            let words = command.split(|c: char| c.is_whitespace() || c == COMMAND_SEPARATOR);
            let words = words.filter(|word| !word.is_empty());
            arguments.extend(words.map(str::to_owned));
        }
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::arguments;

    #[test]
    fn a_command_is_one_argument_or_several() {
        let own = |words: &[&str]| -> Vec<String> { words.iter().map(|it| (*it).into()).collect() };
        let words = |words: &[&str]| arguments(&own(words), "show ip bgp").join("|");
        assert_eq!(words(&["-s", "bird.ctl"]), "-s|bird.ctl|show|ip|bgp");
        assert_eq!(words(&["-c", "{command}"]), "-c|show ip bgp");
    }
}
