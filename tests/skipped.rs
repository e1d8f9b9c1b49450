//! What could not be tested on this machine: said, and counted by `.ci/run`.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

/// Where each line is a test and the reason; `.ci/run` removes it before the tests and prints it after them.
const FILE: &str = "skipped.txt";

/// Says that the test that runs now is skipped, in whole or in part, and why.
pub fn skip(why: impl std::fmt::Display) {
    let thread = std::thread::current();
    let line = format!("{}: {why}", thread.name().unwrap_or("a test"));
    println!("skipped: {line}");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(FILE);
    let file = OpenOptions::new().append(true).create(true).open(path);
    writeln!(file.unwrap(), "{line}").unwrap();
}
