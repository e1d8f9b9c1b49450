//! Two captures compared: what counts as a difference, of which class, and where it is shown.

mod command;
mod contexts;
mod live;
mod pairing;

use std::net::IpAddr;
use std::time::Duration;

use lockstep::bgp::attribute::WireContext;
use lockstep::capture::{Canonical, Happening, Item, Recorder, Resolution, StreamDirection, Wire};
use lockstep::compare::{
    Class, ComparedItemKind, Input, Options, Report, captures, differences, telling,
};
use lockstep::report::diff_text::{self, TextOptions};
use proptest::prelude::*;

use crate::capture::{keepalive, message, record, wire};

use StreamDirection::{FromClient, FromServer};

fn open(asn: u8) -> Vec<u8> {
    let mut body = vec![4, 0, asn, 0, 90, 192, 0, 2, asn];
    body.extend([8, 2, 6, 65, 4, 0, 0, 0, asn]);
    message(1, &body)
}

/// An UPDATE that announces `prefixes` (10.x.0.0/16) with MED `med`; `extended` writes ORIGIN's length in two octets.
fn update(prefixes: &[u8], med: u8, extended: bool) -> Vec<u8> {
    let mut attributes = if extended {
        vec![0x50, 1, 0, 1, 0]
    } else {
        vec![0x40, 1, 1, 0]
    };
    attributes.extend([0x40, 2, 6, 2, 1, 0, 0, 0, 1]);
    attributes.extend([0x40, 3, 4, 192, 0, 2, 1]);
    attributes.extend([0x80, 4, 4, 0, 0, 0, med]);
    let mut body = vec![0, 0];
    body.extend((attributes.len() as u16).to_be_bytes());
    body.extend(attributes);
    for prefix in prefixes {
        body.extend([16, 10, *prefix]);
    }
    message(2, &body)
}

fn one(prefix: u8) -> Vec<u8> {
    update(&[prefix], 0, false)
}

/// A session in which the client sends `messages` after the OPENs, a second apart.
fn session(messages: &[Vec<u8>]) -> Vec<u8> {
    let wire = wire("192.0.2.1:40000", "192.0.2.2:179", 1);
    let opens = [open(1), open(2)];
    let mut happenings = vec![
        (wire, Happening::Opened),
        (wire, Happening::Data(FromClient, &opens[0])),
        (wire, Happening::Data(FromServer, &opens[1])),
    ];
    happenings.extend(
        messages
            .iter()
            .map(|message| (wire, Happening::Data(FromClient, message))),
    );
    happenings.push((wire, Happening::Finished(FromClient)));
    record(&happenings)
}

fn memory(name: &str, file: Vec<u8>) -> Input {
    Input::Memory(name.to_owned(), file)
}

fn compare(left: Vec<u8>, right: Vec<u8>, options: Options) -> Report {
    captures(
        &mut memory("A", left),
        &mut memory("B", right),
        options,
        &mut |_| (),
    )
    .unwrap()
}

fn exact(left: &[Vec<u8>], right: &[Vec<u8>]) -> Report {
    compare(session(left), session(right), Options::default())
}

fn canonical() -> Options {
    Options {
        canonical: true,
        ..Options::default()
    }
}

/// Class, and numbers of the messages of either side.
fn found(report: &Report) -> Vec<(Class, Vec<u64>, Vec<u64>)> {
    let numbers =
        |entries: &[lockstep::compare::ComparedItem]| entries.iter().map(|one| one.index).collect();
    let differences = report.differences.iter();
    differences
        .map(|one| (one.class, numbers(&one.left), numbers(&one.right)))
        .collect()
}

#[test]
fn ports_times_and_segments_do_not_count() {
    let messages: Vec<Vec<u8>> = (0..100).map(one).collect();
    let left = session(&messages);
    let other = wire("192.0.2.1:51234", "192.0.2.2:1790", 7);
    let stream = messages.concat();
    let opens = [open(1), open(2)];
    let mut happenings = vec![
        (other, Happening::Opened),
        (other, Happening::Data(FromServer, &opens[1])),
        (other, Happening::Data(FromClient, &opens[0])),
    ];
    happenings.extend(
        stream
            .chunks(333)
            .map(|chunk| (other, Happening::Data(FromClient, chunk))),
    );
    happenings.push((other, Happening::Finished(FromClient)));
    let report = compare(left, record(&happenings), Options::default());
    assert!(report.is_same(), "{:?}", report.counts);
    assert_eq!((report.connections, report.matched), (1, 103));
}

