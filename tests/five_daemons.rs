//! Daemons of other people beside one another in one world, unmodified, and our own speaker among them.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use lockstep::explore::trial::Trier;
use lockstep::reactor::defects::Defects;
use lockstep::scenario::format::parse;
use lockstep::scenario::format::script::Scenario;
use lockstep::scenario::run::network::NetworkKind;
use lockstep::scenario::run::play::play;
use lockstep::scenario::run::played::RunResult;
use lockstep::scenario::run::verdict::judge;
use lockstep::sim::Keep;
use lockstep::subject::{Variant, locate};

fn played(scenario: &Rc<Scenario>, mode: &str) -> RunResult {
    let variant: Variant = mode.parse().expect("a mode");
    play(scenario, &variant, NetworkKind::Sim, Defects::default()).expect("it can be played")
}

/// Whether the daemons that `scenario` names are installed.
fn are_installed(scenario: &Scenario) -> bool {
    let speakers = scenario.speakers.iter();
    let mut missing = speakers
        .filter_map(|speaker| speaker.variant.as_ref())
        .filter_map(|variant| locate::locate(variant, None).err());
    match missing.next() {
        None => true,
        Some(error) => {
            crate::skipped::skip(error);
            false
        }
    }
}

#[test]
fn five_daemons_and_ours_are_the_same_on_every_run() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/topologies/five-daemons");
    let scenario = Rc::new(parse::load(&directory).expect("it is a scenario"));
    if !are_installed(&scenario) {
        return;
    }
    let runs = [(); 2].map(|()| played(&scenario, "async"));
    let verdict = judge(&scenario, None, &runs[0]);
    assert!(verdict.faults.is_empty(), "{:?}", verdict.faults);
    assert_eq!(runs[0].hash, runs[1].hash);
    // Each told something, and is named with it.
    for host in ["exabgp", "bird", "frr", "gobgp", "openbgpd", "lockstep"] {
        let told = runs[0].marks.iter().any(|mark| mark.text.contains(host));
        assert!(told, "{host}");
    }
    // What the sink is told of the source's route: four daemons passed it on, and each put its AS number in front.
    let sent = runs[0].transcripts.iter().flat_map(|it| &it.messages);
    let to_sink = hex(&[65005, 65004, 65003, 65002, 65101, 65100]);
    let told = sent.filter(|message| message.from_speaker);
    let mut told = told.filter(|message| contains(&message.bytes, &to_sink));
    let announced = told.next().expect("it reached the sink");
    let communities = [0xc0, 0x08, 0x04, 0xfe, 0x4d, 0x00, 0x07];
    assert!(contains(&announced.bytes, &communities));
}

/// Faults on connections between daemons, and with scripted peers, and a partition that the scenario does not have.
const FAULTS: &str = "scenario five-daemons
mode async
fault frr/10.0.2.1#1 sent byte 200: reset
fault gobgp/10.0.3.1<1 received byte 150: reset
fault openbgpd/10.0.5.2<1 sent byte 100: reset
fault bird/10.0.8.2#1 sent byte 120: reset
partition gobgp openbgpd at 300s for 20s
";

#[test]
fn faults_between_real_daemons_strike_and_are_the_same_on_every_run() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/topologies/five-daemons");
    let scenario = parse::load(&directory).expect("it is a scenario");
    if !are_installed(&scenario) {
        return;
    }
    let variant: Variant = "async".parse().expect("a mode");
    let trier = Trier::new(scenario, None, std::slice::from_ref(&variant)).expect("a scenario");
    let plan = lockstep::explore::parse::parse(FAULTS).expect("a plan");
    let runs = [(); 2].map(|()| {
        let (trial, ran) = trier
            .try_variant(&plan, &variant, Keep::Hash)
            .expect("it can be carried out");
        assert!(trial.failures.is_empty(), "{:?}", trial.failures);
        let ran = ran.expect("a run");
        assert_eq!(ran.untriggered(), Vec::<String>::new());
        ran.hash
    });
    assert_eq!(runs[0], runs[1]);
}

/// An AS_SEQUENCE of these AS numbers.
fn hex(path: &[u32]) -> Vec<u8> {
    let segment = [2, path.len() as u8];
    let numbers = path.iter().flat_map(|number| number.to_be_bytes());
    segment.into_iter().chain(numbers).collect()
}

