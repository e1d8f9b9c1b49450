//! The steps of a `process` section.

use crate::bgp::text::{TextError, Words};
use crate::scenario::format::lines::Line;
use crate::scenario::format::parse_topology::{address, condition};
use crate::scenario::format::script::{Answer, ProgramAction, Step};
use crate::scenario::format::topology::Topology;
use crate::scenario::format::values::{duration, unknown};

const KNOWN: &str = "wait, write, also, answer, read, nothing, sleep, pause, at or exit";

/// Reads the step that begins with `keyword` and appends it to `steps`.
///
/// # Errors
/// Where the line is no step of a program.
pub fn step(
    steps: &mut Vec<Step<ProgramAction>>,
    keyword: &str,
    line: &Line,
    words: &mut Words<'_>,
    topology: &Topology,
) -> Result<(), TextError> {
    let action = match keyword {
        "wait" => ProgramAction::Wait(condition(topology, words)?),
        "write" => ProgramAction::Write(vec![words.word("the line to write")?.text.clone()]),
        "also" => {
            let text = words.word("the line to write")?.text.clone();
            let Some(Step {
                action: ProgramAction::Write(lines),
                ..
            }) = steps.last_mut()
            else {
                return Err(TextError::new(
                    line.span.clone(),
                    "`also` continues a `write`, and none stands before it",
                )
                .help("write the first line of the batch with `write`"));
            };
            lines.push(text);
            return Ok(());
        }
        "answer" => {
            let word = words.word("`done`, `error` or `any`")?;
            ProgramAction::Answer(match word.text.as_str() {
                "done" => Answer::Done,
                "error" => Answer::Error,
                "any" => Answer::Any,
                other => return Err(unknown(&word.span, other, "done, error or any")),
            })
        }
        "read" => ProgramAction::Read(words.word("the text to wait for")?.text.clone()),
        "nothing" => ProgramAction::Nothing,
        "sleep" => ProgramAction::Sleep(duration(words)?),
        "at" => {
            let time = duration(words)?;
            words.expect("of")?;
            ProgramAction::At(time, address(topology, words, "the address of a peer")?)
        }
        "pause" => ProgramAction::Pause(duration(words)?),
        "exit" => ProgramAction::Exit,
        other => return Err(unknown(&line.words[0].span, other, KNOWN)),
    };
    steps.push(Step {
        action,
        span: line.span.clone(),
        line: line.number,
    });
    Ok(())
}
