//! The HTML report in a real browser: opened from disk, clicked through to a divergence, read, and photographed.

mod browser;

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use browser::Browser;
use lockstep::explore::finding::Finding;
use lockstep::explore::oracle::{Failure, Oracle};
use lockstep::explore::shrink::Shrunk;
use lockstep::explore::trial::Trier;
use lockstep::net::{ConnectionName, Opener};
use lockstep::reactor::Mode;
use lockstep::report::html;
use lockstep::scenario::format::parse;
use lockstep::scenario::golden::Golden;
use lockstep::scenario::golden::manifest::Manifest;
use lockstep::scenario::run::network::NetworkKind;
use lockstep::scenario::run::suite::{Case, Report};
use lockstep::scenario::run::verdict::judge;
use lockstep::scenario::scripted::transcript::{Passed, Transcript};
use lockstep::subject::Variant;
use serde_json::json;

fn case(name: &str) -> Case {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let captures = root.join("captures");
    let manifest = Manifest::load(&captures).unwrap();
    let scenario = parse::load(&root.join("scenarios").join(name)).unwrap();
    Case::new(scenario, &captures, &manifest).unwrap()
}

/// Three scenarios in both modes; the golden of the second has 10.0.1.0/24 where it should have 10.0.0.0/24.
fn suite() -> (Vec<Case>, Vec<Report>) {
    let mut cases = vec![case("api-rib"), case("conf-ebgp"), case("conf-flow")];
    let messages = cases[1].golden.connections.values_mut().next().unwrap();
    let route = messages
        .iter_mut()
        .find(|message| message[18] == 2 && message.len() > 30)
        .unwrap();
    *route.last_mut().unwrap() ^= 1;
    let reports = cases
        .iter()
        .flat_map(|case| {
            Mode::ALL.map(|mode| {
                case.run(&Variant::own(mode), NetworkKind::Sim, &[])
                    .unwrap()
            })
        })
        .collect();
    (cases, reports)
}

fn page(name: &str, cases: &[Case], reports: &[Report]) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("report");
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join(format!("{name}.html"));
    std::fs::write(&path, html::document(cases, reports)).unwrap();
    path
}

