//! A scripted API program.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

use crate::net::Stream;
use crate::net::clock::Clock;
use crate::net::programs::COMMAND_SEPARATOR;
use crate::net::timer::sleep_until;
use crate::scenario::format::host_fault::ProgramFault;
use crate::scenario::format::script::{Answer, ProgramAction, ProgramScript, Step};
use crate::scenario::scripted::duplex::Duplex;
use crate::scenario::scripted::progress::Progress;

/// The lines that each program received, for the report and the oracles.
pub type ProgramInput = Rc<RefCell<Vec<(String, String)>>>;

/// How programs behave: timing and misbehaviour.
#[derive(Debug, Clone, Default)]
pub struct ProgramBehaviour {
    patience: Option<Duration>,
    pauses: bool,
    program_faults: Rc<RefCell<Vec<(String, ProgramFault)>>>,
}

impl ProgramBehaviour {
    /// Programs that wait for anything at most `patience`, pause if their scripts say so, and misbehave as the faults
    /// say.
    #[must_use]
    pub fn new(
        patience: Option<Duration>,
        pauses: bool,
        program_faults: Vec<(String, ProgramFault)>,
    ) -> Self {
        Self {
            patience,
            pauses,
            program_faults: Rc::new(RefCell::new(program_faults)),
        }
    }

    /// The first result of `pick` for a fault of the program `name`.
    fn find<T>(&self, name: &str, pick: impl Fn(ProgramFault) -> Option<T>) -> Option<T> {
        self.program_faults
            .borrow()
            .iter()
            .filter(|(of, _)| of == name)
            .find_map(|(_, how)| pick(*how))
    }

    /// Whether `name` exits before `step`, from 1; it does so once.
    fn dies(&self, name: &str, step: usize) -> bool {
        let mut all = self.program_faults.borrow_mut();
        let at = all
            .iter()
            .position(|(of, how)| of == name && *how == ProgramFault::Dies(step));
        at.map(|at| all.remove(at)).is_some()
    }
}

/// A running program.
pub struct Program<S> {
    script: ProgramScript,
    pipe: Duplex<S>,
    progress: Progress,
    clock: Clock,
    input: ProgramInput,
    program_behaviour: ProgramBehaviour,
    pace: Option<Instant>,
    given_up: Option<Instant>,
    partial: Vec<u8>,
    answers: VecDeque<String>,
    lines: VecDeque<String>,
    silent: Option<(Range<usize>, usize)>,
    at: usize,
    wake: Option<Instant>,
    ended: bool,
}

enum Next {
    /// A step ran: try the next one.
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
    pub fn new(
        script: ProgramScript,
        pipe: S,
        progress: Progress,
        clock: Clock,
        input: ProgramInput,
        program_behaviour: ProgramBehaviour,
    ) -> Self {
        Self {
            script,
            pipe: Duplex::new(pipe),
            progress,
            clock,
            input,
            program_behaviour,
            pace: None,
            given_up: None,
            partial: Vec::new(),
            answers: VecDeque::new(),
            lines: VecDeque::new(),
            silent: None,
            at: 0,
            wake: None,
            ended: false,
        }
    }

