//! What the reactors do where their conduct is wrong, as far as it is the same for both. Nothing of it is left in a
//! program whose runs are [`super::conduct::Sound`].

use std::time::Duration;

use crate::api::command::{Action, Command};
use crate::bgp::message::{Message, Update};
use crate::speaker::peer::Peer;
use crate::speaker::session::{Session, SessionEvent};

use super::conduct::{Conduct, Defect};

/// Whether `command` is lost, `sending` being whether routes are on their way to a peer.
pub(super) fn loses(
    conduct: &impl Conduct,
    command: &Command,
    sending: impl FnOnce() -> bool,
) -> bool {
    conduct.has(Defect::RefreshListShared) && command.action == Action::FlushAdjRibOut && sending()
}

/// How long timers wait after a command.
const STARVATION: Duration = Duration::from_millis(100);

/// Until when timers wait, because a command was applied not long ago.
pub(super) fn starved_until(
    conduct: &impl Conduct,
    last_command: Option<Duration>,
) -> Option<Duration> {
    last_command
        .filter(|_| conduct.has(Defect::KeepaliveStarved))
        .map(|at| at + STARVATION)
}

/// What a lost connection leaves for the next: the rest of a message that was half written.
pub(super) fn leftover(conduct: &impl Conduct, session: &mut Session) -> Vec<u8> {
    const MARKER: [u8; 16] = [0xff; 16];
    let rest = session.poll_transmit().unwrap_or_default();
    if conduct.has(Defect::HalfMessageResumed) && !rest.starts_with(&MARKER) {
        rest.to_vec()
    } else {
        Vec::new()
    }
}

/// Says End-of-RIB as soon as a session is established, with routes still to come.
pub(super) fn end_early(
    conduct: &impl Conduct,
    now: Duration,
    peer: &Peer,
    session: &mut Session,
    event: &SessionEvent,
) {
    if let SessionEvent::Established(negotiated) = event
        && conduct.has(Defect::EarlyEndOfRib)
        && peer.rib_out().pending()
    {
        for family in negotiated.families.iter() {
            let end = Message::Update(Update::of_end_of_rib(family));
            // An End-of-RIB fits every message.
            let _ = session.send(now, &end);
        }
    }
}
