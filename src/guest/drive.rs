//! A host as a task of a simulated world, or on a clock of its own.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::Sleep;

use super::Failure;
use super::host::{Host, Turn};
use crate::net::clock::Clock;

/// Runs the guests of `host` in the world of `clock`, until none is left.
///
/// # Errors
/// What ended them before that.
pub async fn drive(host: Rc<RefCell<Host>>, clock: Clock) -> Result<(), Failure> {
    let mut sleep: Option<Pin<Box<Sleep>>> = None;
    poll_fn(move |context| {
        let turn = host.borrow_mut().turn(context, clock.now());
        let deadline = match turn {
            Err(failure) => return Poll::Ready(Err(failure)),
            Ok(Turn::Ended) => return Poll::Ready(Ok(())),
            Ok(Turn::Waits(None)) => return Poll::Pending,
            Ok(Turn::Waits(Some(deadline))) => deadline,
        };
        let at = clock.at(deadline);
        let timer = sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        timer.as_mut().reset(at);
        if timer.as_mut().poll(context).is_ready() {
            context.waker().wake_by_ref();
        }
        Poll::Pending
    })
    .await
}

impl Host {
    /// Runs the guests of a host that is on no network: its clock jumps to what is waited for. Whether all of them ended
    /// before `limit`; `false` also where they wait for what never comes.
    ///
    /// # Errors
    /// What ended them before that.
    pub fn run_alone(&mut self, limit: Duration) -> Result<bool, Failure> {
        let mut context = Context::from_waker(Waker::noop());
        let mut now = self.now();
        loop {
            match self.turn(&mut context, now)? {
                Turn::Ended => return Ok(true),
                Turn::Waits(Some(deadline)) if deadline <= limit => now = deadline.max(now),
                Turn::Waits(_) => return Ok(false),
            }
        }
    }
}
