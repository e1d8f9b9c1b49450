//! Configurations: those of the scenarios against what the real ExaBGP makes of them, and semantics that its parser has.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use lockstep::bgp::family::Family;
use lockstep::config::{self, Configuration, Encoder};
use lockstep::speaker::neighbor::{Address, Neighbor};
use lockstep::speaker::route::ConfiguredRoute;

const RECORDED: &str = include_str!("data/config-scenarios.txt");

fn parse(text: &str) -> Configuration {
    config::parse("test.conf", text).unwrap_or_else(|error| panic!("{}", error.render()))
}

/// A configuration of one neighbor with `body` in it.
fn with(body: &str) -> Neighbor {
    let text = format!(
        "neighbor 127.0.0.1 {{\nrouter-id 1.2.3.4;\nlocal-address 127.0.0.1;\nlocal-as 1;\npeer-as 1;\n{body}\n}}"
    );
    parse(&text).neighbors.remove(0)
}

fn route(neighbor: &Neighbor, configured: &ConfiguredRoute) -> String {
    let route = &configured.route;
    let own = match neighbor.local_address {
        Address::Ip(address) if configured.next_hop_self => Some(address),
        _ => None,
    };
    let mut line = format!(
        "{} {}{}",
        route.nlri.family,
        route.nlri.extensive(route.next_hop.address().or(own)),
        route.attributes.text()
    );
    if let Some(watchdog) = &configured.watchdog {
        let _ = write!(line, " watchdog {watchdog} {}", configured.withdrawn);
    }
    line
}

fn routes(neighbor: &Neighbor) -> Vec<String> {
    neighbor
        .routes
        .iter()
        .map(|configured| route(neighbor, &configured))
        .collect()
}

/// Every configuration of the scenarios.
fn scenario_configurations() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut found = Vec::new();
    for scenario in std::fs::read_dir(root).unwrap() {
        let directory = scenario.unwrap().path();
        if !directory.is_dir() {
            continue;
        }
        let files = std::fs::read_dir(directory)
            .unwrap()
            .map(|file| file.unwrap().path());
        found.extend(files.filter(|file| file.extension().is_some_and(|end| end == "conf")));
    }
    found.sort();
    found
}

fn described(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let configuration = config::parse(&path.display().to_string(), &text)
        .unwrap_or_else(|error| panic!("{}", error.render()));
    let mut lines = Vec::new();
    for neighbor in &configuration.neighbors {
        let restart = neighbor
            .capability
            .graceful_restart
            .map_or_else(|| "None".to_owned(), |seconds| seconds.to_string());
        let refresh = if neighbor.capability.route_refresh {
            "True"
        } else {
            "False"
        };
        lines.push(format!(
            "NEIGHBOR {} hold-time {} graceful-restart {restart} route-refresh {refresh}",
            neighbor.name(),
            neighbor.hold_time,
        ));
        let families: Vec<String> = neighbor
            .families
            .iter()
            .map(|family| family.to_string())
            .collect();
        lines.push(format!("FAMILIES {}", families.join(", ")));
        let found = routes(neighbor);
        lines.extend(found.into_iter().map(|route| format!("ROUTE {route}")));
    }
    for process in &configuration.processes {
        let encoder = match process.encoder {
            Encoder::Json => "json",
            Encoder::Text => "text",
        };
        lines.push(format!(
            "PROCESS {} {encoder} {}",
            process.name, process.respawn
        ));
    }
    lines.iter().map(|line| line.to_lowercase()).collect()
}

