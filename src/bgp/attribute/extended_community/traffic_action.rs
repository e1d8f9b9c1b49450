//! Traffic action (RFC 8955 section 7.3): bits of the last octet.

use std::fmt;

use super::{ExtendedCommunity, Kind};

/// What else is done with a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrafficAction {
    /// Sampling and logging.
    pub sample: bool,
    /// No filter after this one is applied.
    pub terminal: bool,
}

impl From<TrafficAction> for ExtendedCommunity {
    fn from(action: TrafficAction) -> Self {
        let bits = u8::from(action.sample) << 1 | u8::from(action.terminal);
        Self::new(0x80, 0x07, [0, 0, 0, 0, 0, bits])
    }
}

impl Kind for TrafficAction {
    const CODES: &'static [(u8, u8)] = &[(0x00, 0x07)];

    fn decode(octets: [u8; 8]) -> Option<Self> {
        Some(Self {
            sample: octets[7] & 2 != 0,
            terminal: octets[7] & 1 != 0,
        })
    }
}

impl fmt::Display for TrafficAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.sample, self.terminal) {
            (false, false) => "action ",
            (true, false) => "action sample",
            (false, true) => "action terminal",
            (true, true) => "action sample-terminal",
        })
    }
}
