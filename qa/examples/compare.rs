//! Two captures, compared to their first difference.
//!
//! ```text
//! cargo run --example compare [A.pcap B.pcap]
//! ```

use std::path::PathBuf;
use std::process::ExitCode;

use lockstep::compare::{Input, Options, captures};
use lockstep::report::diff_text::{self, TextOptions};

fn main() -> ExitCode {
    let mut paths = std::env::args().skip(1);
    // By default two recordings of the real ExaBGP, which differ.
    let left = paths
        .next()
        .unwrap_or_else(|| "captures/api-rib.pcap".to_owned());
    let right = paths
        .next()
        .unwrap_or_else(|| "captures/api-rr-rib.pcap".to_owned());
    let [mut first, mut second] = [&left, &right].map(|path| Input::File(PathBuf::from(path)));
    // Connections are paired by name, or by what was said on them; KEEPALIVEs are compared in time.
    let report = match captures(&mut first, &mut second, Options::default(), &mut |_| ()) {
        Ok(report) => report,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let Some(difference) = report.differences.first() else {
        println!("{left} and {right} say the same");
        return ExitCode::SUCCESS;
    };
    println!("{}", diff_text::line(difference));
    let shown = TextOptions {
        full: 1,
        limit: 1,
        colours: false,
    };
    print!("{}", diff_text::text(&report, [&left, &right], shown));
    ExitCode::from(1)
}
