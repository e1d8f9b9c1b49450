//! The transcripts of a run, recorded as it proceeds.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use crate::net::{Attempts, ConnectionName, Opener};
use crate::scenario::format::message::{UPDATE, is_notification};
use crate::scenario::scripted::table::View;
use crate::scenario::scripted::transcript::{Ending, Passed, Transcript, compared};

/// Who names the connections.
#[derive(Debug, Clone)]
enum Namer {
    /// The networks of the speakers, which know them by their ends, each with the addresses of its host; any address
    /// is of the only one.
    Speakers(Vec<(Vec<IpAddr>, Attempts)>),
    /// The peers, as they open: a speaker that is another program has no network that could be asked.
    Peers(Attempts),
}

impl Default for Namer {
    fn default() -> Self {
        Self::Peers(Attempts::default())
    }
}

/// A connection as its peer has it open.
#[derive(Debug, Clone, Copy)]
pub struct Ends {
    /// The peer's address, without its port.
    pub peer: IpAddr,
    /// Who opened it, seen from the speaker.
    pub opener: Opener,
    /// The speaker's end.
    pub speaker_end: SocketAddr,
    /// The peer's end.
    pub peer_end: SocketAddr,
}

/// A transcript that is being written, under a name that may not be known yet.
#[derive(Debug)]
struct Entry {
    ends: Ends,
    name: Option<ConnectionName>,
    opened: Duration,
    messages: Vec<Passed>,
    ended: Option<(Duration, Ending)>,
}

impl Entry {
    /// Its name, once the speaker's network has given one.
    fn name(&mut self, namer: &Namer) -> Option<ConnectionName> {
        if let (None, Namer::Speakers(_)) = (self.name, namer) {
            let attempts = namer.attempts(&self.ends);
            self.name =
                attempts.and_then(|it| it.between(self.ends.speaker_end, self.ends.peer_end));
        }
        self.name
    }
}

impl Namer {
    /// Who names the connection with these ends; `None` where no speaker has its address.
    fn attempts(&self, ends: &Ends) -> Option<&Attempts> {
        match self {
            Self::Peers(attempts) => Some(attempts),
            Self::Speakers(speakers) => match speakers.as_slice() {
                [(_, only)] => Some(only),
                several => {
                    let of_host = |(addresses, _): &&(Vec<IpAddr>, Attempts)| {
                        addresses.contains(&ends.speaker_end.ip())
                    };
                    several.iter().find(of_host).map(|(_, attempts)| attempts)
                }
            },
        }
    }
}

#[derive(Debug, Default)]
struct Inner {
    namer: Namer,
    entries: Vec<Entry>,
    tables: BTreeMap<IpAddr, Rc<RefCell<View>>>,
    /// Every session of a peer, in the order in which they began.
    begun: BTreeMap<IpAddr, Vec<Rc<RefCell<View>>>>,
}

impl Inner {
    /// The session of `peer` that counts: of those that are up the one that began last. What TCP sends again late may
    /// bring up an older one, which only its peer believes in, for as long as it takes to deliver the end of it.
    fn table(&self, peer: IpAddr) -> Option<&Rc<RefCell<View>>> {
        let begun = self.begun.get(&peer).into_iter().flatten();
        let live = begun.rev().find(|view| view.borrow().is_live());
        live.or_else(|| self.tables.get(&peer))
    }
}

/// The handle shared by all peers of a run.
#[derive(Debug, Clone, Default)]
pub struct Transcripts(Rc<RefCell<Inner>>);

impl Transcripts {
    /// Begins a connection and returns its index.
    #[must_use]
    pub fn named_by_speaker(attempts: &Attempts) -> Self {
        Self::named_by_speakers(vec![(Vec::new(), attempts.clone())])
    }

    /// The same for several speakers, each with the addresses of its host.
    #[must_use]
    pub fn named_by_speakers(speakers: Vec<(Vec<IpAddr>, Attempts)>) -> Self {
        for (_, attempts) in &speakers {
            attempts.remember();
        }
        let inner = Inner {
            namer: Namer::Speakers(speakers),
            ..Inner::default()
        };
        Self(Rc::new(RefCell::new(inner)))
    }

    /// Begins a connection, open from `now` on, and gives its place.
    #[must_use]
    pub fn open(&self, ends: Ends, now: Duration) -> usize {
        let Inner { namer, entries, .. } = &mut *self.0.borrow_mut();
        let mut entry = Entry {
            ends,
            name: None,
            opened: now,
            messages: Vec::new(),
            ended: None,
        };
        match namer {
            Namer::Peers(attempts) => entry.name = Some(attempts.take(ends.peer, ends.opener)),
            Namer::Speakers(_) => drop(entry.name(namer)),
        }
        entries.push(entry);
        entries.len() - 1
    }

