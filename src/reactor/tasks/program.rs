//! A program's task: what it writes is read in large pieces, each piece one batch of commands; answers are written in
//! bulk.

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::sync::Notify;

use crate::api::apply::{self, Acknowledgement, Answer, Applied, Caller, Effect};
use crate::api::command::Parser;
use crate::config::is_client;
use crate::net::Network;
use crate::net::buffer::ReadBuffer;
use crate::net::programs::{ProgramPipe, Programs};
use crate::reactor::control::Control;
use crate::reactor::defect;
use crate::reactor::defects::{Defect, DefectSet};
use crate::reactor::observer::SpeakerEvent;
use crate::reactor::pipe::{LineBuffer, Outbox, RespawnBudget};
use crate::reactor::program;
use crate::reactor::shortage::{RETRY, is_shortage};

use crate::reactor::tasks::hub::{Hub, Mailbox, ProgramOrder, Request, Subjects};
use crate::reactor::tasks::peer::maybe;

/// Octets that one read may bring.
const READ: usize = 64 * 1024;

/// The starter of programs, shared by their tasks.
pub(super) type Starter<P> = Rc<std::cell::RefCell<P>>;

/// Serves the program `id` until it is not to be started any more.
pub(super) async fn run<N: Network, P: Programs, C: DefectSet>(
    hub: Rc<Hub<N, C>>,
    starter: Starter<P>,
    id: usize,
) {
    let mut budget = RespawnBudget::default();
    loop {
        let Some((description, filled)) = hub.mailboxes.borrow_mut().get_mut(&id).map(|mailbox| {
            let answered = hub.settings.api_ack || is_client(&mailbox.process.name);
            mailbox.acknowledgement = Acknowledgement(answered);
            mailbox.order = None;
            mailbox.process.clone_from(&mailbox.configured.0);
            hub.subscriptions.borrow_mut().started(&mailbox.process);
            (
                program::program(&mailbox.process, &mailbox.configured.1),
                Rc::clone(&mailbox.filled),
            )
        }) else {
            return;
        };
        let started = starter.borrow_mut().start(&description);
        let program = description.name.as_str();
        let pipe = match started {
            Ok(pipe) => pipe,
            Err(error) if is_shortage(&error) => {
                report(&hub, program, &error);
                // It is not the program that is missing: sessions go on, and it is tried again.
                let later = hub.clock.at(hub.now() + RETRY);
                crate::net::timer::sleep_until(later).await;
                continue;
            }
            Err(error) => return failed(&hub, program, &error),
        };
        hub.observe(&SpeakerEvent::ProgramStarted { program });
        set_running(&hub, id, true);
        let mut service = Service {
            hub: &hub,
            id,
            program,
            pipe,
            lines: LineBuffer::default(),
            commands: (String::new(), 0),
            held: Vec::new(),
            held_octets: 0,
            requests: Vec::new(),
            waits_for: None,
            buffer: ReadBuffer::new(READ),
            parser: Parser::default(),
            broken: false,
        };
        let reason = service.serve(&filled).await;
        drop(service);
        set_running(&hub, id, false);
        hub.observe(&SpeakerEvent::ProgramEnded {
            program,
            reason: &reason,
        });
        hub.bell.notify_one();
        if !starts_again(&hub, id, &mut budget) {
            return;
        }
    }
}

fn set_running<N: Network, C: DefectSet>(hub: &Hub<N, C>, id: usize, running: bool) {
    if let Some(mailbox) = hub.mailboxes.borrow_mut().get_mut(&id) {
        mailbox.running = running;
        mailbox.outbox = Outbox::default();
    }
}

/// As in ExaBGP a program that cannot be started costs every peer its session, since it might have had a say in it.
fn failed<N: Network, C: DefectSet>(hub: &Hub<N, C>, program: &str, error: &io::Error) {
    report(hub, program, error);
    if hub.settings.api_terminate {
        hub.request(Request::Control(Control::Terminate));
    }
    for entry in hub.peers.borrow_mut().values_mut() {
        entry.stop();
    }
}

fn report<N: Network, C: DefectSet>(hub: &Hub<N, C>, program: &str, error: &io::Error) {
    let reason = error.to_string();
    hub.observe(&SpeakerEvent::ProgramFailed {
        program,
        reason: &reason,
    });
    hub.warn(program, format_args!("could not be started: {reason}"));
}

