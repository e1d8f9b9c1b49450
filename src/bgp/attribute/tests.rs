use super::*;
use crate::bgp::hex;
use crate::bgp::message::Message;
use crate::bgp::text::split;

const FOUR: WireContext = WireContext {
    four_octet_as: true,
    add_path: Families::new(),
    extended_message: false,
    bgpsec: false,
};

const TWO: WireContext = WireContext {
    four_octet_as: false,
    add_path: Families::new(),
    extended_message: false,
    bgpsec: false,
};

fn parsed(line: &str) -> Attribute {
    let words = split(line).unwrap();
    let mut words = Words::new(&words, line.len());
    let keyword = words.word("a keyword").unwrap();
    let attribute = parse(&keyword.text, &mut words)
        .expect("the keyword is known")
        .unwrap_or_else(|error| panic!("{line}: {error}"));
    words.finish().unwrap();
    attribute
}

fn encoded(context: &WireContext, attribute: &Attribute) -> Vec<u8> {
    let attributes: Attributes = [attribute.clone()].into_iter().collect();
    let mut out = Vec::new();
    attributes.encode(context, &mut out).unwrap();
    out
}

fn decoded(context: &WireContext, bytes: &[u8]) -> Attributes {
    let mut malformed = Vec::new();
    let attributes = Attributes::decode(context, Reader::new(bytes), &mut malformed).unwrap();
    assert_eq!(malformed, []);
    attributes
}

/// Words, octets, text and JSON of one attribute; the octets decode to it again.
#[track_caller]
fn holds(line: &str, octets: &str, text: &str, json: &str) {
    let attribute = parsed(line);
    let bytes = encoded(&FOUR, &attribute);
    assert_eq!(hex::text(&bytes), octets, "{line}");
    let attributes = decoded(&FOUR, &bytes);
    assert_eq!(attributes.iter().collect::<Vec<_>>(), [&attribute]);
    assert_eq!(attributes.text(), text);
    assert_eq!(attributes.json(), json);
}

