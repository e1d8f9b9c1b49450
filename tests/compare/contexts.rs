//! How UPDATEs are read where OPENs are missing: what one OPEN rules out, what the messages say, what the user says.

use lockstep::bgp::family::Family;
use lockstep::capture::Happening;
use lockstep::compare::{Contexts, Declared, Input, survey};

use super::{FromClient, FromServer, open};
use crate::capture::{message, record, wire};

/// An UPDATE whose AS_PATH is `path` and whose NLRI are `nlri`.
fn update(path: &[u8], nlri: &[u8]) -> Vec<u8> {
    let mut attributes = vec![0x40, 1, 1, 0, 0x40, 2, path.len() as u8];
    attributes.extend(path);
    attributes.extend([0x40, 3, 4, 192, 0, 2, 1]);
    let mut body = vec![0, 0, 0, attributes.len() as u8];
    body.extend(attributes);
    body.extend(nlri);
    message(2, &body)
}

/// 65100 65200 in two octets each, and in four.
const TWO: &[u8] = &[2, 2, 0xfe, 0x4c, 0xfe, 0xb0];
const FOUR: &[u8] = &[2, 2, 0, 0, 0xfe, 0x4c, 0, 0, 0xfe, 0xb0];

/// What can be known of a session whose client sends `messages`, and whose server sends an OPEN where there is one.
fn contexts(messages: &[Vec<u8>], answer: Option<Vec<u8>>) -> Contexts {
    let wire = wire("192.0.2.1:40000", "192.0.2.2:179", 1);
    let mut happenings: Vec<_> = answer
        .iter()
        .map(|open| (wire, Happening::Data(FromServer, open)))
        .collect();
    let client = messages
        .iter()
        .map(|octets| (wire, Happening::Data(FromClient, octets)));
    happenings.extend(client);
    survey(&mut Input::Memory("late".to_owned(), record(&happenings)))
}

fn messages(path: &[u8], add_path: bool) -> Vec<Vec<u8>> {
    let nlri = |prefix: u8| match add_path {
        true => vec![0, 0, 0, 1, 24, 10, 0, prefix, 0, 0, 0, 2, 24, 10, 1, prefix],
        false => vec![24, 10, 0, prefix, 24, 10, 1, prefix],
    };
    (0..5).map(|prefix| update(path, &nlri(prefix))).collect()
}

#[test]
fn the_width_of_as_numbers_is_inferred_and_said() {
    for (path, four) in [(TWO, false), (FOUR, true)] {
        let mut contexts = contexts(&messages(path, false), None);
        assert_eq!(contexts.context(0, FromClient).four_octet_as, four);
        let told = contexts.told(0);
        assert!(told.contains("inferred"), "{told}");
        assert!(contexts.is_open(0));
    }
}

#[test]
fn path_identifiers_are_inferred_with_either_width() {
    for (path, four) in [(TWO, false), (FOUR, true)] {
        for add_path in [true, false] {
            let mut contexts = contexts(&messages(path, add_path), None);
            let context = contexts.context(0, FromClient);
            assert_eq!(context.four_octet_as, four);
            assert_eq!(context.add_path.contains(Family::IPV4_UNICAST), add_path);
        }
    }
}

#[test]
fn one_open_without_four_octet_as_numbers_decides_for_both() {
    // No optional parameters.
    let old = message(1, &[4, 0, 2, 0, 90, 192, 0, 2, 2, 0]);
    let mut known = contexts(&messages(TWO, false), Some(old));
    assert!(!known.context(0, FromClient).four_octet_as);
    assert!(!known.told(0).contains("octet AS"), "{}", known.told(0));
    // One with the capability does not.
    let mut inferred = contexts(&messages(TWO, false), Some(open(2)));
    assert!(!inferred.context(0, FromClient).four_octet_as);
    assert!(inferred.told(0).contains("two-octet AS numbers (inferred)"));
}

#[test]
fn what_is_declared_is_believed() {
    let declared = Declared {
        four_octet_as: Some(true),
        add_path: Some([Family::IPV4_UNICAST].into_iter().collect()),
    };
    let mut told = Contexts::new(declared);
    told.adopt(contexts(&messages(TWO, false), None));
    let context = told.context(0, FromClient);
    assert!(context.four_octet_as && context.add_path.contains(Family::IPV4_UNICAST));
    assert!(told.told(0).contains("declared"));
}
