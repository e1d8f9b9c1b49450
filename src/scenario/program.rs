//! An API program played from its script.

use std::collections::VecDeque;
use std::ops::Range;

use tokio::time::{Instant, sleep_until};

use super::duplex::Duplex;
use super::script::{Answer, ProgramAction, ProgramScript, Step};
use super::stage::Stage;
use crate::net::clock::Clock;
use crate::reactor::network::Stream;

/// What a program was told, line by line, for the report and the oracles.
pub type Heard = std::rc::Rc<std::cell::RefCell<Vec<(String, String)>>>;

/// A program at work.
pub struct Program<S> {
    script: ProgramScript,
    pipe: Duplex<S>,
    stage: Stage,
    clock: Clock,
    heard: Heard,
    partial: Vec<u8>,
    answers: VecDeque<String>,
    lines: VecDeque<String>,
    silent: Option<(Range<usize>, usize)>,
    at: usize,
    wake: Option<Instant>,
    ended: bool,
}

enum Next {
    /// Something was done: look again.
    Again,
    /// Nothing can be done before more is read, seen or time passes.
    Blocked,
    /// Every step is done.
    Done,
    /// The program ends.
    Exit,
}

impl<S: Stream> Program<S> {
    /// A program at the start of its script.
    pub fn new(script: ProgramScript, pipe: S, stage: Stage, clock: Clock, heard: Heard) -> Self {
        Self {
            script,
            pipe: Duplex::new(pipe),
            stage,
            clock,
            heard,
            partial: Vec::new(),
            answers: VecDeque::new(),
            lines: VecDeque::new(),
            silent: None,
            at: 0,
            wake: None,
            ended: false,
        }
    }

    /// Plays the script to its end, then listens until the speaker closes the pipe or the run is over.
    pub async fn play(mut self) {
        loop {
            match self.advance() {
                Next::Again => continue,
                Next::Exit => {
                    let _ = self.pipe.flush().await;
                    self.stage.program_done(&self.script.name);
                    return;
                }
                Next::Done => {
                    self.stage.program_done(&self.script.name);
                    if self.ended || self.stage.is_over() {
                        break;
                    }
                }
                Next::Blocked if self.ended => {
                    if !self.stage.is_over() {
                        self.fail("the speaker closed the program's pipe before this step");
                    }
                    break;
                }
                Next::Blocked => {}
            }
            self.wait().await;
        }
        self.leftovers();
    }

    /// Waits until something is read, something is seen, or the step's time has come.
    async fn wait(&mut self) {
        let stage = self.stage.clone();
        let condition = match self.step().map(|step| &step.action) {
            Some(ProgramAction::Wait(condition)) => Some(condition.clone()),
            _ => None,
        };
        let wake = self.wake;
        tokio::select! {
            biased;
            read = self.pipe.read() => {
                let bytes = read.unwrap_or_default().to_vec();
                self.received(&bytes);
            }
            () = stage.until(|stage| {
                stage.is_over() || condition.as_ref().is_some_and(|condition| stage.met(condition))
            }) => self.ended |= self.stage.is_over(),
            () = async {
                match wake {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            } => {}
        }
    }

    fn step(&self) -> Option<&Step<ProgramAction>> {
        self.script.steps.get(self.at)
    }

    fn advance(&mut self) -> Next {
        let Some(step) = self.step().cloned() else {
            return Next::Done;
        };
        let done = match &step.action {
            ProgramAction::Wait(condition) => self.stage.met(condition),
            ProgramAction::Write(lines) => {
                let mut batch = lines.join("\n");
                batch.push('\n');
                self.pipe.write(batch.as_bytes());
                true
            }
            ProgramAction::Answer(expected) => match self.answers.pop_front() {
                Some(answer) => {
                    self.check(*expected, &answer);
                    true
                }
                None => false,
            },
            ProgramAction::Read(text) => {
                let found = self.lines.iter().position(|line| line.contains(text));
                if let Some(at) = found {
                    self.lines.drain(..=at);
                }
                found.is_some()
            }
            ProgramAction::Nothing => {
                self.silent = Some((step.span.clone(), step.line));
                self.lines.clear();
                true
            }
            ProgramAction::Sleep(time) => {
                let wake = *self
                    .wake
                    .get_or_insert_with(|| self.clock.at(self.clock.now() + *time));
                let over = self.clock.at(self.clock.now()) >= wake;
                if over {
                    self.wake = None;
                }
                over
            }
            ProgramAction::Exit => return Next::Exit,
        };
        if !done {
            return Next::Blocked;
        }
        self.at += 1;
        Next::Again
    }

    fn check(&self, expected: Answer, answer: &str) {
        let right = match expected {
            Answer::Done => answer == "done",
            Answer::Error => answer == "error",
            Answer::Any => true,
        };
        if !right {
            self.fail(&format!(
                "the answer is `{answer}` where {expected:?} was expected"
            ));
        }
    }

    fn fail(&self, message: &str) {
        let step = self.step().map(|step| (step.span.clone(), step.line));
        self.stage
            .fail(format!("process {}: {message}", self.script.name), step);
    }

    fn received(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            self.ended = true;
            return;
        }
        self.partial.extend_from_slice(bytes);
        while let Some(end) = self.partial.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.partial.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line[..end]).trim_end().to_owned();
            self.line(line);
        }
    }

    fn line(&mut self, line: String) {
        self.heard
            .borrow_mut()
            .push((self.script.name.clone(), line.clone()));
        if line == "done" || line == "error" {
            if self.silent.is_some() {
                self.unexpected(&line);
            } else {
                self.answers.push_back(line);
            }
        } else if self.silent.is_some() && !line.contains("shutdown") {
            self.unexpected(&line);
        } else {
            self.lines.push_back(line);
        }
    }

    fn unexpected(&self, line: &str) {
        self.stage.fail(
            format!(
                "process {}: `{line}` came where nothing may come",
                self.script.name
            ),
            self.silent.clone(),
        );
    }

    fn leftovers(&self) {
        if let Some(answer) = self.answers.front() {
            self.stage.fail(
                format!(
                    "process {}: an answer that no command asked for: `{answer}`",
                    self.script.name
                ),
                None,
            );
        }
    }
}
