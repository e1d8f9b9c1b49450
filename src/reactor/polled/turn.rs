//! The context of a peer's step: the time, the settings, the observer, and the subscribed programs.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::api::apply::Identity;
use crate::api::command::Parser;
use crate::net::programs::Programs;
use crate::reactor::defects::DefectSet;
use crate::reactor::observer::{Observer, SpeakerEvent};
use crate::reactor::shortage::Shortage;
use crate::reactor::subscriptions::Subscriptions;
use crate::speaker::peer::Peer;
use crate::speaker::rib::Refused;
use crate::speaker::route::ConfiguredRoute;
use crate::speaker::session::{Session, SessionEvent};
use crate::speaker::settings::Settings;

use crate::reactor::polled::program::Helpers;

/// Shared by all steps of a turn.
pub(super) struct Turn<P: Programs, C> {
    pub now: Duration,
    pub settings: Settings,
    pub observer: Rc<dyn Observer>,
    pub defects: C,
    pub helpers: Helpers<P>,
    pub identity: Identity,
    pub subscriptions: Subscriptions,
    pub parser: Parser,
    /// When the last command was applied.
    pub last_command: Option<Duration>,
    pub shortage: Shortage,
}

impl<P: Programs, C: DefectSet> Turn<P, C> {
    pub fn observe(&self, event: &SpeakerEvent<'_>) {
        self.observer.observe(self.now, event);
    }

    /// Tells the programs that want to know what happened in a session.
    pub fn tell(&mut self, peer: &Peer, session: &Session, event: &SessionEvent) {
        let Self {
            helpers,
            observer,
            now,
            subscriptions,
            ..
        } = self;
        subscriptions.session(*now, peer, session, event, &mut |program, line| {
            helpers.tell(program, line, &**observer, *now);
        });
    }

    /// Tells the programs that want to know that a connection is open.
    pub fn tell_connected(&mut self, peer: &Peer) {
        let Self {
            helpers,
            observer,
            now,
            subscriptions,
            ..
        } = self;
        subscriptions.connected(*now, peer, &mut |program, line| {
            helpers.tell(program, line, &**observer, *now);
        });
    }

    pub fn warn(&self, who: &str, what: impl fmt::Display) {
        tracing::warn!(target: "lockstep::reactor", "{who}: {what}");
    }

    pub fn report_refused(&self, who: &str, refused: &[(ConfiguredRoute, Refused)]) {
        for (configured, reason) in refused {
            self.warn(
                who,
                format_args!("{}: {reason}", configured.route.nlri.text()),
            );
        }
    }
}
