//! Captures of sessions that real speakers had, and that were reset, played again: every octet, every millisecond.

mod against;
mod bad;
mod cut;
mod ends;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lockstep::capture::{Canonical, Item, StreamDirection as End};
use lockstep::compare::Declared;
use lockstep::explore::generate::{Class, generate};
use lockstep::explore::parse;
use lockstep::explore::plan::Plan;
use lockstep::explore::trial::Trier;
use lockstep::field::import::{Choice, Import, ImportError, Voice};
use lockstep::reactor::Mode;
use lockstep::scenario;
use lockstep::scenario::golden::manifest::Manifest;
use lockstep::scenario::run::network::NetworkKind;
use lockstep::scenario::run::suite::Case;
use lockstep::sim::{Keep, Record, Socket, TraceEvent};
use lockstep::subject::Variant;

/// What passes on one connection: when, in milliseconds after its opening, from the speaker or to it, which octets.
type Passed = Vec<(u64, bool, Vec<u8>)>;

fn field(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("captures/field")
        .join(name)
}

struct Imported {
    import: Import,
    directory: PathBuf,
}

/// A new directory of that name.
fn scratch(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("import")
        .join(name);
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

fn import_with(
    name: &str,
    file: &Path,
    choice: &Choice,
    verbatim: bool,
) -> Result<Imported, ImportError> {
    let directory = scratch(name);
    let import = Import::of(file, choice, verbatim, &Declared::default(), &directory)?;
    Ok(Imported { import, directory })
}

fn import(name: &str, file: &Path, verbatim: bool) -> Imported {
    import_with(name, file, &Choice::default(), verbatim).unwrap()
}

impl Imported {
    /// The plan as its file has it, and its scenario prepared.
    fn load(&self) -> (Plan, Trier) {
        let text = std::fs::read_to_string(self.directory.join("plan")).unwrap();
        let plan = parse::parse(&text).unwrap();
        assert_eq!(plan, self.import.plan);
        let scenario = scenario::format::parse::load(&self.directory.join(&plan.scenario)).unwrap();
        (plan, Trier::new(scenario, None, &Variant::both()).unwrap())
    }
}

/// The first connection of a capture, read without any of what is tested, the messages of each end in order, and when it was
/// reset.
fn captured(file: &Path) -> ([Passed; 2], u64) {
    let canonical = Canonical::read("capture", File::open(file).unwrap()).unwrap();
    let (id, opened) = canonical.opened.iter().next().unwrap();
    let millis = |time: u64| (time - opened).div_ceil(1_000_000);
    let mut reset = None;
    let lanes = [End::FromClient, End::FromServer].map(|end| {
        let (_, stream) = canonical
            .streams
            .iter()
            .find(|(stream, _)| stream.connection == *id && stream.direction == end)
            .unwrap();
        let mut passed = Passed::new();
        for (time, item) in &stream.items {
            match item {
                Item::Message(octets) => {
                    passed.push((millis(*time), end == End::FromClient, octets.to_vec()));
                }
                Item::Junk(_, octets) => {
                    passed.push((millis(*time), end == End::FromClient, octets.to_vec()));
                }
                Item::Reset => reset = Some(millis(*time)),
                other => panic!("{other:?}"),
            }
        }
        passed
    });
    (lanes, reset.unwrap())
}

/// The same of a run: what its speaker's socket saw of the first connection before the reset triggered.
fn replayed(records: &[Record], lengths: &[Passed; 2]) -> ([Passed; 2], u64) {
    let mut opened = Duration::ZERO;
    let mut octets: [Vec<(u64, u8)>; 2] = Default::default();
    for record in records {
        let millis = (record.time - opened).as_nanos().div_ceil(1_000_000) as u64;
        match &record.event {
            TraceEvent::Socket(_, Socket::Open(..)) => opened = record.time,
            TraceEvent::Socket(_, Socket::Sent(sent)) => {
                octets[0].extend(sent.iter().map(|octet| (millis, *octet)));
            }
            TraceEvent::Socket(_, Socket::Received(received)) => {
                octets[1].extend(received.iter().map(|octet| (millis, *octet)));
            }
            TraceEvent::Fault(fault) if fault.contains(": reset") => {
                // Cut as the capture's messages are: octets too few or too many are not hidden by that.
                let mut lanes = octets.into_iter().zip(lengths).zip([true, false]).map(
                    |((octets, pieces), sent)| {
                        let mut passed = Passed::new();
                        let mut left = octets.as_slice();
                        for (_, _, piece) in pieces {
                            let (now, later) = left.split_at(piece.len().min(left.len()));
                            left = later;
                            let last = now.last().map_or(0, |(millis, _)| *millis);
                            passed.push((
                                last,
                                sent,
                                now.iter().map(|(_, octet)| *octet).collect(),
                            ));
                        }
                        if let Some((millis, _)) = left.first() {
                            let extra = left.iter().map(|(_, octet)| *octet).collect();
                            passed.push((*millis, sent, extra));
                        }
                        passed
                    },
                );
                return ([lanes.next().unwrap(), lanes.next().unwrap()], millis);
            }
            _ => {}
        }
    }
    panic!("the reset never triggered");
}

/// Both modes put on the wire what the capture has, and so they do again.
fn assert_played_again(imported: &Imported, file: &Path) {
    let (wanted, reset) = captured(file);
    let (plan, trier) = imported.load();
    for mode in Mode::ALL {
        let (trial, ran) = trier
            .try_variant(&plan, &Variant::own(mode), Keep::All)
            .unwrap();
        let ran = ran.unwrap();
        assert_eq!(
            replayed(&ran.records, &wanted),
            (wanted.clone(), reset),
            "{mode}"
        );
        assert_eq!(trial.failures, [], "{mode}");
        let (again, _) = trier
            .try_variant(&plan, &Variant::own(mode), Keep::Hash)
            .unwrap();
        assert_eq!(again.hash, trial.hash, "{mode}");
    }
}

#[test]
fn a_real_exabgp_is_played_by_the_speakers_own_work() {
    let file = field("exabgp-reset.pcap");
    let imported = import("own", &file, false);
    assert_eq!(imported.import.voice, Voice::Own(21));
    assert_played_again(&imported, &file);
}

#[test]
fn a_real_exabgp_is_recited() {
    let file = field("exabgp-reset.pcap");
    let imported = import("recited", &file, true);
    assert!(matches!(imported.import.voice, Voice::Verbatim(_)));
    assert_played_again(&imported, &file);
}

#[test]
fn a_real_bird_is_recited_because_this_speaker_packs_otherwise() {
    let file = field("bird-reset.pcap");
    let imported = import("bird", &file, false);
    assert!(matches!(imported.import.voice, Voice::Verbatim(_)));
    assert_played_again(&imported, &file);
    let left_out = &imported.import.left_out;
    assert!(left_out.contains("192.0.2.1 → 192.0.2.2 #2"), "{left_out}");
}

/// Between ExaBGP and our own speaker: KEEPALIVEs of their timers, and a reset in the middle of a message.
#[test]
fn a_real_exabgp_that_was_cut_short_by_our_own_speaker_is_recited() {
    let file = field("exabgp-cut.pcap");
    let imported = import("cut-short", &file, false);
    assert!(matches!(imported.import.voice, Voice::Verbatim(_)));
    assert_eq!(imported.import.timeline.rest.len(), 1);
    assert_played_again(&imported, &file);
}

/// The other end of the same session may be the one that is played by the speaker.
#[test]
fn either_end_may_be_the_speaker() {
    let choice = Choice {
        speaker: Some("192.0.2.2".parse().unwrap()),
        ..Choice::default()
    };
    let imported = import_with("other-end", &field("exabgp-reset.pcap"), &choice, false).unwrap();
    assert_eq!(imported.import.timeline.peer.to_string(), "192.0.2.1");
    let (plan, trier) = imported.load();
    let (trial, ran) = trier
        .try_variant(&plan, &Variant::own(Mode::Sync), Keep::All)
        .unwrap();
    assert_eq!(trial.failures, []);
    let ([sent, received], _) = captured(&field("exabgp-reset.pcap"));
    let lengths = [received, sent];
    let (lanes, _) = replayed(&ran.unwrap().records, &lengths);
    let octets = |lane: &Passed| {
        lane.iter()
            .flat_map(|(_, _, octets)| octets.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(lanes.each_ref().map(octets), lengths.each_ref().map(octets));
}

/// What was imported is a scenario like any other: it has a golden, and it can be searched.
#[test]
fn an_imported_scenario_is_run_and_searched_like_any_other() {
    for name in ["exabgp-reset.pcap", "bird-reset.pcap"] {
        let imported = import(&format!("searched-{name}"), &field(name), false);
        let directory = imported.directory.as_path();
        let manifest = Manifest::load(directory).unwrap();
        let scenario =
            scenario::format::parse::load(&directory.join(&imported.import.name)).unwrap();
        let case = Case::new(scenario, directory, &manifest).unwrap();
        for mode in Mode::ALL {
            let report = case
                .run(&Variant::own(mode), NetworkKind::Sim, &[])
                .unwrap();
            assert!(report.passed(), "{name} {mode}: {:?}", report.verdict);
        }
        let (_, trier) = imported.load();
        for seed in 1..=12 {
            let plan = generate(trier.profile(), seed, Class::ALL);
            for trial in trier.try_plan(&plan, &Variant::both()).unwrap() {
                assert_eq!(trial.failures, [], "{name} {}\n{plan}", trial.variant);
            }
        }
    }
}

/// The corpus of `lockstep why`: ends of every kind.
fn ended(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("captures/why")
        .join(format!("{name}.pcap"))
}

#[test]
fn every_kind_of_end_is_imported_and_played_again() {
    use lockstep::field::import::Ended;
    use lockstep::sim::Direction::{Received, Sent};
    for (name, expected) in [
        // A NOTIFICATION of the peer, then FIN.
        ("administrative-shutdown", Ended::Notified(Received)),
        ("peer-deconfigured", Ended::Notified(Received)),
        // One that complains: ours has to make the same complaint of what the captured peer says.
        ("open-as", Ended::Notified(Sent)),
        ("malformed-nlri", Ended::Notified(Sent)),
        ("fsm-error", Ended::Notified(Sent)),
        ("process-stopped", Ended::Notified(Sent)),
        // FIN without a word, and RST.
        ("killed", Ended::Closed(Received)),
        ("killed-unread", Ended::Reset(Received)),
        ("host-restarted", Ended::Reset(Received)),
    ] {
        let imported = import(&format!("ended-{name}"), &ended(name), false);
        assert_eq!(imported.import.timeline.ended, expected, "{name}");
        let (plan, trier) = imported.load();
        for variant in Variant::both() {
            let trial = trier.try_variants(&plan, &[variant], Keep::Hash).unwrap();
            assert_eq!(trial.len(), 1, "{name}");
        }
    }
}

#[test]
fn a_session_that_never_stays_up_does_not_spin() {
    // The peer answers the OPEN with one that our speaker refuses, whenever it connects.
    let text = "about x\nconfig speaker.conf\npeer 127.0.0.1\n    open verbatim\n    send message 1 04fde80001c0000201 00\n    at 100s\n";
    let directory = scratch("spin").join("spin");
    std::fs::create_dir_all(&directory).unwrap();
    let configuration = "neighbor 127.0.0.1 { router-id 1.2.3.4; local-address 127.0.0.1; local-as 65000; peer-as 65000; }";
    std::fs::write(directory.join("speaker.conf"), configuration).unwrap();
    std::fs::write(directory.join("scenario"), text.replace(" 00\n", "00\n")).unwrap();
    let scenario = scenario::format::parse::load(&directory).unwrap();
    let trier = Trier::new(scenario, None, &Variant::both()).unwrap();
    let began = lockstep::sim::Keep::All;
    let tried = trier
        .try_variants(&Plan::quiet("spin"), &Variant::both(), began)
        .unwrap();
    for (_, ran) in tried {
        let connections = ran.map_or(0, |ran| ran.played.transcripts.len());
        assert!(connections < 3_000, "{connections}");
    }
}
