//! Attributes of every kind, and messages other than UPDATE, as other codecs read them and write them again: what they
//! write must mean to us what we wrote. What they keep as octets does not count; what is known to be wrong is listed.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use lockstep::bgp::attribute::{Attribute, AttributeValue, rules};
use lockstep::bgp::capability::{
    AddPath, Capability, EnhancedRouteRefresh, ExtendedMessage, ExtendedNextHop, FourOctetAs,
    GracefulRestart, Hostname, LinkLocalNextHop, LongLivedGracefulRestart, Multiprotocol,
    Multisession, Operational, OutboundRouteFiltering, PathsLimit, Role, RouteRefresh,
    SoftwareVersion, add_path, long_lived_graceful_restart, outbound_route_filtering, role,
};
use lockstep::bgp::family::Family;
use lockstep::bgp::iana::{Afi, Safi};
use lockstep::bgp::message::{
    Message, Notification, NotificationCode, Open, RefreshSubtype, RouteRefresh as Refresh, Update,
};
use lockstep_judges::families::{address, octets, octets_of, tlv};
use lockstep_judges::workload::{self, Random};
use lockstep_judges::{Session, bgpkit, netgauze, rustbgpd};

const SESSION: Session = Session {
    four_octet_as: true,
    add_path: false,
    sets: false,
};

const CODECS: [&str; 3] = ["netgauze", "rustbgpd", "bgpkit"];

fn rewritten(bytes: &[u8]) -> [Result<Option<Vec<u8>>, String>; 3] {
    [
        netgauze::rewrite(SESSION, bytes),
        rustbgpd::rewrite(SESSION, bytes),
        bgpkit::rewrite(SESSION, bytes),
    ]
}

fn read(bytes: &[u8]) -> Message {
    Message::decode(&workload::context(SESSION), bytes).expect("a message of ours")
}

fn write(message: &Message) -> Vec<u8> {
    let mut bytes = Vec::new();
    message
        .encode(&workload::context(SESSION), &mut bytes)
        .expect("a small message fits");
    bytes
}

/// How each codec fared with messages of one kind.
#[derive(Default)]
struct Score {
    agreed: BTreeMap<&'static str, usize>,
    against: BTreeMap<&'static str, String>,
}

impl Score {
    /// Has each codec write `bytes` again; `same` says whether that means what it did.
    fn judge(&mut self, bytes: &[u8], same: impl Fn(&Message, &Message) -> bool) {
        let ours = read(bytes);
        assert_eq!(write(&ours), bytes, "ours");
        for (name, outcome) in CODECS.into_iter().zip(rewritten(bytes)) {
            let out = match outcome {
                Ok(None) => continue,
                Ok(Some(out)) => out,
                Err(error) => {
                    let why = || format!("{bytes:02x?}\n{name}: {error}");
                    self.against.entry(name).or_insert_with(why);
                    continue;
                }
            };
            let again = Message::decode(&workload::context(SESSION), &out);
            if again.as_ref().is_ok_and(|again| same(&ours, again)) {
                *self.agreed.entry(name).or_default() += 1;
            } else {
                let why = || format!("{bytes:02x?}\n{name}: {out:02x?}\n{again:?}");
                self.against.entry(name).or_insert_with(why);
            }
        }
    }
}

/// An attribute's code, what is in it, who knows it, and who is known to have it wrong, with the reason.
type Row = (
    u8,
    &'static str,
    fn(&mut Random) -> Vec<u8>,
    &'static [&'static str],
    &'static [(&'static str, &'static str)],
);

