//! Tracer and guests share one processor: a stop is then a switch, not a wake-up of another one.

use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};

/// Pins this thread, and what it starts from now on, to the processor on which it runs, unless it is pinned already.
pub(super) fn pin() {
    let Ok(allowed) = sched_getaffinity(None) else {
        return;
    };
    if allowed.count() == 1 {
        return;
    }
    let mut one = CpuSet::new();
    one.set(sched_getcpu());
    let _ = sched_setaffinity(None, &one);
}
