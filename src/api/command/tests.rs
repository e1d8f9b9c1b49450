use proptest::prelude::*;

use super::*;
use crate::bgp::iana::{Afi, Safi};

fn action(line: &str) -> Action {
    parse(line).unwrap().action
}

fn routes(line: &str) -> Vec<String> {
    let (Action::Announce(routes) | Action::Withdraw(routes)) = action(line) else {
        panic!("no route: {line}");
    };
    routes
        .iter()
        .map(|configured| {
            let route = &configured.route;
            format!(
                "{} {}{}",
                route.nlri.family,
                route.nlri.extensive(route.next_hop.address()),
                route.attributes.text()
            )
        })
        .collect()
}

fn wrong(line: &str) -> String {
    let mistake = parse(line).unwrap_err();
    let there = &line[mistake.span.clone()];
    format!(
        "{} [{there}] {}",
        mistake.message,
        mistake.help.unwrap_or_default()
    )
}

#[test]
fn routes_in_every_form() {
    assert_eq!(
        routes("announce route 10.0.0.0/24 next-hop 192.0.2.1 med 5"),
        ["ipv4 unicast 10.0.0.0/24 next-hop 192.0.2.1 med 5"]
    );
    assert_eq!(
        routes(
            "announce attributes local-preference 200 next-hop 202.2.202.2 nlri 2.0.0.1/32 2.0.0.2/32"
        ),
        [
            "ipv4 unicast 2.0.0.1/32 next-hop 202.2.202.2 local-preference 200",
            "ipv4 unicast 2.0.0.2/32 next-hop 202.2.202.2 local-preference 200"
        ]
    );
    assert_eq!(
        routes("announce ipv6 unicast fc00:1::/64 next-hop 2001::11"),
        ["ipv6 unicast fc00:1::/64 next-hop 2001::11"]
    );
    assert_eq!(
        routes("withdraw route 10.0.0.0/24"),
        ["ipv4 unicast 10.0.0.0/24"]
    );
    assert_eq!(
        routes("announce route 10.0.0.0/24 next-hop 192.0.2.1 split /25").len(),
        2
    );
    assert_eq!(
        routes("announce flow route { match { source 10.0.0.1/32; } then { discard; } }"),
        ["ipv4 flow flow source-ipv4 10.0.0.1/32 extended-community rate-limit:0"]
    );
    assert_eq!(
        routes("announce flow route destination 10.0.0.1/32 discard"),
        ["ipv4 flow flow destination-ipv4 10.0.0.1/32 extended-community rate-limit:0"]
    );
}

#[test]
fn a_flow_without_a_match_is_neither_announced_nor_withdrawn() {
    for line in [
        "announce flow route { then { discard; } }",
        "withdraw flow route { match { } then { discard; } }",
        "withdraw ipv4 flow discard",
    ] {
        let told = wrong(line);
        assert!(told.contains("without a match"), "{line}: {told}");
    }
}

#[test]
fn selectors_stand_before_the_command() {
    let command =
        parse("neighbor 10.0.0.1 local-as 1, neighbor * announce route 10.0.0.0/24 next-hop self")
            .unwrap();
    let terms: Vec<_> = command
        .selectors
        .iter()
        .map(|selector| selector.terms.clone())
        .collect();
    assert_eq!(
        terms,
        [
            vec![
                ("neighbor", "10.0.0.1".to_owned()),
                ("local-as", "1".to_owned())
            ],
            vec![("neighbor", "*".to_owned())]
        ]
    );
    let Action::Announce(routes) = command.action else {
        panic!()
    };
    assert!(routes[0].next_hop_self);
}

#[test]
fn sessions_and_tables() {
    assert_eq!(
        action("announce eor"),
        Action::AnnounceEor(Family::IPV4_UNICAST)
    );
    assert_eq!(
        action("announce eor ipv6 mpls-vpn"),
        Action::AnnounceEor(Family::new(Afi::IPV6, Safi::MPLS_VPN))
    );
    assert_eq!(
        action("announce route-refresh ipv4 unicast"),
        Action::RouteRefresh(Family::IPV4_UNICAST)
    );
    assert_eq!(action("flush adj-rib out"), Action::FlushAdjRibOut);
    assert_eq!(action("clear adj-rib out"), Action::ClearAdjRibOut);
    assert_eq!(action("clear adj-rib in"), Action::ClearAdjRibIn);
    assert_eq!(action("neighbor 127.0.0.1 teardown 4"), Action::Teardown(4));
    assert_eq!(
        action("announce watchdog dnsr"),
        Action::AnnounceWatchdog(Some("dnsr".to_owned()))
    );
    assert_eq!(action("withdraw watchdog"), Action::WithdrawWatchdog(None));
    assert_eq!(action("announce operational nop"), Action::Nothing);
    assert!(matches!(
        action("announce operational adm afi ipv4 safi unicast advisory \"be safe\""),
        Action::Operational(_)
    ));
    assert_eq!(action("# anything"), Action::Comment);
    assert_eq!(action("#anything"), Action::Comment);
    assert_eq!(
        action("show adj-rib out 10.0.0.1 extensive json"),
        Action::Show(Show::AdjRib {
            incoming: false,
            limit: Some("10.0.0.1".to_owned()),
            kind: RouteKind::All,
            extensive: true,
            json: true,
        })
    );
}