#[test]
fn each_class_is_told_from_the_others() {
    let messages: Vec<Vec<u8>> = (0..10).map(one).collect();
    let with = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut other = messages.clone();
        change(&mut other);
        found(&exact(&messages, &other))
    };
    // The OPEN is number 0.
    assert_eq!(with(&|_| ()), []);
    assert_eq!(
        with(&|all| drop(all.remove(4))),
        [(Class::Missing, vec![5], vec![])]
    );
    assert_eq!(
        with(&|all| all.insert(4, one(99))),
        [(Class::Extra, vec![], vec![5])]
    );
    assert_eq!(
        with(&|all| {
            let moved = all.remove(2);
            all.insert(7, moved);
        }),
        [(Class::Reordered, vec![3], vec![8])]
    );
    assert_eq!(
        with(&|all| {
            all.splice(3..6, [update(&[3, 4, 5], 0, false)]);
        }),
        [(Class::Packed, vec![4, 5, 6], vec![4])]
    );
    assert_eq!(
        with(&|all| all[3] = update(&[3], 0, true)),
        [(Class::SameMeaning, vec![4], vec![4])]
    );
    assert_eq!(
        with(&|all| all[3] = update(&[3], 9, false)),
        [(Class::Value, vec![4], vec![4])]
    );
    assert_eq!(
        with(&|all| all[3] = message(3, &[6, 2])),
        [
            (Class::Missing, vec![4], vec![]),
            (Class::Extra, vec![], vec![4])
        ]
    );
}

#[test]
fn what_a_capture_lost_stands_against_its_hole() {
    let session = session(&[one(1), one(2), one(3), one(4)]);
    let whole = Canonical::read("session", &session[..]).unwrap();
    let mut holed = whole.clone();
    let stream = holed.streams.values_mut().next().unwrap();
    // The OPEN is the first item.
    let lost = stream.items.drain(2..4).map(|(_, item)| match item {
        Item::Message(octets) => octets.len() as u64,
        _ => 0,
    });
    let lost = lost.sum();
    stream.items.insert(2, (stream.items[1].0, Item::Gap(lost)));
    let report = lockstep::compare::canonical(&whole, &holed, Options::default());
    assert_eq!(found(&report), [(Class::Missing, vec![2, 3], vec![2])]);
    assert_eq!(
        report.differences[0].right[0].kind,
        ComparedItemKind::Gap(lost)
    );
    assert!(report.differences[0].fields().is_empty());
    let report = lockstep::compare::canonical(&holed, &whole, Options::default());
    assert_eq!(found(&report), [(Class::Extra, vec![2], vec![2, 3])]);
}

#[test]
fn meaning_alone_sees_no_packing_order_or_spelling() {
    let messages: Vec<Vec<u8>> = (0..10).map(one).collect();
    let same = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut other = messages.clone();
        change(&mut other);
        compare(session(&messages), session(&other), canonical()).is_same()
    };
    assert!(same(&|all| {
        all.splice(3..6, [update(&[5, 3, 4], 0, false)]);
    }));
    assert!(same(&|all| all[3] = update(&[3], 0, true)));
    assert!(same(&|all| {
        let moved = all.remove(2);
        all.insert(7, moved);
    }));
    assert!(!same(&|all| all[3] = update(&[3], 9, false)));
    assert!(!same(&|all| drop(all.remove(3))));
    // A route that is told twice must be told in the same order.
    let one_way = [update(&[1], 1, false), update(&[1], 2, false)];
    let other_way = [update(&[1], 2, false), update(&[1], 1, false)];
    assert!(!compare(session(&one_way), session(&other_way), canonical()).is_same());
}

#[test]
fn keepalives_count_only_where_asked() {
    let left = [one(1), keepalive(), keepalive(), one(2)];
    let right = [one(1), keepalive(), one(2)];
    assert!(exact(&left, &right).is_same());
    let strict = Options {
        keepalives: true,
        ..Options::default()
    };
    let report = compare(session(&left), session(&right), strict);
    assert_eq!(found(&report), [(Class::Missing, vec![3], vec![])]);
}

