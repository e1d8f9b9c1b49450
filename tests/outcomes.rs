//! The three kinds of outcome on the command line: passed is 0, a failed oracle has a status of its own, invalid input
//! is 2 and is never taken for a failure of the speaker.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lockstep::explore::plan::Plan;
use lockstep::explore::trial::Trier;
use lockstep::reactor::Mode;
use lockstep::scenario::format::parse;
use lockstep::subject::Variant;

fn lockstep(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lockstep"))
        .args(arguments)
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

/// A directory for the files of the test `name`, so that tests do not share one.
fn plan(name: &str, text: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("outcomes");
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn with_plan(arguments: &[&str], path: &Path) -> (Option<i32>, String, String) {
    let path = path.to_str().unwrap();
    let (command, rest) = arguments.split_first().unwrap();
    let output = lockstep(&[&[*command, path], rest].concat());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// Plans that cannot be carried out, what is said of each and the text of the line that is marked.
const IMPOSSIBLE: &[(&str, &str, &str)] = &[
    (
        "fault 127.0.0.1#1 sent byte 1: delay 1s",
        "fault `127.0.0.1#1 sent byte 1: delay 1s` is not supported",
        "`delay` applies to received data; use `latency`",
    ),
    (
        "fault 127.0.0.9#1 sent byte 1: reset",
        "scenario `api-rr` has no peer 127.0.0.9",
        "write 127.0.0.1",
    ),
    (
        "crash peer 127.0.0.9 at 1s for 1s",
        "scenario `api-rr` has no peer 127.0.0.9",
        "write 127.0.0.1",
    ),
    (
        "peer 127.0.0.9 connects",
        "scenario `api-rr` has no peer 127.0.0.9",
        "write 127.0.0.1",
    ),
    (
        "program service-route-refrech late 1s",
        "scenario `api-rr` has no process `service-route-refrech`",
        "did you mean",
    ),
    (
        "program PROGRAM dies 4000",
        "so it cannot die before step 4000",
        "write a number from 1 to",
    ),
    (
        "crash speaker at 2000000s for 1s",
        "longer than a run may take",
        "within 43200s",
    ),
    (
        "watch 2000000s",
        "longer than a run may take",
        "within 43200s",
    ),
];

fn impossible() -> impl Iterator<Item = (PathBuf, &'static str, &'static str)> {
    let scenario = parse::load(Path::new("scenarios/api-rr")).unwrap();
    let program = scenario.programs[0].name.clone();
    let cases = IMPOSSIBLE.iter().enumerate();
    cases.map(move |(number, (line, message, help))| {
        let line = line.replace("PROGRAM", &program);
        let line = line.replace("service-route-refrech", &format!("{program}x"));
        let text = format!("# impossible\nscenario api-rr\nmode sync\n{line}\n");
        let message = if message.contains("no process") {
            "scenario `api-rr` has no process"
        } else {
            message
        };
        (plan(&format!("impossible-{number}"), &text), message, *help)
    })
}

/// The words of a report, whatever its width.
fn unwrapped(text: &str) -> String {
    let words = text.split_whitespace().filter(|word| *word != "│");
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn an_impossible_plan_is_invalid_in_every_command_and_shown_where_it_is() {
    for (path, message, help) in impossible() {
        for command in ["replay", "shrink", "bisect"] {
            let (status, out, said) = with_plan(&[command], &path);
            let said = unwrapped(&said);
            assert_eq!(status, Some(2), "{command} {path:?}: {out}{said}");
            assert!(said.contains(message), "{command}: {said}");
            assert!(said.contains(help), "{command}: {said}");
            let place = format!("{}:4:1", path.display()).replace(' ', "");
            let near = said.replace(' ', "");
            assert!(
                near.contains(&place) || near.contains(&place.replace(":4:1", ":4:")),
                "{command}: {place} is not in {said}"
            );
            assert_eq!(out, "", "{command} says something of the speaker");
        }
        let shrunk = path.with_extension("shrunk");
        assert!(!shrunk.exists(), "{shrunk:?} was written");
        let (status, _, _) = with_plan(&["replay", "--git-bisect"], &path);
        assert_eq!(status, Some(125));
    }
}

#[test]
fn an_invalid_plan_is_never_a_failure_of_the_library() {
    let scenario = parse::load(Path::new("scenarios/api-rr")).unwrap();
    let trier = Trier::new(scenario, None, &Variant::both()).unwrap();
    for (path, ..) in impossible() {
        let text = std::fs::read_to_string(path).unwrap();
        let plan: Plan = lockstep::explore::parse::parse(&text).unwrap();
        assert!(trier.try_plan(&plan, &Variant::both()).is_err());
        for oracle in lockstep::explore::oracle::Oracle::ALL {
            assert!(
                !trier.fails(&plan, &Variant::own(Mode::Sync), *oracle),
                "{text}{oracle}"
            );
        }
    }
}

#[test]
fn a_replay_without_its_fault_is_invalid_unless_that_is_allowed() {
    let late = plan(
        "late",
        "scenario api-rr\nmode sync\nfault 127.0.0.1#1 sent byte 999999: reset\n\
         fault 127.0.0.1#7 received byte 1: reset\n",
    );
    let (status, out, said) = with_plan(&["replay"], &late);
    let said = unwrapped(&said);
    assert_eq!(status, Some(2), "{out}{said}");
    assert!(
        said.contains("2 faults of the plan never triggered"),
        "{said}"
    );
    let carried = said.split("127.0.0.1#1 carried ").nth(1).unwrap();
    let octets: u64 = carried.split(' ').next().unwrap().parse().unwrap();
    assert!(octets > 100, "{said}");
    assert!(
        said.contains("there was no connection 127.0.0.1#7"),
        "{said}"
    );
    assert!(!out.contains("all checks passed"), "{out}");
    let (status, out, _) = with_plan(&["replay", "--allow-untriggered"], &late);
    assert_eq!(status, Some(0));
    assert!(out.contains("all checks passed"), "{out}");
    let (status, ..) = with_plan(&["replay", "--git-bisect"], &late);
    assert_eq!(status, Some(125));
    // The number in the message is what the fault can be set to.
    let last = plan(
        "last",
        &format!("scenario api-rr\nmode sync\nfault 127.0.0.1#1 sent byte {octets}: split 1\n"),
    );
    let (status, out, said) = with_plan(&["replay"], &last);
    assert_eq!(status, Some(0), "{out}{said}");
}

#[test]
fn a_failed_oracle_takes_precedence_over_an_untriggered_fault() {
    let failing = plan(
        "failing",
        "scenario api-rr\nmode sync\ndefect commands-before-peers\n\
         fault 127.0.0.1#7 received byte 1: reset\n",
    );
    let (status, out, said) = with_plan(&["replay"], &failing);
    assert!(
        status.is_some_and(|status| status >= 10),
        "{status:?}: {out}{said}"
    );
    let (status, ..) = with_plan(&["replay", "--git-bisect"], &failing);
    assert_eq!(status, Some(1));
    let quiet = plan("quiet", "scenario api-rr\nmode sync\n");
    let (status, ..) = with_plan(&["replay", "--git-bisect"], &quiet);
    assert_eq!(status, Some(0));
}

/// Command lines that test nothing or ignore an option, and a word of what is said.
const NOTHING: &[(&[&str], &str)] = &[
    (&["run", "api-rbi"], "did you mean `api-rib`?"),
    (&["run", "--scenario-dir", "no/such"], "not found"),
    (&["run", "--scenario-dir", "captures"], "holds no scenario"),
    (&["explore", "api-rbi"], "did you mean `api-rib`?"),
    (
        &["explore", "--scenario-dir", "captures"],
        "holds no scenario",
    ),
    (&["verify", "api-rbi"], "did you mean `api-rib`?"),
    (
        &["explore", "api-rr", "--every-byte", "--faults", "reset"],
        "--faults",
    ),
    (
        &["explore", "api-rr", "--every-byte", "--from", "3"],
        "--from",
    ),
    (
        &["explore", "api-rr", "--every-byte", "--seeds", "3"],
        "--seeds",
    ),
    (&["explore", "api-rr", "--print", "--time", "3s"], "--time"),
    (
        &["explore", "api-rr", "--print", "--mode", "sync"],
        "--mode",
    ),
    (
        &["explore", "api-rr", "--print", "--results", "x"],
        "--results",
    ),
    (&["explore", "api-rr", "--seeds", "0"], "0"),
    (&["explore", "api-rr", "--jobs", "0"], "0"),
    (
        &["explore", "api-rr", "--seeds", "1", "--shard", "2/3"],
        "no plan to run",
    ),
    (
        &["explore", "api-rr", "--faults", "partition,loss"],
        "--faults partition has no effect",
    ),
    (
        &[
            "explore",
            "conf-ebgp",
            "--faults",
            "program",
            "--seeds",
            "9",
        ],
        "has no effect",
    ),
    (
        &[
            "explore",
            "api-rr",
            "--mode",
            "sync",
            "--defect",
            "lost-wakeup",
            "--seeds",
            "1",
        ],
        "does not exist in the sync reactor",
    ),
    (
        &["run", "api-rr", "--mode", "sync", "--defect", "lost-wakeup"],
        "has no effect",
    ),
    (
        &[
            "run",
            "api-rr",
            "--network",
            "kernel",
            "--defect",
            "lost-wakeup",
        ],
        "--network",
    ),
    (&["run", "--list", "--mode", "sync"], "--mode"),
    (&["run", "--list", "--junit", "x"], "--junit"),
    (&["verify", "--plans", "0"], "0"),
    (&["defects", "--sweeps", "3"], "--table"),
    (&["defects", "--seeds", "3"], "--table"),
    (&["defects", "--captures", "captures"], "--table"),
];

#[test]
fn what_tests_nothing_or_ignores_an_option_is_invalid() {
    for (arguments, word) in NOTHING {
        let output = lockstep(arguments);
        let said = unwrapped(&String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(word), "{arguments:?}: {said}");
    }
}

#[test]
fn git_bisect_skips_what_it_cannot_run() {
    let missing = lockstep(&["replay", "no/such/plan", "--git-bisect"]);
    assert_eq!(missing.status.code(), Some(125));
    let misspelt = lockstep(&["replay", "--git-bisect", "--modee", "sync"]);
    assert_eq!(misspelt.status.code(), Some(125));
    let unknown = plan("unknown", "scenario api-rrr\n");
    let (status, _, said) = with_plan(&["replay"], &unknown);
    assert_eq!(status, Some(2));
    assert!(said.contains("did you mean `api-rr`?"), "{said}");
    assert!(said.contains("1:10"), "{said}");
}

/// A directory of goldens that was named and does not exist is a mistake, not a sweep without goldens.
#[test]
fn a_captures_directory_that_does_not_exist_is_invalid() {
    let quiet = plan("without-captures", "scenario api-rr\n");
    let quiet = quiet.to_str().unwrap();
    for command in [
        &["explore", "api-rr", "--seeds", "1"] as &[&str],
        &["replay", quiet],
        &["shrink", quiet],
        &["bisect", quiet],
        &["review"],
        &["accept", "--all"],
        &["record", "api-rr", "--check"],
        &["run", "api-rr"],
        &["defects", "--table"],
    ] {
        let output = lockstep(&[command, &["--captures", "no/such/directory"]].concat());
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{command:?}: {error}");
        assert!(
            error.contains("captures directory `no/such/directory` not found"),
            "{error}"
        );
        assert!(output.stdout.is_empty(), "{command:?}");
    }
}

/// An option that has no effect beside another is refused.
#[test]
fn options_without_effect_are_refused() {
    let nlri = "180a0000";
    let update = "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00170200000000";
    let configuration = "scenarios/conf-ebgp/speaker.conf";
    for command in [
        &["decode", "--nlri", nlri, "--update"] as &[&str],
        &["decode", "--nlri", nlri, "--open"],
        &["decode", "--nlri", nlri, "--hex"],
        &["decode", "--nlri", nlri, "--configuration", configuration],
        &["decode", update, "--update", "--open"],
        &["decode", update, "--family", "ipv4 unicast"],
        &["decode", update, "--table", "--hex"],
        &[
            "decode",
            update,
            "--table",
            "--configuration",
            configuration,
        ],
        &["decode", update, "--hex", "--configuration", configuration],
        &["accept", "--all", "api-rr"],
        &["defects", "--sweeps", "2"],
        &["explore", "api-rr", "--every-byte", "--faults", "reset"],
        &["explore", "api-rr", "--every-byte", "--seeds", "2"],
        &["explore", "api-rr", "--every-byte", "--from", "2"],
        &["explore", "api-rr", "--print", "--jobs", "2"],
        &["run", "--list", "--quiet"],
        &["run", "api-rr", "--verbose", "--quiet"],
    ] {
        let output = lockstep(command);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{command:?}: {error}");
        assert!(output.stdout.is_empty(), "{command:?}");
    }
}

#[test]
fn one_invalid_scenario_does_not_keep_the_others_from_being_run() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("outcomes-not-run");
    let _ = std::fs::remove_dir_all(&directory);
    let neighbor = "neighbor 127.0.0.1 { local-address 127.0.0.1; local-as 65000; peer-as 65000; ";
    for (name, text) in [("broken", "hold-time x; }"), ("sound", "}")] {
        let scenario = directory.join(name);
        std::fs::create_dir_all(&scenario).unwrap();
        let script = "about x\ngolden none\nconfig a.conf\npeer 127.0.0.1\n  expect eor\n";
        std::fs::write(scenario.join("scenario"), script).unwrap();
        std::fs::write(scenario.join("a.conf"), format!("{neighbor}{text}\n")).unwrap();
    }
    let [junit, summary] = ["junit.xml", "summary.md"].map(|name| directory.join(name));
    let run = |names: &[&str]| {
        let options = [
            "--scenario-dir",
            directory.to_str().unwrap(),
            "--junit",
            junit.to_str().unwrap(),
            "--summary",
            summary.to_str().unwrap(),
        ];
        let output = lockstep(&[&["run"], names, &options].concat());
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        (
            output.status.code(),
            text(&output.stdout),
            text(&output.stderr),
        )
    };
    let (status, out, error) = run(&[]);
    assert_eq!(status, Some(2), "{out}{error}");
    assert_eq!(error.matches("a.conf:1:").count(), 1, "{error}");
    assert!(out.contains("async: 1 test(s) run, 100.0% passed"), "{out}");
    assert!(
        out.contains("not run, its input is invalid: broken in sync"),
        "{out}"
    );
    let junit = std::fs::read_to_string(&junit).unwrap();
    assert_eq!(junit.matches("<error ").count(), 2, "{junit}");
    let summary = std::fs::read_to_string(&summary).unwrap();
    assert_eq!(summary.matches("was not run").count(), 2, "{summary}");
    let (status, _, error) = run(&["broken"]);
    assert_eq!(status, Some(2), "{error}");
}

#[test]
fn every_shell_is_told_every_subcommand() {
    let help = lockstep(&["--help"]);
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let (_, commands) = help.split_once("Commands:").unwrap();
    let (commands, _) = commands.split_once("\n\n").unwrap();
    let names = commands.lines().filter_map(|line| {
        let name = line.strip_prefix("  ")?.split(' ').next()?;
        (!name.is_empty()).then_some(name)
    });
    let names: Vec<&str> = names.collect();
    assert!(names.contains(&"completions"), "{help}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = lockstep(&["completions", shell]);
        assert!(output.status.success());
        let script = String::from_utf8_lossy(&output.stdout).into_owned();
        for name in &names {
            assert!(script.contains(name), "{shell} does not know {name}");
        }
    }
    assert_eq!(lockstep(&["completions", "cmd"]).status.code(), Some(2));
}