#[test]
fn neighbors_are_created_and_deleted() {
    let Action::CreateNeighbor(neighbor) = action(
        "create neighbor 127.0.0.1 local-address 127.0.0.1 local-as 1 peer-as 1 router-id 1.2.3.4 api peer-lifecycle",
    ) else {
        panic!()
    };
    assert_eq!(
        neighbor.name(),
        "neighbor 127.0.0.1 local-ip 127.0.0.1 local-as 1 peer-as 1 router-id 1.2.3.4 family-allowed in-open"
    );
    assert_eq!(neighbor.api[0].processes, ["peer-lifecycle"]);
    assert_eq!(
        neighbor.families.iter().collect::<Vec<_>>(),
        [Family::IPV4_UNICAST]
    );
    let command = parse("delete neighbor 127.0.0.1").unwrap();
    assert_eq!(command.action, Action::DeleteNeighbor);
    assert!(command.selectors[0].matches(&neighbor));
}

#[test]
fn mistakes_say_where_and_what_would_be_right() {
    assert_eq!(
        wrong("anounce route 10.0.0.0/24 next-hop self"),
        "`anounce` is not known as a command [anounce] did you mean `announce`?"
    );
    assert_eq!(
        wrong("announce route 999.999.999.999/32 next-hop 1.1.1.1"),
        "`999.999.999.999/32` is not a prefix [999.999.999.999/32] write for example 192.0.2.0/24 or 2001:db8::/32"
    );
    assert_eq!(
        wrong(r#"create neighbor 127.0.0.1 "local-as 1"#),
        r#"the quotation mark is not closed ["local-as 1] end the text with another `"`"#
    );
    assert_eq!(
        wrong("neighbor 10.0.0.1 announce route 10.0.0.1/24 next-hop 1.1.1.1"),
        "`10.0.0.1/24` has bits beyond its length [10.0.0.1/24] the network is 10.0.0.0/24"
    );
    assert_eq!(
        wrong("announce route 10.0.0.0/24"),
        "the route has no next-hop [10.0.0.0/24] add for example next-hop 192.0.2.1, or next-hop self"
    );
    assert_eq!(wrong(""), "a command is missing [] ");
    assert_eq!(
        wrong("flush adj-rib in"),
        "`in` is not known here [in] valid here: out"
    );
}

#[test]
fn what_is_remembered_changes_nothing() {
    let lines = [
        "announce route 10.0.0.0/24 next-hop 10.0.0.1",
        "announce route 10.0.1.0/24 next-hop 10.0.0.1",
        "withdraw route 10.0.1.0/24 next-hop 10.0.0.1",
        "announce route 224.0.0.0/24 next-hop 10.0.0.1",
        "announce route 2001:db8::/32 next-hop 10.0.0.1",
        "announce route 10.0.0.0/22 next-hop 10.0.0.1 split /24",
        "announce route 10.4.0.0/22 next-hop 10.0.0.1 split /24",
        "announce route 10.0.0.0/24 next-hop 10.0.0.1 rd 1:1 label 3",
        "announce route 10.0.2.0/24 next-hop 10.0.0.1 rd 1:1 label 3",
        "announce route 10.0.0.9/24 next-hop 10.0.0.1",
        "announce route 10.0.0.0/33 next-hop 10.0.0.1",
        "withdraw route 10.0.1.0/24",
        "announce route 10.0.1.0/24",
        "neighbor * announce route 10.0.1.0/24 next-hop 10.0.0.1",
        " neighbor 127.0.0.1 withdraw route 10.0.1.0/24",
    ];
    let mut parser = Parser::default();
    for line in lines.iter().chain(&lines) {
        assert_eq!(parser.parse(line), parse(line), "{line}");
    }
}

proptest! {
    #[test]
    fn any_line_is_understood_or_refused(line in ".{0,80}") {
        let _ = parse(&line);
    }

    #[test]
    fn any_words_are_understood_or_refused(
        words in proptest::collection::vec(
            proptest::sample::select(vec![
                "announce", "withdraw", "route", "neighbor", "10.0.0.0/24", "10.0.0.1", "next-hop", "self", "*", ",",
                "{", "}", ";", "[", "]", "(", ")", "match", "then", "flow", "ipv4", "unicast", "attributes", "nlri",
                "label", "rd", "1:1", "split", "/25", "as-path", "community", "eor", "operational", "asm", "afi",
                "vpls", "endpoint", "create", "delete", "\\", "\"", "show", "adj-rib", "teardown", "mup", "mcast-vpn",
                "sr-policy", "l2vpn", "extended-community", "target:1:1", "watchdog", "0x", "::1/128",
            ]),
            0..20,
        )
    ) {
        let _ = parse(&words.join(" "));
    }
}
