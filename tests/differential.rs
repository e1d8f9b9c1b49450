//! What the real ExaBGP 5.0.15 made of random octets and words (`qa/differential/record.py`), beside what Lockstep makes of them.
//!
//! Where the two differ on purpose, [`parity`] says how and why.

use std::collections::BTreeSet;
use std::fs::File;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use lockstep::bgp::attribute::extended_community::{
    Actions, ExtendedCommunities, ExtendedCommunitiesIpv6, is_action_keyword, parse_action,
};
use lockstep::bgp::attribute::link_state::LinkState;
use lockstep::bgp::attribute::pmsi_tunnel::PmsiTunnel;
use lockstep::bgp::attribute::prefix_sid::PrefixSid;
use lockstep::bgp::attribute::{self, PathAttribute, WireContext};
use lockstep::bgp::dissect;
use lockstep::bgp::family::Family;
use lockstep::bgp::hex;
use lockstep::bgp::nlri::qualifier::{Labels, RouteDistinguisher};
use lockstep::bgp::nlri::{Nlri, NlriValue};
use lockstep::bgp::text::{Words, split};
use lockstep::bgp::wire::Reader;
use serde_json::Value;

const NLRI: &str = "nlri";
const ATTRIBUTES: &str = "attributes";
const UPDATES: &str = "updates";
const LINES: &str = "lines";
const WORDS: &str = "words";

/// The rows of `NAME.jsonl`, of the directory that `LOCKSTEP_DIFFERENTIAL` names, else of the committed corpus.
pub fn rows(name: &str) -> impl Iterator<Item = Value> {
    let directory = std::env::var_os("LOCKSTEP_DIFFERENTIAL").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential"),
        PathBuf::from,
    );
    let path = directory.join(name).with_extension("jsonl");
    let file = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let rows: Vec<Value> = file
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    rows.into_iter()
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// ExaBGP's JSON as it would be without its two mistakes, which make it no JSON: the comma that is missing in a
/// type-1 session of MUP, and the SID and behavior of an SRv6 service, of which the format's `%s` and `%d` are left.
pub fn parity(json: &str, ours: &str) -> String {
    let json = json
        .replace("NaN", "null")
        .replace("\"\"source_ip_len", "\", \"source_ip_len");
    let key = "\"bgp-prefix-sid\"";
    let ours = &ours[ours.find(key).unwrap_or(0)..];
    let (head, tail) = json.split_at(json.find(key).unwrap_or(0));
    let mut json = tail.to_owned();
    for (field, end) in [("\"sid\": \"", '"'), ("\"endpoint_behavior\": ", ' ')] {
        let values = ours
            .split(field)
            .skip(1)
            .map(|rest| rest.split(end).next().unwrap().trim_end_matches(','));
        for value in values {
            let (wrong, right) = match end {
                '"' => (format!("{field}%s"), format!("{field}{value}")),
                _ => (format!("{field}%d"), format!("{field}{value}")),
            };
            json = json.replacen(&wrong, &right, 1);
        }
    }
    format!("{head}{json}")
}

/// Differences found so far.
#[derive(Default)]
pub struct Differences(Vec<String>);

impl Differences {
    pub fn compare(&mut self, what: &str, row: &Value, ours: &str, theirs: &str) {
        if ours != theirs {
            self.0.push(format!(
                "{what} of {row}\n  ours   {ours}\n  theirs {theirs}"
            ));
        }
    }

    pub fn finish(self, rows: usize) {
        assert!(rows > 0);
        let count = self.0.len();
        assert!(
            count == 0,
            "{count} of {rows} differ:\n{}",
            self.0.join("\n")
        );
    }
}

