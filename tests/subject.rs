//! Which speaker is under test: `--speaker`, `--mode`, `SCENARIO@SPEAKER`, and the plan lines `speaker` and `mode`.

use std::path::{Path, PathBuf};

use lockstep::reactor::Mode;
use lockstep::subject::{SpeakerName, Variant};
use proptest::prelude::*;

use crate::program::{lockstep, one_line};

fn plan(name: &str, text: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("subject");
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_subject_is_written_in_these_forms() {
    let read = |text: &str| text.parse::<Variant>().unwrap();
    for (text, name, version, path, mode) in [
        ("sync", "lockstep", None, None, Some("sync")),
        ("async", "lockstep", None, None, Some("async")),
        ("lockstep+async", "lockstep", None, None, Some("async")),
        ("exabgp", "exabgp", None, None, None),
        ("exabgp=5.0.15", "exabgp", Some("5.0.15"), None, None),
        ("exabgp=./venv", "exabgp", None, Some("./venv"), None),
        (
            "exabgp=/opt/a+b/venv+async",
            "exabgp",
            None,
            Some("/opt/a+b/venv"),
            Some("async"),
        ),
    ] {
        let variant = read(text);
        assert_eq!(variant.speaker.name(), name, "{text}");
        assert_eq!(variant.speaker.version(), version, "{text}");
        assert_eq!(variant.speaker.path(), path, "{text}");
        let reactor = variant.mode.map(|mode| mode.to_string());
        assert_eq!(reactor.as_deref(), mode, "{text}");
        assert_eq!(read(&variant.to_string()), variant, "{text}");
    }
    for text in [
        "",
        "=5.0",
        "exabgp=",
        "exa bgp",
        "lockstep=1.0",
        "exabgp+asinc",
        "exabgp=+",
    ] {
        assert!(text.parse::<Variant>().is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn what_a_subject_prints_reads_back(name in "[a-z][a-z0-9_-]{0,8}", which in "([0-9.]{1,6}|[./][a-z+=/]{1,9})?", mode in 0..3usize) {
        prop_assume!(name != "sync" && name != "async" && name != "lockstep");
        let speaker = SpeakerName::new(&name, (!which.is_empty()).then_some(which.as_str()));
        let mode: Option<Mode> = ["sync", "async"].get(mode).map(|mode: &&str| mode.parse().unwrap());
        let variant = Variant { speaker, mode };
        // A path may itself end in `+sync`: then only the form with a mode is unambiguous.
        prop_assume!(variant.mode.is_some() || !which.contains('+'));
        prop_assert_eq!(variant.to_string().parse::<Variant>(), Ok(variant));
    }
}

#[test]
fn an_unknown_speaker_is_invalid_input_with_the_nearest_name() {
    for command in [
        &["run", "api-rr", "--speaker", "exabg"] as &[&str],
        &["explore", "api-rr", "--seeds", "1", "--speaker", "exabg"],
        &["verify", "api-rr", "--plans", "1", "--speaker", "exabg"],
        &["record", "api-rr", "--speaker", "exabg"],
        &["show", "api-rr@exabg"],
        &["diff", "api-rr", "api-rr@exabg+async"],
        &[
            "import",
            "captures/field/exabgp-reset.pcap",
            "--speaker",
            "exabg",
        ],
    ] {
        let (status, out, error) = lockstep(command);
        assert_eq!(
            (status, out.as_str()),
            (Some(2), ""),
            "{command:?}: {error}"
        );
        let error = one_line(&error);
        assert!(error.contains("there is no speaker `exabg`"), "{error}");
        assert!(error.contains("did you mean `exabgp`?"), "{error}");
    }
}

#[test]
fn a_misspelt_mode_is_invalid_input_with_the_nearest_mode() {
    for (command, said) in [
        (
            &["show", "api-rr@asinc"] as &[&str],
            "did you mean `async`?",
        ),
        (&["show", "api-rr@goldn"], "did you mean `golden`?"),
        (&["show", "api-rr@exabgp+asinc"], "did you mean `async`?"),
        (&["diff", "api-rr", "api-rr@synch"], "did you mean `sync`?"),
        (
            &["run", "api-rr", "--mode", "asinc"],
            "similar value exists: 'async'",
        ),
        (
            &["run", "api-rr", "--speaker", "asinc"],
            "did you mean the mode `async`",
        ),
        (
            &["run", "api-rib", "--network", "kernl"],
            "similar value exists: 'kernel'",
        ),
    ] {
        let (status, out, error) = lockstep(command);
        assert_eq!(
            (status, out.as_str()),
            (Some(2), ""),
            "{command:?}: {error}"
        );
        assert!(one_line(&error).contains(said), "{command:?}: {error}");
    }
    let path = plan("bisect", "scenario api-rr\n");
    let (status, _, error) = lockstep(&["bisect", path.to_str().unwrap(), "sync", "asinc"]);
    assert_eq!(status, Some(2));
    assert!(
        one_line(&error).contains("did you mean the mode `async`"),
        "{error}"
    );
}

#[test]
fn a_misspelt_scenario_is_invalid_input_with_the_nearest_name() {
    let path = plan("misspelt", "scenario api-rrr\n");
    let path = path.to_str().unwrap();
    for command in [
        &["run", "api-rrr"] as &[&str],
        &["explore", "api-rrr", "--seeds", "1"],
        &["verify", "api-rrr", "--plans", "1"],
        &["record", "api-rrr", "--speaker", "exabgp"],
        &["show", "api-rrr"],
        &["show", "api-rrr@sync"],
        &["diff", "api-rr", "api-rrr@async"],
        &["replay", path],
        &["shrink", path],
        &["bisect", path],
    ] {
        let (status, out, error) = lockstep(command);
        assert_eq!(
            (status, out.as_str()),
            (Some(2), ""),
            "{command:?}: {error}"
        );
        let error = one_line(&error);
        assert!(
            error.contains("did you mean `api-rr`?"),
            "{command:?}: {error}"
        );
    }
}

#[test]
fn a_plan_names_its_speaker_and_the_line_is_marked() {
    for (name, line, marked, said) in [
        ("unknown", "speaker exabg", "2:9", "did you mean `exabgp`?"),
        ("mode", "mode asinc", "2:6", "did you mean `async`?"),
        (
            "pace",
            "pace call 1ms",
            "2:1",
            "our own speaker makes no system calls in a simulated world",
        ),
    ] {
        let path = plan(name, &format!("scenario api-rr\n{line}\n"));
        let path = path.to_str().unwrap();
        let (status, _, error) = lockstep(&["replay", path]);
        assert_eq!(status, Some(2), "{line}: {error}");
        let place = format!("{path}:{marked}]");
        assert!(error.contains(&place), "{line}: {error}");
        assert!(one_line(&error).contains(said), "{line}: {error}");
    }
    let path = plan("own", "scenario api-rr\nspeaker lockstep\nmode async\n");
    let (status, out, error) = lockstep(&["replay", path.to_str().unwrap()]);
    assert_eq!(status, Some(0), "{error}");
    assert!(out.starts_with("async: "), "{out}");
    assert!(
        !out.contains("sync: ") || !out.contains("\nsync: "),
        "{out}"
    );
}

#[test]
fn what_cannot_run_is_refused_and_says_what_can() {
    for (arguments, said) in [
        (
            &["run", "api-rr", "--speaker", "exabgp", "--mode", "both"] as &[&str],
            "exabgp runs in one mode at a time",
        ),
        (
            &["run", "api-rr", "--speaker", "lockstep=1.0"],
            "only other speakers have a version or path",
        ),
        (
            &[
                "run",
                "api-rr",
                "--speaker",
                "exabgp=./none",
                "--network",
                "kernel",
            ],
            "neither ./none nor ./none/bin/exabgp is a file",
        ),
        (
            &[
                "record",
                "api-rr",
                "--speaker",
                "exabgp=./x",
                "--reference",
                "y",
            ],
            "--reference has no effect",
        ),
        (
            &["record", "api-rr", "--speaker", "lockstep"],
            "never recorded from our own",
        ),
    ] {
        let (status, out, error) = lockstep(arguments);
        assert_eq!(
            (status, out.as_str()),
            (Some(2), ""),
            "{arguments:?}: {error}"
        );
        assert!(one_line(&error).contains(said), "{arguments:?}: {error}");
    }
}

/// An import takes the end at `--local`; `--speaker` with an address is the older form of it.
#[test]
fn an_import_takes_an_address_in_both_forms() {
    let import = |option: &str, address: &str, out: &str| {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("subject")
            .join(out);
        let arguments = [
            "import",
            "captures/field/exabgp-reset.pcap",
            option,
            address,
            "--out",
            directory.to_str().unwrap(),
        ];
        let (status, out, error) = lockstep(&arguments);
        assert_eq!(status, Some(0), "{option}: {error}");
        out.lines().take(5).map(str::to_owned).collect::<Vec<_>>()
    };
    let (_, default, _) = lockstep(&[
        "import",
        "captures/field/exabgp-reset.pcap",
        "--out",
        concat!(env!("CARGO_TARGET_TMPDIR"), "/subject/default"),
    ]);
    let speaker = default
        .lines()
        .find(|line| line.starts_with("speaker"))
        .unwrap();
    let address = speaker.split_whitespace().nth(1).unwrap();
    let local = import("--local", address, "local");
    assert!(local.iter().any(|line| line == speaker), "{local:?}");
    assert_eq!(import("--speaker", address, "speaker"), local);
    let (status, _, error) = lockstep(&[
        "import",
        "captures/field/exabgp-reset.pcap",
        "--local",
        "198.51.100.77",
        "--out",
        concat!(env!("CARGO_TARGET_TMPDIR"), "/subject/nobody"),
    ]);
    assert_eq!(status, Some(2), "{error}");
    assert!(error.contains("198.51.100.77"), "{error}");
}

/// Needs the reference, which `qa/record/install` puts where it is looked for.
#[test]
fn the_reference_plays_a_scenario_to_its_golden() {
    let reference = Path::new("target/reference/exabgp-5.0.15");
    if !reference.join("bin/exabgp").is_file() {
        crate::skipped::skip(format!("{} is not installed", reference.display()));
        return;
    }
    let path = format!("exabgp=./{}", reference.display());
    for (speaker, mode) in [("exabgp=5.0.15", "sync"), (path.as_str(), "sync")] {
        let (status, out, error) = lockstep(&[
            "run",
            "conf-ebgp",
            "--speaker",
            speaker,
            "--mode",
            mode,
            "--network",
            "kernel",
        ]);
        assert_eq!(status, Some(0), "{out}{error}");
        let name = format!("{speaker}+{mode} conf-ebgp");
        assert!(out.contains(&name) && out.contains("passed"), "{out}");
    }
    // It has no other: to leave the word out of account would be a false green.
    let (status, _, error) =
        lockstep(&["run", "conf-ebgp", "--speaker", "exabgp", "--mode", "async"]);
    assert_eq!(status, Some(2), "{error}");
    assert!(error.contains("ExaBGP 5.0.15 has no async mode"), "{error}");
    let (status, out, error) = lockstep(&["diff", "conf-ebgp", "conf-ebgp@exabgp"]);
    assert_eq!(status, Some(0), "{out}{error}");
    // Another speaker's octets are not this golden's: what is compared is really its own.
    let (status, out, _) = lockstep(&["diff", "conf-ipself4", "conf-ebgp@exabgp"]);
    assert_eq!(status, Some(1), "{out}");
}
