//! Reloads (`qa/differential/reloads.py`): what the real ExaBGP 5.0.15 does about each neighbor when a configuration takes the
//! place of another, statement by statement and for random pairs, beside what Lockstep does.

use lockstep::config;
use lockstep::reactor::reload::{Change, compare};

use crate::differential::{Differences, rows, text};
use crate::differential_configurations::{PASSED_OVER, is_taken, list};

fn does(before: &str, after: &str) -> Result<Vec<String>, config::ConfigError> {
    let before = config::parse("before", before)?;
    let after = config::parse("after", after)?;
    let changes = compare(before.neighbors.iter(), after.neighbors);
    let mut done: Vec<String> = changes
        .into_iter()
        .map(|change| match change {
            Change::Remove(name) => format!("remove {name}"),
            Change::Add(neighbor) => format!("add {}", neighbor.name()),
            Change::Reestablish(neighbor) => format!("reestablish {}", neighbor.name()),
            Change::Update(neighbor) => format!("update {}", neighbor.name()),
        })
        .collect();
    done.sort();
    Ok(done)
}

/// `text` without capabilities that are disabled where nothing is said.
fn plain(text: &str) -> String {
    let mut text = text.to_owned();
    for name in ["nexthop", "aigp", "software-version"] {
        text = text.replace(&format!("{name} disable;"), "");
    }
    text.replace("capability {  }", "")
        .split_whitespace()
        .collect()
}

#[test]
fn a_reload_does_the_same_to_each_neighbor() {
    let mut differences = Differences::default();
    let mut count = 0;
    for row in rows("reloads") {
        let texts = (text(&row["before"]), text(&row["after"]));
        let Some(theirs) = row["does"].as_array().map(|_| list(&row["does"])) else {
            continue;
        };
        if is_taken(texts.0) || is_taken(texts.1) {
            continue;
        }
        count += 1;
        let ours = match does(texts.0, texts.1) {
            // What says the same as nothing resets no session, see `speaker::parity`.
            Ok(_) if plain(texts.0) == plain(texts.1) => continue,
            Ok(done) => done.join("\n         "),
            Err(mistake)
                if PASSED_OVER
                    .iter()
                    .any(|words| mistake.render().contains(words)) =>
            {
                continue;
            }
            Err(mistake) => mistake.render(),
        };
        let what = format!("reload, {}: {} to", text(&row["changes"]), texts.0);
        differences.compare(&what, &row["after"], &ours, &theirs);
    }
    differences.finish(count);
}
