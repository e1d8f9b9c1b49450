//! The API programs: one read each per turn, everything that it brought as one batch, answers after the peers had
//! theirs.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::api::apply::{Acknowledgement, Answer};
use crate::config::{Process, is_client};
use crate::net::programs::{ProgramPipe, Programs};
use crate::reactor::observer::{Observer, SpeakerEvent};
use crate::reactor::pipe::{LineBuffer, Outbox, RespawnBudget};
use crate::reactor::program;

/// The most octets that one program may write in one turn, as in ExaBGP.
const READ: usize = 16 * 1024;

/// The programs of a configuration, in its order.
pub(super) struct Helpers<P: Programs> {
    starter: P,
    pub list: BTreeMap<usize, Helper<P::Pipe>>,
}

/// One program.
pub(super) struct Helper<T> {
    /// As it was started.
    pub process: Process,
    /// As the configuration has it now, and where it is to be started: for the next start.
    configured: (Process, PathBuf),
    pub name: Rc<str>,
    pipe: Option<T>,
    waker: Waker,
    lines: LineBuffer,
    outbox: Outbox,
    /// Lines that wait until every established peer has taken the changes that they answer.
    held: Vec<Held>,
    /// Octets of those lines.
    held_octets: usize,
    /// Commands that were read and not applied in that turn: the answers to those before fill the outbox, or a defect has it so.
    pub queued: VecDeque<String>,
    pub acknowledgement: Acknowledgement,
    budget: RespawnBudget,
    readable: bool,
    writable: bool,
    /// When it is to be started again, after the machine had nothing left for it.
    pub retry: Option<Duration>,
}

/// A line that waits for the peers.
pub(super) enum Held {
    Answer(Answer),
    Line(String),
}

/// What one read of a program's pipe brought.
pub(super) enum ProgramOutput {
    Nothing,
    Lines(String),
    /// The program has ended, or must end: why.
    Ended(String),
}

impl<P: Programs> Helpers<P> {
    pub const fn new(starter: P) -> Self {
        Self {
            starter,
            list: BTreeMap::new(),
        }
    }

    /// Adds a program and starts it.
    ///
    /// # Errors
    /// Why it could not be started.
    pub fn add(
        &mut self,
        id: usize,
        process: Process,
        directory: PathBuf,
        waker: Waker,
        acknowledged: bool,
    ) -> std::io::Result<()> {
        let mut helper = Helper {
            name: Rc::from(process.name.as_str()),
            configured: (process.clone(), directory),
            process,
            pipe: None,
            waker,
            lines: LineBuffer::default(),
            outbox: Outbox::default(),
            held: Vec::new(),
            held_octets: 0,
            queued: VecDeque::new(),
            acknowledgement: Acknowledgement(acknowledged),
            budget: RespawnBudget::default(),
            readable: true,
            writable: true,
            retry: None,
        };
        let started = helper.start(&mut self.starter, acknowledged);
        self.list.insert(id, helper);
        started
    }

    /// Starts the program anew.
    ///
    /// # Errors
    /// Why it could not be started.
    pub fn restart(&mut self, id: usize, acknowledged: bool) -> std::io::Result<()> {
        match self.list.get_mut(&id) {
            Some(helper) => helper.start(&mut self.starter, acknowledged),
            None => Ok(()),
        }
    }

    /// Tells `program` a line that it has not asked for.
    pub fn tell(&mut self, program: &str, line: String, observer: &dyn Observer, now: Duration) {
        let named = |helper: &&mut Helper<P::Pipe>| helper.process.name == program;
        if let Some(helper) = self.list.values_mut().find(named)
            && helper.is_running()
        {
            observer.observe(
                now,
                &SpeakerEvent::ProgramEvent {
                    program,
                    line: line.trim_end(),
                },
            );
            helper.outbox.push(&line);
        }
    }
}

impl<T: ProgramPipe> Helper<T> {
    fn start(
        &mut self,
        starter: &mut impl Programs<Pipe = T>,
        acknowledged: bool,
    ) -> std::io::Result<()> {
        self.pipe = None;
        self.retry = None;
        self.process.clone_from(&self.configured.0);
        self.lines = LineBuffer::default();
        self.outbox = Outbox::default();
        self.held.clear();
        self.held_octets = 0;
        self.queued.clear();
        self.acknowledgement = Acknowledgement(acknowledged || is_client(&self.name));
        self.readable = true;
        self.writable = true;
        self.pipe = Some(starter.start(&program::program(&self.process, &self.configured.1))?);
        Ok(())
    }

