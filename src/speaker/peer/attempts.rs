//! When to connect again, and how often.

use std::time::Duration;

use super::Peer;
use crate::speaker::settings::Settings;

impl Peer {
    /// The session is to be made anew at once (teardown, reload with changed settings).
    pub fn reconnect_at_once(&mut self, now: Duration) {
        self.backoff.reset(now);
    }

    /// The session gave way to another connection of the same peer: that is no reason to wait.
    pub const fn gave_way(&mut self) {
        self.backoff.forgive();
    }

    /// What to say once, where sessions and attempts keep failing.
    pub fn backoff_news(&mut self) -> Option<String> {
        let delay = self.backoff.news()?.as_secs();
        Some(format!(
            "no session lasts: the next attempt comes in {delay} s, and later each time, up to a minute"
        ))
    }

    /// The next OPEN claims a restart, as after an operator's request to make the session anew.
    pub fn claim_restart(&mut self) {
        self.restarted = true;
    }

    /// An attempt to connect begins; says whether it may: `exabgp_tcp_attempts` may be used up.
    pub fn attempt(&mut self, settings: &Settings) -> bool {
        let allowed = self.may_attempt(settings);
        if allowed {
            self.attempts += 1;
        }
        allowed
    }

    /// Whether another attempt to connect is allowed.
    #[must_use]
    pub const fn may_attempt(&self, settings: &Settings) -> bool {
        settings.attempts == 0 || self.attempts < settings.attempts
    }

    /// An attempt to connect failed.
    pub fn attempt_failed(&mut self, now: Duration) {
        self.out.reset();
        self.backoff.increase(now);
    }

    /// When the next attempt to connect may come.
    #[must_use]
    pub const fn next_attempt(&self) -> Duration {
        self.backoff.until()
    }
}
