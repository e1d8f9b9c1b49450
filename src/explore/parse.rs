//! A plan's text to a [`Plan`]; what is wrong is shown with line and caret.

use std::net::IpAddr;
use std::time::Duration;

use miette::Diagnostic;

use crate::bgp::text::{TextError, Word, Words};
use crate::explore::plan::Plan;
use crate::explore::plan_lines::PlanSpans;
use crate::explore::suggest;
use crate::net::HostName;
use crate::reactor::Mode;
use crate::reactor::defects::Defect;
use crate::scenario::format::host_fault::{HostFault, Partition, PeerBehaviour, ProgramFault};
use crate::scenario::format::parse_pace::pace;
use crate::scenario::format::parse_tcp::tcp_change;
use crate::scenario::format::values::{at_least_one, loss, time};
use crate::scenario::golden::manifest::is_file_name;
use crate::sim::{Action, ConnectionName, Direction, Fault, Moment};
use crate::subject::{SpeakerName, locate};

const DIRECTIVES: &[&str] = &[
    "scenario",
    "speaker",
    "mode",
    "seed",
    "order",
    "latency",
    "jitter",
    "bandwidth",
    "window",
    "loss",
    "tcp",
    "skew",
    "pace",
    "watch",
    "defect",
    "fault",
    "crash",
    "peer",
    "program",
    "partition",
    "stop",
    "signal",
];
/// The most that a call or an empty poll may cost.
const LONGEST_PACE: Duration = Duration::from_secs(60);

const ACTIONS: &[&str] = &[
    "refuse",
    "ignore",
    "reset [by peer]",
    "close",
    "half-close",
    "stall [TIME]",
    "slow OCTETS",
    "split OCTETS",
    "coalesce OCTETS TIME",
    "delay TIME",
    "silence [TIME]",
    "lose [NTH]",
];

/// Reads a plan.
///
/// # Errors
/// An unknown word, an impossible offset or time, a missing scenario.
pub fn parse(text: &str) -> Result<Plan, TextError> {
    parse_with_spans(text).map(|(plan, _)| plan)
}

/// Reads a plan, and where in `text` its lines are.
///
/// # Errors
/// As for [`parse`].
pub fn parse_with_spans(text: &str) -> Result<(Plan, PlanSpans), TextError> {
    let mut plan = Plan::quiet("");
    let mut spans = PlanSpans::default();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let words = words(line, offset);
        offset += line.len();
        let [first, .., last] = words.as_slice() else {
            if let [alone] = words.as_slice() {
                directive(&mut plan, &mut Words::new(&words, alone.span.end))?;
            }
            continue;
        };
        directive(&mut plan, &mut Words::new(&words, last.span.end))?;
        note(&mut spans, &plan, first, last);
    }
    if plan.scenario.is_empty() {
        return Err(TextError::new(0..0, "the plan names no scenario")
            .help("add a line such as `scenario api-rr`"));
    }
    Ok((plan, spans))
}

/// Notes where the directive from `first` to `last`, just read into `plan`, is.
fn note(spans: &mut PlanSpans, plan: &Plan, first: &Word, last: &Word) {
    let line = first.span.start..last.span.end;
    match first.text.as_str() {
        "scenario" => spans.scenario = last.span.clone(),
        "speaker" => spans.speaker = line,
        "pace" if spans.pace.is_empty() => spans.pace = line,
        "watch" => spans.watch = line,
        "tcp" => spans.tcp.push(line),
        _ if plan.faults.len() > spans.faults.len() => spans.faults.push(line),
        _ if plan.host_faults.len() > spans.host_faults.len() => spans.host_faults.push(line),
        _ => {}
    }
}

/// White space and the colon before a fault's action separate words; `#` at the start of a word begins a comment.
fn words(line: &str, offset: usize) -> Vec<Word> {
    let mut words = Vec::new();
    let mut at = 0;
    for piece in line.split_inclusive(char::is_whitespace) {
        let text = piece.trim_end();
        if text.starts_with('#') {
            break;
        }
        let start = offset + at;
        at += piece.len();
        let bare = text.trim_end_matches(':');
        if bare.is_empty() {
            continue;
        }
        words.push(Word {
            text: bare.to_owned(),
            span: start..start + bare.len(),
        });
    }
    words
}