const ATTRIBUTES: &[Row] = &[
    (
        9,
        "ORIGINATOR_ID",
        |random| octets::<4>(random).to_vec(),
        &CODECS,
        &[],
    ),
    (
        10,
        "CLUSTER_LIST",
        |random| octets::<12>(random).to_vec(),
        &CODECS,
        &[],
    ),
    (
        8,
        "COMMUNITIES",
        |random| octets::<8>(random).to_vec(),
        &CODECS,
        &[],
    ),
    (
        32,
        "LARGE_COMMUNITY",
        |random| octets::<24>(random).to_vec(),
        &CODECS,
        &[],
    ),
    (16, "EXTENDED COMMUNITIES", extended, &CODECS, &[]),
    (25, "IPv6 EXTENDED COMMUNITIES", extended_v6, &CODECS, &[]),
    (22, "PMSI_TUNNEL", pmsi, &["rustbgpd"], &[]),
    (23, "TUNNEL_ENCAPSULATION", tunnel, &["bgpkit"], &[]),
    (
        26,
        "AIGP",
        aigp,
        &["netgauze", "bgpkit"],
        &[(
            "rustbgpd",
            "leaves it out: it has no session with AIGP enabled (RFC 7311 section 3.2)",
        )],
    ),
    (
        29,
        "BGP-LS",
        link_state,
        &["netgauze", "bgpkit"],
        &[("netgauze", "reads route tags (TLV 1153) on past their TLV")],
    ),
    (
        35,
        "ONLY_TO_CUSTOMER",
        |random| octets::<4>(random).to_vec(),
        &CODECS,
        &[],
    ),
    (40, "PREFIX_SID", prefix_sid, &["netgauze", "bgpkit"], &[]),
];

/// RFC 4360, 5668, 7153 and others: some communities of the kinds that are in use.
fn extended(random: &mut Random) -> Vec<u8> {
    const KINDS: &[[u8; 2]] = &[
        [0x00, 0x02],
        [0x01, 0x02],
        [0x02, 0x02],
        [0x00, 0x03],
        [0x01, 0x03],
        [0x02, 0x03],
        [0x03, 0x0b],
        [0x03, 0x0c],
        [0x06, 0x00],
        [0x06, 0x01],
        [0x06, 0x02],
        [0x06, 0x03],
        [0x40, 0x04],
        [0x80, 0x06],
        [0x80, 0x07],
        [0x80, 0x08],
        [0x80, 0x09],
    ];
    let mut out = Vec::new();
    for _ in 0..1 + random.below(4) {
        let kind = KINDS[random.below(KINDS.len() as u64) as usize];
        let mut value = octets::<6>(random);
        // What is reserved (RFC 7432 sections 7.5 and 7.7).
        match kind {
            [0x06, 0x00] => value[1] = 0,
            [0x06, 0x01] => value[1..3].fill(0),
            _ => {}
        }
        out.extend_from_slice(&kind);
        out.extend_from_slice(&value);
    }
    out
}

/// RFC 5701: route targets and route origins.
fn extended_v6(random: &mut Random) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..1 + random.below(2) {
        out.extend_from_slice(&[0, 2 + random.below(2) as u8]);
        out.extend_from_slice(&octets_of(address(random, true)));
        out.extend_from_slice(&octets::<2>(random));
    }
    out
}

/// RFC 6514 section 5: no tunnel, PIM-SSM, ingress replication.
fn pmsi(random: &mut Random) -> Vec<u8> {
    let kind = [0, 3, 6][random.below(3) as usize];
    let mut out = vec![random.below(2) as u8, kind];
    out.extend_from_slice(&octets::<3>(random));
    match kind {
        3 => out.extend_from_slice(&octets::<8>(random)),
        6 => out.extend_from_slice(&octets_of(address(random, false))),
        _ => {}
    }
    out
}

/// RFC 9012 section 2, RFC 9830 section 2.4: a tunnel of VXLAN or a segment routing policy.
fn tunnel(random: &mut Random) -> Vec<u8> {
    let mut value = Vec::new();
    let kind = if random.one_in(2) {
        // Egress Endpoint (RFC 9012 section 3.1) and Color (section 3.4.2).
        value.extend_from_slice(&[6, 10, 0, 0, 0, 0, 0, 1]);
        value.extend_from_slice(&octets_of(address(random, false)));
        value.extend_from_slice(&[4, 8, 3, 0x0b, 0, 0]);
        value.extend_from_slice(&octets::<4>(random));
        8
    } else {
        // Preference (RFC 9830 section 2.4.1).
        value.extend_from_slice(&[12, 6, 0, 0]);
        value.extend_from_slice(&octets::<4>(random));
        15
    };
    let mut out = Vec::new();
    tlv(kind, &value, &mut out);
    out
}