#[test]
fn nlri_are_decoded_alike() {
    let mut differences = Differences::default();
    let mut count = 0;
    for row in rows(NLRI) {
        count += 1;
        let family: Family = text(&row["family"]).parse().unwrap();
        let octets = hex::octets(text(&row["octets"])).unwrap();
        let mut reader = Reader::new(&octets);
        let path = row["path"].as_bool().unwrap();
        let ours = Nlri::decode(family, path, &mut reader);
        let theirs = &row["shown"];
        match ours {
            // ExaBGP reads 13 octets whatever length the route says, and names a redirection's 4-octet AS oddly.
            _ if row["family"] == "ipv4 rtc"
                && octets
                    .get(if path { 4.. } else { 0.. })
                    .is_none_or(|route| {
                        !matches!(route, [0 | 96, ..]) || route.get(6) == Some(&0x08)
                    }) => {}
            // ExaBGP shows the AFI as the architecture of a MUP route whose type it does not know.
            Ok(ours) if ours.text().starts_with("mup:unknown") => {
                differences.compare("text", &row, &ours.text(), text(&theirs["text"]));
            }
            Ok(ours) if !theirs.is_null() => {
                differences.compare("text", &row, &ours.text(), text(&theirs["text"]));
                let json = ours.json();
                differences.compare("json", &row, &json, &parity(text(&theirs["json"]), &json));
                let left = reader.remaining().to_string();
                differences.compare("rest", &row, &left, &theirs["left"].to_string());
            }
            Err(_) if theirs.is_null() => {}
            // ExaBGP reads one VPLS route for each attribute, whatever RFC 4761 says.
            Ok(Nlri {
                value: NlriValue::Vpls(_),
                ..
            }) if !reader.is_empty() => {}
            ours => differences.compare(
                "acceptance",
                &row,
                &format!("{ours:?}"),
                &theirs.to_string(),
            ),
        }
    }
    differences.finish(count);
}

fn show<A: PathAttribute>(octets: &[u8]) -> Option<(String, String)> {
    let attribute = A::decode(&WireContext::default(), Reader::new(octets)).ok()?;
    let (mut text, mut json) = (String::new(), String::new());
    attribute.text(&mut text);
    attribute.json(&mut json);
    Some((text, json))
}

#[test]
fn attributes_are_decoded_alike() {
    let mut differences = Differences::default();
    let mut count = 0;
    for row in rows(ATTRIBUTES) {
        count += 1;
        let octets = hex::octets(text(&row["octets"])).unwrap();
        let ours = match row["code"].as_u64().unwrap() {
            16 => show::<ExtendedCommunities>(&octets),
            22 => show::<PmsiTunnel>(&octets),
            25 => show::<ExtendedCommunitiesIpv6>(&octets),
            29 => show::<LinkState>(&octets),
            40 => show::<PrefixSid>(&octets),
            other => panic!("no attribute of code {other} is recorded"),
        };
        let theirs = &row["shown"];
        match ours {
            Some((shown, json)) if !theirs.is_null() => {
                differences.compare("text", &row, &shown, text(&theirs["text"]));
                differences.compare("json", &row, &json, &parity(text(&theirs["json"]), &json));
            }
            None if theirs.is_null() => {}
            // ExaBGP does not hold the lengths inside an SRv6 service to the octets that there are.
            None if row["code"] == 40 => {}
            // ExaBGP's list of attributes refuses one without a value before its own reader, which is asked here, sees it.
            None if octets.is_empty() => {}
            ours => differences.compare(
                "acceptance",
                &row,
                &format!("{ours:?}"),
                &theirs.to_string(),
            ),
        }
    }
    differences.finish(count);
}

fn octets(attribute: &impl PathAttribute) -> String {
    let mut out = Vec::new();
    attribute.encode(&WireContext::default(), &mut out).unwrap();
    hex::text(&out)
}

