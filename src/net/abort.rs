//! Closing with RST, and losing segments, where a network can.

use std::time::Duration;

/// A connection that can be closed abruptly.
pub trait Abort {
    /// Whether [`abort`](Self::abort) really sends RST; where it does not, a plan with a reset is refused.
    const RESETS: bool;

    /// Whether [`abort_peer`](Self::abort_peer) really does; where it does not, a plan with a reset by the peer is refused.
    const PEER_RESETS: bool = false;

    /// Closes with RST: what was not sent yet is discarded, the peer sees `ConnectionReset`.
    fn abort(self);

    /// Has the other end close with RST: what it sent before still arrives, then `ConnectionReset`.
    fn abort_peer(&mut self) {}

    /// Whether [`lose`](Self::lose) and [`silence`](Self::silence) lose segments, which TCP then sends again.
    const LOSES: bool = false;

    /// Loses the `nth` segment, from 1, that is sent (or received) from now on, of those that carry octets, FIN or RST.
    fn lose(&mut self, sent: bool, nth: u64) {
        let _ = (sent, nth);
    }

    /// Loses everything, both ways, for so long or for ever.
    fn silence(&mut self, time: Option<Duration>) {
        let _ = time;
    }
}
