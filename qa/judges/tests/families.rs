//! Routes of every family in the eyes of the codecs that know it: each must read in them what we read. What is known to be
//! wrong with a codec is listed with its reason, and must still be so. None of them knows MVPN, SR policies, MUP, flow
//! specifications of a VPN, or EVPN types 7 and 8.

use std::collections::BTreeMap;
use std::net::IpAddr;

use bytes::Bytes;
use lockstep::bgp::attribute::as_path::AsPath;
use lockstep::bgp::attribute::origin::Origin;
use lockstep::bgp::attribute::{Attributes, MpReach, NextHop};
use lockstep::bgp::family::Family;
use lockstep::bgp::iana::{Afi, Safi};
use lockstep::bgp::message::{Message, Update};
use lockstep::bgp::nlri::Nlri;
use lockstep::bgp::wire::Reader;
use lockstep_judges::families::{self, FAMILIES};
use lockstep_judges::workload::{self, Random};
use lockstep_judges::{Session, bgpkit, netgauze, ours, routecore, rustbgpd};

const SESSION: Session = Session {
    four_octet_as: true,
    add_path: false,
    sets: false,
};

/// What a codec told, or why it could not; `None` where it does not know the family.
type Verdict = Result<Option<Vec<String>>, String>;

/// Who knows a family, and reads it in our way.
const JUDGES: &[(Afi, Safi, &[&str])] = &[
    (
        Afi::IPV4,
        Safi::MULTICAST,
        &["netgauze", "bgpkit", "routecore"],
    ),
    (
        Afi::IPV6,
        Safi::MULTICAST,
        &["netgauze", "bgpkit", "routecore"],
    ),
    (
        Afi::IPV4,
        Safi::NLRI_MPLS,
        &["netgauze", "rustbgpd", "bgpkit", "routecore"],
    ),
    (
        Afi::IPV6,
        Safi::NLRI_MPLS,
        &["netgauze", "rustbgpd", "bgpkit", "routecore"],
    ),
    (
        Afi::IPV4,
        Safi::MPLS_VPN,
        &["netgauze", "rustbgpd", "routecore"],
    ),
    (
        Afi::IPV6,
        Safi::MPLS_VPN,
        &["netgauze", "rustbgpd", "routecore"],
    ),
    (Afi::IPV4, Safi::FLOW, &["rustbgpd", "bgpkit"]),
    (Afi::IPV6, Safi::FLOW, &["rustbgpd", "bgpkit"]),
    (Afi::IPV4, Safi::RTC, &["netgauze", "rustbgpd", "routecore"]),
    (Afi::L2VPN, Safi::VPLS, &["routecore"]),
    (Afi::L2VPN, Safi::EVPN, &["netgauze", "rustbgpd"]),
    (Afi::BGP_LS, Safi::BGP_LS, &["netgauze", "rustbgpd"]),
    (Afi::BGP_LS, Safi::BGP_LS_VPN, &["netgauze", "rustbgpd"]),
];

/// What is known to be wrong with a judge: its name, the family, why, and whether it concerns what is told.
type Fault = (&'static str, Afi, Safi, &'static str, fn(&[String]) -> bool);

const FAULTS: &[Fault] = &[
    (
        "netgauze",
        Afi::IPV4,
        Safi::MULTICAST,
        "takes the prefixes for groups: they are sources, of the routes back to which they tell (RFC 4760 section 6)",
        of_sources,
    ),
    (
        "netgauze",
        Afi::IPV6,
        Safi::MULTICAST,
        "as for IPv4",
        of_sources,
    ),
    (
        "bgpkit",
        Afi::IPV6,
        Safi::FLOW,
        "reads IPv6 prefixes as if they had no offset (RFC 8956 section 3.1), and into IPv4 addresses",
        |told| told.iter().any(|flow| flow.contains(" from ")),
    ),
    (
        "bgpkit",
        Afi::BGP_LS,
        Safi::BGP_LS,
        "takes the type of the local node descriptors for their length (RFC 9552 section 5.2)",
        |_| true,
    ),
];

/// Whether a prefix is none of groups.
fn of_sources(told: &[String]) -> bool {
    told.iter().any(|prefix| {
        let address = prefix.split('/').next().map(str::parse::<IpAddr>);
        address.is_some_and(|address| address.is_ok_and(|address| !address.is_multicast()))
    })
}