/// The NLRI with the labels and the route distinguisher that `words` name; and what its actions come to.
fn complete(mut nlri: Nlri, line: &str) -> (Nlri, Actions) {
    let line = split(line).unwrap();
    let mut words = Words::new(&line, 0);
    let mut actions = Actions::default();
    while let Some(keyword) = words.take() {
        nlri.value = match (keyword.text.as_str(), nlri.value) {
            ("label", NlriValue::Labelled(held)) => {
                let labels = Labels::parse(&mut words).unwrap();
                NlriValue::Labelled(Box::new(held.with_labels(labels)))
            }
            ("label", NlriValue::Vpn(held)) => {
                let labels = Labels::parse(&mut words).unwrap();
                NlriValue::Vpn(Box::new(held.with_labels(labels)))
            }
            ("rd", NlriValue::Vpn(held)) => {
                let rd = RouteDistinguisher::parse(&mut words).unwrap();
                NlriValue::Vpn(Box::new(held.with_rd(rd)))
            }
            (keyword, value) => {
                assert!(is_action_keyword(keyword), "{keyword}");
                parse_action(&mut actions, keyword, &mut words).unwrap();
                value
            }
        };
    }
    (nlri, actions)
}

#[test]
fn words_are_encoded_alike() {
    let mut differences = Differences::default();
    let mut count = 0;
    for row in rows(WORDS) {
        count += 1;
        let theirs = &row["shown"];
        if theirs.is_null() {
            differences.compare("acceptance", &row, "not asked", "refused");
            continue;
        }
        let line = text(&row["words"]);
        let split = split(line).unwrap();
        let mut words = Words::new(&split, line.len());
        if row["kind"] == "attribute" {
            let ours = attribute::parse(text(&row["family"]), &mut words)
                .unwrap()
                .unwrap();
            let code = ours.value.code().to_string();
            let theirs = &theirs["attributes"][&code];
            let mut out = Vec::new();
            ours.encode(&WireContext::default(), &mut out).unwrap();
            let header = if out[0] & 0x10 == 0 { 3 } else { 4 };
            let value = hex::text(&out[header..]);
            differences.compare("octets", &row, &value, text(&theirs["octets"]));
            differences.compare("text", &row, &ours.text(), text(&theirs["text"]));
            continue;
        }
        let family: Family = text(&row["family"]).parse().unwrap();
        let ours = Nlri::parse(family, &mut words).unwrap();
        words.finish().unwrap();
        let (ours, actions) = complete(ours, text(&row["others"]));
        let mut out = Vec::new();
        ours.encode(false, &mut out).unwrap();
        let next_hop: Option<IpAddr> = theirs["next-hop"].as_str().map(|hop| hop.parse().unwrap());
        let value = hex::text(&out);
        differences.compare("octets", &row, &value, text(&theirs["octets"]));
        differences.compare(
            "text",
            &row,
            &ours.extensive(next_hop),
            text(&theirs["text"]),
        );
        let json = ours.json_with(next_hop, false);
        differences.compare("json", &row, &json, &parity(text(&theirs["json"]), &json));
        if row["kind"] == "flow" {
            assert!(
                actions.next_hop.is_none() || actions.next_hop == next_hop,
                "{row}"
            );
            for (code, ours) in [
                ("16", octets(&actions.communities)),
                ("25", octets(&actions.communities_ipv6)),
            ] {
                let theirs = theirs["attributes"][code]["octets"].as_str().unwrap_or("");
                differences.compare("communities", &row, &ours, theirs);
            }
        }
    }
    differences.finish(count);
}

/// Every octet of an UPDATE with attribute `code` is in exactly one leaf of its dissection, and no two nodes share an id.
fn check_dissection(flags: u8, code: u8, value: &[u8]) {
    let mut attribute = vec![flags | 0x10, code];
    attribute.extend_from_slice(&(value.len() as u16).to_be_bytes());
    attribute.extend_from_slice(value);
    let mut message = vec![0xff; 16];
    message.extend_from_slice(&(23 + attribute.len() as u16).to_be_bytes());
    message.extend_from_slice(&[2, 0, 0]);
    message.extend_from_slice(&(attribute.len() as u16).to_be_bytes());
    message.extend_from_slice(&attribute);

    let node = dissect::message(&WireContext::default(), &message);
    let mut next = 0;
    for leaf in node.leaves().filter(|leaf| !leaf.range.is_empty()) {
        assert_eq!(leaf.range.start, next, "{}", node.table());
        next = leaf.range.end;
    }
    assert_eq!(next, message.len(), "{}", node.table());
    let mut ids = BTreeSet::new();
    for node in node.walk() {
        assert!(ids.insert(node.id.clone()), "{} is there twice", node.id);
    }
}

