//! Our octets in the eyes of other codecs. Each has bugs of its own, so they vote: a difference counts against us
//! unless it stands alone against the others. Known of them, and kept out of the way: rustbgpd-wire writes no AS_SET
//! (RFC 9774), netgauze-bgp-pkt no extended length that is not needed, none of them knows every family.

use bytes::Bytes;
use lockstep::bgp::attribute::WireContext;
use lockstep::bgp::message::{Message, Open};
use lockstep::capture::{Canonical, Capture, Stream};
use lockstep_judges::facts::Facts;
use lockstep_judges::workload::{self, Random};
use lockstep_judges::{Session, bgpkit, netgauze, ours, routecore, rustbgpd};

/// A codec's name and what it told, or why it could not.
type Verdict = (&'static str, Result<Vec<String>, String>);

const PLAIN: Session = Session {
    four_octet_as: true,
    add_path: false,
    sets: true,
};

fn verdicts(session: Session, bytes: &[u8]) -> Vec<Verdict> {
    let netgauze = || {
        let message = netgauze::decode(&mut netgauze::context(session), bytes)?;
        let mut facts = Facts::default();
        netgauze::walk(&message, &mut facts);
        Ok(facts.sorted())
    };
    let rustbgpd = || {
        let update = rustbgpd::decode(session, Bytes::copy_from_slice(bytes))?;
        let mut facts = Facts::default();
        rustbgpd::walk(session, &update, &mut facts);
        Ok(facts.sorted())
    };
    let bgpkit = || {
        let message = bgpkit::decode(session, Bytes::copy_from_slice(bytes))?;
        let mut facts = Facts::default();
        bgpkit::walk(&message, &mut facts);
        Ok(facts.sorted())
    };
    let routecore = || {
        let config = routecore::context(session);
        let update = routecore::decode(&config, bytes)?;
        let mut facts = Facts::default();
        routecore::walk(session, &update, &mut facts)?;
        Ok(facts.sorted())
    };
    vec![
        ("netgauze", netgauze()),
        ("rustbgpd", rustbgpd()),
        ("bgpkit", bgpkit()),
        ("routecore", routecore()),
    ]
}

fn told_by_us(session: Session, bytes: &[u8]) -> Vec<String> {
    let update = ours::decode(&workload::context(session), bytes).expect("ours");
    let mut facts = Facts::default();
    ours::walk(&update, &mut facts);
    facts.sorted()
}

/// Holds what the judges said against us; the number of judges that agree.
fn judge(session: Session, bytes: &[u8]) -> usize {
    let ours = told_by_us(session, bytes);
    let mut agree = 0;
    let mut against = Vec::new();
    for (name, verdict) in verdicts(session, bytes) {
        match verdict {
            Ok(told) if told == ours => agree += 1,
            other => against.push((name, other)),
        }
    }
    assert!(
        against.len() < 2 && agree > against.len(),
        "{bytes:02x?}\nours: {ours:#?}\nagainst: {against:#?}"
    );
    agree
}

#[test]
fn random_updates_mean_the_same_to_others() {
    let sessions = [
        PLAIN,
        Session {
            sets: false,
            ..PLAIN
        },
        Session {
            add_path: true,
            sets: false,
            ..PLAIN
        },
        Session {
            four_octet_as: false,
            ..PLAIN
        },
    ];
    for session in sessions {
        let mut agreed = 0;
        let updates = workload::updates(0x1057_57e9, 2_000, session);
        for bytes in &updates {
            agreed += judge(session, bytes);
        }
        // Three of the four on average, whatever the session.
        assert!(agreed >= 2 * updates.len(), "{session:?}: {agreed}");
        println!("{session:?}: {agreed} of {} votes", 4 * updates.len());
    }
}

#[test]
fn a_changed_octet_is_seen_by_the_judges() {
    // The canary: a judge that agrees with whatever it is shown would not notice.
    let mut random = Random::new(7);
    let mut noticed = 0;
    for bytes in workload::updates(7, 200, PLAIN) {
        let ours = told_by_us(PLAIN, &bytes);
        let mut changed = bytes.clone();
        let last = changed.len() - 1 - random.below(4) as usize;
        changed[last] ^= 0x40;
        let differs = |(_, verdict): &Verdict| verdict.as_ref().ok() != Some(&ours);
        noticed += usize::from(verdicts(PLAIN, &changed).iter().any(differs));
    }
    assert!(noticed > 150, "{noticed}");
}

fn open(stream: &Stream) -> Option<Open> {
    let first = stream.messages().next()?;
    match Message::decode(&WireContext::default(), first) {
        Ok(Message::Open(open)) => Some(open),
        _ => None,
    }
}

/// UPDATEs of the goldens in families that the judges know: what they decode and write again are our octets.
#[test]
fn goldens_are_written_alike_by_others() {
    let captures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../captures");
    let (mut updates, mut alike, mut refused) = (0, 0, Vec::new());
    for entry in std::fs::read_dir(captures).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|kind| kind != "pcap") {
            continue;
        }
        let mut canonical = Canonical::default();
        Capture::open(&path)
            .unwrap()
            .read_all(|event| canonical.push(&event))
            .unwrap();
        for stream in canonical.streams.values() {
            let session = Session {
                four_octet_as: open(stream)
                    .is_some_and(|open| open.capabilities().any(|one| one.code() == 0x41)),
                ..Session::default()
            };
            for bytes in stream.messages().filter(|bytes| bytes[18] == 2) {
                updates += 1;
                let written =
                    netgauze::decode(&mut netgauze::context(session), bytes).and_then(|message| {
                        let mut out = Vec::new();
                        netgauze::encode(&message, &mut out).map(|()| out)
                    });
                match written {
                    Ok(out) if out == bytes => alike += 1,
                    _ => refused.push(path.file_name().map(|name| name.to_owned())),
                }
            }
        }
    }
    println!("netgauze writes {alike} of {updates} UPDATEs of the goldens alike");
    assert!(alike * 2 > updates, "{alike} of {updates}; not {refused:?}");
}