/// `flow` are the NLRI of flow specifications, if that is what `bytes` announce.
fn verdicts(bytes: &[u8], flow: Option<&[u8]>) -> Vec<(&'static str, Verdict)> {
    let shared = || Bytes::copy_from_slice(bytes);
    let config = routecore::context(SESSION);
    vec![
        (
            "netgauze",
            netgauze::decode(&mut netgauze::context(SESSION), bytes)
                .map(|message| netgauze::routes(&message)),
        ),
        (
            "rustbgpd",
            rustbgpd::decode(SESSION, shared()).and_then(|update| rustbgpd::routes(&update)),
        ),
        (
            "bgpkit",
            match flow {
                Some(octets) => bgpkit::flows(octets).map(Some),
                None => bgpkit::decode(SESSION, shared()).map(|message| bgpkit::routes(&message)),
            },
        ),
        (
            "routecore",
            routecore::decode(&config, bytes).and_then(|update| routecore::routes(&update)),
        ),
    ]
}

/// An UPDATE of Lockstep's that announces the routes of which `octets` are the NLRI.
fn announce(random: &mut Random, family: Family, octets: &[u8]) -> (Update, Vec<u8>) {
    let nlri = Nlri::decode_all(family, false, Reader::new(octets)).expect("the RFC's octets");
    let next_hop = match (family.afi, family.safi) {
        (_, Safi::FLOW) => NextHop::None,
        (Afi::IPV6, _) => NextHop::Address(families::address(random, true)),
        _ => NextHop::Address(families::address(random, false)),
    };
    let mut attributes = Attributes::new();
    attributes.insert(Origin::Igp.into());
    attributes.insert(AsPath::sequence([65_001]).into());
    attributes.push(
        MpReach {
            family,
            next_hop,
            nlri,
        }
        .into(),
    );
    let update = Update {
        attributes,
        ..Update::default()
    };
    let mut bytes = Vec::new();
    Message::Update(update.clone())
        .encode(&workload::context(SESSION), &mut bytes)
        .expect("a few routes fit");
    assert!(
        bytes.ends_with(octets),
        "{family}: {octets:02x?} became {bytes:02x?}"
    );
    (update, bytes)
}

#[test]
fn routes_of_every_family_mean_the_same_to_others() {
    let mut random = Random::new(0xfa_0117);
    let mut met = vec![0; FAULTS.len()];
    let (mut against, mut agreed) = (BTreeMap::new(), Vec::new());
    for &family in FAMILIES {
        let knowing = JUDGES
            .iter()
            .find(|(afi, safi, _)| Family::new(*afi, *safi) == family)
            .map_or(&[][..], |(_, _, judges)| judges);
        assert!(!knowing.is_empty(), "{family}");
        let mut votes = vec![0; knowing.len()];
        for _ in 0..400 {
            let count = 1 + random.below(3);
            let octets: Vec<u8> = (0..count)
                .flat_map(|_| families::nlri(&mut random, family))
                .collect();
            let (update, bytes) = announce(&mut random, family, &octets);
            let ours = ours::routes(&update);
            let flow = (family.safi == Safi::FLOW).then_some(&octets[..]);
            for (name, verdict) in verdicts(&bytes, flow) {
                let knows = knowing.iter().position(|knows| *knows == name);
                let known = FAULTS.iter().position(|(judge, afi, safi, _, concerns)| {
                    *judge == name && Family::new(*afi, *safi) == family && concerns(&ours)
                });
                match (verdict, knows, known) {
                    (Ok(Some(told)), Some(at), _) if told == ours => votes[at] += 1,
                    (_, _, Some(fault)) => met[fault] += 1,
                    (Ok(None), ..) | (Err(_), None, None) => {}
                    (other, ..) => {
                        against.entry((family, name)).or_insert_with(|| {
                            format!("{octets:02x?}\nours: {ours:#?}\n{name}: {other:#?}")
                        });
                    }
                }
            }
        }
        println!("{family}: {knowing:?} agree {votes:?} times of 400");
        agreed.extend(votes);
    }
    let against: Vec<String> = against.into_values().collect();
    assert!(against.is_empty(), "{}", against.join("\n\n"));
    assert!(agreed.iter().all(|votes| *votes > 50), "{agreed:?}");
    for ((judge, afi, safi, why, _), met) in FAULTS.iter().zip(met) {
        assert!(
            met > 0,
            "{judge} no longer has it wrong: {afi} {safi}: {why}"
        );
    }
}

#[test]
fn a_changed_octet_changes_what_is_told() {
    // The canary: what is told must hang on the octets.
    let mut random = Random::new(11);
    let (mut noticed, mut all) = (0, 0);
    for &family in FAMILIES {
        for _ in 0..50 {
            let octets = families::nlri(&mut random, family);
            let (update, mut bytes) = announce(&mut random, family, &octets);
            let ours = ours::routes(&update);
            let at = bytes.len() - 1 - random.below(octets.len().min(4) as u64) as usize;
            bytes[at] ^= 0x10;
            all += 1;
            noticed += usize::from(verdicts(&bytes, None).into_iter().any(|(_, verdict)| {
                !matches!(verdict, Ok(None)) && verdict != Ok(Some(ours.clone()))
            }));
        }
    }
    assert!(noticed * 10 > all * 8, "{noticed} of {all}");
}