fn contains(octets: &[u8], part: &[u8]) -> bool {
    octets.windows(part.len()).any(|window| window == part)
}

/// A directory with the scenario `text` and `files`.
fn written(name: &str, text: &str, files: &[(&str, &str)]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("five-daemons")
        .join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("it can be made");
    for (file, text) in files.iter().chain(&[("scenario", text)]) {
        std::fs::write(path.join(file), text).expect("it can be written");
    }
    path
}

/// FRR 8.4.4 dies of an attribute of type 31 with the length of its flags' field wrong, where the session knows of graceful
/// restart (CVE-2023-46753).
const DIES: &str = "about x
host bird 10.0.1.1
host frr 10.0.1.2 10.0.2.1
host attacker 10.0.2.2
golden none
speaker bird
    is bird
speaker frr
    is frr
peer attacker
    open verbatim
    send open asn 65003 identifier 10.0.2.2 capability 64 0078 capability 65 0000fdeb
    send keepalive
    wait up from attacker
    at 10s
    send update 00000014ff1f00100004014646464646000446464646464618c63301
    at 60s
";

const BIRD: &str = "log stderr all;
router id 10.0.1.1;
protocol device {}
protocol bgp session {
    local 10.0.1.1 as 65001;
    neighbor 10.0.1.2 as 65002;
    ipv4 { import all; export all; };
}
";

const FRR: &str = "router bgp 65002
 bgp router-id 10.0.2.1
 no bgp ebgp-requires-policy
 neighbor 10.0.1.1 remote-as 65001
 neighbor 10.0.2.2 remote-as 65003
";

#[test]
fn a_daemon_that_dies_is_named_and_the_others_stories_are_kept() {
    let directory = written("dies", DIES, &[("bird.conf", BIRD), ("frr.conf", FRR)]);
    let scenario = Rc::new(parse::load(&directory).expect("it is a scenario"));
    if !are_installed(&scenario) {
        return;
    }
    let frr: Variant = "frr".parse().expect("a speaker");
    if locate::locate(&frr, None).is_ok_and(|it| it.version != "8.4.4") {
        crate::skipped::skip("this FRR is not the one that dies");
        return;
    }
    let run = played(&scenario, "async");
    let failure = run.failure.expect("it failed").message;
    // Between the two stands its stack, where gdb is installed.
    let named = "the speaker on frr: FRR was ended by SIGSEGV; its ";
    assert!(failure.starts_with(named), "{failure}");
    assert!(failure.contains("its last words:\n"), "{failure}");
    assert!(run.marks.iter().any(|mark| mark.text.contains("bird")));
    let told = run.transcripts.iter().flat_map(|it| &it.messages);
    assert!(told.count() > 4, "what FRR told its peer is kept");
}

/// Connects to the peer, and has enough of it after a second.
const QUITTER: &str = "import socket, time
s = socket.create_connection(('10.0.0.2', 179))
print('enough', flush=True)
time.sleep(1)
";

#[test]
fn a_daemon_that_ends_unasked_has_failed_even_with_status_0() {
    let text = "about x\nhost speaker 10.0.0.1\nhost peer 10.0.0.2\ngolden none\nspeaker speaker\n\
                peer peer\n  open verbatim\n  at 60s\n";
    let description = "title = \"quitter\"\nexecutable = [\"/usr/bin/python3\"]\nconfiguration = \"quitter.py\"\n\
                       start = [\"{configuration}\"]\n";
    let files = [("quitter.py", QUITTER), ("quitter.toml", description)];
    let directory = written("quitter", text, &files);
    let scenario = Rc::new(parse::load(&directory).expect("it is a scenario"));
    let named = format!("quitter={}", directory.join("quitter.toml").display());
    let variant: Variant = named.parse().expect("a speaker");
    if let Err(error) = locate::locate(&variant, None) {
        crate::skipped::skip(error);
        return;
    }
    let failure = played(&scenario, &named)
        .failure
        .expect("it failed")
        .message;
    assert!(
        failure.contains(
            "quitter ended with status 0 though nobody asked it to; its last words:\n  enough"
        ),
        "{failure}"
    );
}
