//! Which of several ready sockets or tasks goes first.

/// A reactor's tie-break, so that a search can try other orders without touching the reactor.
pub trait Order: 'static {
    /// The index, below `ready`, of the one to serve next; `ready` is at least 1.
    fn pick(&mut self, ready: usize) -> usize;
}

/// First come, first served.
#[derive(Debug, Clone, Copy, Default)]
pub struct Arrival;

impl Order for Arrival {
    fn pick(&mut self, _ready: usize) -> usize {
        0
    }
}

/// Puts `ready` in the order in which `order` picks.
pub(super) fn arrange(order: &mut dyn Order, ready: &mut [usize]) {
    for done in 0..ready.len() {
        let left = ready.len() - done;
        let picked = order.pick(left).min(left - 1);
        ready[done..=done + picked].rotate_right(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Last;

    impl Order for Last {
        fn pick(&mut self, ready: usize) -> usize {
            ready - 1
        }
    }

    #[test]
    fn arrival_changes_nothing_and_another_order_does() {
        let mut ready = [5, 6, 7];
        arrange(&mut Arrival, &mut ready);
        assert_eq!(ready, [5, 6, 7]);
        arrange(&mut Last, &mut ready);
        assert_eq!(ready, [7, 6, 5]);
    }
}
