//! The program as a user runs it, for tests that look at what it prints.

use std::process::Command;

/// Exit status, standard output and standard error of `lockstep`, run in the project's directory without colours.
pub fn lockstep(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_lockstep"))
        .args(arguments)
        .env("NO_COLOR", "1")
        .env_remove("LOCKSTEP_REFERENCE")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// Standard error in one line: miette breaks lines at the width of a terminal.
pub fn one_line(text: &str) -> String {
    let words = text.split_whitespace().filter(|word| *word != "│");
    words.collect::<Vec<_>>().join(" ")
}
