//! Closing with RST, where a network can.

/// A connection that can be closed abruptly.
pub trait Abort {
    /// Whether [`abort`](Self::abort) really sends RST; where it does not, a plan with a reset is refused.
    const RESETS: bool;

    /// Closes with RST: what was not sent yet is discarded, the peer sees `ConnectionReset`.
    fn abort(self);
}
