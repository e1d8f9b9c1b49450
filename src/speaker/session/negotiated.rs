//! What the two OPENs of a session agreed on.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use crate::bgp::attribute::WireContext;
use crate::bgp::family::{Families, Family};
use crate::bgp::iana::Afi;

/// Route refresh, as far as both ends know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Refresh {
    /// Not at all.
    #[default]
    Absent,
    /// RFC 2918.
    Normal,
    /// RFC 7313: the answer stands between BoRR and EoRR.
    Enhanced,
}

/// Which end does not offer a family that the other does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// We do not.
    Local,
    /// The peer does not.
    Peer,
}

/// What a session may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "independent agreements")]
pub struct Negotiated {
    /// Our AS number.
    pub local_as: u32,
    /// The peer's AS number, four octets where the peer has that capability.
    pub peer_as: u32,
    /// Our BGP Identifier.
    pub local_id: Option<Ipv4Addr>,
    /// The peer's BGP Identifier.
    pub peer_id: Option<Ipv4Addr>,
    /// The lesser of both hold times, in seconds; 0 means that neither end sends KEEPALIVEs.
    pub hold_time: u16,
    /// Families that both offer, in the order of the peer's OPEN (ExaBGP's order, which End-of-RIB follows).
    pub families: Families,
    /// Extended next hops that both offer (RFC 8950).
    pub nexthops: Vec<(Family, Afi)>,
    /// Our link-local address, where both ends offer link-local next hops: it goes behind a global IPv6 next hop
    /// (draft-ietf-idr-linklocal-capability, RFC 2545 section 3).
    pub link_local: Option<Ipv6Addr>,
    /// How what we send is written.
    pub send: WireContext,
    /// How what we receive is written.
    pub receive: WireContext,
    /// Route refresh.
    pub refresh: Refresh,
    /// OPERATIONAL messages.
    pub operational: bool,
    /// Multisession.
    pub multi_session: bool,
    /// AIGP is configured (RFC 7311 section 3.2): it is not a matter of OPEN.
    pub aigp: bool,
    /// We said that we restart gracefully (RFC 4724): a teardown is silent.
    pub graceful_restart: bool,
    /// The peer's restart time, if it restarts gracefully.
    pub peer_restart_time: Option<u16>,
    /// Families that only one end offers.
    pub mismatch: Vec<(Missing, Family)>,
}

impl Negotiated {
    /// Time between KEEPALIVEs: a third of the hold time in whole seconds (RFC 4271 section 10); `None` where there are none.
    #[must_use]
    pub fn keepalive_interval(&self) -> Option<Duration> {
        let seconds = u64::from(self.hold_time / 3);
        (seconds > 0).then(|| Duration::from_secs(seconds))
    }

    /// Hold time; `None` where it is 0.
    #[must_use]
    pub fn hold_interval(&self) -> Option<Duration> {
        (self.hold_time > 0).then(|| Duration::from_secs(u64::from(self.hold_time)))
    }

    /// Whether both ends are in the same AS.
    #[must_use]
    pub const fn is_ibgp(&self) -> bool {
        self.local_as == self.peer_as
    }

    /// The most octets of an UPDATE (RFC 4271 section 4.1, RFC 8654 section 3).
    #[must_use]
    pub const fn message_size(&self) -> usize {
        if self.send.extended_message {
            65535
        } else {
            4096
        }
    }
}
