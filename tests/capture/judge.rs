//! tshark's opinion of the captures in the repository: what messages there are, and what routes they carry.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use lockstep::bgp::family::Family;
use lockstep::bgp::message::Message;
use lockstep::capture::{Capture, EventKind};
use lockstep::compare::Contexts;

const FIELDS: [&str; 5] = [
    "bgp.type",
    "bgp.nlri_prefix",
    "bgp.withdrawn_prefix",
    "bgp.mp_reach_nlri_ipv6_prefix",
    "bgp.mp_unreach_nlri_ipv6_prefix",
];

/// How often each value of each of [`FIELDS`] comes in a capture.
type Census = [BTreeMap<String, usize>; 5];

fn count(census: &mut BTreeMap<String, usize>, value: String) {
    *census.entry(value).or_default() += 1;
}

/// Sets tshark to work; `None` where it is not installed.
fn ask(path: &Path) -> Option<Child> {
    let mut command = Command::new("tshark");
    command
        .arg("-r")
        .arg(path)
        .args(["-n", "-Y", "bgp", "-T", "fields"]);
    for field in FIELDS {
        command.args(["-e", field]);
    }
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()
}

fn answer(child: Child) -> Census {
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut census = Census::default();
    for line in text.lines() {
        for (field, values) in census.iter_mut().zip(line.split('\t')) {
            for value in values.split(',').filter(|value| !value.is_empty()) {
                count(field, value.to_owned());
            }
        }
    }
    census
}

fn ours(path: &Path) -> Census {
    let mut census = Census::default();
    let mut opens = Contexts::default();
    Capture::open(path)
        .unwrap()
        .read_all(|event| {
            opens.note(&event);
            let EventKind::Message { octets, .. } = event.kind else {
                return;
            };
            count(&mut census[0], octets[18].to_string());
            let context = opens.context(event.connection.number, event.direction);
            let Ok(Message::Update(update)) = Message::decode(context, octets) else {
                return;
            };
            let address = |text: String| -> String {
                let (address, _) = text.split_once('/').expect("a prefix");
                address.parse::<IpAddr>().unwrap().to_string()
            };
            for nlri in &update.nlri {
                count(&mut census[1], address(nlri.text()));
            }
            for nlri in &update.withdrawn_routes {
                count(&mut census[2], address(nlri.text()));
            }
            let reach = update
                .mp_reach()
                .filter(|reach| reach.family == Family::IPV6_UNICAST);
            for nlri in reach.into_iter().flat_map(|reach| &reach.nlri) {
                count(&mut census[3], address(nlri.text()));
            }
            let unreach = update
                .mp_unreach()
                .filter(|unreach| unreach.family == Family::IPV6_UNICAST);
            for nlri in unreach.into_iter().flat_map(|unreach| &unreach.nlri) {
                count(&mut census[4], address(nlri.text()));
            }
        })
        .unwrap();
    census
}

fn captures(directory: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|end| end == "pcap" || end == "pcapng")
        })
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

/// Holds each capture of `directory` to tshark's opinion of the first `fields` of [`FIELDS`].
fn judge(directory: &str, fields: usize) {
    // So many at once keep every core busy.
    for paths in captures(directory).chunks(4) {
        let asked: Vec<Option<Child>> = paths.iter().map(|path| ask(path)).collect();
        for (path, child) in paths.iter().zip(asked) {
            let Some(child) = child else {
                crate::skipped::skip("tshark is not installed");
                return;
            };
            let ours = ours(path);
            assert!(ours[0].values().sum::<usize>() > 0, "{}", path.display());
            let theirs = answer(child);
            for ((field, ours), theirs) in FIELDS.iter().zip(ours).zip(theirs).take(fields) {
                assert_eq!(ours, theirs, "{field} in {}", path.display());
            }
        }
    }
}

#[test]
fn tshark_counts_the_same_messages_and_routes_of_other_speakers() {
    judge("captures/field", FIELDS.len());
}

#[test]
fn tshark_counts_the_same_messages_of_the_goldens() {
    judge("captures", 1);
}