#[test]
fn every_octet_is_explained() {
    for row in rows(NLRI) {
        let family: Family = text(&row["family"]).parse().unwrap();
        let mut value = family.afi.0.to_be_bytes().to_vec();
        value.push(family.safi.0);
        value.extend_from_slice(&hex::octets(text(&row["octets"])).unwrap());
        // MP_UNREACH_NLRI: the family, then routes.
        check_dissection(0x80, 0x0f, &value);
    }
    for row in rows(ATTRIBUTES) {
        let code = row["code"].as_u64().unwrap() as u8;
        check_dissection(0xc0, code, &hex::octets(text(&row["octets"])).unwrap());
    }
    let policy = "000F00240C060000000000640D06100005DC01008000110009060000000000010106000003E81100";
    check_dissection(0xc0, 0x17, &hex::octets(policy).unwrap());
    check_dissection(0xc0, 0x23, &[0, 0, 0xfd, 0xe8]);
}

/// The lines that `lockstep COMMAND -` writes when it reads `lines`; no two tests may give `what` the same name.
fn lockstep(command: &str, what: &str, lines: &[String]) -> Vec<String> {
    let name = format!("differential-{what}-{}", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_lockstep"))
        .args([command, "-"])
        .stdin(File::open(&path).unwrap())
        .output()
        .unwrap();
    std::fs::remove_file(&path).unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    output.lines().map(str::to_owned).collect()
}

/// ExaBGP's JSON has the wrong family for BGP-LS-VPN.
pub fn family_parity(ours: &str, theirs: &str) -> String {
    let right = "\"bgp-ls bgp-ls-vpn\"";
    if ours.contains(right) {
        theirs.replace("\"bgp-ls bgp-ls\"", right)
    } else {
        theirs.to_owned()
    }
}

#[test]
fn whole_updates_are_shown_alike() {
    let mut differences = Differences::default();
    let rows: Vec<Value> = rows(UPDATES)
        .filter(|row| !row["shown"].is_null())
        .collect();
    let octets: Vec<String> = rows
        .iter()
        .map(|row| text(&row["octets"]).to_owned())
        .collect();
    let shown = lockstep("decode", "updates", &octets);
    assert_eq!(shown.len(), rows.len());
    for (row, line) in rows.iter().zip(shown) {
        let (_, ours) = line.split_once("\"message\": ").unwrap();
        let theirs = family_parity(ours, &parity(text(&row["shown"]), ours));
        let ours = ours.get(..theirs.len()).unwrap_or(ours);
        differences.compare("json", row, ours, &theirs);
    }
    differences.finish(rows.len());
}

#[test]
fn other_messages_are_shown_alike() {
    let mut differences = Differences::default();
    let rows: Vec<Value> = rows("messages")
        .filter(|row| !row["shown"].is_null())
        .collect();
    let octets: Vec<String> = rows
        .iter()
        .map(|row| text(&row["octets"]).to_owned())
        .collect();
    let shown = lockstep("decode", "messages", &octets);
    assert_eq!(shown.len(), rows.len());
    for (row, line) in rows.iter().zip(shown) {
        let at = line.find("\"direction\"").unwrap_or_default();
        differences.compare("json", row, &line[at..], text(&row["shown"]).trim_end());
    }
    differences.finish(rows.len());
}

#[test]
fn lines_are_sent_alike() {
    let mut differences = Differences::default();
    let rows: Vec<Value> = rows(LINES).filter(|row| !row["sent"].is_null()).collect();
    let lines: Vec<String> = rows
        .iter()
        .map(|row| text(&row["line"]).to_owned())
        .collect();
    let sent = lockstep("encode", "lines", &lines);
    assert_eq!(sent.len(), rows.len());
    for (row, ours) in rows.iter().zip(sent) {
        differences.compare("octets", row, &ours.to_lowercase(), text(&row["sent"]));
    }
    differences.finish(rows.len());
}