#[test]
fn each_attribute_has_its_words_octets_text_and_json() {
    holds(
        "origin egp",
        "40010101",
        " origin egp",
        r#""origin": "egp""#,
    );
    holds("next-hop 10.0.0.1", "4003040a000001", "", "");
    holds("med 100", "80040400000064", " med 100", r#""med": 100"#);
    holds(
        "local-preference 4294967295",
        "400504ffffffff",
        " local-preference 4294967295",
        r#""local-preference": 4294967295"#,
    );
    holds(
        "atomic-aggregate",
        "400600",
        " atomic-aggregate",
        r#""atomic-aggregate": true"#,
    );
    holds(
        "aggregator ( 65000:10.0.0.1 )",
        "c007080000fde80a000001",
        " aggregator ( 65000:10.0.0.1 )",
        r#""aggregator": "65000:10.0.0.1""#,
    );
    holds(
        "originator-id 1.2.3.4",
        "80090401020304",
        " originator-id 1.2.3.4",
        r#""originator-id": "1.2.3.4""#,
    );
    holds(
        "cluster-list [ 1.1.1.1 2.2.2.2 ]",
        "800a080101010102020202",
        " cluster-list [ 1.1.1.1 2.2.2.2 ]",
        r#""cluster-list": [ "1.1.1.1", "2.2.2.2" ]"#,
    );
    holds(
        "aigp 0xa",
        "801a0b01000b000000000000000a",
        " aigp 0x000000000000000a",
        r#""aigp": "0x000000000000000a""#,
    );
}

#[test]
fn communities_are_sorted_and_large_ones_distinct() {
    holds(
        "community [ no-export 2:2 1:1 1:1 0x00010002 ]",
        "c008140001000100010001000100020002 0002ffffff01"
            .replace(' ', "")
            .as_str(),
        " community [ 1:1 1:1 1:2 2:2 no-export ]",
        r#""community": [ [ 1, 1 ], [ 1, 1 ], [ 1, 2 ], [ 2, 2 ], [ 65535, 65281 ] ]"#,
    );
    holds(
        "community 30740:30740",
        "c0080478147814",
        " community 30740:30740",
        r#""community": [ [ 30740, 30740 ] ]"#,
    );
    holds(
        "large-community [ 2:3:4 1:2:3 1:2:3 ]",
        "c02018000000010000000200000003000000020000000300000004",
        " large-community [ 1:2:3 2:3:4 ]",
        r#""large-community": [ [ 1, 2 , 3 ], [ 2, 3 , 4 ] ]"#,
    );
}

#[test]
fn a_path_has_sequences_sets_and_confederations() {
    holds(
        "as-path [ 1 2 ] ( 3 4.5 )",
        "400214020200000001000000020102000000030004 0005"
            .replace(' ', "")
            .as_str(),
        " as-path ( 1 2 ) [ 3 262149 ]",
        r#""as-path": {"0": {"element": "as-sequence", "value": [1, 2]}, "1": {"element": "as-set", "value": [3, 262149]}}"#,
    );
    holds(
        "as-path [ { 1 } ] ( { 2 } )",
        "40020c030100000001040100000002",
        " as-path {( 1 )} {[ 2 ]}",
        r#""as-path": {"0": {"element": "as-sequence", "value": [1]}, "1": {"element": "as-sequence", "value": [2]}}"#,
    );
}

#[test]
fn an_old_speaker_gets_as_trans_and_the_path_beside_it() {
    let path = parsed("as-path [ 65001 70000 ]");
    let bytes = encoded(&TWO, &path);
    assert_eq!(
        hex::text(&bytes),
        "4002060202fde95ba0c0110a02020000fde900011170"
    );
    let mut attributes = decoded(&TWO, &bytes);
    attributes.merge_four_octet();
    assert_eq!(attributes.iter().collect::<Vec<_>>(), [&path]);

    let aggregator = parsed("aggregator ( 70000:1.1.1.1 )");
    let bytes = encoded(&TWO, &aggregator);
    assert_eq!(
        hex::text(&bytes),
        "c007065ba001010101c012080001117001010101"
    );
    let mut attributes = decoded(&TWO, &bytes);
    attributes.merge_four_octet();
    assert_eq!(attributes.json(), r#""aggregator": "70000:1.1.1.1""#);
}

#[test]
fn a_longer_old_path_leads_the_merged_one() {
    // AS_PATH 100 200 23456, AS4_PATH 70000.
    let mut attributes = decoded(
        &TWO,
        &[
            0x40, 2, 8, 2, 3, 0, 100, 0, 200, 0x5b, 0xa0, 0xc0, 0x11, 6, 2, 1, 0, 1, 0x11, 0x70,
        ],
    );
    attributes.merge_four_octet();
    assert_eq!(attributes.text(), " as-path ( 100 200 70000 )");
    // Fewer ASes than AS4_PATH: the path stands.
    let mut attributes = decoded(
        &TWO,
        &[
            0x40, 2, 4, 2, 1, 0, 100, 0xc0, 0x11, 10, 2, 2, 0, 1, 0x11, 0x70, 0, 0, 0, 1,
        ],
    );
    attributes.merge_four_octet();
    assert_eq!(attributes.text(), " as-path ( 100 )");
}

#[test]
fn the_length_has_two_octets_where_needed_or_flagged() {
    let generic = |flags, length| {
        let value = vec![7; length];
        let flags = Flags(flags);
        encoded(
            &FOUR,
            &Generic {
                code: 0x99,
                flags,
                value,
            }
            .into(),
        )
    };
    assert_eq!(generic(0xc0, 255)[..3], [0xc0, 0x99, 255]);
    assert_eq!(generic(0xc0, 256)[..4], [0xd0, 0x99, 1, 0]);
    assert_eq!(generic(0xd0, 1), [0xd0, 0x99, 0, 1, 7]);
    let bytes = generic(0xd0, 1);
    let mut again = Vec::new();
    decoded(&FOUR, &bytes).encode(&FOUR, &mut again).unwrap();
    assert_eq!(again, bytes);
}

#[test]
fn what_does_not_fit_is_an_error_that_names_the_limit() {
    let generic = Generic {
        code: 0x99,
        flags: Flags::OPTIONAL_TRANSITIVE,
        value: vec![0; 65_536],
    };
    let mut out = Vec::new();
    let error = Attribute::from(generic)
        .encode(&FOUR, &mut out)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "attribute length is 65536, which is more than the limit of 65535"
    );
}

#[test]
fn a_generic_attribute_is_sent_as_it_was_written() {
    let attribute = parsed("attribute [ 0x99 0x60 0x1122 ]");
    assert_eq!(hex::text(&encoded(&FOUR, &attribute)), "6099021122");
    let attributes: Attributes = [attribute].into_iter().collect();
    assert_eq!(attributes.text(), " attribute [ 0x99 0x60 0x1122 ]");
    assert_eq!(attributes.json(), r#""attribute-0x99-0x60": "0x1122""#);
}

#[test]
fn words_that_are_wrong_say_what_would_be_right() {
    for (line, message) in [
        ("origin bgp", "`bgp` is not an origin"),
        ("med -1", "`-1` is not a MED: a number from 0 to 4294967295"),
        ("community 70000:1", "`70000:1` is not a community"),
        ("large-community 1:2", "`1:2` is not a large community"),
        ("as-path [ 1 x ]", "`x` is not an AS number"),
        ("aggregator 1.2.3.4", "`1.2.3.4` is not an aggregator"),
        ("cluster-list [ 1 ]", "`1` is not a cluster id"),
        ("aigp many", "`many` is not a metric"),
        ("attribute [ 1 2 3 ]", "`1` is not an octet in hexadecimal"),
    ] {
        let words = split(line).unwrap();
        let mut words = Words::new(&words, line.len());
        let keyword = words.take().unwrap();
        let error = parse(&keyword.text, &mut words).unwrap().unwrap_err();
        assert_eq!(error.message, message);
    }
}

/// The UPDATE for 10.0.0.0/8 with `attributes` beside ORIGIN, AS_PATH and NEXT_HOP.
fn update(attributes: &[u8]) -> Vec<u8> {
    let mut list = vec![0x40, 1, 1, 0, 0x40, 2, 0, 0x40, 3, 4, 1, 1, 1, 1];
    list.extend_from_slice(attributes);
    whole(&list)
}

fn whole(list: &[u8]) -> Vec<u8> {
    let mut message = vec![0xff; 16];
    message.extend_from_slice(&(19 + 4 + 2 + list.len() as u16).to_be_bytes());
    message.extend_from_slice(&[2, 0, 0]);
    message.extend_from_slice(&(list.len() as u16).to_be_bytes());
    message.extend_from_slice(list);
    message.extend_from_slice(&[8, 10]);
    message
}

#[test]
fn a_malformed_attribute_gets_its_action() {
    use ErrorAction::{AttributeDiscard, TreatAsWithdraw};
    use UpdateErrorKind::*;
    for (attributes, kind, action) in [
        (&[0x80, 4, 3, 0, 0, 0][..], AttributeLength, TreatAsWithdraw),
        (&[0x40, 5, 0], AttributeLength, TreatAsWithdraw),
        (&[0x40, 6, 1, 0], AttributeLength, AttributeDiscard),
        (&[0xc0, 7, 1, 0], AttributeLength, AttributeDiscard),
        (&[0xc0, 8, 3, 0, 0, 0], AttributeLength, TreatAsWithdraw),
        (&[0xc0, 8, 0], AttributeLength, TreatAsWithdraw),
        (
            &[0x80, 9, 5, 0, 0, 0, 0, 0],
            AttributeLength,
            TreatAsWithdraw,
        ),
        (&[0x80, 10, 0], AttributeLength, TreatAsWithdraw),
        (&[0xc0, 0x11, 2, 9, 0], MalformedAsPath, AttributeDiscard),
        (&[0xc0, 0x12, 0], AttributeLength, AttributeDiscard),
        (&[0x80, 0x1a, 0], OptionalAttribute, AttributeDiscard),
        (
            &[0xc0, 0x20, 4, 0, 0, 0, 0],
            AttributeLength,
            TreatAsWithdraw,
        ),
        (&[0x40, 4, 4, 0, 0, 0, 0], AttributeFlags, TreatAsWithdraw),
        (&[0x40, 1, 1, 0], MalformedAttributeList, AttributeDiscard),
        (&[0x80, 4, 9, 0], MalformedAttributeList, TreatAsWithdraw),
        (&[0x80], MalformedAttributeList, TreatAsWithdraw),
    ] {
        let message = Message::decode(&FOUR, &update(attributes)).unwrap();
        let Message::Update(update) = message else {
            panic!("not an UPDATE")
        };
        let found: Vec<_> = update
            .malformed
            .iter()
            .map(|one| (one.kind, one.action, one.bytes.as_slice()))
            .collect();
        assert_eq!(found, [(kind, action, attributes)]);
        let withdrawn = usize::from(action == TreatAsWithdraw);
        assert_eq!(update.withdrawn().count(), withdrawn, "{attributes:?}");
        assert_eq!(update.announced().count(), 1 - withdrawn, "{attributes:?}");
    }
}

#[test]
fn a_missing_mandatory_attribute_withdraws_the_routes() {
    for (list, codes) in [
        (&[][..], vec![1, 2, 3]),
        (&[0x40, 1, 1, 0, 0x40, 2, 0], vec![3]),
        (
            &[0x40, 1, 1, 9, 0x40, 2, 0, 0x40, 3, 4, 1, 1, 1, 1],
            vec![1],
        ),
    ] {
        let Message::Update(update) = Message::decode(&FOUR, &whole(list)).unwrap() else {
            panic!("not an UPDATE")
        };
        let found: Vec<_> = update.malformed.iter().filter_map(|one| one.code).collect();
        assert_eq!(found, codes);
        assert!(update.is_treated_as_withdraw());
    }
}

#[test]
fn what_the_session_does_not_survive_has_its_notification() {
    let mut reach = vec![0x80, 14, 21, 0, 2, 1, 16];
    reach.extend_from_slice(&[0; 17]);
    let mut short = vec![0x80, 14, 20, 0, 2, 1, 15];
    short.extend_from_slice(&[0; 16]);
    for (attributes, subcode, data) in [
        (&[0x40, 99, 0][..], 2, &[0x40, 99, 0][..]),
        (&[0x80, 14, 1, 0], 9, &[0x80, 14, 1, 0]),
        (&[0xc0, 15, 3, 0, 2, 1], 9, &[0xc0, 15, 3, 0, 2, 1]),
        (
            &[0x80, 14, 5, 0, 2, 1, 0, 0],
            9,
            &[0x80, 14, 5, 0, 2, 1, 0, 0],
        ),
        (&short, 9, &short),
        (&[reach.clone(), reach.clone()].concat(), 1, &reach),
    ] {
        let notification = Message::decode(&FOUR, &update(attributes))
            .unwrap_err()
            .notification();
        assert_eq!(
            (notification.subcode, notification.data.as_slice()),
            (subcode, data)
        );
    }
    let mut wrong_prefix = update(&[]);
    *wrong_prefix.last_chunk_mut::<2>().unwrap() = [33, 10];
    let error = Message::decode(&FOUR, &wrong_prefix).unwrap_err();
    assert_eq!(error.notification().subcode, 10);
}

/// A route table holds many of these: a value that grows them is to be boxed.
#[test]
fn attributes_and_routes_stay_small() {
    assert!(size_of::<Attribute>() <= 48, "{}", size_of::<Attribute>());
    let nlri = size_of::<crate::bgp::nlri::Nlri>();
    assert!(nlri <= 48, "{nlri}");
}
