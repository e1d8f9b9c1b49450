//! The settings of a host's TCP, by the names that Linux gives them, and the granularity of its timers.

use std::fmt;
use std::time::Duration;

use crate::net::HostName;

macro_rules! settings {
    ($($field:ident, $name:literal, $default:expr, $least:literal, $most:literal, $what:literal;)*) => {
        /// The settings of a host's TCP (`ip-sysctl.rst` of Linux); numbers of seconds, milliseconds or attempts.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct TcpSettings {
            $(#[doc = concat!("`tcp_", $name, "`: ", $what, ", from ", stringify!($least), " to ", stringify!($most), ".")]
            pub $field: u32,)*
        }

        impl Default for TcpSettings {
            /// As Linux 6.18 has them.
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl TcpSettings {
            /// The names of all settings, without `tcp_` or `ip_`.
            pub const NAMES: &[&str] = &[$($name),*];

            /// The least and the greatest value that the setting `name` can have beside the others, or `None` if there
            /// is none of that name.
            #[must_use]
            pub fn bounds(&self, name: &str) -> Option<(u32, u32)> {
                let (least, most) = match name {
                    $($name => ($least, $most),)*
                    _ => return None,
                };
                Some(match name {
                    "local_port_first" => (least, self.local_port_last),
                    "local_port_last" => (self.local_port_first, most),
                    "rto_min_ms" => (least, self.rto_max),
                    "rto_max_ms" => (self.rto_min.max(least), most),
                    _ => (least, most),
                })
            }

            /// The setting `name`.
            pub fn setting(&mut self, name: &str) -> Option<&mut u32> {
                match name {
                    $($name => Some(&mut self.$field),)*
                    _ => None,
                }
            }

        }
    };
}

settings! {
    syn_retries, "syn_retries", 6, 1, 127, "SYNs sent again, beyond the linear ones";
    syn_linear_timeouts, "syn_linear_timeouts", 4, 0, 127, "SYNs sent again every second before the pause doubles (0 before Linux 6.5)";
    synack_retries, "synack_retries", 5, 0, 255, "SYN-ACKs sent again";
    retries2, "retries2", 15, 1, 255, "retransmissions before an open connection times out";
    orphan_retries, "orphan_retries", 0, 0, 255, "retransmissions before a closed connection is given up; 0 means 8";
    rto_min, "rto_min_ms", 200, 1, 120_000, "the least pause before a retransmission, in milliseconds";
    rto_max, "rto_max_ms", 120_000, 1_000, 120_000, "the longest pause between retransmissions, in milliseconds";
    early_retrans, "early_retrans", 3, 0, 4, "3 or 4 sends a tail loss probe";
    keepalive, "keepalive", 0, 0, 1, "1 turns SO_KEEPALIVE on for every connection";
    keepalive_time, "keepalive_time", 7_200, 1, 32_767, "seconds of idleness before the first keepalive probe";
    keepalive_intvl, "keepalive_intvl", 75, 1, 32_767, "seconds between keepalive probes";
    keepalive_probes, "keepalive_probes", 9, 1, 127, "unanswered keepalive probes before the connection times out";
    user_timeout, "user_timeout_ms", 0, 0, 2_147_483_647, "TCP_USER_TIMEOUT of every connection, in milliseconds; 0 is none";
    fin_timeout, "fin_timeout", 60, 1, 32_767, "seconds that a closed connection waits for the peer's FIN";
    local_port_first, "local_port_first", 32_768, 1, 65_535, "the first ephemeral port (`ip_local_port_range`)";
    local_port_last, "local_port_last", 60_999, 1, 65_535, "the last ephemeral port";
    tw_reuse, "tw_reuse", 2, 0, 2, "whether a port in TIME_WAIT may connect again: 0 never, 1 after a second, 2 on loopback only";
}

/// How long a closed connection keeps its port (`TCP_TIMEWAIT_LEN`).
pub(super) const TIME_WAIT: Duration = Duration::from_secs(60);
/// The first pause before a SYN or SYN-ACK is sent again (`TCP_TIMEOUT_INIT`).
pub(super) const FIRST_RTO: Duration = Duration::from_secs(1);

/// One setting that is not as Linux has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcpChange {
    /// The host; every host where it is absent.
    pub host: Option<HostName>,
    /// The setting, one of [`TcpSettings::NAMES`].
    pub name: &'static str,
    /// Its value.
    pub value: u32,
}

impl fmt::Display for TcpChange {
    /// As a line of a scenario or a plan has it: `tcp edge retries2 8`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tcp ")?;
        if let Some(host) = self.host {
            write!(f, "{host} ")?;
        }
        write!(f, "{} {}", self.name, self.value)
    }
}

