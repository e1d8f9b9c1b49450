//! Every name of a connection that is printed can be pasted into a plan, and then names that connection.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use lockstep::explore::finding::Finding;
use lockstep::explore::finished_run::FinishedRun;
use lockstep::explore::oracle::{Failure, Oracle};
use lockstep::explore::parse::parse;
use lockstep::explore::plan::Plan;
use lockstep::explore::shrink::Shrunk;
use lockstep::explore::sweep::results::Results;
use lockstep::explore::sweep::tally::Tally;
use lockstep::explore::trial::{Trial, Trier};
use lockstep::net::{ConnectionName, Opener};
use lockstep::reactor::Mode;
use lockstep::report::{annotation, html, junit, markdown, terminal};
use lockstep::scenario::format::parse::load;
use lockstep::scenario::golden::Golden;
use lockstep::scenario::golden::manifest::Manifest;
use lockstep::scenario::run::network::NetworkKind;
use lockstep::scenario::run::suite::{Case, Report};
use lockstep::scenario::run::verdict::judge;
use lockstep::scenario::scripted::transcript::Transcript;
use lockstep::sim::{Keep, Socket, TraceEvent};
use lockstep::subject::Variant;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The directories of the suite and of the canaries.
fn scenarios() -> Vec<std::path::PathBuf> {
    let mut all = Vec::new();
    for directory in ["scenarios", "scenarios/canaries"] {
        for entry in std::fs::read_dir(root().join(directory)).unwrap() {
            let path = entry.unwrap().path();
            if path.join("scenario").exists() {
                all.push(path);
            }
        }
    }
    all.sort();
    all
}

/// The names in `text`, wherever they stand.
fn names_in(text: &str) -> BTreeSet<ConnectionName> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "#</.-_:".contains(c);
    text.split(|c| !is_part(c))
        .filter_map(|word| word.trim_end_matches([':', '.']).parse().ok())
        .collect()
}

/// What the trace says of a connection.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    ends: Option<(SocketAddr, SocketAddr)>,
    sent: Vec<u8>,
    /// When it was attempted or accepted.
    began: Duration,
    /// When its first byte was sent.
    spoke_at: Option<Duration>,
}

fn seen(ran: &FinishedRun) -> BTreeMap<ConnectionName, Seen> {
    let mut all: BTreeMap<ConnectionName, Seen> = BTreeMap::new();
    for record in &ran.records {
        let TraceEvent::Socket(name, socket) = &record.event else {
            continue;
        };
        let seen = all.entry(*name).or_insert_with(|| Seen {
            began: record.time,
            ..Seen::default()
        });
        match socket {
            Socket::Open(local, peer) => {
                assert_eq!(seen.ends, None, "{name} is opened twice");
                seen.ends = Some((*local, *peer));
            }
            Socket::Sent(bytes) => {
                seen.sent.extend_from_slice(bytes);
                seen.spoke_at.get_or_insert(record.time);
            }
            _ => {}
        }
    }
    all
}

/// What the speaker said in `transcript`.
fn said(transcript: &Transcript) -> Vec<u8> {
    let passed = transcript.messages.iter();
    let from_speaker = passed.filter(|passed| passed.from_speaker);
    from_speaker
        .flat_map(|passed| passed.bytes.clone())
        .collect()
}

/// Every name in the output of a run: its story, its transcripts, its marks and its verdict.
fn printed(ran: &FinishedRun, failures: &str) -> BTreeSet<ConnectionName> {
    let story = ran.records.iter().map(ToString::to_string);
    let marks = ran.played.marks.iter().map(|mark| mark.text.clone());
    let mut names: BTreeSet<ConnectionName> = story
        .chain(marks)
        .flat_map(|line| names_in(&line))
        .collect();
    names.extend(
        ran.played
            .transcripts
            .iter()
            .map(|transcript| transcript.name),
    );
    names.extend(names_in(failures));
    names
}

