use proptest::prelude::*;

use super::*;
use crate::bgp::attribute::{AttributeValue, Malformed};
use crate::bgp::family::Families;
use crate::bgp::message::{Message, Update};
use crate::bgp::nlri::{Nlri, NlriValue};

/// What one side says of an UPDATE: lines.
type Told = Vec<String>;

fn owned(update: &Update) -> Told {
    let mut told = Told::new();
    routes(&update.withdrawn_routes, "withdraw", &mut told);
    for attribute in &update.attributes {
        match &attribute.value {
            AttributeValue::AsPath(path) => {
                for segment in &path.segments {
                    told.push(format!("{:?} {:?}", segment.kind, segment.asns));
                }
            }
            AttributeValue::Communities(list) => told.push(format!("{:?}", list.0)),
            AttributeValue::LargeCommunities(list) => told.push(format!("{}", list.0.len())),
            AttributeValue::MpReach(reach) if is_prefixes(reach.family) => {
                told.push(format!("{:?}", reach.next_hop));
                routes(&reach.nlri, "announce", &mut told);
            }
            AttributeValue::MpUnreach(unreach) if is_prefixes(unreach.family) => {
                routes(&unreach.nlri, "withdraw", &mut told);
            }
            value => told.push(format!("code {}", value.code())),
        }
    }
    routes(&update.nlri, "announce", &mut told);
    told
}

fn routes(all: &[Nlri], verb: &str, told: &mut Told) {
    for nlri in all {
        let NlriValue::Inet(inet) = &nlri.value else {
            panic!("not a prefix")
        };
        told.push(format!("{verb} {:?} {}", nlri.path_id, inet.prefix));
    }
}

fn borrowed(view: &UpdateView<'_>) -> Result<(Told, Vec<Fault>), String> {
    let mut told = Told::new();
    let mut faults = Vec::new();
    prefixes(view.withdrawn_routes(), "withdraw", &mut told)?;
    for attribute in view.attributes() {
        match attribute {
            Err(fault) if fault.action == ErrorAction::SessionReset => {
                return Err(format!("{fault:?}"));
            }
            Err(fault) => faults.push(fault),
            Ok(AttributeView::AsPath(path)) => {
                for segment in path {
                    let asns: Vec<u32> = segment.asns().collect();
                    told.push(format!("{:?} {asns:?}", segment.kind));
                }
            }
            Ok(AttributeView::Communities(list)) => {
                let list: Vec<_> = list
                    .iter()
                    .map(|octets| {
                        crate::bgp::attribute::communities::Community(u32::from_be_bytes(*octets))
                    })
                    .collect();
                told.push(format!("{list:?}"));
            }
            Ok(AttributeView::LargeCommunities(list)) => told.push(format!("{}", list.len())),
            Ok(view @ AttributeView::Reach { routes, .. }) => {
                told.push(format!("{:?}", view.next_hop().unwrap()));
                prefixes(routes, "announce", &mut told)?;
            }
            Ok(AttributeView::Unreach { routes, .. }) => {
                prefixes(routes, "withdraw", &mut told)?;
            }
            Ok(view) => told.push(format!("code {}", code(&view))),
        }
    }
    prefixes(view.nlri(), "announce", &mut told)?;
    Ok((told, faults))
}

fn prefixes(all: Prefixes<'_>, verb: &str, told: &mut Told) -> Result<(), String> {
    for route in all {
        let (path, prefix) = route.map_err(|error| error.to_string())?;
        told.push(format!("{verb} {path:?} {prefix}"));
    }
    Ok(())
}

fn code(view: &AttributeView<'_>) -> u8 {
    match view {
        AttributeView::Origin(_) => 1,
        AttributeView::NextHop(_) => 3,
        AttributeView::Med(_) => 4,
        AttributeView::LocalPref(_) => 5,
        AttributeView::AtomicAggregate => 6,
        AttributeView::Aggregator(..) => 7,
        AttributeView::OriginatorId(_) => 9,
        AttributeView::ClusterList(_) => 10,
        AttributeView::Other(code, ..) => *code,
        _ => 0,
    }
}

/// Attributes that the view interprets, with any value; and routes.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let code = proptest::sample::select(vec![1u8, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 15, 32, 99]);
    let value = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..30),
        proptest::collection::vec(0u8..5, 0..30),
        Just(vec![
            0, 2, 1, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 8, 32
        ]),
    ];
    let attribute = (code, value, any::<u8>()).prop_map(|(code, value, noise)| {
        let flags = rules(code).map_or(0x80, |rules| rules.flags.0);
        let flags = if noise < 16 { noise << 4 & 0xe0 } else { flags };
        let mut bytes = vec![flags, code, value.len() as u8];
        bytes.extend_from_slice(&value);
        bytes
    });
    let routes = prop_oneof![
        Just(vec![8u8, 10, 24, 1, 2, 3]),
        proptest::collection::vec(0u8..40, 0..12)
    ];
    let list = proptest::collection::vec(attribute, 0..5).prop_map(|list| list.concat());
    (routes.clone(), list, routes).prop_map(|(withdrawn, list, nlri)| {
        let mut body = (withdrawn.len() as u16).to_be_bytes().to_vec();
        body.extend_from_slice(&withdrawn);
        body.extend_from_slice(&(list.len() as u16).to_be_bytes());
        body.extend_from_slice(&list);
        body.extend_from_slice(&nlri);
        body
    })
}

proptest! {
    /// The view and the owned UPDATE say the same, and refuse the same.
    #[test]
    fn the_view_says_what_the_owned_update_says(body in body(), flags in any::<[bool; 2]>()) {
        let families = [Family::IPV4_UNICAST, Family::IPV6_UNICAST];
        let context = WireContext {
            four_octet_as: flags[0],
            add_path: if flags[1] { families.into_iter().collect() } else { Families::new() },
            extended_message: false, bgpsec: false,
        };
        let mut bytes = vec![0xff; 16];
        bytes.extend_from_slice(&(19 + body.len() as u16).to_be_bytes());
        bytes.push(2);
        bytes.extend_from_slice(&body);
        let decoded = Message::decode(&context, &bytes);
        let seen = UpdateView::new(&context, &bytes)
            .map_err(|error| error.to_string())
            .and_then(|view| borrowed(&view));
        // Families that are not of prefixes are the owned UPDATE's alone.
        let other = |told: &Told| told.iter().any(|line| line == "code 14" || line == "code 15");
        prop_assume!(!seen.as_ref().is_ok_and(|(told, _)| other(told)));
        match (decoded, seen) {
            (Ok(Message::Update(update)), Ok((told, faults))) => {
                prop_assert_eq!(owned(&update), told);
                let missing = |one: &&Malformed| one.kind != UpdateErrorKind::MissingWellKnown;
                let expected: Vec<_> = update.malformed.iter().filter(missing)
                    .map(|one| (one.code, one.kind, one.action)).collect();
                let found: Vec<_> = faults.iter()
                    .map(|one| (one.code, one.kind, one.action)).collect();
                prop_assert_eq!(expected, found);
            }
            (Err(_), Err(_)) => {}
            (decoded, seen) => prop_assert!(false, "{decoded:?} but {seen:?}"),
        }
    }
}