#[test]
fn every_scenario_is_understood_as_the_reference_understands_it() {
    let mut recorded: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut file = "";
    for line in RECORDED.lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix("FILE ") {
            Some(name) => file = name,
            None => recorded.entry(file).or_default().push(line.to_lowercase()),
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut compared = 0;
    for path in scenario_configurations() {
        let ours = described(&path);
        let name = path.strip_prefix(root).unwrap().display().to_string();
        if let Some(theirs) = recorded.get(name.as_str()) {
            assert_eq!(&ours, theirs, "{name}");
            compared += 1;
        }
    }
    assert!(compared > 70, "{compared}");
}

#[test]
fn without_a_family_section_every_family_is_offered() {
    let families = with("").families;
    assert_eq!(families, config::offered_by_default());
    assert_eq!(families.len(), 21);
    assert_eq!(families.iter().next(), Some(Family::IPV4_UNICAST));
}

#[test]
fn a_template_overrules_single_values_and_adds_to_lists() {
    let text = "template { neighbor t {\nhold-time 30;\nlocal-as 1;\nfamily { ipv6 unicast; }\n\
                static { route 10.9.0.0/24 next-hop 1.1.1.1; }\n} }\n\
                neighbor 127.0.0.1 {\ninherit t;\nhold-time 60;\nrouter-id 1.2.3.4;\nlocal-address 127.0.0.1;\npeer-as 1;\n\
                family { ipv4 unicast; }\nstatic { route 10.0.0.0/24 next-hop 1.1.1.1; }\n}";
    let neighbor = parse(text).neighbors.remove(0);
    assert_eq!(neighbor.hold_time, 30);
    assert_eq!(
        neighbor.families.iter().collect::<Vec<_>>(),
        [Family::IPV4_UNICAST, Family::IPV6_UNICAST]
    );
    assert_eq!(
        routes(&neighbor),
        [
            "ipv4 unicast 10.0.0.0/24 next-hop 1.1.1.1",
            "ipv4 unicast 10.9.0.0/24 next-hop 1.1.1.1"
        ]
    );
}

#[test]
fn several_templates_are_inherited() {
    let text = "template {\nneighbor a { local-as 1; }\nneighbor b { peer-as 2; }\n}\n\
                neighbor 127.0.0.1 {\ninherit [ a b ];\nlocal-address 127.0.0.1;\n}";
    let neighbor = parse(text).neighbors.remove(0);
    assert_eq!(
        neighbor.name(),
        "neighbor 127.0.0.1 local-ip 127.0.0.1 local-as 1 peer-as 2 router-id 127.0.0.1 family-allowed in-open"
    );
}

#[test]
fn inline_and_block_routes_are_one() {
    let neighbor = with(
        "static {\n\
         route 10.0.0.0/23 next-hop self med 5 split /24;\n\
         route 10.0.0.0/23 {\nnext-hop self;\nmed 5;\nsplit /24;\n}\n\
         }",
    );
    let found = routes(&neighbor);
    assert_eq!(found.len(), 4);
    assert_eq!(found[..2], found[2..]);
    assert_eq!(
        found[1],
        "ipv4 unicast 10.0.1.0/24 next-hop 127.0.0.1 med 5"
    );
}

#[test]
fn extended_communities_said_twice_are_joined_and_other_attributes_are_not() {
    let neighbor = with(
        "static { route 10.0.0.0/24 next-hop 1.1.1.1 extended-community target:1:2 med 1 extended-community origin:1:1 med 2; }",
    );
    assert_eq!(
        routes(&neighbor),
        [
            "ipv4 unicast 10.0.0.0/24 next-hop 1.1.1.1 med 1 extended-community [ target:1:2 origin:1:0.0.0.1 ]"
        ]
    );
}

#[test]
fn routes_with_the_same_attributes_share_them() {
    let neighbor = with(
        "static {\nroute 10.0.0.0/24 next-hop 1.1.1.1 med 1;\nroute 10.0.1.0/24 next-hop 2.2.2.2 med 1;\n}",
    );
    let attributes: Vec<_> = neighbor
        .routes
        .iter()
        .map(|configured| configured.route.attributes)
        .collect();
    assert!(std::sync::Arc::ptr_eq(&attributes[0], &attributes[1]));
}

#[test]
fn a_switch_without_a_value_is_what_the_reference_makes_of_it() {
    let neighbor = with(
        "passive;\ngroup-updates;\nadj-rib-in;\nadj-rib-out;\nmanual-eor;\ncapability { asn4; software-version; }",
    );
    assert!(neighbor.passive && neighbor.group_updates && neighbor.capability.asn4);
    assert!(!neighbor.adj_rib_in && !neighbor.adj_rib_out && !neighbor.manual_eor);
    assert!(!neighbor.capability.software_version);
}

#[test]
fn graceful_restart_without_a_time_takes_the_hold_time() {
    let time = |body: &str| with(body).capability.graceful_restart;
    assert_eq!(
        time("hold-time 90;\ncapability { graceful-restart; }"),
        Some(90)
    );
    assert_eq!(time("capability { graceful-restart 1200; }"), Some(1200));
    assert_eq!(time("capability { graceful-restart disable; }"), None);
    assert_eq!(time(""), None);
}

#[test]
fn next_hops_need_both_families() {
    let pairs = |families: &str| {
        with(&format!(
            "family {{ {families} }}\nnexthop {{ ipv4 unicast ipv6; }}"
        ))
        .nexthops
        .len()
    };
    assert_eq!(pairs("ipv4 unicast; ipv6 unicast;"), 1);
    assert_eq!(pairs("ipv4 unicast;"), 0);
}

#[test]
fn add_path_for_families_that_are_not_offered_is_not_offered() {
    use lockstep::speaker::neighbor::AddPath;
    let offer = |family: &str| {
        let body = format!(
            "family {{ ipv4 unicast; }}\ncapability {{ add-path send/receive; }}\nadd-path {{ {family}; }}"
        );
        let neighbor = with(&body);
        (neighbor.capability.add_path, neighbor.add_paths.len())
    };
    assert_eq!(offer("ipv6 unicast"), (AddPath::Disabled, 0));
    assert_eq!(offer("ipv4 unicast"), (AddPath::Both, 1));
}