    pub const fn is_running(&self) -> bool {
        self.pipe.is_some()
    }

    /// The configuration has it so now: that holds from the next start on.
    pub fn configure(&mut self, process: Process, directory: PathBuf) {
        self.configured = (process, directory);
    }

    /// Ends the program.
    pub fn end(&mut self) {
        self.pipe = None;
    }

    /// Whether it may be started again after it died at `now`; `None` where it died too often.
    pub fn respawns(&mut self, now: Duration, allowed: bool) -> Option<bool> {
        if !allowed || !self.process.respawn {
            return Some(false);
        }
        self.budget.spend(now).then_some(true)
    }

    pub fn woken(&mut self) {
        self.readable = true;
        self.writable = true;
    }

    pub fn has_work(&self) -> bool {
        self.is_running()
            && ((self.readable && !self.outbox.is_high())
                || (self.writable && !self.outbox.is_empty())
                || (!self.queued.is_empty() && !self.outbox.is_high())
                || !self.held.is_empty())
    }

    /// Reads once, unless so many answers wait that the program should read them first.
    pub fn read(&mut self, buffer: &mut [u8]) -> ProgramOutput {
        let Some(pipe) = &mut self.pipe else {
            return ProgramOutput::Nothing;
        };
        if self.outbox.is_over() {
            return ProgramOutput::Ended("it does not read its input".to_owned());
        }
        if !self.readable || self.outbox.is_high() {
            return ProgramOutput::Nothing;
        }
        let end = buffer.len().min(READ);
        match pipe.poll_read(&mut Context::from_waker(&self.waker), &mut buffer[..end]) {
            Poll::Pending => {
                self.readable = false;
                ProgramOutput::Nothing
            }
            Poll::Ready(Ok(0)) => ProgramOutput::Ended("its output ended".to_owned()),
            Poll::Ready(Err(error)) => ProgramOutput::Ended(error.kind().to_string()),
            Poll::Ready(Ok(count)) => match self.lines.feed(&buffer[..count]) {
                Ok(lines) => ProgramOutput::Lines(lines),
                Err(oversized) => ProgramOutput::Ended(oversized.to_string()),
            },
        }
    }

    /// Adds a line to what the peers must take before.
    pub fn hold(&mut self, line: Held) {
        if let Held::Line(line) = &line {
            self.held_octets += line.len();
        }
        self.held.push(line);
    }

    /// Whether so much waits for the program that no more of its commands should be applied.
    pub const fn is_full(&self) -> bool {
        self.outbox.is_high() || self.held_octets > Outbox::HIGH_WATER
    }

    /// The peers have taken what they should: the lines that were held go out.
    pub fn release(&mut self, observer: &dyn Observer, now: Duration) {
        let program = &*self.name;
        let mut lines = String::new();
        self.held_octets = 0;
        for held in self.held.drain(..) {
            match held {
                Held::Line(line) => {
                    observer.observe(
                        now,
                        &SpeakerEvent::ProgramEvent {
                            program,
                            line: &line,
                        },
                    );
                    lines += &line;
                    lines.push('\n');
                }
                Held::Answer(answer) => {
                    let line = answer.text();
                    observer.observe(now, &SpeakerEvent::Answer { program, line });
                    lines += line;
                    self.outbox.push_answer(&lines);
                    lines.clear();
                }
            }
        }
        if !lines.is_empty() {
            self.outbox.push(&lines);
        }
    }

    /// Adds the last line, before which all answers go out.
    pub fn farewell(&mut self, line: &str) {
        self.outbox.hurry();
        self.outbox.push(line);
    }

    /// Writes what the pipe takes, whatever the program has read.
    pub fn flush(&mut self) {
        self.outbox.hurry();
        self.write();
    }

    /// Writes once; an error is left to the next read, which finds the end of the program.
    pub fn write(&mut self) {
        let Some(pipe) = &mut self.pipe else {
            return;
        };
        if !self.writable || self.outbox.is_empty() {
            return;
        }
        let mut context = Context::from_waker(&self.waker);
        match self.outbox.poll_write(pipe, &mut context) {
            Poll::Pending => self.writable = false,
            Poll::Ready(Ok(_)) => {}
            Poll::Ready(Err(_)) => {
                self.writable = false;
                self.readable = true;
                self.outbox = Outbox::default();
            }
        }
    }
}