/// Runs `plan`, then once more for each name in its output and in `others`, with a fault of that name.
/// Gives the names.
fn every_name_can_be_pasted(
    trier: &Trier,
    plan: &Plan,
    mode: Mode,
    others: &BTreeSet<ConnectionName>,
) -> BTreeSet<ConnectionName> {
    let what = format!("{} {mode}", plan.scenario);
    let (trial, ran) = trier
        .try_variant(plan, &Variant::own(mode), Keep::All)
        .unwrap();
    let ran = ran.unwrap_or_else(|| panic!("{what}: {:?}", trial.failures));
    let connections = seen(&ran);
    let failures: String = trial
        .failures
        .iter()
        .map(|it| it.text.clone() + "\n")
        .collect();
    let mut names = printed(&ran, &failures);
    names.extend(names_in(&results(plan, &trial)));
    names.extend(names_in(&page_of_finding(trier, plan, mode, &ran)));
    assert!(
        names.iter().all(|name| connections.contains_key(name)),
        "{what}: {names:?}"
    );
    names.extend(others);

    for transcript in &ran.played.transcripts {
        let name = transcript.name;
        let sent = &connections[&name].sent;
        assert!(
            sent.starts_with(&said(transcript)),
            "{what}: {name} is another connection"
        );
    }

    for name in &names {
        assert!(connections.contains_key(name), "{what}: no {name}");
    }
    // A split loses nothing, so that all can be pasted at once.
    let (spoke, silent): (Vec<_>, Vec<_>) = names
        .iter()
        .copied()
        .partition(|name| !connections[name].sent.is_empty());
    // What begins when the speaker is told to end may not come about in another run.
    let in_time = |name: &ConnectionName| connections[name].spoke_at < Some(ran.played.over);
    let spoke: Vec<ConnectionName> = spoke.into_iter().filter(in_time).collect();
    let lines: String = spoke
        .iter()
        .map(|name| format!("fault {name} sent byte 1: split 7\n"))
        .collect();
    let again = replayed(trier, &format!("{plan}{lines}"), mode);
    let after = seen(&again);
    for name in &spoke {
        if has_triggered(&again, *name) {
            assert_eq!(
                after[name].ends, connections[name].ends,
                "{what}: {name} is another"
            );
            continue;
        }
        // The splits before it took so long that the run was over: it can be pasted alone.
        let line = format!("fault {name} sent byte 1: split 7\n");
        let alone = replayed(trier, &format!("{plan}{line}"), mode);
        assert!(
            has_triggered(&alone, *name),
            "{what}: the fault of {name} never triggered"
        );
        assert_eq!(
            seen(&alone)[name].ends,
            connections[name].ends,
            "{what}: {name} is another"
        );
    }
    // Nothing was sent, or it never opened: the attempt itself is what can be hit, and one changes the time of the next.
    let begun = |name: &&ConnectionName| connections[name].began < ran.played.over;
    for name in silent.iter().filter(begun).take(3) {
        let line = format!("fault {name} sent opening: refuse\n");
        let again = replayed(trier, &format!("{plan}{line}"), mode);
        assert!(
            has_triggered(&again, *name),
            "{what}: the fault of {name} never triggered"
        );
    }
    names
}

/// The JSON lines that a sweep writes of `trial`.
fn results(plan: &Plan, trial: &Trial) -> String {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("names");
    std::fs::create_dir_all(&directory).unwrap();
    // Tests run side by side.
    let path = directory.join(format!("{:?}.jsonl", std::thread::current().id()));
    let mut results = Results::create(&path).unwrap();
    results.runs(plan, std::slice::from_ref(trial)).unwrap();
    results.finish(&Tally::of(1)).unwrap();
    std::fs::read_to_string(path).unwrap()
}

