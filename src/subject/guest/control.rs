//! What a scenario says through a speaker's control program: each line that its script writes is a run of the program as
//! a further guest of the host; the script reads what the program prints, and then `done` or `error`.

use std::task::{Context, Poll};

use crate::guest::{self, Failure};
use crate::net::Stream;
use crate::net::programs::COMMAND_SEPARATOR;

/// The most octets that are read from the script at once.
const CHUNK: usize = 4_096;

/// The control program and the script that speaks through it.
pub(super) struct ControlProgram<T> {
    /// The program, before the words of a command.
    program: guest::Program,
    /// The script's end.
    pipe: T,
    /// What the script wrote and is not a line yet.
    asked: Vec<u8>,
    /// What the script has not read.
    answer: Vec<u8>,
    /// The process that runs now, and how many writes of guests there were before it.
    running: Option<(i32, usize)>,
    over: bool,
}

impl<T: Stream> ControlProgram<T> {
    pub(super) fn new(program: guest::Program, pipe: T) -> Self {
        Self {
            program,
            pipe,
            asked: Vec::new(),
            answer: Vec::new(),
            running: None,
            over: false,
        }
    }

    /// Moves commands and answers; whether any moved.
    pub(super) fn poll(
        &mut self,
        guests: &mut guest::Host,
        context: &mut Context<'_>,
    ) -> Result<bool, Failure> {
        let mut moved = false;
        loop {
            while !self.answer.is_empty() {
                match self.pipe.poll_write(context, &self.answer) {
                    Poll::Ready(Ok(count)) => drop(self.answer.drain(..count)),
                    Poll::Ready(Err(_)) => self.answer.clear(),
                    Poll::Pending => return Ok(moved),
                }
            }
            if let Some((process, before)) = self.running {
                let Some(ended) = guests.ended(process) else {
                    return Ok(moved);
                };
                let lines = guests.output()[before..].iter();
                for line in lines.filter(|line| line.process == process) {
                    self.answer.extend(&line.octets);
                }
                if !self.answer.is_empty() && !self.answer.ends_with(b"\n") {
                    self.answer.push(b'\n');
                }
                let done = ended == guest::Ended::Exited(0);
                self.answer
                    .extend(if done { &b"done\n"[..] } else { b"error\n" });
                self.running = None;
                moved = true;
                continue;
            }
            if let Some(end) = self.asked.iter().position(|octet| *octet == b'\n') {
                let line: Vec<u8> = self.asked.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line[..end]).into_owned();
                let before = guests.output().len();
                let process = guests.start(&with_command(&self.program, &line))?;
                self.running = Some((process, before));
                return Ok(true);
            }
            if self.over {
                return Ok(moved);
            }
            let mut buffer = [0; CHUNK];
            match self.pipe.poll_read(context, &mut buffer) {
                Poll::Ready(Ok(count)) if count > 0 => self.asked.extend(&buffer[..count]),
                Poll::Ready(_) => self.over = true,
                Poll::Pending => return Ok(moved),
            }
        }
    }
}

/// `program` with the words of `line`: in the place of `{command}` as one argument, the commands of one run a line each, or
/// behind its own arguments.
fn with_command(program: &guest::Program, line: &str) -> guest::Program {
    let mut program = program.clone();
    let place = program
        .arguments
        .iter_mut()
        .find(|argument| *argument == "{command}");
    match place {
        Some(place) => *place = line.replace(COMMAND_SEPARATOR, "\n").into(),
        None => {
            let words = line.split(|c: char| c.is_whitespace() || c == COMMAND_SEPARATOR);
            let words = words.filter(|word| !word.is_empty());
            program.arguments.extend(words.map(Into::into));
        }
    }
    program
}
