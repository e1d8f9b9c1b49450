//! The transcripts of a run, written down while it goes on.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use crate::scenario::format::message::{UPDATE, is_notification};
use crate::scenario::scripted::table::View;
use crate::scenario::scripted::transcript::{Ending, Passed, Transcript};

#[derive(Debug, Default)]
struct Inner {
    transcripts: Vec<Transcript>,
    tables: BTreeMap<IpAddr, Rc<RefCell<View>>>,
}

/// A handle that all peers of a run write to.
#[derive(Debug, Clone, Default)]
pub struct Transcripts(Rc<RefCell<Inner>>);

impl Transcripts {
    /// Begins a connection and gives its place.
    #[must_use]
    pub fn open(&self, transcript: Transcript) -> usize {
        let transcripts = &mut self.0.borrow_mut().transcripts;
        transcripts.push(transcript);
        transcripts.len() - 1
    }

    /// A message passed on the connection at `place`.
    pub fn passed(&self, place: usize, passed: Passed) {
        self.0.borrow_mut().transcripts[place].messages.push(passed);
    }

    /// The connection at `place` has ended.
    pub fn close(&self, place: usize, now: Duration, ending: Ending) {
        self.0.borrow_mut().transcripts[place].ended = Some((now, ending));
    }

    /// The UPDATEs that the speaker has sent on the connection at `place`.
    #[must_use]
    pub fn updates_from_speaker(&self, place: usize) -> Vec<Vec<u8>> {
        self.0.borrow().transcripts[place]
            .compared()
            .filter(|passed| passed.bytes.get(18) == Some(&UPDATE))
            .map(|passed| passed.bytes.clone())
            .collect()
    }

    /// A new session of `peer` begins: its table starts empty. It counts once it is up, or at once where none is.
    #[must_use]
    pub fn begin(&self, peer: IpAddr) -> Rc<RefCell<View>> {
        let view: Rc<RefCell<View>> = Rc::default();
        let tables = &mut self.0.borrow_mut().tables;
        if let Some(last) = tables.get(&peer) {
            view.borrow_mut().inherit(&last.borrow());
        }
        if tables
            .get(&peer)
            .is_none_or(|last| !last.borrow().is_live())
        {
            tables.insert(peer, view.clone());
        }
        view
    }

    /// The session with this view is up: of several of one peer it is the one that counts.
    pub fn up(&self, peer: IpAddr, view: &Rc<RefCell<View>>) {
        view.borrow_mut().set_live(true);
        self.0.borrow_mut().tables.insert(peer, view.clone());
    }

    /// What `look` makes of what `peer` holds; `false` where it never had a session.
    pub fn view(&self, peer: IpAddr, look: impl FnOnce(&View) -> bool) -> bool {
        self.0
            .borrow()
            .tables
            .get(&peer)
            .is_some_and(|view| look(&view.borrow()))
    }

    /// How many messages the speaker has sent on each connection, KEEPALIVEs and NOTIFICATIONs not counted.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<(IpAddr, usize), usize> {
        let mut counts = BTreeMap::new();
        for transcript in &self.0.borrow().transcripts {
            let key = (transcript.peer, transcript.attempt);
            let said = transcript.compared();
            *counts.entry(key).or_default() +=
                said.filter(|it| !is_notification(&it.bytes)).count();
        }
        counts
    }

    /// All that was written down: connections in the order in which they were accepted, and the peers' last tables.
    #[must_use]
    pub fn take(&self) -> (Vec<Transcript>, BTreeMap<IpAddr, View>) {
        let inner = std::mem::take(&mut *self.0.borrow_mut());
        let tables = inner
            .tables
            .iter()
            .map(|(peer, view)| (*peer, view.borrow().clone()));
        (inner.transcripts, tables.collect())
    }
}