/// What the page of a finding shows of `ran`.
fn page_of_finding(trier: &Trier, plan: &Plan, mode: Mode, ran: &FinishedRun) -> String {
    let finding = Finding {
        variant: Variant::own(mode),
        failure: Failure {
            oracle: Oracle::Golden,
            text: String::new(),
        },
        drawn: plan.clone(),
        shrunk: Shrunk {
            plan: plan.clone(),
            tried: 0,
            kept: 0,
        },
    };
    let runs = [(Variant::own(mode), ran.played.clone())];
    let page = html::finding(trier.scenario(), None, &finding, &runs, String::new());
    let data = page.split_once("id=\"data\">").unwrap().1;
    data.split_once("</script>").unwrap().0.to_owned()
}

fn replayed(trier: &Trier, plan: &str, mode: Mode) -> FinishedRun {
    let (trial, ran) = trier
        .try_variant(&parse(plan).unwrap(), &Variant::own(mode), Keep::All)
        .unwrap();
    ran.unwrap_or_else(|| panic!("{plan}: {:?}", trial.failures))
}

fn has_triggered(ran: &FinishedRun, name: ConnectionName) -> bool {
    let mut triggered = ran.triggered.iter();
    triggered.any(|one| one.fault.connection == name && one.at.is_some())
}

/// What `lockstep run` prints and writes of `report`: for a terminal, as the page, JUnit XML, Markdown and annotations.
fn documents(case: &Case, report: &Report) -> Vec<(&'static str, String)> {
    let reports = std::slice::from_ref(report);
    let mut text = Vec::new();
    terminal::verdict(&mut text, report).unwrap();
    let page = html::document(std::slice::from_ref(case), reports);
    // The stylesheet and the script are the same in every page.
    let data = page.split_once("id=\"data\">").unwrap().1;
    let mut all = vec![
        ("text", String::from_utf8(text).unwrap()),
        ("page", data.split_once("</script>").unwrap().0.to_owned()),
        (
            "JUnit XML",
            junit::document(reports, &[]).unwrap().replace("&lt;", "<"),
        ),
        ("Markdown", markdown::document(reports, &[])),
    ];
    all.extend(annotation::line(report).map(|line| ("annotation", line)));
    all
}

/// The names in the output of `lockstep run`: that of a run that passes, and of one that differs in every connection.
fn printed_by_run(case: &Case, mode: Mode) -> BTreeSet<ConnectionName> {
    let mut report = case
        .run(&Variant::own(mode), NetworkKind::Sim, &[])
        .unwrap();
    let mut text = Vec::new();
    terminal::story(&mut text, &report).unwrap();
    let passing = documents(case, &report);
    let mut in_documents: BTreeSet<ConnectionName> = passing
        .iter()
        .flat_map(|(_, text)| names_in(text))
        .collect();
    let ladder = passing
        .iter()
        .find(|(format, _)| *format == "page")
        .unwrap();
    for transcript in &report.played.transcripts {
        let (name, page) = (transcript.name, &ladder.1);
        let is_shown = transcript.messages.is_empty() || names_in(page).contains(&name);
        assert!(
            is_shown,
            "{name} is not in the page of {}",
            case.scenario.name
        );
    }
    for name in case.golden.connections.keys() {
        let mut golden = case.golden.clone();
        let messages = golden.connections.get_mut(name).unwrap();
        let Some(octet) = messages.first_mut().and_then(|message| message.last_mut()) else {
            continue;
        };
        *octet ^= 1;
        report.verdict = judge(&case.scenario, Some(&golden), &report.played);
        for (format, text_of) in documents(case, &report) {
            let names = names_in(&text_of);
            assert!(
                names.contains(name),
                "{name} is not in the {format}:\n{text_of}"
            );
            in_documents.extend(names);
        }
    }
    let marks = report.played.marks.iter().map(|mark| mark.text.clone());
    let mut names: BTreeSet<ConnectionName> = marks.flat_map(|mark| names_in(&mark)).collect();
    names.extend(names_in(&String::from_utf8(text).unwrap()));
    names.extend(in_documents);
    names
}

fn trier(directory: &Path) -> Trier {
    Trier::new(load(directory).unwrap(), None, &Variant::both()).unwrap()
}

