//! How a peer's task reads where its defects is wrong. Nothing of it is left where it is sound.

use std::future::poll_fn;
use std::rc::Rc;
use std::time::Duration;

use crate::net::Network;
use crate::reactor::defects::{Defect, DefectSet};

use crate::reactor::tasks::converse::{Conversation, Progress};
use crate::reactor::tasks::peer::maybe;

/// Octets that a wrong defects treats as it should not; empty where it is right.
#[derive(Default)]
pub(super) struct Wrong {
    /// Read, and not yet a whole message.
    pub partial: Vec<u8>,
    /// Written before anything else.
    pub leftover: Vec<u8>,
}

/// How long a read lasts that nothing interrupts.
const NAP: Duration = Duration::from_millis(100);

impl<N: Network, C: DefectSet> Conversation<'_, N, C> {
    /// Whether it stays in its reads, whatever else there is.
    pub fn naps(&self) -> bool {
        let defects = &self.hub.defects;
        defects.has(Defect::ReadWithoutTimeout)
            || defects.has(Defect::ContinueAfterTimeout)
            || defects.has(Defect::SleepInRead)
            || defects.has(Defect::CancelledRead)
    }

    /// Waits for octets: for ever, or for a while, and only the end of the peer interrupts it.
    pub async fn wait_in_read(&mut self) -> Option<Progress> {
        let clock = self.hub.clock;
        let nap = clock.at(self.hub.now() + NAP);
        let forever = self.hub.defects.has(Defect::ReadWithoutTimeout);
        let (hub, id, changed) = (self.hub, self.id, Rc::clone(&self.changed));
        // What is closed already was stopped, and has but to be written.
        let closed = self.session.is_closed();
        let stopped = async move {
            while closed || hub.with(id, |entry| entry.stopped) == Some(false) {
                changed.notified().await;
            }
        };
        let progress = tokio::select! {
            biased;
            () = stopped => None,
            progress = poll_fn(|context| self.poll(context)) => Some(progress),
            () = maybe((!forever).then(|| crate::net::timer::sleep_until(nap))) => None,
        };
        if progress.is_none() {
            self.wrong.partial.clear();
        }
        progress
    }

    /// Hands whole messages alone to the session; the rest waits for more, or is lost.
    pub fn handle_whole_messages(&mut self, now: Duration) {
        while let Some(&[high, low]) = self.wrong.partial.get(16..18) {
            if !self.wrong.partial.starts_with(&[0xff; 16]) {
                // It cannot be framed: the session says what there is to say of it.
                let octets = std::mem::take(&mut self.wrong.partial);
                return self.session.handle_bytes(now, &octets);
            }
            let length = usize::from(u16::from_be_bytes([high, low])).max(19);
            if self.wrong.partial.len() < length {
                return;
            }
            let message: Vec<u8> = self.wrong.partial.drain(..length).collect();
            self.session.handle_bytes(now, &message);
        }
    }
}
