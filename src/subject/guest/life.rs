//! One life of a guest: it runs, its programs are played, it is told what to do, until it ends.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Sleep;

use crate::guest::{self, Failure, Started, Turn};
use crate::net::clock::Clock;
use crate::net::programs::{Program, Programs};
use crate::reactor::control::{Control, ControlReceiver};
use crate::reactor::observer::{Observer, SpeakerEvent};
use crate::subject::description::filled_in;
use crate::subject::launcher::{Launcher, Setup};
use crate::subject::{Ended, StopAt, Stopped};

use super::PROGRAM;
use super::control::ControlProgram;
use super::lines::Lines;
use super::played::PlayedProgram;

/// Lines of a speaker's output that are shown where it ends without being told to.
const LAST_WORDS: usize = 6;

/// What happens to every process of a guest's host at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifeFault {
    /// It is told to read its configuration again, which is as it was.
    Reload,
    /// It stands still for so long.
    Stop(Duration),
}

/// One life of a guest.
pub(super) struct Life<'a, P: Programs> {
    pub guests: guest::Host,
    /// The speaker's first process.
    pub main: i32,
    pub launcher: &'a Launcher,
    pub setup: &'a Setup,
    /// Where it runs.
    pub directory: PathBuf,
    /// Start the scripts of its API programs.
    pub programs: P,
    pub played: Vec<PlayedProgram<P::Pipe>>,
    pub control_program: Option<ControlProgram<P::Pipe>>,
    pub control: ControlReceiver,
    pub observer: Rc<dyn Observer>,
    pub clock: Clock,
    /// How many of the guests' writes were looked at.
    pub observed: usize,
    /// What guests print, as lines.
    pub lines: Lines,
    /// How often it was told to read its configuration again.
    pub reloads: usize,
    /// It was told to end.
    pub ending: bool,
    /// When it is left to a debugger.
    pub stop: Option<&'a StopAt>,
    pub sleep: Option<Pin<Box<Sleep>>>,
    /// What is still to happen to it, the first first, by its own clock.
    pub faults: VecDeque<(Duration, LifeFault)>,
    /// Until when it stands still.
    pub stopped: Option<Duration>,
}

