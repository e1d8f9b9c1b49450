//! Runs on every core: the only place with threads. Each run stays on one thread, and its result depends only on its
//! number.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use crate::net::clock::Clock;

/// Results that a thread collects before it hands them over: waking the other thread costs as much as a short run.
const BATCH: usize = 32;
/// How long a thread keeps a result.
const KEEPS: Duration = Duration::from_millis(10);

/// Takes the items `0..count` off one by one on `jobs` threads; `make` makes each thread's worker, `receive` gets
/// the results as they come, on the calling thread, until it gives `false`.
#[allow(
    clippy::disallowed_methods,
    reason = "whole runs in parallel, none in part"
)]
pub fn run<T: Send, W: FnMut(usize) -> T>(
    count: usize,
    jobs: usize,
    make: impl Fn() -> W + Sync,
    mut receive: impl FnMut(usize, T) -> bool,
) {
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let (sender, results) = mpsc::sync_channel(jobs * 2);
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            let sender = sender.clone();
            let (next, stop, make) = (&next, &stop, &make);
            scope.spawn(move || {
                let mut work = make();
                let mut batch = Vec::new();
                let mut begun = Clock::start();
                while !stop.load(Ordering::Relaxed) {
                    let item = next.fetch_add(1, Ordering::Relaxed);
                    if item >= count {
                        break;
                    }
                    batch.push((item, work(item)));
                    if batch.len() >= BATCH || begun.now() >= KEEPS {
                        if sender.send(std::mem::take(&mut batch)).is_err() {
                            return;
                        }
                        begun = Clock::start();
                    }
                }
                // Nobody takes it if the calling thread has stopped.
                let _ = sender.send(batch);
            });
        }
        drop(sender);
        for (item, result) in results.into_iter().flatten() {
            if !receive(item, result) {
                stop.store(true, Ordering::Relaxed);
                break;
            }
        }
    });
}

/// Number of threads that the machine can run at once.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