    /// The name of the connection at `place`; `None` as long as the speaker has not taken it up.
    #[must_use]
    pub fn name(&self, place: usize) -> Option<ConnectionName> {
        let Inner { namer, entries, .. } = &mut *self.0.borrow_mut();
        entries[place].name(namer)
    }

    /// Records a message on the connection at index `place`.
    pub fn passed(&self, place: usize, passed: Passed) {
        let Inner { namer, entries, .. } = &mut *self.0.borrow_mut();
        let entry = &mut entries[place];
        // Whoever said something has the connection open.
        let _ = entry.name(namer);
        entry.messages.push(passed);
    }

    /// Records the end of the connection at index `place`.
    pub fn close(&self, place: usize, now: Duration, ending: Ending) {
        self.0.borrow_mut().entries[place].ended = Some((now, ending));
    }

    /// The UPDATEs that the speaker has sent on the connection at `place`.
    #[must_use]
    pub fn updates_from_speaker(&self, place: usize) -> Vec<Vec<u8>> {
        compared(&self.0.borrow().entries[place].messages)
            .filter(|passed| passed.bytes.get(18) == Some(&UPDATE))
            .map(|passed| passed.bytes.clone())
            .collect()
    }

    /// The UPDATEs that were received by `peer` on the last connection of it that had any.
    #[must_use]
    pub fn updates_received_by(&self, peer: IpAddr) -> Vec<Vec<u8>> {
        let of_peer = |entry: &Entry| entry.ends.peer == peer;
        let count = self.0.borrow().entries.len();
        let places = (0..count)
            .rev()
            .filter(|place| of_peer(&self.0.borrow().entries[*place]));
        places
            .map(|place| self.updates_from_speaker(place))
            .find(|updates| !updates.is_empty())
            .unwrap_or_default()
    }

    /// A new session of `peer` begins: its table starts empty. It counts once it is up, or at once where none is.
    #[must_use]
    pub fn begin(&self, peer: IpAddr) -> Rc<RefCell<View>> {
        let view: Rc<RefCell<View>> = Rc::default();
        let inner = &mut *self.0.borrow_mut();
        if let Some(last) = inner.table(peer) {
            view.borrow_mut().inherit(&last.borrow());
        }
        inner.begun.entry(peer).or_default().push(view.clone());
        let tables = &mut inner.tables;
        if tables
            .get(&peer)
            .is_none_or(|last| !last.borrow().is_live())
        {
            tables.insert(peer, view.clone());
        }
        view
    }

    /// The session with this view is up: of several of one peer the one that began last counts.
    pub fn up(&self, peer: IpAddr, view: &Rc<RefCell<View>>) {
        view.borrow_mut().set_live(true);
        self.0.borrow_mut().tables.insert(peer, view.clone());
    }

    /// What `look` makes of what `peer` holds; `false` where it never had a session.
    pub fn view(&self, peer: IpAddr, look: impl FnOnce(&View) -> bool) -> bool {
        let inner = self.0.borrow();
        let table = inner.table(peer);
        table.is_some_and(|view| look(&view.borrow()))
    }

    /// How many messages the speaker has sent on each connection, KEEPALIVEs and NOTIFICATIONs not counted.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<ConnectionName, usize> {
        let Inner { namer, entries, .. } = &mut *self.0.borrow_mut();
        let mut counts = BTreeMap::new();
        for entry in entries {
            let Some(name) = entry.name(namer) else {
                continue;
            };
            let said = compared(&entry.messages);
            *counts.entry(name).or_default() +=
                said.filter(|it| !is_notification(&it.bytes)).count();
        }
        counts
    }

    /// All that was written down: connections in the order in which the peers had them open, and the peers' last
    /// tables.
    #[must_use]
    pub fn take(&self) -> (Vec<Transcript>, BTreeMap<IpAddr, View>) {
        let inner = std::mem::take(&mut *self.0.borrow_mut());
        let tables = inner.tables.keys().filter_map(|peer| {
            let table = inner.table(*peer)?;
            Some((*peer, table.borrow().clone()))
        });
        let tables = tables.collect();
        let Inner {
            namer, mut entries, ..
        } = inner;
        let unknown = Attempts::default();
        let named: Vec<Option<ConnectionName>> =
            entries.iter_mut().map(|entry| entry.name(&namer)).collect();
        let transcripts = entries
            .into_iter()
            .zip(named)
            .map(|(entry, name)| Transcript {
                // One that the speaker never took up comes after all that it did.
                name: name.unwrap_or_else(|| {
                    let (peer, opener) = (entry.ends.peer, entry.ends.opener);
                    match namer.attempts(&entry.ends) {
                        Some(attempts) => attempts.take(peer, opener),
                        None => unknown.take(peer, opener),
                    }
                }),
                opened: entry.opened,
                messages: entry.messages,
                ended: entry.ended,
            });
        (transcripts.collect(), tables)
    }
}
