//! What is on its way out in one established session.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use super::neighbor::Neighbor;
use super::rib::{AdjRibOut, Batch, Refused};
use super::session::{Negotiated, Refresh, Session};
use crate::bgp::error::EncodeError;
use crate::bgp::family::Family;
use crate::bgp::message::operational::OperationalValue;
use crate::bgp::message::{Message, Operational, RefreshSubtype, RouteRefresh, Update};

/// What one round of filling a session did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filled {
    /// Messages put into the session.
    pub messages: usize,
    /// More is to be sent: call again when there is room.
    pub more: bool,
    /// The rate limit allows no more before then.
    pub wait_until: Option<Duration>,
    /// Routes and messages that could not be sent.
    pub refused: Vec<Refused>,
}

/// What the API asked for beside routes.
#[derive(Debug, Default)]
pub(super) struct Queues {
    pub end_of_rib: VecDeque<Family>,
    pub refresh: VecDeque<Family>,
    pub operational: VecDeque<Operational>,
}

/// The outgoing side of an established session.
#[derive(Debug)]
pub(super) struct Outbound {
    negotiated: Arc<Negotiated>,
    batches: VecDeque<Batch>,
    /// False until the first batch was taken: a peer that has nothing needs no withdraws.
    include_withdraws: bool,
    sends_end_of_rib: bool,
    grouped: bool,
    operational: bool,
    refresh: bool,
    rate: Option<RateLimit>,
    /// Nothing is sent before then.
    settled: Duration,
}

/// At most so many turns in each second of the run.
#[derive(Debug)]
struct RateLimit {
    per_second: u32,
    second: u64,
    left: u32,
}

impl RateLimit {
    /// When the next turn may come, if not now.
    fn wait(&mut self, now: Duration) -> Option<Duration> {
        if now.as_secs() != self.second {
            self.second = now.as_secs();
            self.left = self.per_second;
        }
        (self.left == 0).then(|| Duration::from_secs(self.second + 1))
    }
}

impl Outbound {
    pub fn new(negotiated: Arc<Negotiated>, neighbor: &Neighbor, settled: Duration) -> Self {
        Self {
            negotiated,
            settled,
            batches: VecDeque::new(),
            include_withdraws: false,
            sends_end_of_rib: !neighbor.manual_eor,
            grouped: neighbor.group_updates,
            operational: neighbor.capability.operational,
            refresh: neighbor.capability.route_refresh,
            rate: neighbor
                .rate_limit
                .filter(|&limit| limit > 0)
                .map(|per_second| RateLimit {
                    per_second,
                    second: u64::MAX,
                    left: per_second,
                }),
        }
    }

    /// Whether a refresh that the peer asks for is answered between BoRR and EoRR.
    pub fn answers_enhanced(&self) -> bool {
        self.negotiated.refresh == Refresh::Enhanced
    }

    /// What was waited for is there: nothing waits longer than until `at`.
    pub fn settle_by(&mut self, at: Duration) {
        self.settled = self.settled.min(at);
    }

    pub const fn negotiated(&self) -> &Arc<Negotiated> {
        &self.negotiated
    }

    pub fn take(&mut self, out: &mut AdjRibOut) {
        if out.pending() {
            let batch = out.take(self.grouped, self.include_withdraws);
            self.include_withdraws = true;
            self.batches.push_back(batch);
        }
    }

    pub fn has_output(&self, out: &AdjRibOut, queues: &Queues) -> bool {
        !self.batches.is_empty()
            || out.pending()
            || self.sends_end_of_rib
            || !queues.end_of_rib.is_empty()
            || !queues.operational.is_empty()
            || !queues.refresh.is_empty()
    }

