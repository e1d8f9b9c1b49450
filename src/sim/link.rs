//! What a path between two addresses does to segments.

use std::time::Duration;

/// One direction of a path. Segments of a connection never overtake one another.
///
/// With no delay at all, a segment arrives in the instant in which it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// From one end to the other.
    pub latency: Duration,
    /// At most this much is added to the latency, drawn from the seed for each segment.
    pub jitter: Duration,
    /// Octets per second, headers included; unlimited where absent.
    pub bandwidth: Option<u64>,
    /// How many of a million segments are lost, drawn from the seed.
    pub loss: u32,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            latency: Duration::from_millis(1),
            jitter: Duration::ZERO,
            bandwidth: None,
            loss: 0,
        }
    }
}

impl Link {
    /// Without any delay.
    #[must_use]
    pub fn instant() -> Self {
        Self {
            latency: Duration::ZERO,
            ..Self::default()
        }
    }

    /// How long `octets` take to leave.
    pub(super) fn occupied(&self, octets: usize) -> Duration {
        match self.bandwidth {
            None => Duration::ZERO,
            Some(rate) => {
                let nanos = octets as u128 * 1_000_000_000 / u128::from(rate.max(1));
                Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
            }
        }
    }
}