    /// Runs the script to its end, then reads until the speaker closes the pipe or the run is over.
    pub async fn play(mut self) {
        if let Some(lines) = self
            .program_behaviour
            .find(&self.script.name, |how| match how {
                ProgramFault::Floods(lines) => Some(lines),
                _ => None,
            })
        {
            self.pipe.write("# flood\n".repeat(lines).as_bytes());
        }
        loop {
            match self.advance() {
                Next::Again => continue,
                Next::Exit => {
                    let _ = self.pipe.flush().await;
                    self.progress.program_done(&self.script.name);
                    return;
                }
                Next::Done => {
                    self.progress.program_done(&self.script.name);
                    if self.ended {
                        break;
                    }
                }
                Next::Blocked if self.ended => {
                    if !self.progress.is_over() {
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
        let progress = self.progress.clone();
        let condition = match self.step().map(|step| &step.action) {
            // A step that it pauses before must not be examined yet.
            Some(ProgramAction::Wait(condition)) if !self.pauses() => Some(condition.clone()),
            _ => None,
        };
        let opening = match self.step().map(|step| &step.action) {
            Some(ProgramAction::At(_, peer)) if self.wake.is_none() && !self.pauses() => {
                Some(*peer)
            }
            _ => None,
        };
        let wake = [self.wake, self.pace, self.given_up]
            .into_iter()
            .flatten()
            .filter(|at| *at > self.clock.at(self.clock.now()))
            .min();
        tokio::select! {
            biased;
            read = self.pipe.read(true) => {
                let bytes = read.unwrap_or_default().to_vec();
                self.received(&bytes);
            }
            // Once the run is over there is nothing to wait for but the end of the speaker.
            () = progress.until(|progress| {
                condition.as_ref().is_some_and(|condition| progress.met(condition))
                    || opening.is_some_and(|peer| progress.opening(peer).is_some())
            }) => {}
            () = async {
                match wake {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            } => {}
        }
    }

    fn pauses(&self) -> bool {
        self.pace
            .is_some_and(|until| self.clock.at(self.clock.now()) < until)
    }

    fn step(&self) -> Option<&Step<ProgramAction>> {
        self.script.steps.get(self.at)
    }

    fn advance(&mut self) -> Next {
        let Some(step) = self.step().cloned() else {
            return Next::Done;
        };
        if let Some(next) = self.misbehave() {
            return next;
        }
        let done = match &step.action {
            ProgramAction::Wait(condition) => self.progress.met(condition),
            ProgramAction::Write(lines) => {
                let mut batch = if self.script.is_control {
                    lines.join(&COMMAND_SEPARATOR.to_string())
                } else {
                    lines.join("\n")
                };
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
            ProgramAction::Pause(_) if !self.program_behaviour.pauses => true,
            ProgramAction::Sleep(time) | ProgramAction::Pause(time) => {
                self.slept(self.clock.now() + *time)
            }
            ProgramAction::At(time, peer) => match self.progress.opening(*peer) {
                Some(opened) => self.slept(opened + *time),
                None => false,
            },
            ProgramAction::Exit => return Next::Exit,
        };
        if !done && !self.gives_up() {
            return Next::Blocked;
        }
        self.at += 1;
        self.given_up = None;
        self.pace = None;
        Next::Again
    }

    /// Whether it is `until`, as this step first had it.
    fn slept(&mut self, until: Duration) -> bool {
        let wake = *self.wake.get_or_insert_with(|| self.clock.at(until));
        let over = self.clock.at(self.clock.now()) >= wake;
        if over {
            self.wake = None;
        }
        over
    }

    /// The effect of the program's faults on this step: none, a pause, an early exit.
    fn misbehave(&mut self) -> Option<Next> {
        let name = &self.script.name;
        if self.program_behaviour.dies(name, self.at + 1) {
            return Some(Next::Exit);
        }
        let first = self.at == 0;
        let pause = self.program_behaviour.find(name, |how| match how {
            ProgramFault::Late(by) if first => Some(by),
            ProgramFault::Slow(by) => Some(by),
            _ => None,
        })?;
        let now = self.clock.now();
        let until = *self.pace.get_or_insert_with(|| self.clock.at(now + pause));
        (self.clock.at(now) < until).then_some(Next::Blocked)
    }

    /// Whether the step has timed out.
    fn gives_up(&mut self) -> bool {
        let Some(patience) = self.program_behaviour.patience else {
            return false;
        };
        let now = self.clock.now();
        let until = *self
            .given_up
            .get_or_insert_with(|| self.clock.at(now + patience));
        self.wake.is_none() && self.clock.at(now) >= until
    }

    fn check(&self, expected: Answer, answer: &str) {
        let right = match expected {
            Answer::Done => answer == "done",
            Answer::Error => answer == "error",
            Answer::Any => true,
        };
        if !right {
            self.fail(&format!(
                "the answer is `{answer}` where {expected} was expected"
            ));
        }
    }

    fn fail(&self, message: &str) {
        let step = self.step().map(|step| (step.span.clone(), step.line));
        self.progress
            .fail(format!("process {}: {message}", self.script.name), step);
    }

    fn received(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            self.ended = true;
            return;
        }
        let mut octets = std::mem::take(&mut self.partial);
        octets.extend_from_slice(bytes);
        let mut rest = octets.as_slice();
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(&rest[..end]).trim_end().to_owned();
            self.line(line);
            rest = &rest[end + 1..];
        }
        self.partial = rest.to_vec();
    }

    fn line(&mut self, line: String) {
        self.input
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
        self.progress.fail(
            format!(
                "process {}: `{line}` came where nothing may come",
                self.script.name
            ),
            self.silent.clone(),
        );
    }

    fn leftovers(&self) {
        if let Some(answer) = self.answers.front() {
            self.progress.fail(
                format!(
                    "process {}: an answer that no command asked for: `{answer}`",
                    self.script.name
                ),
                None,
            );
        }
    }
}