#[test]
fn the_first_divergence_comes_first_whatever_the_clocks_say() {
    let left = timed(&[(10, open(1)), (20, one(1)), (30, one(2))]);
    let right = [(0, open(2)), (1, one(1)), (1, one(99)), (1, one(2))];
    let right = timed_from(Duration::ZERO, &right);
    let report = compare(left, right, Options::default());
    assert_eq!(
        found(&report),
        [
            (Class::Value, vec![0], vec![0]),
            (Class::Extra, vec![], vec![2])
        ]
    );
    // What both have is told with the left's times.
    let before = &report.differences[1].context;
    assert_eq!(before.last().unwrap().since_open, 20_000_000);
}

/// A session whose messages come at these milliseconds.
fn timed(messages: &[(u64, Vec<u8>)]) -> Vec<u8> {
    timed_from(Duration::from_secs(5), messages)
}

/// A session opened at `start`.
fn timed_from(start: Duration, messages: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let wire = wire("192.0.2.1:40000", "192.0.2.2:179", 1);
    let mut recorder = Recorder::new(Vec::new(), Resolution::Nanoseconds, Duration::ZERO).unwrap();
    recorder.record(start, &wire, Happening::Opened).unwrap();
    for (at, octets) in messages {
        let time = start + Duration::from_millis(*at);
        recorder
            .record(time, &wire, Happening::Data(FromClient, octets))
            .unwrap();
    }
    recorder.finish().unwrap()
}

#[test]
fn times_count_only_where_asked_and_as_far_as_asked() {
    let left = timed(&[
        (0, open(1)),
        (10, one(1)),
        (30_000, keepalive()),
        (30_001, one(2)),
    ]);
    let right = timed(&[
        (0, open(1)),
        (14, one(1)),
        (45_000, keepalive()),
        (30_001, one(2)),
    ]);
    assert!(compare(left.clone(), right.clone(), Options::default()).is_same());
    let within = |milliseconds| {
        let options = Options {
            timing: Some(Duration::from_millis(milliseconds)),
            ..Options::default()
        };
        compare(left.clone(), right.clone(), options)
            .counts
            .get(&Class::Timing)
            .copied()
    };
    assert_eq!(within(20_000), None);
    assert_eq!(within(4), Some(1));
    assert_eq!(within(3), Some(2));
}

#[test]
fn how_a_connection_ends_counts() {
    let wire: Wire = wire("192.0.2.1:40000", "192.0.2.2:179", 1);
    let open = open(1);
    let ended = |end: Happening<'_>| {
        record(&[
            (wire, Happening::Opened),
            (wire, Happening::Data(FromClient, &open)),
            (wire, end),
        ])
    };
    let left = ended(Happening::Finished(FromClient));
    let right = ended(Happening::Reset(FromClient));
    let report = compare(left.clone(), right.clone(), Options::default());
    assert_eq!(found(&report), [(Class::Value, vec![1], vec![1])]);
    let ignored = Options {
        endings: false,
        ..Options::default()
    };
    assert!(compare(left, right, ignored).is_same());
}

#[test]
fn a_connection_that_one_side_lacks_is_one_difference_for_each_way() {
    let sessions = |attempts: u32| {
        let (open, update) = (open(1), one(1));
        let mut happenings = Vec::new();
        for attempt in 1..=attempts {
            let wire = wire("192.0.2.1:40000", "192.0.2.2:179", attempt);
            happenings.push((wire, Happening::Opened));
            happenings.push((wire, Happening::Data(FromClient, &open)));
            happenings.push((wire, Happening::Data(FromServer, &open)));
            for _ in 0..1_000 {
                happenings.push((wire, Happening::Data(FromClient, &update)));
            }
        }
        record(&happenings)
    };
    let report = compare(sessions(3), sessions(2), Options::default());
    assert_eq!(report.counts, [(Class::ConnectionMissing, 2)].into());
    let messages: Vec<u64> = report.differences.iter().map(|one| one.messages).collect();
    assert_eq!(messages, [1_001, 1]);
    let report = compare(sessions(2), sessions(3), Options::default());
    assert_eq!(report.counts, [(Class::ConnectionExtra, 2)].into());
    assert_eq!((report.connections, report.matched), (2, 2 * 1_002));
}

