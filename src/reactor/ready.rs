//! A FIFO of what has been woken: each socket, pipe or task has a waker of its own, so that nothing is polled in vain.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// What was woken, in the order of waking.
#[derive(Debug, Clone, Default)]
pub struct ReadyQueue {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    woken: VecDeque<Arc<Token>>,
    parent: Option<Waker>,
}

#[derive(Debug)]
struct Token {
    id: usize,
    queued: AtomicBool,
    shared: Arc<Mutex<Shared>>,
}

impl ReadyQueue {
    /// Nothing is ready.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A waker that makes `id` ready.
    #[must_use]
    pub fn waker(&self, id: usize) -> Waker {
        Waker::from(Arc::new(Token {
            id,
            queued: AtomicBool::new(false),
            shared: Arc::clone(&self.shared),
        }))
    }

    /// Whom to wake when the first becomes ready: the future that owns this queue.
    pub fn register(&self, parent: &Waker) {
        let mut shared = lock(&self.shared);
        if !shared
            .parent
            .as_ref()
            .is_some_and(|known| known.will_wake(parent))
        {
            shared.parent = Some(parent.clone());
        }
    }

    /// Moves what is ready now to the end of `ready`, first woken first.
    pub fn drain_into(&self, ready: &mut Vec<usize>) {
        let mut shared = lock(&self.shared);
        while let Some(token) = shared.woken.pop_front() {
            token.queued.store(false, Ordering::Relaxed);
            ready.push(token.id);
        }
    }

    /// Whether nothing is ready.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        lock(&self.shared).woken.is_empty()
    }
}

impl Wake for Token {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.queued.swap(true, Ordering::Relaxed) {
            return;
        }
        let parent = {
            let mut shared = lock(&self.shared);
            shared.woken.push_back(Arc::clone(self));
            shared.parent.clone()
        };
        if let Some(parent) = parent {
            parent.wake();
        }
    }
}

/// A panic elsewhere leaves the queue as good as it was.
fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drained(queue: &ReadyQueue) -> Vec<usize> {
        let mut ready = Vec::new();
        queue.drain_into(&mut ready);
        ready
    }

    #[test]
    fn the_order_is_that_of_waking_and_each_is_there_once() {
        let queue = ReadyQueue::new();
        let (a, b) = (queue.waker(7), queue.waker(3));
        b.wake_by_ref();
        a.wake_by_ref();
        b.wake_by_ref();
        assert_eq!(drained(&queue), [3, 7]);
        assert_eq!(drained(&queue), [0; 0]);
        b.wake_by_ref();
        assert_eq!(drained(&queue), [3]);
    }

    #[test]
    fn the_owner_is_woken() {
        let owner = ReadyQueue::new();
        let queue = ReadyQueue::new();
        queue.register(&owner.waker(1));
        queue.waker(9).wake();
        assert_eq!(drained(&owner), [1]);
    }
}
