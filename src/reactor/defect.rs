//! What the defects make the reactors do, if it is the same in both. Nothing of it is left in a program whose reactors
//! have [`super::defects::NoDefects`].

use std::io;
use std::time::Duration;

use crate::api::command::{Action, Command};
use crate::bgp::message::{Message, Update};
use crate::speaker::peer::Peer;
use crate::speaker::session::{Session, SessionEvent};

use crate::reactor::defects::{Defect, DefectSet};

/// Whether `command` is lost, `sending` being whether routes are on their way to a peer.
pub(super) fn loses(
    defects: &impl DefectSet,
    command: &Command,
    sending: impl FnOnce() -> bool,
) -> bool {
    defects.has(Defect::RefreshListShared) && command.action == Action::FlushAdjRibOut && sending()
}

/// How long timers wait after a command.
const STARVATION: Duration = Duration::from_millis(100);

/// Until when timers wait, because a command was applied not long ago.
pub(super) fn starved_until(
    defects: &impl DefectSet,
    last_command: Option<Duration>,
) -> Option<Duration> {
    last_command
        .filter(|_| defects.has(Defect::KeepaliveStarved))
        .map(|at| at + STARVATION)
}

/// What a lost connection leaves for the next: the rest of a message that was half written.
pub(super) fn leftover(defects: &impl DefectSet, session: &mut Session) -> Vec<u8> {
    const MARKER: [u8; 16] = [0xff; 16];
    let rest = session.poll_transmit().unwrap_or_default();
    if defects.has(Defect::HalfMessageResumed) && !rest.starts_with(&MARKER) {
        rest.to_vec()
    } else {
        Vec::new()
    }
}

/// Takes the end of a connection as an error that nothing handles.
///
/// # Panics
/// With [`Defect::CrashOnReset`].
pub(super) fn crash(defects: &impl DefectSet, kind: io::ErrorKind) {
    assert!(
        !defects.has(Defect::CrashOnReset),
        "unhandled error of a read: {kind}"
    );
}

/// Says End-of-RIB as soon as a session is established, with routes still to come.
pub(super) fn end_early(
    defects: &impl DefectSet,
    now: Duration,
    peer: &Peer,
    session: &mut Session,
    event: &SessionEvent,
) {
    if let SessionEvent::Established(negotiated) = event
        && defects.has(Defect::EarlyEndOfRib)
        && peer.rib_out().pending()
    {
        for family in negotiated.families.iter() {
            let end = Message::Update(Update::of_end_of_rib(family));
            // An End-of-RIB fits every message.
            let _ = session.send(now, &end);
        }
    }
}