#[test]
fn a_person_clicks_through_to_the_divergence() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let (cases, reports) = suite();
    let path = page("divergence", &cases, &reports);
    browser.open(&path);

    // It opens at the failure.
    assert_eq!(browser.text("#scenario h2"), "conf-ebgp");
    assert!(browser.text("#summary").contains("2 of 6 runs failed"));
    assert!(
        browser
            .text(".divergence")
            .contains("lockstep run conf-ebgp --mode sync")
    );

    // To another scenario and back, then to the divergence.
    browser.click("[data-sheet='0'] button");
    assert_eq!(browser.text("#scenario h2"), "api-rib");
    assert_eq!(browser.count(".divergence"), 0);
    assert_eq!(browser.count(".own span"), 0);
    browser.click("[data-sheet='1'] button");
    browser.click(".divergence .goto");
    assert_eq!(browser.count(".row.differs .cell.chosen"), 1);

    // The field tree names the field, and one octet is marked.
    assert_eq!(browser.text(".own .wrong"), "00");
    assert_eq!(browser.count(".own .wrong"), 1);
    let fields = browser.texts(".tree li.differs");
    assert!(
        fields.iter().any(|field| field.contains("10.0.0.0/24")),
        "{fields:?}"
    );
    assert!(
        fields.iter().any(|field| field.contains("RFC 4271")),
        "{fields:?}"
    );
    browser.shot("divergence");

    // From the octet to its field, and from a field to its octets.
    browser.click(".own .wrong");
    assert!(browser.text(".tree .lit").contains("Prefix 10.0.0.0"));
    browser.click(".tree li[data-start='0'][data-end='16']");
    assert_eq!(browser.count(".hex .lit"), 16);
    assert!(browser.text(".tree .lit").contains("Marker"));

    // Both decodings are there, and what the other says instead.
    assert!(browser.text(".says").contains("announces 10.0.0.0/24"));
    assert!(
        browser
            .text(".says.other")
            .contains("golden: UPDATE announces 10.0.1.0/24")
    );
    assert!(browser.text(".tree .instead").contains("golden: 10.0.1.0"));
    assert_eq!(browser.texts(".other .wrong"), ["01"]);

    // The golden's side of it.
    browser.click(".row.differs .cell:first-child");
    assert_eq!(browser.text(".own .wrong"), "01");

    // Nothing was fetched, and nothing went wrong.
    let fetched = browser.run("return performance.getEntriesByType('resource').length");
    assert_eq!(fetched, json!(0));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn states_and_commands_stand_on_the_time_axis() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let case = case("api-rib");
    let reports = Mode::ALL.map(|mode| {
        case.run(&Variant::own(mode), NetworkKind::Sim, &[])
            .unwrap()
    });
    browser.open(&page("marks", &[case], &reports));
    let states = browser.texts(".mark.state .what");
    // One of each mode, in the same row.
    let established = "OPENCONFIRM → ESTABLISHED: KEEPALIVE received";
    assert_eq!(
        states.iter().filter(|state| *state == established).count(),
        2,
        "{states:?}"
    );
    let commands = browser.texts(".mark.program .what");
    assert!(
        commands
            .iter()
            .any(|command| command.contains("▸ announce route")),
        "{commands:?}"
    );
    assert!(
        commands.iter().any(|command| command.ends_with("◂ done")),
        "{commands:?}"
    );
    let times = browser.texts(".mark time");
    assert!(
        times.windows(2).all(|pair| pair[0].len() == pair[1].len()),
        "{times:?}"
    );
    // They can be left out, and chosen.
    browser.click(".mark.state");
    assert!(
        browser
            .text("#detail")
            .contains("127.0.0.1#1 IDLE → CONNECT")
    );
    browser.click(".legend .state");
    assert_eq!(browser.count(".mark.state"), 0);
    assert!(browser.count(".mark.program") > 0);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn the_page_of_a_finding_opens_at_its_fault() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let case = case("conf-ebgp");
    let trier = Trier::new(
        (*case.scenario).clone(),
        Some(case.golden.clone()),
        &Variant::both(),
    )
    .unwrap();
    let plan = "scenario conf-ebgp\nfault 127.0.0.1#1 sent byte 60: reset\n";
    let plan = lockstep::explore::parse::parse(plan).unwrap();
    let finding = Finding {
        variant: Variant::own(Mode::Async),
        failure: Failure {
            oracle: Oracle::Unforced,
            text: "for the sake of the page".into(),
        },
        drawn: plan.clone(),
        shrunk: Shrunk {
            plan,
            tried: 0,
            kept: 0,
        },
    };
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("report");
    let (written, runs) = finding.write(&trier, &directory).unwrap();
    let again = finding.replay(&written);
    let document = html::finding(&case.scenario, Some(&case.golden), &finding, &runs, again);
    let path = written.join("report.html");
    std::fs::write(&path, document).unwrap();
    browser.open(&path);

    assert_eq!(
        browser.text("#summary"),
        "unforced: for the sake of the page"
    );
    assert!(
        browser
            .text(".divergence")
            .contains("fault 127.0.0.1#1 sent byte 60: reset")
    );
    let heads = browser.texts(".head [role=columnheader]");
    assert_eq!(heads.len(), 3, "{heads:?}");
    assert!(heads[0].starts_with("golden"), "{heads:?}");
    assert!(
        browser
            .text(".cell.chosen.fault")
            .contains("sent byte 60: reset")
    );
    // The fault triggered in both modes, and both recovered.
    let triggered = browser.texts(".mark.fault .what");
    assert_eq!(
        triggered
            .iter()
            .filter(|text| text.contains("byte 60: reset"))
            .count(),
        2,
        "{triggered:?}"
    );
    assert!(browser.count(".row.pause") > 0);
    browser.shot("finding");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn keys_alone_lead_through_the_ladder() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let (cases, reports) = suite();
    browser.open(&page("keys", &cases, &reports));
    browser.run("document.getElementById('ladder').focus()");
    let chosen =
        "return document.querySelector('.cell.chosen')?.parentNode.getAttribute('aria-rowindex')";
    let before = browser.run(chosen);
    browser.keys("#ladder", "\u{E015}");
    let after = browser.run(chosen);
    assert_ne!(before, after);
    browser.keys("#ladder", "\u{E013}");
    assert_eq!(browser.run(chosen), before);
    browser.keys("#ladder", "\u{E007}");
    let focused = browser.run("return document.activeElement.matches('.tree li')");
    assert_eq!(focused, json!(true));
    browser.keys(".tree li", "\u{E007}");
    assert!(browser.count(".hex .lit") > 0);
}

