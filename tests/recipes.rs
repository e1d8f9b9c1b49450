//! The recipes of `.github/CONTRIBUTING.md`: one file and one line add a family, an attribute, a subcommand or a daemon.
//!
//! One of each that is there is looked at: nothing but its file, its `pub mod` and its line in the table knows of it.

use std::path::{Path, PathBuf};

/// The lines of `src` outside `own` that contain one of `marks`, each with its file.
fn mentions(own: &str, marks: &[&str]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let mut found = Vec::new();
    for file in files {
        let name = file
            .strip_prefix(&root)
            .expect("it is below")
            .display()
            .to_string();
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let lines = text.lines().filter(|_| name != own);
        let marked = lines.filter(|line| marks.iter().any(|mark| line.contains(mark)));
        found.extend(marked.map(|line| format!("{name}: {}", line.trim())));
    }
    found.sort();
    found
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("it is a directory") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

#[test]
fn a_family_is_one_file_and_one_line() {
    let marks = ["rtc::", "mod rtc", "::Rtc(", "::Rtc "];
    let expected = [
        "bgp/nlri/mod.rs: Rtc(rtc::Rtc): (IPV4, RTC);",
        "bgp/nlri/mod.rs: pub mod rtc;",
    ];
    assert_eq!(mentions("bgp/nlri/rtc.rs", &marks), expected);
}

#[test]
fn an_attribute_is_one_file_and_one_line() {
    let marks = ["large_communities::", "mod large_communities"];
    let expected = [
        "bgp/attribute/mod.rs: LargeCommunities(large_communities::LargeCommunities);",
        "bgp/attribute/mod.rs: pub mod large_communities;",
    ];
    let own = "bgp/attribute/large_communities.rs";
    assert_eq!(mentions(own, &marks), expected);
}

#[test]
fn a_subcommand_is_one_file_and_one_line() {
    let marks = ["shrink::Arguments", "(shrink)", "cli::shrink"];
    assert_eq!(
        mentions("cli/shrink.rs", &marks),
        ["cli/mod.rs: Shrink(shrink);"]
    );
}

#[test]
fn a_daemon_is_one_file_and_one_line() {
    let marks = ["\"openbgpd\"", "openbgpd.toml"];
    let own = "subject/known/openbgpd.toml";
    assert_eq!(
        mentions(own, &marks),
        ["subject/known/mod.rs: (\"openbgpd\", include_str!(\"openbgpd.toml\")),"]
    );
}