fn directive(plan: &mut Plan, words: &mut Words<'_>) -> Result<(), TextError> {
    let word = words.word("a directive")?;
    match word.text.as_str() {
        "scenario" => {
            let word = words.word("the name of a scenario")?;
            if !is_file_name(&word.text) {
                return Err(TextError::new(
                    word.span.clone(),
                    "a scenario is a directory beside the plan, or in the directory of scenarios",
                )
                .help("write the scenario's name alone"));
            }
            plan.scenario.clone_from(&word.text);
        }
        "speaker" => plan.speaker = Some(speaker(words)?),
        "mode" => plan.mode = Some(reactor(words)?),
        "seed" => plan.seed = words.parse("a whole number")?,
        "order" => {
            words.expect("drawn")?;
            plan.drawn_order = true;
        }
        "latency" => plan.link.latency = time(words)?,
        "jitter" => plan.link.jitter = time(words)?,
        "bandwidth" => plan.link.bandwidth = Some(at_least_one(words, "octets per second")?),
        "window" => plan.window = Some(at_least_one(words, "octets")? as usize),
        "loss" => plan.link.loss = loss(words)?,
        "tcp" => {
            let change = tcp_change(words, &plan.tcp, |word| read_host(word, "a host"))?;
            plan.tcp.push(change);
        }
        "skew" => plan.skew = skew(words)?,
        "pace" => pace(&mut plan.pace, words, LONGEST_PACE)?,
        "watch" => plan.watch = time(words)?,
        "defect" => plan.defects.push(defect(words)?),
        "fault" => plan.faults.push(fault(words)?),
        "crash" | "peer" | "program" | "partition" | "stop" | "signal" => {
            plan.host_faults.push(host_fault(word, words)?)
        }
        // Plans that were written before 0.2 have this word before the three above.
        "upset" => {
            let word = words.word("`crash`, `peer` or `program`")?;
            plan.host_faults.push(host_fault(word, words)?);
        }
        _ => return Err(unknown(word, DIRECTIVES)),
    }
    words.finish()
}

/// The error for a `word` that is not one of `known`, each a keyword and its arguments.
fn unknown(word: &Word, known: &[&str]) -> TextError {
    TextError::new(
        word.span.clone(),
        format!("unknown keyword `{}`", word.text),
    )
    .help(suggest::help(&word.text, known))
}

fn skew(words: &mut Words<'_>) -> Result<i32, TextError> {
    let span = words.span();
    let skew = words.parse("parts per million, from -900000 to 900000")?;
    if !(-900_000..=900_000).contains(&skew) {
        return Err(TextError::new(
            span,
            format!("a clock cannot be {skew} parts per million off"),
        )
        .help("write a number from -900000 to 900000"));
    }
    Ok(skew)
}

/// The most lines with which a program floods the speaker: each is kept, and answered, in memory.
const MOST_LINES: usize = 1_000_000;

/// Reads a speaker that is known by name.
fn speaker(words: &mut Words<'_>) -> Result<SpeakerName, TextError> {
    let word = words.word("a speaker, as in `exabgp` or `exabgp=5.0.15`")?;
    let read = |text: &str| -> Result<SpeakerName, TextError> {
        let speaker: SpeakerName = text
            .parse()
            .map_err(|error| TextError::new(word.span.clone(), format!("{error}")))?;
        locate::check_name(&speaker).map_err(|error| {
            let help = error.help().map(|help| help.to_string());
            TextError::new(word.span.clone(), error.to_string()).help(help.unwrap_or_default())
        })?;
        Ok(speaker)
    };
    read(&word.text)
}

/// The name of a reactor.
fn reactor(words: &mut Words<'_>) -> Result<Mode, TextError> {
    let word = words.word("`sync` or `async`")?;
    let mode = word.text.parse();
    mode.map_err(|_| unknown(word, &["sync", "async"]))
}

/// A name of a defect.
fn defect(words: &mut Words<'_>) -> Result<Defect, TextError> {
    let word = words.word("the name of a defect")?;
    word.text.parse().map_err(|_| {
        TextError::new(
            word.span.clone(),
            format!("there is no defect `{}`", word.text),
        )
        .help(suggest::defect(&word.text))
    })
}

fn optional_time(words: &mut Words<'_>) -> Result<Option<Duration>, TextError> {
    if words.is_empty() {
        return Ok(None);
    }
    time(words).map(Some)
}

