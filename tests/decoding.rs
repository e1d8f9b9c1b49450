//! `lockstep decode` and `lockstep encode`: the JSON of the real ExaBGP, and what bad input gets.

use std::io::Write;
use std::process::{Command, Output, Stdio};

fn lockstep(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lockstep"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::Builder::new()
        .spawn(move || stdin.write_all(input.as_bytes()))
        .unwrap();
    let output = child.wait_with_output().unwrap();
    // A command that ends early leaves its input unread.
    let _ = writer.join();
    output
}

fn lines(bytes: &[u8]) -> Vec<&str> {
    std::str::from_utf8(bytes).unwrap().lines().collect()
}

/// What the reference says with a bug of its own in it: the message decodes here, and its JSON is told rightly.
const BUGS_OF_THE_REFERENCE: &[(&str, &str)] = &[
    (
        "\"sid\": \"%s\"",
        "SRv6 SIDs are printed as the format that should have filled them in",
    ),
    ("unknown safi 73", "its 5.0.15 does not know SR policy"),
];

#[test]
fn decode_says_what_the_reference_says() {
    let recorded = include_str!("decode/exabgp.txt");
    let pairs: Vec<(&str, &str)> = recorded
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .filter(|(_, json)| {
            !BUGS_OF_THE_REFERENCE
                .iter()
                .any(|(bug, _)| json.contains(bug))
        })
        .collect();
    assert!(pairs.len() > 250, "{}", pairs.len());
    let input: String = pairs.iter().map(|(hex, _)| format!("{hex}\n")).collect();
    let output = lockstep(&["decode", "-"], &input);
    let found = lines(&output.stdout);
    assert_eq!(found.len(), pairs.len(), "{:?}", lines(&output.stderr));
    for ((hex, expected), found) in pairs.iter().zip(found) {
        let found = &found[found.find("\"type\"").unwrap()..];
        assert_eq!(&found, expected, "{hex}");
    }
}

#[test]
fn a_line_has_the_header_of_the_reference() {
    let output = lockstep(&["decode", "001E0200000007900F0003000101"], "");
    let line = lines(&output.stdout)[0].to_owned();
    assert!(
        line.starts_with("{ \"exabgp\": \"5.0.0\", \"time\": "),
        "{line}"
    );
    assert!(line.contains("\"counter\": 1, \"type\": \"update\", \"neighbor\": { \"address\": { \"local\": \"127.0.0.1\", \"peer\": \"127.0.0.1\" }, \"asn\": { \"local\": 65533, \"peer\": 65533 }, \"router-id\": \"10.0.0.2\" , \"direction\": \"in\", "), "{line}");
}

#[test]
fn a_captured_session_is_decoded_as_its_opens_agreed() {
    let output = lockstep(&["decode", "captures/conf-addpath.pcap"], "");
    assert!(output.status.success(), "{:?}", lines(&output.stderr));
    let all = String::from_utf8(output.stdout).unwrap();
    assert!(all.contains("\"path-information\": \""), "{all}");
}

#[test]
fn what_is_encoded_decodes_to_the_same_route() {
    let route =
        "route 10.0.0.0/24 next-hop 192.0.2.1 med 5 community [ 1:2 3:4 ] as-path [ 65001 70000 ]";
    for two_octet in [false, true] {
        let flags: &[&str] = if two_octet { &["--two-octet-as"] } else { &[] };
        let mut encode = vec!["encode"];
        encode.extend_from_slice(flags);
        encode.push(route);
        let encoded = lockstep(&encode, "");
        assert!(encoded.status.success(), "{:?}", lines(&encoded.stderr));
        let mut decode = vec!["decode"];
        decode.extend_from_slice(flags);
        let hex = lines(&encoded.stdout)[0];
        decode.push(hex);
        let decoded = lockstep(&decode, "");
        let line = lines(&decoded.stdout)[0];
        assert!(line.contains(r#""attribute": { "origin": "igp", "as-path": {"0": {"element": "as-sequence", "value": [65001, 70000]}}, "med": 5, "local-preference": 100, "community": [ [ 1, 2 ], [ 3, 4 ] ] }, "announce": { "ipv4 unicast": { "192.0.2.1": [ { "nlri": "10.0.0.0/24" } ] } }"#), "{line}");
    }
}

#[test]
fn routes_alone_are_decoded_by_family() {
    let output = lockstep(
        &["decode", "-n", "-f", "ipv6 unicast", "2020010db8 08fd"],
        "",
    );
    assert_eq!(
        lines(&output.stdout),
        [
            "{ \"nlri\": \"2001:db8::/32\" }",
            "{ \"nlri\": \"fd00::/8\" }"
        ]
    );
}

#[test]
fn bad_input_says_where_and_why_with_status_2() {
    let header = "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF";
    for (arguments, input, expected) in [
        (
            &["decode", "00g0"][..],
            "",
            "`g` is not a hexadecimal digit",
        ),
        (&["decode", "000"], "", "an octet has two digits"),
        (&["decode", "no/such.pcap"], "", "no/such.pcap is not there"),
        (&["decode", "-"], "", "there is no BGP message in the input"),
        (&["decode", "-"], "0000\nxyz\n", "-:2"),
        (
            &["decode", &format!("{header}001302")],
            "",
            "19 octets is not a length of this message type",
        ),
        (&["decode", &format!("{header}0013")], "", "cut short"),
        (&["decode", "0000000000ff"], "", "NOTIFICATION 3/10"),
        (
            &["decode", "-n", "-f", "ipv9 unicast", "00"],
            "",
            "`ipv9 unicast` is not a family",
        ),
        (
            &["decode", "-n", "21 0102030405"],
            "",
            "the octets are not NLRI of ipv4 unicast",
        ),
        (
            &["decode", "tests/decoding.rs"],
            "",
            "is not a hexadecimal digit",
        ),
        (
            &["encode", "route 10.0.0.0/33 next-hop 1.2.3.4"],
            "",
            "10.0.0.0/33",
        ),
        (
            &["encode", "route 10.0.0.0/8 next-hop 1.2.3.4 med x"],
            "",
            "med",
        ),
        (&["encode", "route 10.0.0.0/8"], "", "next-hop"),
        (&["encode", "shutdown"], "", "shutdown"),
    ] {
        let output = lockstep(arguments, input);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
        assert!(errors.contains(expected), "{arguments:?}: {errors}");
    }
}

#[test]
fn one_bad_message_does_not_hide_the_others() {
    let output = lockstep(&["decode", "-"], "00000000\nff\n00000000\n");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(lines(&output.stdout).len(), 2);
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("1 of 3 message(s)")
    );
}
