//! How a peer handles received octets, and its hold timer.

use std::time::Duration;

use crate::net::{Connection, Stream};
use crate::scenario::scripted::peer::{Ending, Seen, Session, message};

/// KEEPALIVEs within one second that are no mistake of a timer any more.
const MOST_KEEPALIVES: u32 = 1_000;

impl<C: Connection + Stream> Session<C> {
    /// RFC 4271 section 4.2: the smaller of the hold times of the OPENs seen so far is the session's.
    pub(super) fn agree(&mut self, open: &[u8]) {
        if let Some(&[high, low]) = open.get(22..24) {
            let offered = Duration::from_secs(u64::from(u16::from_be_bytes([high, low])));
            self.hold = offered.min(self.offered.unwrap_or(offered));
            self.offered = Some(self.hold);
        }
    }

    /// The view decodes with the capabilities that this peer offered.
    pub(super) fn negotiate(&self) {
        if let (Some(open), Some(said)) = (&self.open, &self.said) {
            self.view.borrow_mut().negotiated_with(open, said);
        }
    }

    /// Whether it runs its own timers: not during a verbatim script.
    pub(super) fn keeps_alive(&self) -> bool {
        self.up && !self.hold.is_zero() && !(self.script.open.verbatim && self.step().is_some())
    }

    /// RFC 4271 section 4.4: a third of the hold time between KEEPALIVEs; section 6.5: hold timer expired.
    pub(super) fn timers(&mut self, stalls: bool) {
        if !self.keeps_alive() {
            return;
        }
        let now = self.shared.clock.now();
        if now >= self.last_received + self.hold && !self.script.patient && !stalls {
            self.send(&message::notification(4, 0, &[]));
            self.ending = Some(Ending::ByPeer);
        } else if now >= self.spoke + self.hold / 3 {
            self.send(&message::keepalive());
        }
    }

    /// Whether it is `until`, as this step first had it.
    pub(super) fn slept(&mut self, until: Duration) -> bool {
        let clock = self.shared.clock;
        let wake = *self.wake.get_or_insert_with(|| clock.at(until));
        let over = clock.at(clock.now()) >= wake;
        if over {
            self.wake = None;
        }
        over
    }

    pub(super) fn handle_bytes(&mut self, bytes: &[u8]) {
        self.last_received = self.shared.clock.now();
        self.received.extend_from_slice(bytes);
        loop {
            match message::frame(&self.received) {
                Ok(Some(length)) => {
                    let message: Vec<u8> = self.received.drain(..length).collect();
                    self.handle_message(message);
                }
                Ok(None) => return,
                Err(error) => {
                    self.view.borrow_mut().garble();
                    self.fail(error);
                    self.ending = Some(Ending::ByPeer);
                    return;
                }
            }
        }
    }

    /// RFC 4271 section 4.4: at most one KEEPALIVE a second, whatever the hold time. A speaker that sends them without a pause
    /// would go on until the run's time is over, which is long where time passes by the microsecond.
    fn count_keepalive(&mut self) {
        let second = self.shared.clock.now().as_secs();
        let (counted, count) = &mut self.keepalives;
        if *counted != second {
            (*counted, *count) = (second, 0);
        }
        *count += 1;
        if *count > MOST_KEEPALIVES && self.ending.is_none() {
            self.fail(&format!(
                "more than {MOST_KEEPALIVES} KEEPALIVEs within a second, where one is allowed (RFC 4271 section 4.4)"
            ));
            self.ending = Some(Ending::ByPeer);
        }
    }

    fn handle_message(&mut self, bytes: Vec<u8>) {
        let kind = bytes[18];
        self.record(true, bytes.clone());
        match kind {
            message::OPEN if self.open.is_none() && bytes.len() >= message::HEADER + 10 => {
                self.view.borrow_mut().negotiated(&bytes);
                if self.script.open.verbatim {
                    self.agree(&bytes);
                }
                self.open = Some(bytes);
                self.negotiate();
                return;
            }
            message::KEEPALIVE => {
                self.count_keepalive();
                if !self.up {
                    self.up = true;
                    self.shared.transcripts.up(self.peer(), &self.view);
                    self.shared.progress.saw(self.peer(), Seen::Up);
                }
                return;
            }
            _ => {}
        }
        let seen = self.view.borrow_mut().handle(&bytes);
        self.pending.push_back(seen.clone());
        self.shared.progress.saw(self.peer(), seen);
        let answers = !self.script.open.verbatim;
        if answers && kind != message::NOTIFICATION && kind != message::OPEN {
            self.send(&message::keepalive());
        }
    }
}
