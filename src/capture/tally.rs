//! What a capture holds, in numbers, and what of it was not read.

use std::collections::BTreeMap;
use std::fmt;

/// Why a packet holds no TCP segment for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Skipped {
    /// A link type that cannot be taken apart, by its number.
    UnsupportedLink(u16),
    /// ARP, LLDP and the like.
    NotIp,
    /// UDP, ICMP and the like.
    NotTcp,
    /// IPsec ESP.
    Encrypted,
    /// A fragment of an IP packet of which other fragments are not in the capture.
    Fragment,
    /// The snap length cut it inside its headers.
    Cut,
    /// Headers that contradict themselves.
    Malformed,
    /// An MRT record of a type that holds neither messages nor routes, by its type and subtype.
    Record(u16, u16),
}

impl Skipped {
    /// Whether BGP may have been in it.
    #[must_use]
    pub const fn may_hide_bgp(self) -> bool {
        match self {
            Self::UnsupportedLink(_) | Self::Fragment | Self::Cut | Self::Malformed => true,
            Self::NotIp | Self::NotTcp | Self::Encrypted | Self::Record(..) => false,
        }
    }

    /// One word, for JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnsupportedLink(_) => "unsupported-link-type",
            Self::NotIp => "not-ip",
            Self::NotTcp => "not-tcp",
            Self::Encrypted => "encrypted",
            Self::Fragment => "incomplete-fragment",
            Self::Cut => "cut-in-headers",
            Self::Malformed => "malformed",
            Self::Record(..) => "other-record",
        }
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnsupportedLink(number) => {
                write!(f, "of link type {number}, which is not supported")
            }
            Self::NotIp => f.write_str("not IP"),
            Self::NotTcp => f.write_str("not TCP"),
            Self::Encrypted => f.write_str("encrypted (IPsec ESP)"),
            Self::Fragment => f.write_str("fragments of incomplete IP packets"),
            Self::Cut => f.write_str("cut inside their headers by the snap length"),
            Self::Malformed => f.write_str("with malformed headers"),
            Self::Record(kind, subtype) => write!(f, "MRT records of type {kind}/{subtype}"),
        }
    }
}

/// What was met in a capture beside messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Packets read; of an MRT file, records.
    pub packets: u64,
    /// TCP segments among them.
    pub segments: u64,
    /// Segments to or from port 179.
    pub on_bgp_port: u64,
    /// Packets without a TCP segment, by reason.
    pub skipped: BTreeMap<Skipped, u64>,
    /// IP fragments that were put together.
    pub reassembled: u64,
    /// Connections on which BGP was spoken.
    pub connections: u64,
    /// Connections of another protocol whose segments hold a BGP marker: how many segments, by the lower port.
    pub stray_markers: BTreeMap<u16, u64>,
    /// Connections to port 179 that were refused, never answered or on which nothing was said.
    pub attempts: u64,
    /// Segments whose octets had all been seen.
    pub retransmitted: u64,
    /// TCP keep-alive probes.
    pub probes: u64,
    /// Segments that came before an earlier one.
    pub reordered: u64,
    /// Holes in streams that nothing filled.
    pub gaps: u64,
    /// Octets missing in them.
    pub lost: u64,
    /// Those of them that the snap length cut off.
    pub cut: u64,
    /// Packets whose time is before that of the packet before them by more than a second.
    pub backwards: u64,
    /// Octets held at present for want of earlier ones.
    pub(super) held: usize,
}

impl Tally {
    pub(super) fn skip(&mut self, reason: Skipped, count: u64) {
        *self.skipped.entry(reason).or_insert(0) += count;
    }

    pub(super) const fn count_old(&mut self, probe: bool) {
        if probe {
            self.probes += 1;
        } else {
            self.retransmitted += 1;
        }
    }

    /// What was not read though BGP may have been in it, a phrase each; empty where all was read.
    #[must_use]
    pub fn unread(&self) -> Vec<String> {
        let skipped = self
            .skipped
            .iter()
            .filter(|(reason, _)| reason.may_hide_bgp());
        let mut unread: Vec<String> = skipped
            .map(|(reason, count)| format!("{} {reason}", counted(*count, "packet")))
            .collect();
        let gone = self.lost - self.cut.min(self.lost);
        if self.cut > 0 {
            unread.push(format!(
                "{} cut off by the snap length",
                counted(self.cut, "octet")
            ));
        }
        if gone > 0 {
            unread.push(format!(
                "{} of sessions not in the capture",
                counted(gone, "octet")
            ));
        }
        unread
    }

    /// Whether it holds BGP and all of that was read.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.connections > 0 && self.unread().is_empty()
    }

    /// What was passed over because it is not BGP, a phrase each.
    #[must_use]
    pub fn passed_over(&self) -> Vec<String> {
        let skipped = self
            .skipped
            .iter()
            .filter(|(reason, _)| !reason.may_hide_bgp());
        let mut passed: Vec<String> = skipped
            .map(|(reason, count)| match reason {
                Skipped::Record(..) => format!("{count} {reason}"),
                _ => format!("{} {reason}", counted(*count, "packet")),
            })
            .collect();
        for (port, count) in &self.stray_markers {
            passed.push(format!(
                "{} with a BGP marker on port {port}, where no session is",
                counted(*count, "packet")
            ));
        }
        passed
    }

    /// What there is where there is no BGP: `24 packets, none on port 179, 3 packets with a BGP marker on port 8080 …`.
    #[must_use]
    pub fn without_bgp(&self) -> String {
        let mut parts = vec![counted(self.packets, "packet")];
        parts.push(match self.on_bgp_port {
            0 => "none on port 179".to_owned(),
            count => format!("{count} on port 179"),
        });
        if self.attempts > 0 {
            parts.push(format!(
                "{} that came to nothing",
                counted(self.attempts, "connection attempt")
            ));
        }
        parts.extend(self.unread());
        parts.extend(self.passed_over());
        parts.join(", ")
    }
}

/// `1 packet`, `2 packets`.
#[must_use]
pub fn counted(number: u64, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}