/// RFC 7311 section 3.
fn aigp(random: &mut Random) -> Vec<u8> {
    let mut out = vec![1, 0, 11];
    out.extend_from_slice(&octets::<8>(random));
    out
}

/// RFC 9552 section 5.3: what is said of a node, a link and a prefix.
fn link_state(random: &mut Random) -> Vec<u8> {
    let mut out = Vec::new();
    match random.below(3) {
        0 => {
            tlv(1024, &[0x80], &mut out);
            tlv(1026, b"router", &mut out);
            tlv(1028, &octets::<4>(random), &mut out);
        }
        1 => {
            tlv(1088, &octets::<4>(random), &mut out);
            tlv(1092, &octets::<4>(random), &mut out);
            tlv(1095, &octets::<3>(random), &mut out);
        }
        _ => {
            tlv(1153, &octets::<4>(random), &mut out);
            tlv(1155, &octets::<4>(random), &mut out);
        }
    }
    out
}

/// RFC 8669 section 3, RFC 9252 section 2: a label index and a block of labels, or an SRv6 SID.
fn prefix_sid(random: &mut Random) -> Vec<u8> {
    let mut out = Vec::new();
    let mut part = |code: u8, value: &[u8]| {
        out.extend_from_slice(&[code, 0, value.len() as u8]);
        out.extend_from_slice(value);
    };
    if random.one_in(2) {
        let mut index = vec![0; 3];
        index.extend_from_slice(&octets::<4>(random));
        part(1, &index);
        let mut block = vec![0; 2];
        block.extend_from_slice(&octets::<6>(random));
        part(3, &block);
    } else {
        let mut service = vec![0, 1, 0, 30, 0];
        service.extend_from_slice(&octets_of(address(random, true)));
        service.extend_from_slice(&[0, 0, 19, 0, 1, 0, 6, 40, 24, 16, 0, 16, 64]);
        service[3] = service.len() as u8 - 4;
        part(5, &service);
    }
    out
}

/// An UPDATE that announces 10.0.0.0/8 with the attribute of type `code`.
fn update(code: u8, value: &[u8]) -> Vec<u8> {
    let flags = rules(code).map_or(0xc0, |rules| rules.flags.0);
    let mut list = vec![0x40, 1, 1, 0, 0x40, 2, 6, 2, 1, 0, 0, 0xfd, 0xe9];
    list.extend_from_slice(&[0x40, 3, 4, 192, 0, 2, 1]);
    list.extend_from_slice(&[flags, code, value.len() as u8]);
    list.extend_from_slice(value);
    let mut bytes = vec![0xff; 16];
    bytes.extend_from_slice(&(25 + list.len() as u16).to_be_bytes());
    bytes.extend_from_slice(&[2, 0, 0]);
    bytes.extend_from_slice(&(list.len() as u16).to_be_bytes());
    bytes.extend_from_slice(&list);
    bytes.extend_from_slice(&[8, 10]);
    bytes
}

fn attributes_alike(ours: &Message, again: &Message) -> bool {
    match (ours, again) {
        (Message::Update(ours), Message::Update(again)) => {
            let values = |update: &Update| {
                let mut values: Vec<_> = update.attributes.iter().cloned().collect();
                values.sort_by_key(|attribute| attribute.value.code());
                let value = |attribute: Attribute| match attribute.value {
                    // In any order (RFC 9552 section 5.1).
                    AttributeValue::LinkState(mut link_state) => {
                        link_state.tlvs.sort_by_key(|tlv| tlv.code);
                        AttributeValue::LinkState(link_state)
                    }
                    value => value,
                };
                values.into_iter().map(value).collect::<Vec<_>>()
            };
            values(ours) == values(again) && ours.nlri == again.nlri
        }
        _ => false,
    }
}