fn starts_again<N: Network, C: DefectSet>(
    hub: &Hub<N, C>,
    id: usize,
    budget: &mut RespawnBudget,
) -> bool {
    let (order, respawn, name) = {
        let mut mailboxes = hub.mailboxes.borrow_mut();
        let Some(mailbox) = mailboxes.get_mut(&id) else {
            return false;
        };
        (
            mailbox.order.take(),
            mailbox.process.respawn,
            mailbox.process.name.clone(),
        )
    };
    match order {
        Some(ProgramOrder::Restart) => return true,
        Some(ProgramOrder::End) => return false,
        None => {}
    }
    if !respawn || !hub.settings.api_respawn {
        return false;
    }
    let again = budget.spend(hub.now());
    if !again {
        hub.request(Request::ProgramKeptDying(name));
    }
    again
}

/// A line that waits for the peers.
enum Held {
    Answer(Answer),
    Line(String),
}

/// A program that runs.
struct Service<'a, N: Network, C, T> {
    hub: &'a Hub<N, C>,
    id: usize,
    program: &'a str,
    pipe: T,
    lines: LineBuffer,
    /// Whole lines that were read, and how far they were applied.
    commands: (String, usize),
    /// Lines that wait until every established peer has taken the changes that they answer.
    held: Vec<Held>,
    /// Octets of those lines.
    held_octets: usize,
    /// What was asked of the speaker as a whole, which is done once it is answered: a program may have to end for it.
    requests: Vec<Control>,
    /// The batch of changes that the answers wait for.
    waits_for: Option<u64>,
    buffer: ReadBuffer,
    parser: Parser,
    /// It no longer reads its input.
    broken: bool,
}