    pub fn fill(
        &mut self,
        now: Duration,
        session: &mut Session,
        out: &mut AdjRibOut,
        queues: &mut Queues,
        messages: usize,
    ) -> Filled {
        let mut filled = Filled::default();
        if now < self.settled {
            filled.more = self.has_output(out, queues);
            filled.wait_until = filled.more.then_some(self.settled);
            return filled;
        }
        if let Some(rate) = &mut self.rate
            && let Some(until) = rate.wait(now)
        {
            filled.more = self.has_output(out, queues);
            filled.wait_until = filled.more.then_some(until);
            return filled;
        }
        self.operational(now, session, queues, &mut filled);
        self.refresh(now, session, queues, &mut filled);
        if self.batches.is_empty() {
            self.take(out);
        }
        if self.batches.is_empty() {
            self.end_of_rib(now, session, queues, &mut filled);
        } else {
            let budget = if self.rate.is_some() { 1 } else { messages };
            self.routes(now, session, budget, &mut filled);
        }
        if let Some(rate) = &mut self.rate
            && filled.messages > 0
        {
            rate.left -= 1;
        }
        filled.more = self.has_output(out, queues);
        filled
    }

    fn operational(
        &self,
        now: Duration,
        session: &mut Session,
        queues: &mut Queues,
        filled: &mut Filled,
    ) {
        if let Some(mut message) = queues.operational.pop_front()
            && self.operational
        {
            complete(&mut message, session.local_id());
            filled.note(session.send(now, &Message::Operational(message)));
        }
    }

    fn refresh(
        &self,
        now: Duration,
        session: &mut Session,
        queues: &mut Queues,
        filled: &mut Filled,
    ) {
        if let Some(family) = queues.refresh.pop_front()
            && self.refresh
        {
            let request = RouteRefresh::new(family, RefreshSubtype::REQUEST);
            filled.note(session.send(now, &Message::RouteRefresh(request)));
        }
    }

    fn routes(&mut self, now: Duration, session: &mut Session, budget: usize, filled: &mut Filled) {
        let Some(batch) = self.batches.front_mut() else {
            return;
        };
        for _ in 0..budget {
            let negotiated = &self.negotiated;
            let next = session.queue(now, |out| batch.next(negotiated, out).transpose());
            match next {
                Ok(Some(_)) => filled.messages += 1,
                Ok(None) => break,
                Err(refused) => filled.refused.push(refused),
            }
        }
        if batch.is_exhausted() {
            self.batches.pop_front();
        }
    }

    fn end_of_rib(
        &mut self,
        now: Duration,
        session: &mut Session,
        queues: &mut Queues,
        filled: &mut Filled,
    ) {
        if std::mem::take(&mut self.sends_end_of_rib) {
            let negotiated = Arc::clone(&self.negotiated);
            negotiated
                .families
                .iter()
                .for_each(|family| filled.note(end(now, session, family)));
            if negotiated.families.is_empty() {
                filled.note(session.send(now, &Message::Keepalive));
            }
        } else if let Some(family) = queues.end_of_rib.pop_front() {
            let sent = if self.negotiated.families.is_empty() {
                session.send(now, &Message::Keepalive)
            } else {
                end(now, session, family)
            };
            filled.note(sent);
        }
    }
}

fn end(now: Duration, session: &mut Session, family: Family) -> Result<(), EncodeError> {
    session.send(now, &Message::Update(Update::of_end_of_rib(family)))
}

impl Filled {
    fn note(&mut self, sent: Result<(), EncodeError>) {
        match sent {
            Ok(()) => self.messages += 1,
            Err(error) => self.refused.push(error.into()),
        }
    }
}

/// Puts in what a command leaves to the session: our identifier, and the sequence number, which ExaBGP then always makes 1.
fn complete(message: &mut Operational, id: Ipv4Addr) {
    if let OperationalValue::Query {
        router_id,
        sequence,
        ..
    }
    | OperationalValue::Counter {
        router_id,
        sequence,
        ..
    } = &mut message.value
    {
        if router_id.is_unspecified() {
            *router_id = id;
        }
        *sequence = (*sequence).max(1);
    }
}
