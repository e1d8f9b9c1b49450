//! The estimate of a round trip and the pause before a retransmission: RFC 6298 as Linux has it (`tcp_rtt_estimator`).

use std::time::Duration;

use crate::sim::sysctl::JIFFY;

/// Smoothed round trip, its deviation, and what follows from them.
#[derive(Debug, Clone, Default)]
pub(super) struct RoundTrip {
    /// Eight times the smoothed round trip, in microseconds; 0 before the first sample.
    srtt: i64,
    /// Four times the mean deviation, in microseconds.
    mdev: i64,
    mdev_max: i64,
    rttvar: i64,
    /// Where the present round trip ends.
    until: u64,
    /// The least round trip seen.
    pub least: Option<Duration>,
}

impl RoundTrip {
    /// Takes a sample; `acknowledged` and `next` are the sender's sequence numbers.
    pub fn sample(&mut self, rtt: Duration, rto_min: Duration, acknowledged: u64, next: u64) {
        let sample = i64::try_from(rtt.as_micros())
            .unwrap_or(i64::MAX / 16)
            .max(1);
        let floor = i64::try_from(rto_min.as_micros()).unwrap_or(i64::MAX);
        self.least = Some(self.least.map_or(rtt, |least| least.min(rtt)));
        if self.srtt == 0 {
            self.srtt = sample << 3;
            self.mdev = sample << 1;
            self.rttvar = self.mdev.max(floor);
            self.mdev_max = self.rttvar;
            self.until = next;
            return;
        }
        let error = sample - (self.srtt >> 3);
        self.srtt = (self.srtt + error).max(1);
        let mut deviation = error.abs() - (self.mdev >> 2);
        if error < 0 && deviation > 0 {
            // A sudden drop is no reason to wait longer.
            deviation >>= 3;
        }
        self.mdev += deviation;
        if self.mdev > self.mdev_max {
            self.mdev_max = self.mdev;
            self.rttvar = self.rttvar.max(self.mdev_max);
        }
        if acknowledged > self.until {
            if self.mdev_max < self.rttvar {
                self.rttvar -= (self.rttvar - self.mdev_max) >> 2;
            }
            self.until = next;
            self.mdev_max = floor;
        }
    }

    pub fn smoothed(&self) -> Option<Duration> {
        (self.srtt > 0).then(|| Duration::from_micros((self.srtt >> 3).unsigned_abs()))
    }

    /// The pause before the first retransmission.
    pub fn rto(&self, most: Duration) -> Duration {
        if self.srtt == 0 {
            return Duration::from_secs(1);
        }
        let micros = ((self.srtt >> 3) + self.rttvar).unsigned_abs();
        // Linux counts it in ticks of its clock, rounded up, before it doubles it.
        let tick = u64::try_from(JIFFY / 1_000).unwrap_or(1);
        Duration::from_micros(micros.div_ceil(tick) * tick).min(most)
    }
}