fn connection(words: &mut Words<'_>) -> Result<ConnectionName, TextError> {
    let word = words.word("a connection")?;
    word.text.parse().map_err(|_| {
        TextError::new(word.span.clone(), format!("`{}` is not a connection", word.text)).help(
            "write the peer's address and the attempt, from 1: 127.0.0.1#1; with `<` for `#` where the peer connects",
        )
    })
}

fn fault(words: &mut Words<'_>) -> Result<Fault, TextError> {
    let connection = connection(words)?;
    let word = words.word("`sent` or `received`")?;
    let direction = match word.text.as_str() {
        "sent" => Direction::Sent,
        "received" => Direction::Received,
        _ => {
            return Err(unknown(word, &["sent", "received"]));
        }
    };
    let word = words.word("`opening`, `byte N` or `time T`")?;
    let moment = match word.text.as_str() {
        "opening" => Moment::Opening,
        "byte" => Moment::Byte(words.parse("a number of octets")?),
        "time" => Moment::Time(time(words)?),
        _ => return Err(unknown(word, &["opening", "byte N", "time T"])),
    };
    let span = words.span();
    let action = action(words)?;
    if matches!(action, Action::Refuse | Action::Ignore) != (moment == Moment::Opening) {
        return Err(
            TextError::new(span, format!("`{action}` cannot happen there"))
                .help("`refuse` and `ignore` happen at `opening`, and nothing else does"),
        );
    }
    Ok(Fault {
        connection,
        direction,
        moment,
        action,
    })
}

fn action(words: &mut Words<'_>) -> Result<Action, TextError> {
    let word = words.word("what happens")?;
    Ok(match word.text.as_str() {
        "refuse" => Action::Refuse,
        "ignore" => Action::Ignore,
        "reset" if words.accept("by") => {
            words.expect("peer")?;
            Action::ResetByPeer
        }
        "reset" => Action::Reset,
        "close" => Action::Close,
        "half-close" => Action::HalfClose,
        "lose" if words.is_empty() => Action::Lose(1),
        "lose" => Action::Lose(at_least_one(words, "segments")?),
        "stall" => Action::Stall(optional_time(words)?),
        "slow" => Action::Slow(at_least_one(words, "octets per second")?),
        "split" => Action::Split(at_least_one(words, "octets")? as usize),
        "coalesce" => Action::Coalesce(at_least_one(words, "octets")? as usize, time(words)?),
        "delay" => Action::Delay(time(words)?),
        "silence" => Action::Silence(optional_time(words)?),
        _ => return Err(unknown(word, ACTIONS)),
    })
}

fn host_fault(word: &Word, words: &mut Words<'_>) -> Result<HostFault, TextError> {
    match word.text.as_str() {
        "crash" if words.accept("speaker") => {
            let (at, down) = outage(words)?;
            Ok(HostFault::CrashSpeaker {
                host: None,
                at,
                down,
            })
        }
        "crash" if words.peek() != Some("peer") => {
            let host = host(words, "`speaker`, `peer ADDRESS` or the name of a host")?;
            let (at, down) = outage(words)?;
            Ok(HostFault::CrashSpeaker {
                host: Some(host),
                at,
                down,
            })
        }
        "partition" => {
            let ends = [
                host(words, "the name of a host")?,
                host(words, "the name of a second host")?,
            ];
            let (at, time) = outage(words)?;
            Ok(HostFault::Partition(Partition { ends, at, time }))
        }
        "stop" => {
            let host = speaker_or_host(words)?;
            let (at, time) = outage(words)?;
            Ok(HostFault::StopSpeaker { host, at, time })
        }
        "signal" => {
            let host = speaker_or_host(words)?;
            words.expect("reload")?;
            words.expect("at")?;
            let at = time(words)?;
            Ok(HostFault::Reload { host, at })
        }
        "crash" => {
            words.expect("peer")?;
            let peer: IpAddr = words.parse("the address of a peer")?;
            let (at, down) = outage(words)?;
            Ok(HostFault::CrashPeer { peer, at, down })
        }
        "peer" => Ok(HostFault::Peer {
            peer: words.parse("the address of a peer")?,
            behaviour: behaviour(words)?,
        }),
        "program" => Ok(HostFault::Program {
            name: words.word("the name of a process")?.text.clone(),
            how: program_fault(words)?,
        }),
        _ => Err(unknown(word, &["crash", "peer", "program"])),
    }
}

