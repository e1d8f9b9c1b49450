//! What moves the clock of a world: when every task waits, it jumps to the next event, exactly.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::net::clock::{self, Clock};
use crate::net::timer::Timers;
use crate::sim::state::Shared;

/// The least that tokio's timers tell apart.
const COARSE: Duration = Duration::from_millis(1);

thread_local! {
    /// Whom to wake when the runtime is about to park, which is when every task waits.
    static IDLE: RefCell<Option<Waker>> = const { RefCell::new(None) };
}

/// To be called by the runtime before it parks, which is when its clock may jump to one of its own timers.
pub(super) fn about_to_park() {
    clock::release();
    if let Some(waker) = IDLE.take() {
        waker.wake();
    }
}

/// Moves the clock of one run.
struct Pump {
    shared: Rc<Shared>,
    timers: Rc<Timers>,
    clock: Clock,
    limit: Duration,
    /// tokio's timer, for events that are far away: other timers of tokio get their turn before them.
    coarse: Option<Pin<Box<tokio::time::Sleep>>>,
    asked: bool,
}

/// Lets events happen and timers fire when they are due, until `limit`.
pub(super) async fn pump(shared: Rc<Shared>, timers: Rc<Timers>, limit: Duration) {
    let mut pump = Pump {
        clock: shared.clock(),
        shared,
        timers,
        limit,
        coarse: None,
        asked: false,
    };
    poll_fn(|context| pump.poll(context)).await;
    IDLE.take();
}

impl Pump {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        // Whoever took the waker out was the runtime, with nothing else to do.
        let waits = IDLE.with(|slot| slot.borrow().is_some());
        let mut idle = std::mem::take(&mut self.asked) && !waits;
        if let Some(mut coarse) = self.coarse.take() {
            idle = coarse.as_mut().poll(context).is_ready();
        }
        self.listen(None);
        clock::hold();
        let now = self.clock.now();
        let mut due = self.turn(now);
        if idle && now < self.limit {
            if due > now + 3 * COARSE {
                return self.arm(due, context);
            }
            advance(due - now);
            due = self.turn(self.clock.now());
        }
        if due == self.limit && self.clock.now() >= self.limit {
            return Poll::Ready(());
        }
        self.asked = true;
        IDLE.set(Some(context.waker().clone()));
        Poll::Pending
    }

    /// Does what is due at `now` and says when something is next, at the limit at the latest.
    fn turn(&self, now: Duration) -> Duration {
        let event = self.shared.settle();
        self.timers.fire(self.clock.at(now));
        let timer = self.timers.next().map(|at| self.clock.since_start(at));
        let next = [event, timer].into_iter().flatten().min();
        next.map_or(self.limit, |next| next.min(self.limit))
    }

    /// Sleeps until shortly before `due`, and wakes where something comes to be due earlier.
    fn arm(&mut self, due: Duration, context: &mut Context<'_>) -> Poll<()> {
        let millis = u64::try_from(due.as_millis()).unwrap_or(u64::MAX);
        let at = self.clock.at(Duration::from_millis(millis - 1));
        let mut coarse = Box::pin(tokio::time::sleep_until(at));
        if coarse.as_mut().poll(context).is_ready() {
            context.waker().wake_by_ref();
        }
        self.coarse = Some(coarse);
        self.listen(Some((due, context.waker())));
        Poll::Pending
    }

    fn listen(&self, earlier: Option<(Duration, &Waker)>) {
        self.shared.on_earlier(earlier);
        self.timers.on_earlier(earlier.map(|(_, waker)| waker));
    }
}

/// Moves tokio's paused clock by exactly `time`.
fn advance(time: Duration) {
    let advancing = pin!(tokio::time::advance(time));
    let _ = advancing.poll(&mut Context::from_waker(Waker::noop()));
    clock::hold();
}
