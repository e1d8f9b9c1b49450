//! Random UPDATEs with a seed: IPv4 and IPv6 unicast, classic and multiprotocol, with the attributes that every codec here knows.

use std::net::{Ipv4Addr, Ipv6Addr};

use lockstep::bgp::attribute::aggregator::Aggregator;
use lockstep::bgp::attribute::as_path::{AsPath, Segment, SegmentKind};
use lockstep::bgp::attribute::atomic_aggregate::AtomicAggregate;
use lockstep::bgp::attribute::cluster_list::ClusterList;
use lockstep::bgp::attribute::communities::{Communities, Community};
use lockstep::bgp::attribute::large_communities::{LargeCommunities, LargeCommunity};
use lockstep::bgp::attribute::local_pref::LocalPref;
use lockstep::bgp::attribute::med::Med;
use lockstep::bgp::attribute::next_hop::NextHopAddress;
use lockstep::bgp::attribute::origin::Origin;
use lockstep::bgp::attribute::originator_id::OriginatorId;
use lockstep::bgp::attribute::{Attributes, MpReach, MpUnreach, NextHop, WireContext};
use lockstep::bgp::family::{Families, Family};
use lockstep::bgp::message::{Message, Update};
use lockstep::bgp::nlri::inet::{Inet, Prefix};
use lockstep::bgp::nlri::{Nlri, NlriValue, PathId};
use smallvec::SmallVec;

use crate::Session;

/// Steele and Vigna's splitmix64.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A generator with a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`.
    pub const fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// Yes, in one of `of` cases.
    pub const fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }
}

/// How the octets are written in `session`.
pub fn context(session: Session) -> WireContext {
    let families = [Family::IPV4_UNICAST, Family::IPV6_UNICAST];
    WireContext {
        four_octet_as: session.four_octet_as,
        add_path: if session.add_path {
            families.into_iter().collect()
        } else {
            Families::new()
        },
        extended_message: false,
        bgpsec: false,
    }
}

/// `count` whole UPDATE messages.
pub fn updates(seed: u64, count: usize, session: Session) -> Vec<Vec<u8>> {
    let mut random = Random::new(seed);
    let context = context(session);
    (0..count)
        .map(|_| {
            let mut out = Vec::new();
            Message::Update(update(&mut random, session))
                .encode(&context, &mut out)
                .expect("a generated UPDATE fits a message");
            out
        })
        .collect()
}

/// One UPDATE: three of five announce IPv4, one IPv6; the rest withdraw.
pub fn update(random: &mut Random, session: Session) -> Update {
    let mut update = Update::default();
    match random.below(10) {
        0..6 => {
            update.attributes = attributes(random, session);
            update
                .attributes
                .insert(NextHopAddress(ipv4(random)).into());
            update.nlri = routes(random, Family::IPV4_UNICAST, session);
        }
        6..8 => {
            let reach = MpReach {
                family: Family::IPV6_UNICAST,
                next_hop: NextHop::Address(ipv6(random).into()),
                nlri: routes(random, Family::IPV6_UNICAST, session),
            };
            update.attributes = attributes(random, session);
            update.attributes.push(reach.into());
        }
        8 => update.withdrawn_routes = routes(random, Family::IPV4_UNICAST, session),
        _ => {
            let unreach = MpUnreach {
                family: Family::IPV6_UNICAST,
                nlri: routes(random, Family::IPV6_UNICAST, session),
            };
            update.attributes.push(unreach.into());
        }
    }
    update
}

fn attributes(random: &mut Random, session: Session) -> Attributes {
    let mut attributes = Attributes::new();
    let origins = [Origin::Igp, Origin::Igp, Origin::Egp, Origin::Incomplete];
    attributes.insert(origins[random.below(4) as usize].into());
    attributes.insert(path(random, session).into());
    if random.one_in(3) {
        attributes.insert(Med(random.next() as u32).into());
    }
    if random.one_in(2) {
        attributes.insert(LocalPref(random.below(1000) as u32).into());
    }
    if random.one_in(20) {
        attributes.insert(AtomicAggregate.into());
        let asn = asn(random, session);
        let speaker = ipv4(random);
        attributes.insert(Aggregator { asn, speaker }.into());
    }
    if random.one_in(2) {
        let communities = (0..1 + random.below(8)).map(|_| Community(random.next() as u32));
        attributes.insert(Communities(communities.collect()).into());
    }
    if random.one_in(10) {
        attributes.insert(OriginatorId(ipv4(random)).into());
        let clusters = (0..1 + random.below(3)).map(|_| ipv4(random));
        attributes.insert(ClusterList(clusters.collect()).into());
    }
    if random.one_in(5) {
        let mut communities: Vec<_> = (0..1 + random.below(5))
            .map(|_| LargeCommunity {
                global: random.next() as u32,
                local1: random.next() as u32,
                local2: random.next() as u32,
            })
            .collect();
        communities.sort_unstable();
        communities.dedup();
        attributes.insert(LargeCommunities(communities).into());
    }
    attributes
}

fn path(random: &mut Random, session: Session) -> AsPath {
    let mut segment = |kind, most| Segment {
        kind,
        asns: (0..1 + random.below(most))
            .map(|_| asn(random, session))
            .collect(),
    };
    let mut segments = SmallVec::from([segment(SegmentKind::Sequence, 8)]);
    if session.sets && segments[0].asns[0] % 20 == 0 {
        segments.push(segment(SegmentKind::Set, 4));
    }
    AsPath { segments }
}

fn asn(random: &mut Random, session: Session) -> u32 {
    let wide = session.four_octet_as && random.one_in(4);
    let limit = if wide { 4_200_000_000 } else { 65_000 };
    1 + random.below(limit) as u32
}

fn ipv4(random: &mut Random) -> Ipv4Addr {
    Ipv4Addr::from(0x0a00_0001 + random.below(0xffff) as u32)
}

fn ipv6(random: &mut Random) -> Ipv6Addr {
    Ipv6Addr::from(0x2001_0db8_u128 << 96 | u128::from(1 + random.below(0xffff)))
}

fn routes(random: &mut Random, family: Family, session: Session) -> Vec<Nlri> {
    let mut routes = Vec::new();
    for _ in 0..1 + random.below(10) {
        let prefix = if family == Family::IPV4_UNICAST {
            let length = 8 + random.below(25) as u8;
            let address = Ipv4Addr::from(random.below(0xdfff_ffff) as u32);
            Prefix::new(address.into(), length)
        } else {
            let length = 16 + random.below(113) as u8;
            let address = 0x2000_u128 << 112 | u128::from(random.next()) << 48;
            Prefix::new(Ipv6Addr::from(address).into(), length)
        };
        let prefix = prefix.expect("the length fits the family");
        let path_id = session.add_path.then(|| PathId(1 + random.below(8) as u32));
        routes.push(Nlri {
            family,
            path_id,
            value: NlriValue::Inet(Inet { prefix }),
        });
    }
    routes
}