/// `speaker`, which is no host's name here, or the name of a host.
fn speaker_or_host(words: &mut Words<'_>) -> Result<Option<HostName>, TextError> {
    if words.accept("speaker") {
        return Ok(None);
    }
    host(words, "`speaker` or the name of a host").map(Some)
}

fn host(words: &mut Words<'_>, expected: &str) -> Result<HostName, TextError> {
    read_host(words.word(expected)?, expected)
}

fn read_host(word: &Word, expected: &str) -> Result<HostName, TextError> {
    word.text.parse().map_err(|error| {
        TextError::new(word.span.clone(), format!("{error}"))
            .help(format!("write {expected} of the scenario"))
    })
}

fn outage(words: &mut Words<'_>) -> Result<(Duration, Duration), TextError> {
    words.expect("at")?;
    let at = time(words)?;
    words.expect("for")?;
    Ok((at, time(words)?))
}

fn behaviour(words: &mut Words<'_>) -> Result<PeerBehaviour, TextError> {
    let word = words.word("`connects` or `patient`")?;
    match word.text.as_str() {
        "connects" => Ok(PeerBehaviour::Connects),
        "patient" => Ok(PeerBehaviour::Patient),
        _ => Err(unknown(word, &["connects", "patient"])),
    }
}

fn program_fault(words: &mut Words<'_>) -> Result<ProgramFault, TextError> {
    let word = words.word("`late`, `slow`, `dies` or `floods`")?;
    Ok(match word.text.as_str() {
        "late" => ProgramFault::Late(time(words)?),
        "slow" => ProgramFault::Slow(time(words)?),
        "dies" => ProgramFault::Dies(at_least_one(words, "steps")? as usize),
        "floods" => {
            let span = words.span();
            let lines: usize = words.parse("a number of lines")?;
            if lines > MOST_LINES {
                return Err(TextError::new(
                    span,
                    format!("{lines} lines are more than a run can hold"),
                )
                .help(format!("write at most {MOST_LINES}")));
            }
            ProgramFault::Floods(lines)
        }
        _ => {
            return Err(unknown(
                word,
                &["late TIME", "slow TIME", "dies STEP", "floods LINES"],
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(text: &str) -> (String, String, String) {
        let error = parse(text).unwrap_err();
        let marked = text[error.span].to_owned();
        (marked, error.message, error.help.unwrap_or_default())
    }

    #[test]
    fn an_unknown_word_is_marked_and_the_nearest_proposed_beside_all_of_them() {
        let (marked, message, help) = mistake("scenario x\nlatnecy 5ms\n");
        assert_eq!(marked, "latnecy");
        assert_eq!(message, "unknown keyword `latnecy`");
        assert!(
            help.starts_with("did you mean `latency`? write scenario, "),
            "{help}"
        );
        assert!(
            help.ends_with(", program, partition, stop or signal"),
            "{help}"
        );
        for (line, word, near) in [
            (
                "fault 127.0.0.1#1 recieved byte 4: reset",
                "recieved",
                "received",
            ),
            ("fault 127.0.0.1#1 sent bytes 4: reset", "bytes", "byte"),
            (
                "fault 127.0.0.1#1 sent byte 4: haf-close",
                "haf-close",
                "half-close",
            ),
            (
                "fault 127.0.0.1#1 sent byte 4: coalesc 9 1ms",
                "coalesc",
                "coalesce",
            ),
            ("upset crush speaker at 1s for 1s", "crush", "crash"),
            ("upset peer 127.0.0.1 connect", "connect", "connects"),
            ("upset program rr flood 4", "flood", "floods"),
            ("defect cancelled-raed", "cancelled-raed", "cancelled-read"),
        ] {
            let (marked, _, help) = mistake(&format!("scenario x\n{line}\n"));
            assert_eq!(marked, word);
            let proposed = format!("did you mean `{near}`? ");
            assert!(help.starts_with(&proposed), "{line}: {help}");
        }
    }

    #[test]
    fn a_flood_and_a_path_are_bounded() {
        let (marked, message, help) = mistake("scenario x\nupset program p floods 4294967296\n");
        assert_eq!(marked, "4294967296");
        assert_eq!(message, "4294967296 lines are more than a run can hold");
        assert_eq!(help, "write at most 1000000");
        for outside in ["../x", "/etc", "a/b", ".."] {
            let (marked, _, help) = mistake(&format!("scenario {outside}\n"));
            assert_eq!(marked, outside);
            assert_eq!(help, "write the scenario's name alone");
        }
    }

    #[test]
    fn loss_and_settings_of_tcp_are_read_and_bounded() {
        let text = "scenario x\nseed 0\nloss 0.25%\ntcp syn_linear_timeouts 0\ntcp retries2 8\n\
                    fault 127.0.0.1#1 sent byte 19: lose 2\n";
        let plan = parse(text).unwrap();
        assert_eq!((plan.link.loss, plan.tcp.len()), (2_500, 2));
        assert_eq!(plan.to_string(), text);
        assert_eq!(
            mistake("scenario x\ntcp retries2 256\n"),
            (
                "256".into(),
                "`retries2` cannot be 256".into(),
                "write a whole number from 1 to 255".into()
            )
        );
        let (marked, _, help) = mistake("scenario x\ntcp retires2 4\n");
        assert_eq!(marked, "retires2");
        assert!(help.starts_with("did you mean `retries2`? "), "{help}");
        for loss in ["100%", "5", "-1%", "1.00001%"] {
            let (marked, _, help) = mistake(&format!("scenario x\nloss {loss}\n"));
            assert_eq!(marked, loss);
            assert_eq!(help, "write a percentage from 0% to 99.9999%, as in 0.5%");
        }
    }

    #[test]
    fn the_scenario_is_marked_where_it_is_named() {
        let text = "# of x-y\nseed 1\n  scenario   x-y # the last\n";
        let (_, spans) = parse_with_spans(text).unwrap();
        assert_eq!(&text[spans.scenario.clone()], "x-y");
        assert_eq!(spans.scenario.start, text.rfind("x-y").unwrap());
    }

    #[test]
    fn each_line_is_marked_where_it_is() {
        let text = "scenario x\n  fault 127.0.0.1#1 sent byte 1: reset # why\nseed 1\n\
                    upset crash speaker at 1s for 1s\nwatch 2s\ncrash peer 127.0.0.1 at 1s for 1s\n";
        let (plan, spans) = parse_with_spans(text).unwrap();
        assert_eq!((plan.faults.len(), plan.host_faults.len()), (1, 2));
        let marked = |spans: &[std::ops::Range<usize>]| {
            let texts = spans.iter().map(|span| text[span.clone()].to_owned());
            texts.collect::<Vec<_>>()
        };
        assert_eq!(
            marked(&spans.faults),
            ["fault 127.0.0.1#1 sent byte 1: reset"]
        );
        assert_eq!(
            marked(&spans.host_faults),
            [
                "upset crash speaker at 1s for 1s",
                "crash peer 127.0.0.1 at 1s for 1s"
            ]
        );
        assert_eq!(&text[spans.watch.clone()], "watch 2s");
    }

    #[test]
    fn a_word_near_to_none_has_the_list_alone() {
        assert_eq!(mistake("banana\n").2.split_once(' ').unwrap().0, "write",);
        assert_eq!(
            mistake("fault 127.0.0.1#1 sideways").2,
            "write sent or received"
        );
        assert_eq!(mistake("defect x").2, "`lockstep defects` lists them");
    }

    #[test]
    fn a_speaker_or_mode_that_is_not_known_is_marked() {
        let (marked, message, help) = mistake("scenario x\nspeaker  exabg # old\n");
        assert_eq!(marked, "exabg");
        assert_eq!(message, "there is no speaker `exabg`");
        assert!(help.starts_with("did you mean `exabgp`? "), "{help}");
        let (marked, message, _) = mistake("scenario x\nspeaker exabgp=\n");
        assert_eq!(marked, "exabgp=");
        assert!(message.contains("NAME=VERSION or NAME=PATH"), "{message}");
        let (marked, _, help) = mistake("scenario x\nmode asinc\n");
        assert_eq!(marked, "asinc");
        assert!(help.starts_with("did you mean `async`? "), "{help}");
    }

    #[test]
    fn a_speaker_is_read_in_each_of_its_forms() {
        for text in ["lockstep", "exabgp", "exabgp=5.0.15", "exabgp=./venv"] {
            let (plan, spans) = parse_with_spans(&format!("scenario x\nspeaker {text}\n")).unwrap();
            assert_eq!(plan.speaker.unwrap().to_string(), text);
            assert_eq!(spans.speaker, 11..19 + text.len());
        }
    }
}