impl<N: Network, C: DefectSet, T: ProgramPipe> Service<'_, N, C, T> {
    /// Serves the program until it ends, or is to end; says why.
    async fn serve(&mut self, filled: &Notify) -> String {
        loop {
            self.apply();
            let barrier = self.waits_for;
            if barrier.is_none() {
                self.release();
            }
            if let Some(reason) = self.verdict() {
                return reason;
            }
            if barrier.is_none() && self.is_behind() && !self.is_full() {
                tokio::task::yield_now().await;
                continue;
            }
            let waits = barrier.is_some();
            let hub = self.hub;
            let read = tokio::select! {
                biased;
                () = maybe(barrier.map(|changes| hub.all_take(changes))) => {
                    self.release();
                    continue;
                }
                () = filled.notified() => continue,
                read = poll_fn(|context| self.poll(context, waits)) => read,
            };
            match read {
                None => {}
                Some(Ok(0)) => return "its output ended".to_owned(),
                Some(Err(error)) => return error.kind().to_string(),
                Some(Ok(count)) => match self.lines.feed(&self.buffer[..count]) {
                    Ok(lines) => self.commands = (lines, 0),
                    Err(oversized) => return oversized.to_string(),
                },
            }
        }
    }

    fn mailbox<R>(&self, act: impl FnOnce(&mut Mailbox) -> R) -> Option<R> {
        self.hub.mailboxes.borrow_mut().get_mut(&self.id).map(act)
    }

    /// Why the program is to end now, if it is.
    fn verdict(&self) -> Option<String> {
        let verdict = self.mailbox(|mailbox| match mailbox.order {
            Some(ProgramOrder::End) => Some("it is not configured any more"),
            Some(ProgramOrder::Restart) => Some("it is started anew"),
            None if mailbox.outbox.is_over() => Some("it does not read its input"),
            None => None,
        });
        verdict
            .unwrap_or(Some("it is forgotten"))
            .map(str::to_owned)
    }

    /// Whether the program is to read what it is told before more of its commands are applied.
    fn is_full(&self) -> bool {
        self.mailbox(|mailbox| mailbox.outbox.is_high()) == Some(true)
    }

    /// Whether commands wait to be applied: the answers to those before fill the outbox, or a defect has it so.
    const fn is_behind(&self) -> bool {
        self.commands.1 < self.commands.0.len()
    }

    /// Applies what was read as one batch, and notes which changes its answers wait for.
    fn apply(&mut self) {
        if !self.is_behind() || self.waits_for.is_some() || self.is_full() {
            return;
        }
        let split = self.hub.defects.has(Defect::OneCommandPerLoop);
        let (lines, mut at) = std::mem::take(&mut self.commands);
        let mut changed = false;
        while let Some(end) = lines[at..].find('\n') {
            changed |= self.command(lines[at..at + end].trim_end());
            at += end + 1;
            if split || self.held_octets > Outbox::HIGH_WATER {
                break;
            }
        }
        self.commands = (lines, at);
        let changes = if changed {
            self.hub.announce_changes()
        } else {
            self.hub.changes.get()
        };
        let waits = !self.held.is_empty() && !self.hub.defects.has(Defect::EarlyAnswer);
        self.waits_for = waits.then_some(changes);
    }

    fn command(&mut self, line: &str) -> bool {
        let hub = self.hub;
        let now = hub.now();
        let program = self.program;
        hub.observer
            .observe(now, &SpeakerEvent::Command { program, line });
        hub.last_command.set(Some(now));
        let mut mailboxes = hub.mailboxes.borrow_mut();
        let Some(mailbox) = mailboxes.get_mut(&self.id) else {
            return false;
        };
        let acknowledgement = &mut mailbox.acknowledgement;
        let applied = match self.parser.parse(line) {
            Ok(command) if defect::loses(&hub.defects, &command, || hub.is_sending()) => {
                apply::without_effect(*acknowledgement)
            }
            Ok(command) => {
                let mut caller = Caller {
                    program,
                    acknowledgement,
                    identity: &hub.identity,
                    now,
                };
                apply::apply(
                    &command,
                    &mut caller,
                    &mut Subjects(&mut hub.peers.borrow_mut()),
                )
            }
            Err(error) => apply::misunderstood(*acknowledgement, error.to_string()),
        };
        drop(mailboxes);
        self.applied(applied)
    }

    fn applied(&mut self, applied: Applied) -> bool {
        for reason in &applied.refusals {
            self.hub.warn(self.program, reason);
        }
        match applied.effect {
            None => {}
            Some(Effect::Shutdown) => self.requests.push(Control::Terminate),
            Some(Effect::Reload) => self.requests.push(Control::Reload),
            Some(Effect::Restart) => self.requests.push(Control::Reestablish),
            Some(Effect::Create(neighbor)) => self.hub.request(Request::Create(neighbor)),
        }
        self.held_octets += applied.lines.iter().map(String::len).sum::<usize>();
        self.held.extend(applied.lines.into_iter().map(Held::Line));
        if let Some(answer) = applied.answer {
            self.held.push(Held::Answer(answer));
        }
        applied.changed
    }

    /// The peers have taken what they should: the lines that were held go out.
    fn release(&mut self) {
        self.waits_for = None;
        self.held_octets = 0;
        let held = std::mem::take(&mut self.held);
        let requests = std::mem::take(&mut self.requests);
        let program = self.program;
        self.mailbox(|mailbox| {
            let mut lines = String::new();
            for held in held {
                match held {
                    Held::Line(line) => {
                        self.hub.observe(&SpeakerEvent::ProgramEvent {
                            program,
                            line: &line,
                        });
                        lines += &line;
                        lines.push('\n');
                    }
                    Held::Answer(answer) => {
                        let line = answer.text();
                        self.hub.observe(&SpeakerEvent::Answer { program, line });
                        lines += line;
                        mailbox.outbox.push_answer(&lines);
                        lines.clear();
                    }
                }
            }
            if !lines.is_empty() {
                mailbox.outbox.push(&lines);
            }
            if !requests.is_empty() {
                mailbox.outbox.hurry();
            }
        });
        // Answers are written before the main task has its turn.
        for control in requests {
            self.hub.request(Request::Control(control));
        }
    }

    /// Writes all that the pipe takes, then reads once, unless answers are still due or the program does not read them.
    fn poll(&mut self, context: &mut Context<'_>, waits: bool) -> Poll<Option<io::Result<usize>>> {
        let Self {
            hub,
            id,
            pipe,
            broken,
            ..
        } = self;
        let mut mailboxes = hub.mailboxes.borrow_mut();
        let Some(mailbox) = mailboxes.get_mut(id) else {
            return Poll::Ready(None);
        };
        while !mailbox.outbox.is_empty() && !*broken {
            match mailbox.outbox.poll_write(pipe, context) {
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) => *broken = true,
                Poll::Pending => break,
            }
        }
        if *broken {
            mailbox.outbox = Outbox::default();
        }
        let full = mailbox.outbox.is_high();
        drop(mailboxes);
        let locked_out = hub.defects.has(Defect::PeersBeforeApi) && !hub.peers.borrow().is_empty();
        if self.is_behind() && !waits && !full {
            // There is room for more answers.
            return Poll::Ready(None);
        }
        if waits || full || locked_out || self.is_behind() {
            return Poll::Pending;
        }
        self.pipe.poll_read(context, &mut self.buffer).map(Some)
    }
}