impl TcpSettings {
    /// The settings of `host` (of any, where it is absent) after these changes, in their order.
    #[must_use]
    pub fn of_host<'a>(
        host: Option<HostName>,
        changes: impl IntoIterator<Item = &'a TcpChange>,
    ) -> Self {
        let mut settings = Self::default();
        for change in changes {
            if (change.host.is_none() || change.host == host)
                && let Some(setting) = settings.setting(change.name)
            {
                *setting = change.value;
            }
        }
        settings
    }

    pub(super) fn rto_min(&self) -> Duration {
        Duration::from_millis(self.rto_min.into())
    }

    pub(super) fn rto_max(&self) -> Duration {
        Duration::from_millis(self.rto_max.into())
    }

    pub(super) fn keepalive_time(&self) -> Duration {
        Duration::from_secs(self.keepalive_time.into())
    }

    pub(super) fn keepalive_interval(&self) -> Duration {
        Duration::from_secs(self.keepalive_intvl.into())
    }

    pub(super) fn user_timeout(&self) -> Option<Duration> {
        (self.user_timeout > 0).then(|| Duration::from_millis(self.user_timeout.into()))
    }

    /// The pause after the SYN of this number, from 0.
    pub(super) fn syn_pause(&self, attempt: u32) -> Duration {
        let doubled = attempt.saturating_sub(self.syn_linear_timeouts).min(20);
        (FIRST_RTO * (1 << doubled)).min(self.rto_max())
    }

    /// Whether a connect that began at `begun` fails at `due`, when the SYN of this number was not answered
    /// (`tcp_write_timeout`).
    pub(super) fn syn_is_last(&self, attempt: u32, begun: Duration, due: Duration) -> bool {
        let patience = self.model_timeout(FIRST_RTO, self.syn_retries);
        attempt >= self.syn_retries + self.syn_linear_timeouts
            || (attempt > 0 && due.saturating_sub(begun) >= patience)
    }

    /// When a connect that begins at `now` and hears nothing fails.
    pub(super) fn unanswered(&self, now: Duration) -> Duration {
        let mut at = now;
        for attempt in 0.. {
            at = kernel_timer(at, self.syn_pause(attempt));
            if self.syn_is_last(attempt, now, at) {
                break;
            }
        }
        at
    }

    /// How long `retries` retransmissions of an open connection may take in all.
    pub(super) fn patience(&self, retries: u32) -> Duration {
        self.model_timeout(self.rto_min(), retries)
    }

    /// How long `retries` retransmissions may take in all, the first after `base` (`tcp_model_timeout`).
    fn model_timeout(&self, base: Duration, retries: u32) -> Duration {
        let most = self.rto_max();
        let ratio = (most.as_millis() / base.as_millis().max(1)).max(1);
        let doublings = ratio.ilog2();
        if retries <= doublings {
            return base * ((2 << retries) - 1);
        }
        base * ((2 << doublings) - 1) + most * (retries - doublings)
    }
}

/// One tick of the kernel's clock, in nanoseconds (`CONFIG_HZ=250`).
pub(super) const JIFFY: u128 = 4_000_000;

/// When a timer of the kernel that is set at `now` for `delay` fires: its wheel rounds up, the more the longer it runs
/// (`kernel/time/timer.c`).
pub(super) fn kernel_timer(now: Duration, delay: Duration) -> Duration {
    let start = now.as_nanos() / JIFFY;
    let jiffies = delay.as_nanos().div_ceil(JIFFY).max(1);
    let expires = start + jiffies;
    let mut level = 0;
    while level < 8 && jiffies >= 63 << (3 * level) {
        level += 1;
    }
    let shift = 3 * level;
    let fires = ((expires + (1 << shift)) >> shift) << shift;
    Duration::from_nanos(u64::try_from(fires * JIFFY).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syns_go_out_when_linux_sends_them() {
        let sent = |settings: TcpSettings| {
            let (mut at, mut all) = (Duration::ZERO, vec![0]);
            for attempt in 0.. {
                at = kernel_timer(at, settings.syn_pause(attempt));
                all.push(at.as_secs());
                if settings.syn_is_last(attempt, Duration::ZERO, at) {
                    return all;
                }
            }
            all
        };
        // Measured on Linux 6.18: 0, 1, 2, 3, 4, 5, 7, 11, 19, 36, 69 s, and ETIMEDOUT after 134 to 135 s.
        assert_eq!(
            sent(TcpSettings::default()),
            [0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 69, 135]
        );
        let old = TcpSettings {
            syn_linear_timeouts: 0,
            ..TcpSettings::default()
        };
        // Measured with tcp_syn_linear_timeouts 0: 0, 1.0, 3.0, 7.2, 15.4, 31.6, 64.8 s.
        assert_eq!(sent(old), [0, 1, 3, 7, 15, 31, 65, 131]);
    }

    #[test]
    fn patience_is_what_linux_computes() {
        let settings = TcpSettings::default();
        assert_eq!(settings.patience(15), Duration::from_millis(924_600));
        assert_eq!(settings.patience(3), Duration::from_secs(3));
    }
}
