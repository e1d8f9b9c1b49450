//! Whatever is done to an Adj-RIB-Out, and however often it is drained, a peer that applies the UPDATEs ends with what is remembered as announced.

use std::collections::BTreeMap;

use lockstep::bgp::attribute::med::Med;
use lockstep::bgp::message::Message;
use lockstep::speaker::rib::AdjRibOut;
use lockstep::speaker::route::Route;
use proptest::prelude::*;

use crate::rib::{messages, negotiated, rib, with_med};
use crate::session_pair::{plain, route};

#[derive(Debug, Clone)]
enum Step {
    Announce(Route),
    Withdraw(Route),
    Clear,
    Flush(bool),
    Take,
    Reconnect,
    Reload(Vec<Route>, Vec<Route>),
}

fn any_route() -> impl Strategy<Value = Route> {
    (0u8..5, 1u8..4, 0u32..3, any::<bool>()).prop_map(|(prefix, hop, med, six)| {
        let route = if six {
            route(
                &format!("2001:db8:{prefix}::/48"),
                &format!("2001:db8::{hop}"),
            )
        } else {
            route(&format!("10.{prefix}.0.0/16"), &format!("1.1.1.{hop}"))
        };
        if med == 0 {
            route
        } else {
            with_med(route, med)
        }
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    let routes = || proptest::collection::vec(any_route(), 0..4);
    prop_oneof![
        8 => any_route().prop_map(Step::Announce),
        5 => any_route().prop_map(Step::Withdraw),
        1 => Just(Step::Clear),
        2 => any::<bool>().prop_map(Step::Flush),
        3 => Just(Step::Take),
        1 => Just(Step::Reconnect),
        1 => (routes(), routes()).prop_map(|(before, after)| Step::Reload(before, after)),
    ]
}

/// A route in the peer's table: next hop and MED.
type Table = BTreeMap<String, String>;

fn apply(table: &mut Table, raw: &[u8]) {
    let Message::Update(update) = Message::decode(&negotiated().send, raw).unwrap() else {
        return;
    };
    for nlri in update.withdrawn() {
        table.remove(&plain(nlri));
    }
    let med = update.attributes.find::<Med>().copied();
    for (nlri, next_hop) in update.announced() {
        table.insert(plain(nlri), format!("{next_hop:?} {med:?}"));
    }
}

fn remembered(rib: &AdjRibOut) -> Table {
    rib.announced()
        .map(|(nlri, set)| {
            let med = set.attributes.find::<Med>().copied();
            (plain(&nlri), format!("{:?} {med:?}", set.next_hop))
        })
        .collect()
}

proptest! {
    #[test]
    fn the_peer_ends_with_what_was_announced(steps in proptest::collection::vec(any_step(), 0..40), grouped: bool) {
        let mut rib = rib();
        let mut peer = Table::new();
        let mut first = true;
        let drain = |rib: &mut AdjRibOut, peer: &mut Table, first: &mut bool| {
            if rib.pending() {
                for raw in messages(rib, grouped, !*first) {
                    apply(peer, &raw);
                }
                *first = false;
            }
        };
        for step in steps {
            match step {
                Step::Announce(route) => { rib.announce(&route).unwrap(); }
                Step::Withdraw(route) => rib.withdraw(&route).unwrap(),
                Step::Clear => rib.clear(None),
                Step::Flush(enhanced) => rib.flush(None, enhanced),
                Step::Take => drain(&mut rib, &mut peer, &mut first),
                Step::Reload(before, after) => rib.replace_reload(before, after).unwrap(),
                Step::Reconnect => {
                    rib.reset();
                    peer.clear();
                    rib.replace_restart([], []).unwrap();
                    first = true;
                }
            }
        }
        drain(&mut rib, &mut peer, &mut first);
        prop_assert_eq!(peer, remembered(&rib));
    }
}