#[test]
fn attributes_of_every_kind_come_back_the_same() {
    let mut random = Random::new(0xa77);
    let mut wrong = Vec::new();
    for (code, name, value, knowing, faults) in ATTRIBUTES {
        let mut score = Score::default();
        for _ in 0..200 {
            score.judge(&update(*code, &value(&mut random)), attributes_alike);
        }
        println!("{name}: {:?} of 200", score.agreed);
        for (judge, why) in *faults {
            assert!(
                score.against.remove(judge).is_some(),
                "{judge} no longer has {name} wrong: {why}"
            );
        }
        wrong.extend(
            score
                .against
                .into_values()
                .map(|why| format!("{name}: {why}")),
        );
        for judge in *knowing {
            let agreed = score.agreed.get(judge).copied().unwrap_or(0);
            if agreed < 50 {
                wrong.push(format!("{name}: {judge} agreed {agreed} times"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn capabilities() -> Vec<Capability> {
    let unicast = Family::IPV4_UNICAST;
    vec![
        Multiprotocol { family: unicast }.into(),
        Multiprotocol {
            family: Family::new(Afi::L2VPN, Safi::EVPN),
        }
        .into(),
        RouteRefresh::Rfc.into(),
        ExtendedNextHop {
            entries: vec![(unicast, Afi::IPV6)],
        }
        .into(),
        ExtendedMessage.into(),
        Role {
            role: role::RoleValue(3),
        }
        .into(),
        GracefulRestart {
            flags: GracefulRestart::RESTART_STATE,
            time: 120,
            families: vec![(unicast, GracefulRestart::FORWARDING_STATE)],
        }
        .into(),
        FourOctetAs { asn: 4_200_000_001 }.into(),
        AddPath {
            entries: vec![(unicast, add_path::SendReceive(3))],
        }
        .into(),
        EnhancedRouteRefresh.into(),
        LongLivedGracefulRestart {
            entries: vec![long_lived_graceful_restart::FamilyStaleTime {
                family: unicast,
                flags: 0x80,
                stale_time: 86_400,
            }],
        }
        .into(),
        Hostname {
            host: Some("router".to_owned()),
            domain: Some("example.net".to_owned()),
        }
        .into(),
        SoftwareVersion {
            version: "Lockstep/1".to_owned(),
        }
        .into(),
        PathsLimit {
            entries: vec![(unicast, 4)],
        }
        .into(),
        LinkLocalNextHop.into(),
        OutboundRouteFiltering {
            entries: vec![outbound_route_filtering::FamilyFilters {
                family: unicast,
                filters: vec![(64, 3)],
            }],
        }
        .into(),
        Multisession {
            cisco: false,
            value: vec![0],
        }
        .into(),
        Operational.into(),
    ]
}

/// What an OPEN says, however its capabilities are put into parameters.
fn opens_alike(ours: &Message, again: &Message) -> bool {
    match (ours, again) {
        (Message::Open(ours), Message::Open(again)) => {
            (ours.my_as, ours.hold_time, ours.identifier)
                == (again.my_as, again.hold_time, again.identifier)
                && ours.capabilities().eq(again.capabilities())
        }
        _ => false,
    }
}

#[test]
fn opens_come_back_the_same() {
    let mut wrong = Vec::new();
    let mut agreed = BTreeMap::<_, usize>::new();
    for capability in capabilities() {
        let mut score = Score::default();
        let name = format!("{capability:?}");
        let open = Open::new(65_001, 180, Ipv4Addr::new(10, 0, 0, 1), [capability]);
        score.judge(&write(&Message::Open(open)), opens_alike);
        for (judge, times) in score.agreed {
            *agreed.entry(judge).or_default() += times;
        }
        wrong.extend(
            score
                .against
                .into_values()
                .map(|why| format!("{name}: {why}")),
        );
    }
    println!("OPEN: {agreed:?} of {}", capabilities().len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn other_messages_come_back_the_same() {
    let family = Family::new(Afi::IPV6, Safi::UNICAST);
    let mut score = Score::default();
    for code in 1..=6 {
        let notification = Notification::new(NotificationCode(code), 1, vec![0xde, 0xad]);
        score.judge(&write(&Message::Notification(notification)), PartialEq::eq);
    }
    for subtype in [0, 1, 2] {
        let refresh = Refresh::new(family, RefreshSubtype(subtype));
        score.judge(&write(&Message::RouteRefresh(refresh)), PartialEq::eq);
    }
    score.judge(&write(&Message::Keepalive), PartialEq::eq);
    println!("messages: {:?} of 10", score.agreed);
    let wrong: Vec<_> = score.against.into_values().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