#[test]
fn every_name_of_every_scenario_can_be_pasted_into_a_plan() {
    let captures = root().join("captures");
    let manifest = Manifest::load(&captures).unwrap();
    let mut count = 0;
    for directory in scenarios() {
        let trier = trier(&directory);
        let case = Case::new(load(&directory).unwrap(), &captures, &manifest);
        for mode in Mode::ALL {
            let others = case.as_ref().map(|case| printed_by_run(case, mode));
            let plan = Plan::quiet(&trier.scenario().name);
            let names = every_name_can_be_pasted(&trier, &plan, mode, &others.unwrap_or_default());
            assert!(!names.is_empty(), "{} {mode}", plan.scenario);
            count += names.len();
        }
    }
    assert!(count > 2 * 85, "{count} names");
}

#[test]
fn a_peer_that_connects_has_a_count_of_its_own() {
    let trier = trier(&root().join("scenarios/conf-ebgp"));
    let plan = parse("scenario conf-ebgp\npeer 127.0.0.1 connects\n").unwrap();
    for mode in Mode::ALL {
        let names = every_name_can_be_pasted(&trier, &plan, mode, &BTreeSet::new());
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        assert_eq!(names[..2], ["127.0.0.1#1", "127.0.0.1<1"], "{mode}");
    }
}

#[test]
fn a_speaker_that_starts_again_goes_on_counting() {
    let trier = trier(&root().join("scenarios/api-rr"));
    let plan =
        "scenario api-rr\ncrash speaker at 100ms for 1s\nfault 127.0.0.1#2 sent opening: refuse\n";
    for mode in Mode::ALL {
        let plan = parse(plan).unwrap();
        let names = every_name_can_be_pasted(&trier, &plan, mode, &BTreeSet::new());
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        assert_eq!(
            names,
            ["127.0.0.1#1", "127.0.0.1#2", "127.0.0.1#3"],
            "{mode}"
        );
    }
}

#[test]
fn several_neighbors_at_one_address_share_a_count() {
    let directory = std::env::temp_dir().join(format!("lockstep-names-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let scenario = "about two neighbors at one address\nconfig speaker.conf\nattempts 1\npeer 127.0.0.1\n    expect eor\n";
    std::fs::write(directory.join("scenario"), scenario).unwrap();
    let neighbor = |local: &str| {
        format!(
            "neighbor 127.0.0.1 {{ local-address {local}; router-id 10.0.0.1; local-as 65000; peer-as 65000; \
             family {{ ipv4 unicast; }} static {{ route {local}/32 next-hop {local}; }} }}\n"
        )
    };
    let configuration = neighbor("127.0.0.2") + &neighbor("127.0.0.3");
    std::fs::write(directory.join("speaker.conf"), configuration).unwrap();
    let trier = trier(&directory);
    for mode in Mode::ALL {
        let plan = Plan::quiet(&trier.scenario().name);
        let names = every_name_can_be_pasted(&trier, &plan, mode, &BTreeSet::new());
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        assert_eq!(names[..2], ["127.0.0.1#1", "127.0.0.1#2"], "{mode}");
    }
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn the_networks_agree_on_names() {
    let captures = root().join("captures");
    let manifest = Manifest::load(&captures).unwrap();
    for name in [
        "api-multi-neighbor",
        "api-multiple-api",
        "api-peer-lifecycle",
        "api-teardown",
    ] {
        let scenario = load(&root().join("scenarios").join(name)).unwrap();
        let case = Case::new(scenario, &captures, &manifest).unwrap();
        for mode in Mode::ALL {
            let on = |network| {
                let report = case.run(&Variant::own(mode), network, &[]).unwrap();
                Golden::of(&report.played.transcripts).connections
            };
            let sim = on(NetworkKind::Sim);
            assert_eq!(sim.keys().next().unwrap().opener, Opener::Us);
            assert_eq!(on(NetworkKind::Turmoil), sim, "{name} {mode}");
            assert_eq!(on(NetworkKind::Kernel), sim, "{name} {mode}");
        }
    }
}