#[test]
fn it_fits_the_dark_and_a_phone() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let (cases, reports) = suite();
    browser.open(&page("phone", &cases, &reports));
    let ground = "return getComputedStyle(document.body).backgroundColor";
    browser.scheme("light");
    let light = browser.run(ground);
    browser.scheme("dark");
    assert_ne!(browser.run(ground), light);
    browser.shot("dark");
    browser.phone();
    let overflow =
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert_eq!(browser.run(overflow), json!(0));
    browser.shot("phone");
}

#[test]
fn a_diff_is_a_page_too() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("report");
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("diff.html");
    let status = Command::new(env!("CARGO_BIN_EXE_lockstep"))
        .current_dir(root)
        .arg("diff")
        .arg(crate::review::altered("page", "conf-ebgp").join("conf-ebgp.pcap"))
        .args(["conf-ebgp@async", "--ignore-endings", "--quiet", "--html"])
        .arg(&path)
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(1));
    browser.open(&path);
    assert!(
        browser
            .text("#summary")
            .contains("1 difference: 1 other value")
    );
    assert_eq!(browser.text(".badge"), "different");
    assert_eq!(browser.texts(".head [role=columnheader]").len(), 2);
    browser.click(".divergence .goto");
    assert_eq!(browser.count(".row.differs .cell.chosen"), 1);
    assert_eq!(browser.text(".own .wrong"), "00");
    assert_eq!(browser.text(".other .wrong"), "01");
    // The run's own marks are there; the capture has but its opening.
    assert!(browser.count(".mark.state") > 0);
    browser.shot("diff");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn ten_thousand_messages_stay_usable() {
    const MESSAGES: u32 = 10_000;
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let (case, report) = large(MESSAGES);
    browser.open(&page("large", &[case], &[report]));
    assert!(browser.text(".divergence").contains("message 9000 "));
    assert!(browser.text(".cell.chosen").contains("10.0.35.39/32"));
    let rows = browser.run("return data.sheets[0].rows.length");
    assert_eq!(rows, json!(MESSAGES));
    assert!(browser.count(".row") < 100);
    let took = browser.run(
        "const began = performance.now(); \
         for (let at = 0; at < 50; at += 1) { ladder.scrollTop = at * 5000; drawRows(); } \
         return (performance.now() - began) / 50;",
    );
    assert!(took.as_f64().unwrap() < 200.0, "{took} ms for a redraw");
    assert!(browser.count(".row") < 100);
}

/// A run of `count` UPDATEs, a millisecond apart; message 9000 is not its golden's.
fn large(count: u32) -> (Case, Report) {
    let mut case = case("conf-ebgp");
    let mut report = case
        .run(&Variant::own(Mode::Sync), NetworkKind::Sim, &[])
        .unwrap();
    let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let name = ConnectionName::new(peer, Opener::Us, 1);
    let messages: Vec<Vec<u8>> = (0..count).map(withdrawal).collect();
    let passed = messages.iter().zip(0..).map(|(bytes, at)| Passed {
        at: Duration::from_millis(at),
        from_speaker: true,
        bytes: bytes.clone(),
    });
    report.played.marks.clear();
    report.played.transcripts = vec![Transcript {
        name,
        opened: Duration::ZERO,
        messages: passed.collect(),
        ended: None,
    }];
    let mut expected = messages;
    expected[8999][24] ^= 0x80;
    case.golden = Golden {
        connections: [(name, expected)].into(),
    };
    report.verdict = judge(&case.scenario, Some(&case.golden), &report.played);
    (case, report)
}

/// An UPDATE that withdraws the host `number` of 10.0.0.0/8.
fn withdrawal(number: u32) -> Vec<u8> {
    let mut message = vec![0xFF; 16];
    message.extend([0, 28, 2, 0, 5, 32]);
    message.extend((0x0A00_0000 + number).to_be_bytes());
    message.extend([0, 0]);
    message
}
