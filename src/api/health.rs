//! What `ping` and `status` answer, as ExaBGP's development branch does.

use std::fmt;
use std::time::Duration;

/// A random name for this run of the speaker, chosen by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity(pub u128);

impl fmt::Display for Identity {
    /// The form of RFC 9562 section 4.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:032x}", self.0);
        write!(
            f,
            "{}-{}-{}-{}-{}",
            &digits[..8],
            &digits[8..12],
            &digits[12..16],
            &digits[16..20],
            &digits[20..]
        )
    }
}

/// The line that answers `ping`. `active` says whether the one who asks is the one who is served.
#[must_use]
pub fn pong(identity: Identity, active: bool) -> String {
    format!("pong {identity} active={active}")
}

/// The contents of the answer to `status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health<'a> {
    /// The name of this run.
    pub identity: Identity,
    /// Process identifier of the speaker.
    pub pid: u32,
    /// Version of the speaker, as in `exabgp_version`.
    pub version: &'a str,
    /// Time since the start.
    pub uptime: Duration,
    /// Number of neighbors.
    pub neighbors: usize,
    /// Number of neighbors with an established session.
    pub established: usize,
}

/// The lines that answer `status`.
#[must_use]
pub fn status(health: &Health<'_>) -> Vec<String> {
    vec![
        "ExaBGP Daemon Status".to_owned(),
        "====================".to_owned(),
        format!("UUID: {}", health.identity),
        format!("PID: {}", health.pid),
        format!("Version: {}", health.version),
        format!("Uptime: {}s", health.uptime.as_secs()),
        format!("Neighbors: {}", health.neighbors),
        format!("Established: {}", health.established),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_has_five_groups() {
        let identity = Identity(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        assert_eq!(
            pong(identity, true),
            "pong 01234567-89ab-cdef-0123-456789abcdef active=true"
        );
    }
}