impl<P: Programs> Life<'_, P> {
    /// Runs until everything waits; its end.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Ended> {
        loop {
            while let Poll::Ready(control) = self.control.poll_recv(context) {
                if let Err(reason) = self.tell(control) {
                    return Poll::Ready(Ended::Invalid(reason));
                }
            }
            if let Some(until) = self.strike() {
                return self.wait(until, context);
            }
            let turn = match self.guests.turn(context, self.clock.now()) {
                Ok(turn) => turn,
                Err(failure) => return Poll::Ready(self.cannot_go_on(&failure)),
            };
            self.observe(false);
            if let Some(ended) = self.guests.ended(self.main) {
                return Poll::Ready(self.ended(ended));
            }
            for started in self.guests.started() {
                if let Err(error) = self.start(&started) {
                    return Poll::Ready(Ended::Failed(error.to_string()));
                }
            }
            let mut moved = false;
            for program in &mut self.played {
                moved |= program.poll(&mut self.guests, context);
            }
            self.played.retain(|program| !program.over);
            if let Some(control) = &mut self.control_program {
                match control.poll(&mut self.guests, context) {
                    Ok(some) => moved |= some,
                    Err(failure) => return Poll::Ready(Ended::Invalid(failure.to_string())),
                }
            }
            if moved {
                continue;
            }
            let stop = self.stop.map(StopAt::at);
            if stop.is_some_and(|at| at <= self.clock.now()) {
                return Poll::Ready(self.leave());
            }
            let deadline = match turn {
                Turn::Waits(deadline) => [deadline, stop, self.next_fault()]
                    .into_iter()
                    .flatten()
                    .min(),
                Turn::Ended => None,
            };
            return match deadline {
                Some(deadline) => self.wait(deadline, context),
                None => Poll::Pending,
            };
        }
    }

    fn next_fault(&self) -> Option<Duration> {
        self.faults.front().map(|(at, _)| *at)
    }

    /// Lets happen what is due; until when it stands still.
    fn strike(&mut self) -> Option<Duration> {
        let now = self.clock.now();
        while let Some((at, fault)) = self.faults.front().copied()
            && at <= now
        {
            self.faults.pop_front();
            match fault {
                LifeFault::Stop(time) => self.stopped = self.stopped.max(Some(at + time)),
                LifeFault::Reload => {
                    if let Some(signal) = self.signal(Control::Reload) {
                        let event = SpeakerEvent::Control(Control::Reload);
                        self.observer.observe(now, &event);
                        self.guests.signal(self.main, signal);
                    }
                }
            }
        }
        self.stopped = self.stopped.filter(|until| *until > now);
        self.stopped
    }

    fn wait(&mut self, deadline: Duration, context: &mut Context<'_>) -> Poll<Ended> {
        let at = self.clock.at(deadline);
        let timer = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        timer.as_mut().reset(at);
        if timer.as_mut().poll(context).is_ready() {
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Leaves every process of the host to a debugger; the run is over.
    fn leave(&mut self) -> Ended {
        let description = &self.launcher.description;
        let played = |process| self.played.iter().any(|it| it.stands_for(process));
        for left in self.guests.leave(played) {
            let values = [("process", left.process.to_string())];
            let values = values
                .each_ref()
                .map(|(name, value)| (*name, value.as_str()));
            if let Some(stop) = self.stop {
                stop.add(Stopped {
                    title: description.title.clone(),
                    process: left.process,
                    executable: left.executable,
                    debugger: filled_in(&description.debugger, &values),
                    directory: self.directory.clone(),
                });
            }
        }
        Ended::Invalid(format!("{} was stopped for a debugger", description.title))
    }

    /// Tells the speaker to do something, by the signal that it has for it.
    fn tell(&mut self, control: Control) -> Result<(), String> {
        let description = &self.launcher.description;
        let Some(signal) = description.signals.number(control) else {
            return Err(format!(
                "{} has no signal for `{control}`",
                description.title
            ));
        };
        match control {
            Control::Reload => {
                self.reloads += 1;
                let rotated = self
                    .launcher
                    .rotate(self.setup, &self.directory, self.reloads);
                rotated.map_err(|error| error.to_string())?;
            }
            Control::Terminate => self.ending = true,
            Control::Restart | Control::Reestablish => {}
        }
        self.guests.signal(self.main, signal);
        Ok(())
    }

    fn start(&mut self, started: &Started) -> io::Result<()> {
        let name = started.arguments.first().cloned().unwrap_or_default();
        let mut command = vec![format!("./{PROGRAM}")];
        command.extend(started.arguments.iter().cloned());
        let pipe = self.programs.start(&Program {
            name,
            command,
            directory: self.directory.clone(),
        })?;
        self.played.push(PlayedProgram::new(started.process, pipe));
        Ok(())
    }

    /// Shows the observer the lines that guests have printed since; `over` those too that have no end.
    pub(super) fn observe(&mut self, over: bool) {
        let output = self.guests.output();
        for write in &output[self.observed..] {
            self.lines.take(write);
        }
        self.observed = output.len();
        for line in self.lines.completed(over) {
            let at = Duration::from_nanos(u64::try_from(line.time).unwrap_or(0));
            let event = SpeakerEvent::Printed {
                text: &line.text,
                level: self.launcher.description.log.level(&line.text),
            };
            self.observer.observe(at, &event);
        }
    }

    /// The end of a speaker: what it owes to nobody, its own failure, or that it never was under test.
    fn ended(&self, ended: guest::Ended) -> Ended {
        let title = &self.launcher.description.title;
        match ended {
            guest::Ended::Exited(_) if self.ending => Ended::Orderly,
            guest::Ended::Killed(signal)
                if self.ending && Some(signal) == self.signal(Control::Terminate) =>
            {
                Ended::Orderly
            }
            guest::Ended::Exited(status) if !self.guests.was_connected() => {
                Ended::Invalid(format!(
                    "{title} ended with status {status} before it opened or accepted a connection{}",
                    self.last_words()
                ))
            }
            // It was told so by its configuration, or may have been through its control program.
            guest::Ended::Exited(0) if self.setup.attempts != 0 || self.setup.has_control => {
                Ended::Orderly
            }
            guest::Ended::Exited(0) => Ended::Failed(format!(
                "{title} ended with status 0 though nobody asked it to{}",
                self.last_words()
            )),
            guest::Ended::Exited(status) => Ended::Failed(format!(
                "{title} ended with status {status}{}",
                self.last_words()
            )),
            guest::Ended::Killed(signal) => Ended::Failed(format!(
                "{title} was ended by {}{}{}",
                name(signal),
                self.post_mortem(),
                self.last_words()
            )),
        }
    }

    /// Why guests cannot go on: a speaker that computes without end is at fault, all else is ours or the machine's.
    fn cannot_go_on(&self, failure: &Failure) -> Ended {
        let title = &self.launcher.description.title;
        match failure {
            Failure::Spins { .. } => {
                Ended::Failed(format!("{title}: {failure}{}", self.last_words()))
            }
            Failure::Start(_) | Failure::Tracing(_) | Failure::Refused(_) => {
                Ended::Invalid(format!("{title}: {failure}"))
            }
        }
    }

    /// Where the speaker stood when a signal ended it.
    fn post_mortem(&self) -> String {
        let mut found = self.guests.post_mortems().iter();
        let Some(found) = found.find(|it| it.guest == self.main) else {
            return String::new();
        };
        let stack = match &found.stack {
            Ok(frames) => format!("; its stack:\n  {}", frames.join("\n  ")),
            Err(why) => format!(" ({why})"),
        };
        let core = found.core.as_ref();
        let core = core.map(|path| format!("\n  core file: {}", path.display()));
        format!("{stack}{}", core.unwrap_or_default())
    }

    fn signal(&self, control: Control) -> Option<i32> {
        self.launcher.description.signals.number(control)
    }

    /// What it printed last, a line each.
    fn last_words(&self) -> String {
        let mut lines = Lines::default();
        for write in self.guests.output() {
            lines.take(write);
        }
        let lines: Vec<String> = lines.completed(true).map(|line| line.text).collect();
        let last = &lines[lines.len().saturating_sub(LAST_WORDS)..];
        if last.is_empty() {
            "; it printed nothing".to_owned()
        } else {
            format!("; its last words:\n  {}", last.join("\n  "))
        }
    }
}

/// The name of a signal (signal(7)).
fn name(signal: i32) -> String {
    nix::sys::signal::Signal::try_from(signal)
        .map_or_else(|_| format!("signal {signal}"), |signal| signal.to_string())
}
