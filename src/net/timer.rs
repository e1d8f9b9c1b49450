//! Timers: exact to the nanosecond in a simulated world, tokio's everywhere else.
//!
//! tokio's timer wheel counts whole milliseconds. A simulated world installs a queue of its own on the thread it runs
//! on, and every [`Sleep`] made there waits in that queue.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;

use super::clock::present;

thread_local! {
    static INSTALLED: RefCell<Option<Rc<Timers>>> = const { RefCell::new(None) };
}

/// Timers in the order in which they are due; whoever drives the clock fires them.
#[derive(Debug, Default)]
pub struct Timers {
    waiting: RefCell<BTreeMap<(Instant, u64), Waker>>,
    made: Cell<u64>,
    /// Woken once when a timer becomes the first.
    driver: RefCell<Option<Waker>>,
}

/// Timers are installed on this thread as long as this lives.
#[derive(Debug)]
pub struct Installed {
    before: Option<Rc<Timers>>,
}

impl Timers {
    /// Makes these the timers of the current thread.
    #[must_use]
    pub fn install(self: &Rc<Self>) -> Installed {
        let before = INSTALLED.with(|slot| slot.replace(Some(Rc::clone(self))));
        Installed { before }
    }

    /// When the first timer is due.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        let waiting = self.waiting.borrow();
        waiting.first_key_value().map(|((at, _), _)| *at)
    }

    /// Wakes everything that is due at `now`, in order.
    pub fn fire(&self, now: Instant) {
        loop {
            let mut waiting = self.waiting.borrow_mut();
            match waiting.first_entry() {
                Some(first) if first.key().0 <= now => {
                    let waker = first.remove();
                    drop(waiting);
                    waker.wake();
                }
                _ => return,
            }
        }
    }

    /// Wakes `waker`, once, when a timer is set that is due before all others; `None` takes that back.
    pub fn on_earlier(&self, waker: Option<&Waker>) {
        let mut driver = self.driver.borrow_mut();
        if driver.is_some() || waker.is_some() {
            *driver = waker.cloned();
        }
    }

    fn set(&self, at: Instant, waker: &Waker) -> u64 {
        let key = self.made.get() + 1;
        self.made.set(key);
        let mut waiting = self.waiting.borrow_mut();
        let earlier = waiting
            .first_key_value()
            .is_none_or(|((first, _), _)| at < *first);
        waiting.insert((at, key), waker.clone());
        drop(waiting);
        if earlier && let Some(driver) = self.driver.borrow_mut().take() {
            driver.wake();
        }
        key
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        let before = self.before.take();
        INSTALLED.with(|slot| *slot.borrow_mut() = before);
    }
}

/// Waits for an instant.
#[derive(Debug)]
pub struct Sleep {
    at: Instant,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Tokio(Pin<Box<tokio::time::Sleep>>),
    Exact {
        timers: Rc<Timers>,
        key: Option<u64>,
    },
}

/// Waits until `at`.
#[must_use]
pub fn sleep_until(at: Instant) -> Sleep {
    let installed = INSTALLED.with(|slot| slot.borrow().clone());
    let kind = match installed {
        Some(timers) => Kind::Exact { timers, key: None },
        None => Kind::Tokio(Box::pin(tokio::time::sleep_until(at))),
    };
    Sleep { at, kind }
}

/// Waits for `time`.
#[must_use]
pub fn sleep(time: Duration) -> Sleep {
    sleep_until(after(time))
}

fn after(time: Duration) -> Instant {
    let now = present();
    // A century is for ever.
    now.checked_add(time)
        .unwrap_or(now + Duration::from_secs(3_155_760_000))
}

/// The time had passed before the future was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the time is over")]
pub struct Elapsed;

/// Waits for `future`, for `time` at most.
///
/// # Errors
/// [`Elapsed`].
pub async fn timeout<F: Future>(time: Duration, future: F) -> Result<F::Output, Elapsed> {
    timeout_at(after(time), future).await
}

/// Waits for `future`, until `at` at most.
///
/// # Errors
/// [`Elapsed`].
pub async fn timeout_at<F: Future>(at: Instant, future: F) -> Result<F::Output, Elapsed> {
    let mut future = pin!(future);
    let mut sleep = sleep_until(at);
    poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        Pin::new(&mut sleep).poll(context).map(|()| Err(Elapsed))
    })
    .await
}

impl Sleep {
    /// When it is over.
    #[must_use]
    pub const fn deadline(&self) -> Instant {
        self.at
    }

    /// Waits until `at` instead.
    pub fn reset(&mut self, at: Instant) {
        let before = std::mem::replace(&mut self.at, at);
        match &mut self.kind {
            Kind::Tokio(sleep) => sleep.as_mut().reset(at),
            Kind::Exact { timers, key } => {
                if let Some(key) = key.take() {
                    timers.waiting.borrow_mut().remove(&(before, key));
                }
            }
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let at = self.at;
        match &mut self.kind {
            Kind::Tokio(sleep) => sleep.as_mut().poll(context),
            Kind::Exact { timers, key } => {
                if present() >= at {
                    if let Some(key) = key.take() {
                        timers.waiting.borrow_mut().remove(&(at, key));
                    }
                    return Poll::Ready(());
                }
                if let Some(key) = key
                    && let Some(waker) = timers.waiting.borrow_mut().get_mut(&(at, *key))
                {
                    waker.clone_from(context.waker());
                    return Poll::Pending;
                }
                *key = Some(timers.set(at, context.waker()));
                Poll::Pending
            }
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Kind::Exact {
            timers,
            key: Some(key),
        } = &self.kind
        {
            timers.waiting.borrow_mut().remove(&(self.at, *key));
        }
    }
}
