//! What a command does: to which peers, to their Adj-RIBs, and how it is answered. Pure.

mod chosen;

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::speaker::neighbor::Neighbor;
use crate::speaker::peer::Peer;

use super::Host;
use super::command::{Action, Command};
use super::health;
use super::tally::Tally;

use chosen::{Choice, Chosen};

/// A peer as a command meets it.
#[derive(Debug)]
pub struct Subject<'a> {
    /// What selectors are held against: [`Neighbor::name`].
    pub name: &'a str,
    /// The peer that the command applies to.
    pub peer: &'a mut Peer,
    /// What is known of its session.
    pub tally: &'a Tally,
    /// Set where the command wants its session closed with NOTIFICATION 6 and this subcode.
    pub teardown: &'a mut Option<u8>,
    /// Set where the command wants it removed.
    pub removed: &'a mut bool,
}

/// The peers of a reactor, in the order of the configuration.
pub trait Peers {
    /// Shows each peer to `visit`, in order.
    fn for_each(&mut self, visit: &mut dyn FnMut(Subject<'_>));
}

/// Whether a program's commands are answered (`exabgp_api_ack`, `enable-ack`, `disable-ack`, `silence-ack`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledgement(pub bool);

/// The answer to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The command was applied.
    Done,
    /// The command was refused.
    Error,
}

impl Answer {
    /// The line as the program reads it, without its newline.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Error => "error",
        }
    }
}

/// What a command asks of the speaker as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// End the speaker.
    Shutdown,
    /// Read the configuration again.
    Reload,
    /// Read the configuration again and establish every session anew.
    Restart,
    /// Add a neighbor; refused if there is one of that name already.
    Create(Box<Neighbor>),
}

/// The result of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// Lines that the program receives before the answer.
    pub lines: Vec<String>,
    /// The answer; `None` if the program gets none.
    pub answer: Option<Answer>,
    /// What the reactor has to do.
    pub effect: Option<Effect>,
    /// What was refused and why, for the log.
    pub refusals: Vec<String>,
    /// Peers may have something to send now.
    pub changed: bool,
}

/// The identity of the speaker, as programs see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The machine and the process.
    pub host: Host,
    /// Version string in the answer to `version`.
    pub release: String,
    /// Names this run of the speaker (`ping`, `status`).
    pub run: health::Identity,
    /// When the run began, since 1970.
    pub epoch: Duration,
}

impl Default for Identity {
    /// Nobody in particular, in 1970: the same in every run.
    fn default() -> Self {
        Self {
            host: Host::default(),
            release: "5.0.15".to_owned(),
            run: health::Identity(0x4000_8000_0000_0000_0000),
            epoch: Duration::ZERO,
        }
    }
}

/// Who gives the command, and what it may need to know.
#[derive(Debug)]
pub struct Caller<'a> {
    /// The name of the program.
    pub program: &'a str,
    /// Whether it is answered.
    pub acknowledgement: &'a mut Acknowledgement,
    /// Who the speaker is.
    pub identity: &'a Identity,
    /// Time since the start of the run.
    pub now: Duration,
}

impl Applied {
    fn answered(answer: Answer) -> Self {
        Self {
            answer: Some(answer),
            ..Self::default()
        }
    }

    fn refused(reason: impl Into<String>) -> Self {
        Self {
            refusals: vec![reason.into()],
            ..Self::answered(Answer::Error)
        }
    }

    fn changed() -> Self {
        Self {
            changed: true,
            ..Self::answered(Answer::Done)
        }
    }

    fn with_line(line: impl Into<String>) -> Self {
        Self {
            lines: vec![line.into()],
            ..Self::answered(Answer::Done)
        }
    }
}

/// Applies `command` to those of `peers` that it is for.
pub fn apply(command: &Command, caller: &mut Caller<'_>, peers: &mut dyn Peers) -> Applied {
    let mut applied = perform(command, caller, peers);
    match command.action {
        // The one answer that is given although answers are off.
        Action::DisableAck => caller.acknowledgement.0 = false,
        _ if !caller.acknowledgement.0 => applied.answer = None,
        _ => {}
    }
    applied
}

/// What comes of a command that is answered and does nothing.
#[must_use]
pub fn without_effect(acknowledgement: Acknowledgement) -> Applied {
    Applied {
        answer: acknowledgement.0.then_some(Answer::Done),
        ..Applied::default()
    }
}

/// What comes of a line that is no command: an error, for those who want answers.
#[must_use]
pub fn misunderstood(acknowledgement: Acknowledgement, reason: String) -> Applied {
    let mut applied = Applied::refused(reason);
    if !acknowledgement.0 {
        applied.answer = None;
    }
    applied
}

fn perform(command: &Command, caller: &mut Caller<'_>, peers: &mut dyn Peers) -> Applied {
    let now = caller.now;
    let choice = Choice {
        command,
        program: caller.program,
    };
    let mut chosen = Chosen { choice, peers };
    match &command.action {
        Action::Announce(routes) => {
            chosen.routes(routes, |peer, route| peer.announce(route).map(drop))
        }
        Action::Withdraw(routes) => chosen.routes(routes, Peer::withdraw),
        Action::AnnounceEor(family) => chosen.established(|subject| {
            subject.peer.queue_end_of_rib(*family);
        }),
        Action::RouteRefresh(family) => chosen.refresh(*family),
        Action::Operational(message) => chosen.operational(message),
        Action::AnnounceWatchdog(name) => {
            chosen.watchdog(name.as_deref(), |peer, name| peer.announce_watchdog(name))
        }
        Action::WithdrawWatchdog(name) => {
            chosen.watchdog(name.as_deref(), |peer, name| peer.withdraw_watchdog(name))
        }
        Action::FlushAdjRibOut => chosen.established(|subject| subject.peer.flush(now)),
        Action::ClearAdjRibOut => chosen.any(|subject| subject.peer.clear()),
        Action::ClearAdjRibIn => chosen.any(|subject| subject.peer.clear_incoming()),
        Action::Teardown(subcode) => chosen.teardown(*subcode),
        Action::DeleteNeighbor => chosen.any(|subject| *subject.removed = true),
        Action::CreateNeighbor(neighbor) => chosen.create(neighbor),
        Action::Show(show) => Applied {
            lines: chosen.show(show, now),
            ..Applied::answered(Answer::Done)
        },
        Action::Shutdown => Applied {
            effect: Some(Effect::Shutdown),
            ..Applied::with_line("shutdown in progress")
        },
        Action::Reload => Applied {
            effect: Some(Effect::Reload),
            ..Applied::with_line("reload in progress")
        },
        Action::Restart => Applied {
            effect: Some(Effect::Restart),
            ..Applied::with_line("restart in progress")
        },
        Action::Version => Applied::with_line(format!("exabgp {}", caller.identity.release)),
        Action::Help => Applied {
            lines: super::help::lines(),
            ..Applied::answered(Answer::Done)
        },
        Action::EnableAck => {
            caller.acknowledgement.0 = true;
            Applied::answered(Answer::Done)
        }
        Action::SilenceAck => {
            caller.acknowledgement.0 = false;
            Applied::default()
        }
        Action::DisableAck | Action::Comment | Action::Nothing => Applied::answered(Answer::Done),
        Action::Reset | Action::Debug(_) => Applied::default(),
        Action::Crash => Applied::refused("crash test of the API"),
        Action::Ping { .. } => Applied::with_line(health::pong(caller.identity.run, true)),
        Action::Status => chosen.status(caller.identity, now),
    }
}
