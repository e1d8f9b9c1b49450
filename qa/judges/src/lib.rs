//! What other BGP codecs make of an UPDATE, in one shape: each walks the octets and tells a [`Visitor`].
//!
//! `tests/judges.rs` compares what they tell of UPDATEs as they are on the Internet, `tests/families.rs` of routes of every
//! family, `tests/rewritten.rs` what they write of attributes and other messages; `src/bin/codec.rs` races them.

pub mod bgpkit;
pub mod facts;
pub mod families;
pub mod netgauze;
pub mod ours;
pub mod routecore;
pub mod rustbgpd;
pub mod workload;

use std::net::{IpAddr, Ipv4Addr};

/// Is told every attribute value and every route of an UPDATE.
pub trait Visitor {
    /// ORIGIN.
    fn origin(&mut self, origin: u8);
    /// A segment of AS_PATH: its type and its AS numbers.
    fn segment(&mut self, kind: u8, asns: impl Iterator<Item = u32>);
    /// NEXT_HOP, or that of MP_REACH_NLRI.
    fn next_hop(&mut self, address: IpAddr);
    /// MULTI_EXIT_DISC.
    fn med(&mut self, med: u32);
    /// LOCAL_PREF.
    fn local_pref(&mut self, preference: u32);
    /// ATOMIC_AGGREGATE.
    fn atomic_aggregate(&mut self);
    /// AGGREGATOR.
    fn aggregator(&mut self, asn: u32, speaker: Ipv4Addr);
    /// One of COMMUNITIES.
    fn community(&mut self, community: u32);
    /// One of LARGE_COMMUNITY.
    fn large_community(&mut self, parts: [u32; 3]);
    /// ORIGINATOR_ID.
    fn originator_id(&mut self, id: Ipv4Addr);
    /// One of CLUSTER_LIST.
    fn cluster(&mut self, id: Ipv4Addr);
    /// A route announced, in whichever field.
    fn announce(&mut self, address: IpAddr, length: u8, path: Option<u32>);
    /// A route withdrawn, in whichever field.
    fn withdraw(&mut self, address: IpAddr, length: u8, path: Option<u32>);
}

/// How the session writes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Session {
    /// AS numbers have four octets.
    pub four_octet_as: bool,
    /// IPv4 and IPv6 unicast have path identifiers.
    pub add_path: bool,
    /// Paths have AS_SETs, which RFC 9774 has taken out of use.
    pub sets: bool,
}

/// Adds up what it is told: equal sums mean that both sides looked at the same values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checksum(pub u64);

impl Checksum {
    #[inline(always)]
    fn add(&mut self, kind: u64, value: u64) {
        let mixed = (value ^ (kind << 56)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = self.0.wrapping_add(mixed);
    }

    #[inline(always)]
    fn address(&mut self, kind: u64, address: IpAddr) {
        match address {
            IpAddr::V4(v4) => self.add(kind, u64::from(u32::from(v4))),
            IpAddr::V6(v6) => {
                let bits = u128::from(v6);
                self.add(kind, (bits >> 64) as u64);
                self.add(kind + 1, bits as u64);
            }
        }
    }
}

impl Visitor for Checksum {
    #[inline(always)]
    fn origin(&mut self, origin: u8) {
        self.add(1, u64::from(origin));
    }

    #[inline(always)]
    fn segment(&mut self, kind: u8, asns: impl Iterator<Item = u32>) {
        self.add(2, u64::from(kind));
        for asn in asns {
            self.add(3, u64::from(asn));
        }
    }

    #[inline(always)]
    fn next_hop(&mut self, address: IpAddr) {
        self.address(4, address);
    }

    #[inline(always)]
    fn med(&mut self, med: u32) {
        self.add(6, u64::from(med));
    }

    #[inline(always)]
    fn local_pref(&mut self, preference: u32) {
        self.add(7, u64::from(preference));
    }

    #[inline(always)]
    fn atomic_aggregate(&mut self) {
        self.add(8, 0);
    }

    #[inline(always)]
    fn aggregator(&mut self, asn: u32, speaker: Ipv4Addr) {
        self.add(9, u64::from(asn));
        self.add(10, u64::from(u32::from(speaker)));
    }

    #[inline(always)]
    fn community(&mut self, community: u32) {
        self.add(11, u64::from(community));
    }

    #[inline(always)]
    fn large_community(&mut self, parts: [u32; 3]) {
        for part in parts {
            self.add(12, u64::from(part));
        }
    }

    #[inline(always)]
    fn originator_id(&mut self, id: Ipv4Addr) {
        self.add(13, u64::from(u32::from(id)));
    }

    #[inline(always)]
    fn cluster(&mut self, id: Ipv4Addr) {
        self.add(14, u64::from(u32::from(id)));
    }

    #[inline(always)]
    fn announce(&mut self, address: IpAddr, length: u8, path: Option<u32>) {
        self.address(15, address);
        self.add(17, u64::from(length) | u64::from(path.unwrap_or(0)) << 8);
    }

    #[inline(always)]
    fn withdraw(&mut self, address: IpAddr, length: u8, path: Option<u32>) {
        self.address(18, address);
        self.add(20, u64::from(length) | u64::from(path.unwrap_or(0)) << 8);
    }
}
