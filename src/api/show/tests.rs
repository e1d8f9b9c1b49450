use std::net::Ipv4Addr;

use super::*;
use crate::api::command::RouteKind;
use crate::bgp::capability::{
    Capability, ExtendedMessage, FourOctetAs, RouteRefresh as RouteRefreshCapability,
};
use crate::bgp::family::Family;
use crate::bgp::iana::{Afi, Safi};

/// What ExaBGP 5.0.15 shows of the neighbor below: configuration; then up and down, each extensive, summary and JSON.
const RECORDED: &str = include_str!("recorded.txt");

const TEXT: &str = "process a { run /bin/cat; encoder json; }
neighbor 127.0.0.1 {
    router-id 1.2.3.4; local-address 127.0.0.2; local-as 65000; peer-as 65001; description \"a b\"; connect 1790;
    outgoing-ttl 64; md5-password secret; host-name foo;
    capability { add-path send/receive; graceful-restart 120; route-refresh; operational; }
    family { ipv4 unicast; ipv6 unicast; ipv4 flow; }
    add-path { ipv4 unicast; }
    nexthop { ipv4 unicast ipv6; }
    api { processes [ a ]; neighbor-changes; receive { parsed; update; } send { packets; open; } }
    static { route 10.0.0.0/24 next-hop 1.2.3.4 med 5; }
}";

fn configured() -> Neighbor {
    crate::config::parse("show", TEXT)
        .unwrap()
        .neighbors
        .remove(0)
}

/// The part of the record between the lines `from` and `to`.
fn recorded(from: &str, to: &str) -> Vec<&'static str> {
    RECORDED
        .lines()
        .skip_while(|line| *line != from)
        .skip(1)
        .take_while(|line| *line != to)
        .collect()
}

fn down(neighbor: &Neighbor) -> NeighborStatus<'_> {
    NeighborStatus {
        neighbor,
        local: None,
        state: State::Active,
        session: None,
        up: None,
        down: Duration::from_secs(5),
        statistics: Statistics::default(),
    }
}

fn compare(status: NeighborStatus<'_>, record: &[&str]) {
    let mut ours = neighbors(None, Some(NeighborDetail::Extensive), false, &[status]);
    ours.push("SUMMARY".to_owned());
    ours.extend(neighbors(
        None,
        Some(NeighborDetail::Summary),
        false,
        &[status],
    ));
    ours.push("JSON".to_owned());
    ours.extend(neighbors(None, None, true, &[status]));
    assert_eq!(ours, record);
}

#[test]
fn the_configuration() {
    assert_eq!(
        configuration(&configured()),
        recorded("CONFIGURATION", "UP")
    );
}

#[test]
fn a_neighbor_that_is_down() {
    compare(down(&configured()), &recorded("DOWN", "END"));
}

#[test]
fn a_neighbor_that_is_up() {
    let neighbor = configured();
    let mut open = Open::new(65001, 90, Ipv4Addr::new(5, 6, 7, 8), Vec::new());
    open.parameters = [
        Capability::FourOctetAs(FourOctetAs { asn: 65001 }),
        Capability::RouteRefresh(RouteRefreshCapability::Rfc),
        Capability::ExtendedMessage(ExtendedMessage),
    ]
    .into_iter()
    .map(|capability| crate::bgp::message::open::Parameter::Capabilities(vec![capability]))
    .collect();
    let mut agreed = Negotiated {
        families: [Family::IPV4_UNICAST, Family::IPV6_UNICAST]
            .into_iter()
            .collect(),
        ..Negotiated::default()
    };
    agreed.send.four_octet_as = true;
    agreed.send.add_path.insert(Family::IPV4_UNICAST);
    assert!(!agreed.families.contains(Family::new(Afi::IPV4, Safi::FLOW)));
    let status = NeighborStatus {
        state: State::Established,
        session: Some((&agreed, &open)),
        up: Some(Duration::from_secs(93784)),
        statistics: Statistics {
            open: (1, 1),
            notification: (0, 0),
            keepalive: (3, 4),
            update: (7, 2),
            refresh: (0, 1),
        },
        ..down(&neighbor)
    };
    compare(status, &recorded("UP", "DOWN"));
}

#[test]
fn neighbors_are_found_by_address() {
    let neighbor = configured();
    let summary = |limit| {
        neighbors(
            Some(limit),
            Some(NeighborDetail::Summary),
            false,
            &[down(&neighbor)],
        )
        .len()
    };
    assert_eq!((summary("127.0.0.1"), summary("127.0.0")), (2, 1));
    let hint = neighbors(None, None, false, &[down(&neighbor)]);
    assert_eq!(
        hint[0],
        "please specify summary, extensive or configuration"
    );
}

#[test]
fn routes_of_an_adj_rib() {
    let neighbor = configured();
    let status = down(&neighbor);
    let configured = neighbor.routes.iter().next().unwrap();
    let route = &configured.route;
    let show = |extensive, json, kind| {
        let wanted = AdjRib {
            limit: None,
            kind,
            extensive,
            json,
        };
        adj_rib(
            wanted,
            &status,
            [(&route.nlri, route.next_hop.address(), &*route.attributes)],
        )
    };
    assert_eq!(
        show(false, false, RouteKind::All),
        ["127.0.0.1 ipv4 unicast 10.0.0.0/24 next-hop 1.2.3.4"]
    );
    assert_eq!(
        show(true, false, RouteKind::Inet),
        [format!(
            "{} ipv4 unicast 10.0.0.0/24 next-hop 1.2.3.4 med 5",
            neighbor.name()
        )]
    );
    assert_eq!(show(false, false, RouteKind::Flow), [""; 0]);
    assert_eq!(
        show(false, true, RouteKind::All),
        [r#"{"127.0.0.1": {"routes": [{"prefix": "10.0.0.0/24", "family": "ipv4 unicast"}]}}"#]
    );
    let extensive = &show(true, true, RouteKind::All)[0];
    let parsed: serde_json::Value = serde_json::from_str(extensive).unwrap();
    assert_eq!(parsed["127.0.0.1"]["state"], "down");
}