#[test]
fn a_field_is_named_with_its_rfc() {
    let contexts = [WireContext::default(), WireContext::default()];
    let contexts = contexts.map(|context| WireContext {
        four_octet_as: true,
        ..context
    });
    let fields = differences(&contexts, &update(&[1], 5, false), &update(&[1], 9, false));
    let telling = telling(&fields).unwrap();
    insta::assert_snapshot!(diff_text::in_words(telling), @"Path Attributes › MULTI_EXIT_DISC › Attribute Value (RFC 4271 section 5.1.4): 5 in A, 9 in B");
    assert_eq!(telling.left.as_ref().unwrap().range, 46..50);
    let fields = differences(
        &contexts,
        &update(&[1, 2], 5, false),
        &update(&[1], 5, false),
    );
    let words: Vec<String> = fields.iter().map(diff_text::in_words).collect();
    insta::assert_snapshot!(words.join("\n"), @r#"
Header › Length (RFC 4271 section 4.1): 56 in A, 53 in B
Network Layer Reachability Information › Route (RFC 4271 section 4.3): 10.2.0.0/16 in A, absent in B
"#);
}

#[test]
fn the_first_divergence_is_shown_with_all_that_helps() {
    let messages: Vec<Vec<u8>> = (0..5).map(one).collect();
    let mut other = messages.clone();
    other[3] = update(&[3], 200, false);
    other.push(one(77));
    let shown = TextOptions {
        full: 1,
        limit: 20,
        colours: false,
    };
    let text = diff_text::text(&exact(&messages, &other), ["A", "B"], shown);
    insta::assert_snapshot!(text, @r#"
1 connection, 7 messages the same; 2 differences: 1 extra, 1 other value

first divergence: connection 192.0.2.1 → 192.0.2.2 #1, from the client 192.0.2.1, message 5
  other value: Path Attributes › MULTI_EXIT_DISC › Attribute Value (RFC 4271 section 5.1.4): 0 in A, 200 in B
  =    +3.000000 s  UPDATE announces 10.0.0.0/16 next-hop 192.0.2.1 origin igp as-path ( 1 ) med 0
  =    +4.000000 s  UPDATE announces 10.1.0.0/16 next-hop 192.0.2.1 origin igp as-path ( 1 ) med 0
  =    +5.000000 s  UPDATE announces 10.2.0.0/16 next-hop 192.0.2.1 origin igp as-path ( 1 ) med 0
  A    +6.000000 s  UPDATE announces 10.3.0.0/16 next-hop 192.0.2.1 origin igp as-path ( 1 ) med 0
  B    +6.000000 s  UPDATE announces 10.3.0.0/16 next-hop 192.0.2.1 origin igp as-path ( 1 ) med 200
  A  message 5, octets
     0000  ff ff ff ff ff ff ff ff  ff ff ff ff ff ff ff ff
     0010  00 35 02 00 00 00 1b 40  01 01 00 40 02 06 02 01
     0020  00 00 00 01 40 03 04 c0  00 02 01 80 04 04 00 00
     0030  00 00 10 0a 03
              ^^
  A  decoded
          0                           UPDATE
          0                             Header
          0  ff ff ff ff ff ff ff ff      Marker  all ones  [RFC 4271 4.1]
             ff ff ff ff ff ff ff ff
         16  00 35                        Length  53  [RFC 4271 4.1]
         18  02                           Type  2 (UPDATE)  [RFC 4271 4.1]
         19  00 00                      Withdrawn Routes Length  0  [RFC 4271 4.3]
         21  00 1b                      Total Path Attribute Length  27  [RFC 4271 4.3]
         23                             Path Attributes
         23                               ORIGIN
         23  40                             Attribute Flags  0x40 (transitive)  [RFC 4271 4.3]
         24  01                             Attribute Type Code  1  [RFC 4271 4.3]
         25  01                             Attribute Length  1  [RFC 4271 4.3]
         26  00                             Attribute Value  igp  [RFC 4271 5.1.1]
         27                               AS_PATH
         27  40                             Attribute Flags  0x40 (transitive)  [RFC 4271 4.3]
         28  02                             Attribute Type Code  2  [RFC 4271 4.3]
         29  06                             Attribute Length  6  [RFC 4271 4.3]
         30                                 Path Segment
         30  02                               Path Segment Type  2 (AS_SEQUENCE)  [RFC 4271 5.1.2]
         31  01                               Path Segment Length  1  [RFC 4271 5.1.2]
         32  00 00 00 01                      AS number  1  [RFC 4271 5.1.2]
         36                               NEXT_HOP
         36  40                             Attribute Flags  0x40 (transitive)  [RFC 4271 4.3]
         37  03                             Attribute Type Code  3  [RFC 4271 4.3]
         38  04                             Attribute Length  4  [RFC 4271 4.3]
         39  c0 00 02 01                    Attribute Value  192.0.2.1  [RFC 4271 5.1.3]
         43                               MULTI_EXIT_DISC
         43  80                             Attribute Flags  0x80 (optional)  [RFC 4271 4.3]
         44  04                             Attribute Type Code  4  [RFC 4271 4.3]
         45  04                             Attribute Length  4  [RFC 4271 4.3]
     !   46  00 00 00 00                    Attribute Value  0  [RFC 4271 5.1.4]
         50                             Network Layer Reachability Information
         50                               Route  10.3.0.0/16
         50  10                             Length  16 bits  [RFC 4271 4.3]
         51  0a 03                          Prefix  10.3.0.0  [RFC 4271 4.3]
  B  message 5, octets
     0000  ff ff ff ff ff ff ff ff  ff ff ff ff ff ff ff ff
     0010  00 35 02 00 00 00 1b 40  01 01 00 40 02 06 02 01
     0020  00 00 00 01 40 03 04 c0  00 02 01 80 04 04 00 00
     0030  00 c8 10 0a 03
              ^^
  B  decoded
          0                           UPDATE
          0                             Header
          0  ff ff ff ff ff ff ff ff      Marker  all ones  [RFC 4271 4.1]
             ff ff ff ff ff ff ff ff
         16  00 35                        Length  53  [RFC 4271 4.1]
         18  02                           Type  2 (UPDATE)  [RFC 4271 4.1]
         19  00 00                      Withdrawn Routes Length  0  [RFC 4271 4.3]
         21  00 1b                      Total Path Attribute Length  27  [RFC 4271 4.3]
         23                             Path Attributes
         23                               ORIGIN
         23  40                             Attribute Flags  0x40 (transitive)  [RFC 4271 4.3]
         24  01                             Attribute Type Code  1  [RFC 4271 4.3]
         25  01                             Attribute Length  1  [RFC 4271 4.3]
         26  00                             Attribute Value  igp  [RFC 4271 5.1.1]
         27                               AS_PATH
         27  40                             Attribute Flags  0x40 (transitive)  [RFC 4271 4.3]
         28  02                             Attribute Type Code  2  [RFC 4271 4.3]
         29  06                             Attribute Length  6  [RFC 4271 4.3]
         30                                 Path Segment
         30  02                               Path Segment Type  2 (AS_SEQUENCE)  [RFC 4271 5.1.2]
         31  01                               Path Segment Length  1  [RFC 4271 5.1.2]
         32  00 00 00 01                      AS number  1  [RFC 4271 5.1.2]
         36                               NEXT_HOP
         36  40                             Attribute Flags  0x40 (transitive)  [RFC 4271 4.3]
         37  03                             Attribute Type Code  3  [RFC 4271 4.3]
         38  04                             Attribute Length  4  [RFC 4271 4.3]
         39  c0 00 02 01                    Attribute Value  192.0.2.1  [RFC 4271 5.1.3]
         43                               MULTI_EXIT_DISC
         43  80                             Attribute Flags  0x80 (optional)  [RFC 4271 4.3]
         44  04                             Attribute Type Code  4  [RFC 4271 4.3]
         45  04                             Attribute Length  4  [RFC 4271 4.3]
     !   46  00 00 00 c8                    Attribute Value  200  [RFC 4271 5.1.4]
         50                             Network Layer Reachability Information
         50                               Route  10.3.0.0/16
         50  10                             Length  16 bits  [RFC 4271 4.3]
         51  0a 03                          Prefix  10.3.0.0  [RFC 4271 4.3]

further differences
  connection 192.0.2.1 → 192.0.2.2 #1, from the client 192.0.2.1, message 7: extra:   +8.000000 s  UPDATE announces 10.77.0.0/16 next-hop 192.0.2.1 origin igp as-path ( 1 ) med 0
"#);
}

#[test]
fn a_capture_that_breaks_off_is_compared_as_far_as_it_goes() {
    let messages: Vec<Vec<u8>> = (0..5).map(one).collect();
    let whole = session(&messages);
    let cut = whole[..whole.len() - 300].to_vec();
    let report = compare(whole, cut, Options::default());
    assert_eq!(report.problems.len(), 1);
    assert!(
        report.problems[0].contains("the file ends inside"),
        "{:?}",
        report.problems
    );
    assert!(report.matched > 3);
}

/// Far more than is held at once: one capture has the connections one after the other, the other has them at once.
#[test]
fn connections_in_another_order_are_read_again() {
    let long = message(2, &[7; 60_000]);
    let wires: Vec<Wire> = (1..=4)
        .map(|host| wire(&format!("192.0.2.{host}:40000"), "192.0.2.100:179", 1))
        .collect();
    let write = |happenings: &mut dyn Iterator<Item = usize>, last: u8| {
        let mut recorder =
            Recorder::new(Vec::new(), Resolution::Nanoseconds, Duration::ZERO).unwrap();
        for wire in &wires {
            recorder
                .record(Duration::ZERO, wire, Happening::Opened)
                .unwrap();
        }
        for index in happenings {
            recorder
                .record(
                    Duration::ZERO,
                    &wires[index],
                    Happening::Data(FromClient, &long),
                )
                .unwrap();
        }
        let end = message(3, &[6, last]);
        recorder
            .record(Duration::ZERO, &wires[2], Happening::Data(FromClient, &end))
            .unwrap();
        recorder.finish().unwrap()
    };
    const EACH: usize = 600;
    let forth = write(&mut (0..4 * EACH).map(|step| step / EACH), 2);
    let back = write(&mut (0..4 * EACH).map(|step| 3 - step / EACH), 4);
    let report = compare(forth.clone(), back.clone(), Options::default());
    assert_eq!((report.connections, report.matched), (4, 4 * EACH as u64));
    assert_eq!(
        found(&report),
        [(Class::Value, vec![EACH as u64], vec![EACH as u64])]
    );
    // A stream is kept as it is read.
    let mut once = Input::Once("-".to_owned(), Box::new(std::io::Cursor::new(back)));
    let again = captures(
        &mut memory("A", forth),
        &mut once,
        Options::default(),
        &mut |_| (),
    )
    .unwrap();
    assert_eq!(found(&again), found(&report));
    assert_eq!(again.matched, report.matched);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Changes made to a long session are found, as many as there are, and nothing else; either way round.
    #[test]
    fn changes_are_found_and_nothing_else(
        mut changes in proptest::collection::btree_map(0_usize..2_000, 0_u8..3, 0..6),
    ) {
        // Far enough apart that each stands alone.
        let mut last = None;
        changes.retain(|at, _| {
            let keep = last.is_none_or(|last: usize| at - last > 10);
            if keep {
                last = Some(*at);
            }
            keep
        });
        let distinct = |index: usize| {
            let mut body = vec![0, 0, 0, 0];
            body.extend([24, 10, (index >> 8) as u8, index as u8]);
            message(2, &body)
        };
        let left: Vec<Vec<u8>> = (0..2_000).map(distinct).collect();
        let mut right = left.clone();
        let mut expected = Vec::new();
        for (at, change) in changes.iter().rev() {
            match change {
                0 => {
                    right.remove(*at);
                    expected.push(Class::Missing);
                }
                1 => {
                    right.insert(*at, distinct(60_000 + at));
                    expected.push(Class::Extra);
                }
                _ => {
                    right[*at] = message(2, &[0, 0, 0, 0, 32, 11, 0, 0, *change]);
                    expected.push(Class::Value);
                }
            }
        }
        expected.reverse();
        let report = exact(&left, &right);
        let classes: Vec<Class> = report.differences.iter().map(|one| one.class).collect();
        prop_assert_eq!(&classes, &expected);
        let mirrored = exact(&right, &left);
        let classes: Vec<Class> = mirrored.differences.iter().map(|one| one.class).collect();
        let mirror: Vec<Class> = expected
            .iter()
            .map(|class| match class {
                Class::Missing => Class::Extra,
                Class::Extra => Class::Missing,
                class => *class,
            })
            .collect();
        prop_assert_eq!(classes, mirror);
    }
}

#[test]
fn both_directions_have_their_own_sender() {
    let wire = wire("192.0.2.1:40000", "192.0.2.2:179", 1);
    let say = |client: u8, server: u8| {
        let (one, other) = (open(client), open(server));
        record(&[
            (wire, Happening::Opened),
            (wire, Happening::Data(FromClient, &one)),
            (wire, Happening::Data(FromServer, &other)),
        ])
    };
    let report = compare(say(1, 2), say(1, 3), Options::default());
    let first = report.first().unwrap();
    let sender: IpAddr = "192.0.2.2".parse().unwrap();
    assert_eq!(
        first.stream.connection.peer.sender(first.stream.direction),
        sender
    );
}
