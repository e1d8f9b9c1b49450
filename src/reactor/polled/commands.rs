//! Commands: one read of each program, everything in it applied before any peer has its turn.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::api::apply::{self, Applied, Caller, Effect, Peers, Subject};
use crate::net::Network;
use crate::net::programs::Programs;
use crate::reactor::control::Control;
use crate::reactor::defect;
use crate::reactor::defects::{Defect, DefectSet};
use crate::reactor::observer::SpeakerEvent;

use crate::reactor::polled::Polled;
use crate::reactor::polled::peer::Slot;
use crate::reactor::polled::program::{Held, Helper, ProgramOutput};

/// The peers, as commands meet them.
struct Subjects<'a, N: Network>(&'a mut BTreeMap<usize, Slot<N>>);

impl<N: Network> Peers for Subjects<'_, N> {
    fn for_each(&mut self, visit: &mut dyn FnMut(Subject<'_>)) {
        for slot in self.0.values_mut().filter(|slot| !slot.stopped) {
            visit(Subject {
                name: &slot.name,
                peer: &mut slot.peer,
                tally: &slot.tally,
                teardown: &mut slot.teardown,
                removed: &mut slot.stopped,
            });
        }
    }
}

/// Whether routes are on their way to some peer.
fn is_sending<N: Network>(peers: &BTreeMap<usize, Slot<N>>) -> bool {
    peers
        .values()
        .any(|slot| slot.peer.is_established() && slot.peer.has_output())
}

impl<N: Network, P: Programs, C: DefectSet> Polled<N, P, C> {
    /// Whether programs wait for the peers to end: only where the defects is wrong.
    pub(super) fn is_locked_out(&self) -> bool {
        self.turn.defects.has(Defect::PeersBeforeApi) && !self.peers.is_empty()
    }

    /// One read of each program in order, and what it asks for.
    pub(super) fn commands(&mut self) {
        if self.is_locked_out() {
            return;
        }
        let split = self.turn.defects.has(Defect::OneCommandPerLoop);
        let ids: Vec<usize> = self.turn.helpers.list.keys().copied().collect();
        for id in ids {
            let Self { turn, buffer, .. } = self;
            let Some(helper) = turn.helpers.list.get_mut(&id) else {
                continue;
            };
            if !helper.queued.is_empty() {
                self.queued(id, split);
                continue;
            }
            match helper.read(buffer) {
                ProgramOutput::Nothing => {}
                // The speaker is ending: further commands are ignored.
                ProgramOutput::Lines(_) if self.ending.is_some() => {}
                ProgramOutput::Ended(reason) if self.ending.is_some() => {
                    self.end_program(id, &reason)
                }
                ProgramOutput::Lines(lines) if split => {
                    let queued = lines.lines().map(|line| line.trim_end().to_owned());
                    helper.queued.extend(queued);
                }
                ProgramOutput::Lines(lines) => {
                    let mut rest = lines.lines();
                    for line in rest.by_ref() {
                        self.command(id, line.trim_end());
                        if self.is_full(id) {
                            break;
                        }
                    }
                    if let Some(helper) = self.turn.helpers.list.get_mut(&id) {
                        helper
                            .queued
                            .extend(rest.map(|line| line.trim_end().to_owned()));
                    }
                }
                ProgramOutput::Ended(reason) => self.program_ended(id, &reason),
            }
        }
    }

    /// Whether the program is to read what it is told before more of its commands are applied.
    fn is_full(&self, id: usize) -> bool {
        let helper = self.turn.helpers.list.get(&id);
        helper.is_some_and(Helper::is_full)
    }

    /// Applies what was read in an earlier turn: one command, or as many as the program has room for the answers to.
    fn queued(&mut self, id: usize, one: bool) {
        while !self.is_full(id)
            && let Some(helper) = self.turn.helpers.list.get_mut(&id)
            && let Some(line) = helper.queued.pop_front()
        {
            self.command(id, &line);
            if one {
                break;
            }
        }
    }

    fn command(&mut self, id: usize, line: &str) {
        let Self { turn, peers, .. } = self;
        let Some(helper) = turn.helpers.list.get_mut(&id) else {
            return;
        };
        let program = Rc::clone(&helper.name);
        turn.observer.observe(
            turn.now,
            &SpeakerEvent::Command {
                program: &program,
                line,
            },
        );
        turn.last_command = Some(turn.now);
        let acknowledgement = &mut helper.acknowledgement;
        let applied = match turn.parser.parse(line) {
            Ok(command) if defect::loses(&turn.defects, &command, || is_sending(peers)) => {
                apply::without_effect(*acknowledgement)
            }
            Ok(command) => {
                let mut caller = Caller {
                    program: &program,
                    acknowledgement,
                    identity: &turn.identity,
                    now: turn.now,
                };
                apply::apply(&command, &mut caller, &mut Subjects(peers))
            }
            Err(error) => apply::misunderstood(*acknowledgement, error.to_string()),
        };
        self.applied(id, &program, applied);
    }

    fn applied(&mut self, id: usize, program: &str, applied: Applied) {
        for reason in &applied.refusals {
            self.turn.warn(program, reason);
        }
        self.untaken |= applied.changed;
        let mut answer = applied.answer;
        match applied.effect {
            None => {}
            Some(Effect::Shutdown) => self.requests.push(Control::Terminate),
            Some(Effect::Reload) => self.requests.push(Control::Reload),
            Some(Effect::Restart) => self.requests.push(Control::Reestablish),
            Some(Effect::Create(neighbor)) => self.add_peer(*neighbor),
        }
        let waits = !self.turn.defects.has(Defect::EarlyAnswer);
        let Some(helper) = self.turn.helpers.list.get_mut(&id) else {
            return;
        };
        for line in applied.lines {
            helper.hold(Held::Line(line));
        }
        if let Some(answer) = answer.take() {
            helper.hold(Held::Answer(answer));
        }
        if !waits {
            helper.release(&*self.turn.observer, self.turn.now);
        }
    }

    /// Answers go out: by now every established peer has taken the changes.
    pub(super) fn answer(&mut self) {
        let turn = &mut self.turn;
        for helper in turn.helpers.list.values_mut() {
            helper.release(&*turn.observer, turn.now);
        }
    }

    pub(super) fn write_programs(&mut self) {
        for helper in self.turn.helpers.list.values_mut() {
            helper.write();
        }
    }
}
