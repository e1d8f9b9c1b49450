//! A set of tasks on one thread: whichever are woken run, in the order in which they were woken or in one that is drawn.
//!
//! Not tokio's: there nobody can say which of several ready tasks goes first.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::reactor::order::{Order, arrange};
use crate::reactor::ready::ReadyQueue;

type Task = Pin<Box<dyn Future<Output = ()>>>;

/// Adds tasks to a running [`Executor`].
#[derive(Clone, Default)]
pub(super) struct Spawner(Rc<RefCell<Vec<Task>>>);

impl Spawner {
    /// Runs `task` beside the others.
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.0.borrow_mut().push(Box::pin(task));
    }
}

/// Runs tasks until the main one is done.
pub(super) struct Executor<M> {
    main: Pin<Box<M>>,
    main_waker: Waker,
    tasks: BTreeMap<usize, (Task, Waker)>,
    spawned: Spawner,
    ready: ReadyQueue,
    order: Box<dyn Order>,
    next: usize,
    round: Vec<usize>,
}

/// The main task's place in the queue.
const MAIN: usize = 0;

impl<M: Future> Executor<M> {
    /// The tasks that `spawned` has and will have, beside `main`.
    pub fn new(main: M, spawned: Spawner, order: Box<dyn Order>) -> Self {
        let ready = ReadyQueue::new();
        let main_waker = ready.waker(MAIN);
        main_waker.wake_by_ref();
        Self {
            main: Box::pin(main),
            main_waker,
            tasks: BTreeMap::new(),
            spawned,
            ready,
            order,
            next: MAIN,
            round: Vec::new(),
        }
    }

    /// Tasks begin ready.
    fn adopt(&mut self) {
        for task in self.spawned.0.take() {
            self.next += 1;
            let waker = self.ready.waker(self.next);
            waker.wake_by_ref();
            self.tasks.insert(self.next, (task, waker));
        }
    }
}

impl<M: Future> Future for Executor<M> {
    type Output = M::Output;

    /// One round: every task that is ready has its turn once.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<M::Output> {
        let this = &mut *self;
        this.ready.register(context.waker());
        this.adopt();
        let mut round = std::mem::take(&mut this.round);
        this.ready.drain_into(&mut round);
        arrange(&mut *this.order, &mut round);
        for id in round.drain(..) {
            if id == MAIN {
                let mut context = Context::from_waker(&this.main_waker);
                if let Poll::Ready(output) = this.main.as_mut().poll(&mut context) {
                    return Poll::Ready(output);
                }
            } else if let Some((task, waker)) = this.tasks.get_mut(&id)
                && task
                    .as_mut()
                    .poll(&mut Context::from_waker(waker))
                    .is_ready()
            {
                this.tasks.remove(&id);
            }
        }
        this.round = round;
        this.adopt();
        if !this.ready.is_empty() {
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reactor::order::Arrival;
    use tokio::sync::Notify;

    struct Last;

    impl Order for Last {
        fn pick(&mut self, ready: usize) -> usize {
            ready - 1
        }
    }

    async fn told_order(order: Box<dyn Order>) -> Vec<u8> {
        let spawner = Spawner::default();
        let told = Rc::new(RefCell::new(Vec::new()));
        let done = Rc::new(Notify::new());
        for number in 1..=3 {
            let (told, done) = (Rc::clone(&told), Rc::clone(&done));
            spawner.spawn(async move {
                told.borrow_mut().push(number);
                if told.borrow().len() == 3 {
                    done.notify_one();
                }
            });
        }
        let waiting = Rc::clone(&done);
        Executor::new(async move { waiting.notified().await }, spawner, order).await;
        told.take()
    }

    #[tokio::test]
    async fn ready_tasks_run_in_the_order_of_waking_unless_another_is_drawn() {
        assert_eq!(told_order(Box::new(Arrival)).await, [1, 2, 3]);
        assert_eq!(told_order(Box::new(Last)).await, [3, 2, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_may_spawn_and_sleep() {
        let spawner = Spawner::default();
        let done = Rc::new(Notify::new());
        let (inner, inner_done) = (spawner.clone(), Rc::clone(&done));
        spawner.spawn(async move {
            tokio::time::sleep(std::time::Duration::from_secs(9)).await;
            inner.spawn(async move { inner_done.notify_one() });
        });
        Executor::new(
            async move { done.notified().await },
            spawner,
            Box::new(Arrival),
        )
        .await;
    }
}
