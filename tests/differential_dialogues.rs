//! Random dialogues of an API program (`qa/differential/dialogues.py`): what the real ExaBGP 5.0.15 answers each command, and
//! what its neighbors are sent in the end, beside what Lockstep answers and sends.

use std::time::Duration;

use lockstep::api::apply::{Acknowledgement, Applied, Caller, Identity, Peers, Subject};
use lockstep::api::apply::{apply, misunderstood};
use lockstep::api::parse;
use lockstep::config;
use serde_json::Value;

use crate::differential::{Differences, rows, text};
use crate::differential_configurations::{PASSED_OVER, list};
use crate::differential_session::Conversation;

/// The neighbors of a dialogue.
struct Bench(Vec<(String, Conversation)>);

impl Peers for Bench {
    fn for_each(&mut self, visit: &mut dyn FnMut(Subject<'_>)) {
        for (name, conversation) in &mut self.0 {
            visit(Subject {
                name,
                peer: &mut conversation.peer,
                tally: &conversation.tally,
                teardown: &mut conversation.teardown,
                removed: &mut conversation.removed,
            });
        }
    }
}

impl Bench {
    fn answer(&mut self, acknowledgement: &mut Acknowledgement, line: &str) -> Applied {
        match parse(line) {
            Err(mistake) => misunderstood(*acknowledgement, mistake.message),
            Ok(command) => {
                let mut caller = Caller {
                    program: "program",
                    acknowledgement,
                    identity: &Identity::default(),
                    now: Duration::ZERO,
                };
                apply(&command, &mut caller, self)
            }
        }
    }
}

/// What `line` is answered, as lines.
fn answered(
    bench: &mut Bench,
    acknowledgement: &mut Acknowledgement,
    line: &str,
) -> (String, String) {
    let applied = bench.answer(acknowledgement, line);
    let answer = applied.answer.map(|answer| answer.text().to_owned());
    let lines: Vec<String> = applied.lines.into_iter().chain(answer).collect();
    (lines.join("\n         "), applied.refusals.join("; "))
}

fn theirs_has(theirs: &Value, line: &str) -> bool {
    theirs
        .as_array()
        .unwrap()
        .iter()
        .any(|one| text(one).trim() == line)
}

#[test]
fn programs_are_answered_the_same() {
    let mut differences = Differences::default();
    let mut count = 0;
    'dialogue: for row in rows("dialogues") {
        let Some(answers) = row["shown"]["answers"].as_array() else {
            continue;
        };
        count += 1;
        let configuration = match config::parse("row", text(&row["text"])) {
            Ok(configuration) => configuration,
            Err(mistake) => {
                let why = format!("{mistake:?}");
                assert!(PASSED_OVER.iter().any(|words| why.contains(words)), "{why}");
                continue;
            }
        };
        let established = row["established"].as_bool().unwrap();
        let conversation = |neighbor: lockstep::speaker::neighbor::Neighbor| {
            let mut conversation = (neighbor.name(), Conversation::new(neighbor));
            if established {
                conversation.1.establish();
                conversation.1.told = Default::default();
            }
            conversation
        };
        let neighbors = configuration.neighbors.into_iter();
        let mut bench = Bench(neighbors.map(conversation).collect());
        let mut acknowledgement = Acknowledgement(true);
        for (line, theirs) in row["lines"].as_array().unwrap().iter().zip(answers) {
            let (mut ours, refusals) = answered(&mut bench, &mut acknowledgement, text(line));
            let line = text(line);
            let passed_over = |words: &&str| refusals.contains(*words);
            let empty_statement = line.contains("; ;") || line.contains("{ ;");
            if empty_statement || ours == "error" && PASSED_OVER.iter().any(passed_over) {
                continue 'dialogue;
            }
            // Lockstep has commands of the development branch too.
            if line.ends_with("help") {
                let more = |line: &&str| theirs_has(theirs, line.trim());
                ours = ours.lines().filter(more).collect::<Vec<_>>().join("\n");
            }
            let what = format!("answer ({refusals}) to {line}");
            differences.compare(&what, &row["text"], &ours, &list(theirs));
        }
        let sent = row["shown"]["sent"].as_array().unwrap();
        for ((name, mut conversation), theirs) in bench.0.into_iter().zip(sent) {
            if established {
                conversation.send();
            } else {
                conversation.establish();
            }
            let ours = conversation.told;
            let mut compare = |what: &str, ours: &[String], theirs: &Value| {
                let what = format!("{what} to {name} after {}", row["lines"]);
                let ours = ours.join("\n         ");
                differences.compare(&what, &row["text"], &ours, &list(theirs));
            };
            compare("UPDATEs", &ours.routes, &theirs["routes"]);
            if established {
                compare("End-of-RIB", &ours.ends, &theirs["ends"]);
            }
            let mut others = ours.others;
            others.sort();
            compare("others", &others, &theirs["others"]);
        }
    }
    differences.finish(count);
}
