//! The recorded peer against another speaker: ours with the operator's own configuration, or a real daemon.
//!
//! The peer says what it said, at the same times after the opening; what the speaker answers is compared, not demanded.

use std::fmt;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use crate::bgp::iana::MessageType;
use crate::config;
use crate::explore::finished_run::FinishedRun;
use crate::explore::plan::Plan;
use crate::explore::run::Runner;
use crate::field::import::error::ImportError;
use crate::field::import::plan::INSTANT;
use crate::field::import::timeline::{Choice, Ended, Timeline, tick};
use crate::field::import::trace::Trace;
use crate::field::import::{bird, configuration, name, plan, text};
use crate::net::ConnectionName;
use crate::net::address::replaced;
use crate::os::small_file;
use crate::scenario::format::message::{KEEPALIVE, NOTIFICATION, frame};
use crate::scenario::format::parse;
use crate::scenario::format::topology::routed_address;
use crate::sim::{Action, Direction as Way, Fault, Keep, Moment, Socket, TraceEvent};
use crate::subject::{Variant, locate};

/// The configuration of our own speaker.
const OWN: &str = "speaker.conf";

/// What the recorded peer is played to.
#[derive(Debug, Clone)]
pub struct Against {
    /// The speakers under test.
    pub variants: Vec<Variant>,
    /// The configuration; absent, one is made from the captured OPEN.
    pub configuration: Option<PathBuf>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Played {
    /// The scenario's name.
    pub name: String,
    /// The session as it was captured.
    pub timeline: Timeline,
    /// The two addresses of the run: speaker, peer.
    pub addresses: [IpAddr; 2],
    /// The result with each speaker.
    pub outcomes: Vec<Outcome>,
}

/// What one speaker did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The speaker.
    pub variant: Variant,
    /// Captured messages that are sent again, KEEPALIVEs not counted.
    pub alike: usize,
    /// Messages that were captured.
    pub captured: usize,
    /// The first captured message that is not.
    pub differs: Option<String>,
    /// How the connection ends.
    pub ends: Ends,
    /// Whether it ends as it was captured.
    pub ends_alike: bool,
}

/// How a connection of a run ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ends {
    /// There was none.
    NeverOpened,
    /// The speaker says nothing on it, though it did in the capture.
    Wordless,
    /// By a NOTIFICATION of the speaker, so long after the opening.
    Notified(u8, u8, Duration),
    /// The speaker closes it, so long after the opening.
    Closed(Duration),
    /// By the end that the peer had: played again.
    ByPeer,
    /// Not before the recorded session did.
    Lives,
}

impl fmt::Display for Ends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverOpened => f.write_str("there is no connection"),
            Self::Wordless => f.write_str("the speaker says nothing"),
            Self::Notified(code, subcode, at) => write!(
                f,
                "the speaker sends NOTIFICATION {code}/{subcode} after {:.6} s",
                at.as_secs_f64()
            ),
            Self::Closed(at) => write!(f, "the speaker closes after {:.6} s", at.as_secs_f64()),
            Self::ByPeer => f.write_str("the peer ends it as it did"),
            Self::Lives => f.write_str("the session lives on"),
        }
    }
}

/// Plays the session of `file` that `choice` selects.
///
/// # Errors
/// There is no such session, or part of it is missing; a configuration that is not for this peer; a speaker that cannot
/// be run.
pub fn play(
    trace: &Trace,
    file: &Path,
    choice: &Choice,
    against: &Against,
    directory: &Path,
) -> Result<Played, ImportError> {
    let timeline = Timeline::of(trace.chosen(choice)?, &trace.contexts, choice)?;
    let addresses = routed(&timeline);
    let name = name(file);
    let scenario_directory = directory.join(&name);
    let unwritable = |path: &Path| {
        let path = path.to_owned();
        move |error| ImportError::Io { path, error }
    };
    fs::create_dir_all(&scenario_directory).map_err(unwritable(&scenario_directory))?;
    let (config_name, text) = configured(&timeline, against, addresses)?;
    let path = scenario_directory.join(&config_name);
    fs::write(&path, &text).map_err(unwritable(&path))?;
    let passive = config::parse(&config_name, &text)
        .is_ok_and(|read| read.neighbors.iter().any(|it| it.passive));
    let path = scenario_directory.join("scenario");
    fs::write(&path, scenario(&timeline, file, addresses, passive)).map_err(unwritable(&path))?;
    let runner = Runner::new(
        Rc::new(parse::load(&scenario_directory)?),
        &against.variants,
    )?;
    let mut outcomes = Vec::new();
    for variant in &against.variants {
        let quiet = plan::of(&name, Vec::new());
        let mut ran = runner.run(&quiet, variant, Keep::Sockets, None)?;
        let mut played = quiet;
        if let Some(end) = end(&timeline, addresses[1], &ran) {
            played = plan::of(&name, end);
            ran = runner.run(&played, variant, Keep::Sockets, None)?;
        }
        write_plan(&played.on(variant), variant, &against.variants, directory)?;
        outcomes.push(outcome(&timeline, variant, &ran));
    }
    Ok(Played {
        name,
        timeline,
        addresses,
        outcomes,
    })
}

/// The plan of one variant; the first one's is called `plan`.
fn write_plan(
    plan: &Plan,
    variant: &Variant,
    variants: &[Variant],
    directory: &Path,
) -> Result<(), ImportError> {
    let file = match variants.first() {
        Some(first) if first == variant => "plan".to_owned(),
        _ => format!("plan.{}", variant.file_name()),
    };
    let path = directory.join(file);
    fs::write(&path, plan.to_string()).map_err(|error| ImportError::Io { path, error })
}

/// The captured addresses, or others where those are of a loopback, which only one host has.
fn routed(timeline: &Timeline) -> [IpAddr; 2] {
    let ends = [timeline.speaker, timeline.peer];
    let is_local = |end: &IpAddr| end.is_loopback() || end.is_unspecified();
    if ends[0] != ends[1] && !ends.iter().any(is_local) {
        return ends;
    }
    [0, 1].map(|number| routed_address(timeline.speaker, number))
}

/// The name of the configuration file, and its text.
fn configured(
    timeline: &Timeline,
    against: &Against,
    addresses: [IpAddr; 2],
) -> Result<(String, String), ImportError> {
    let own = against.variants.iter().all(|it| it.speaker.is_own());
    let file = match against.variants.first() {
        Some(variant) if !own => {
            let known = locate::describe(&variant.speaker)
                .map_err(|error| ImportError::Play(error.into()))?;
            known.configuration.as_deref().unwrap_or(OWN).to_owned()
        }
        _ => OWN.to_owned(),
    };
    let Some(path) = &against.configuration else {
        let open = timeline.open(Way::Sent).and_then(configuration::read);
        let answer = timeline.open(Way::Received).and_then(configuration::read);
        let made = open.filter(|_| file == "bird.conf");
        return match made {
            Some(open) => Ok((file, bird::text(&open, answer.as_ref(), addresses))),
            None => Err(ImportError::NoConfiguration {
                speaker: against
                    .variants
                    .first()
                    .map_or_else(String::new, Variant::to_string),
            }),
        };
    };
    let text = small_file::read_text(path).map_err(|error| ImportError::Unreadable {
        path: path.clone(),
        error,
    })?;
    let text = [
        (timeline.speaker, addresses[0]),
        (timeline.peer, addresses[1]),
    ]
    .iter()
    .filter(|(from, to)| from != to)
    .fold(text, |text, (from, to)| replaced(&text, *from, *to));
    if own {
        let read = config::parse(&path.display().to_string(), &text)
            .map_err(|error| ImportError::Play(error.into()))?;
        let known: Vec<String> = read
            .neighbors
            .iter()
            .map(|it| it.peer_address.to_string())
            .collect();
        if !read
            .neighbors
            .iter()
            .any(|it| it.peer_address == addresses[1])
        {
            return Err(ImportError::NoNeighbor {
                path: path.clone(),
                peer: timeline.peer,
                known: known.join(", "),
            });
        }
    }
    Ok((file, text))
}

fn scenario(
    timeline: &Timeline,
    file: &Path,
    [speaker, peer]: [IpAddr; 2],
    passive: bool,
) -> String {
    let title = text::title(file);
    format!(
        "about    What {} said to {} on {} of {title}, at the same times after the opening.\n\
         \nhost speaker {speaker}\nhost peer {peer}\nlink speaker peer latency 0s\ngolden none\n\
         \nspeaker speaker\n\npeer peer\n    open verbatim\n{}    connection 1\n{}{}{}",
        timeline.peer,
        timeline.speaker,
        timeline.connection,
        if passive { "    connect speaker\n" } else { "" },
        text::steps(timeline, Way::Received),
        text::at(timeline.span(), None),
        match timeline.ended {
            Ended::Notified(Way::Received) | Ended::Closed(Way::Received) => "    close\n",
            _ => "",
        }
    )
}

/// The first connection of a run, and when it was opened.
fn first(ran: &FinishedRun) -> Option<(ConnectionName, Duration)> {
    ran.records.iter().find_map(|record| match &record.event {
        TraceEvent::Socket(name, Socket::Open(..)) => Some((*name, record.time)),
        _ => None,
    })
}

/// The faults that end the first connection as the peer, or the path, ended the captured one.
fn end(timeline: &Timeline, peer: IpAddr, ran: &FinishedRun) -> Option<Vec<Fault>> {
    let (name, opened) = first(ran)?;
    let at = Moment::Time(opened + tick(timeline.end) + INSTANT);
    let connection = ConnectionName::new(peer, name.opener, name.attempt);
    let fault = |direction, action| Fault {
        connection,
        direction,
        moment: at,
        action,
    };
    match timeline.ended {
        Ended::Reset(Way::Received) => Some(vec![fault(Way::Received, Action::ResetByPeer)]),
        Ended::Silent(_) => Some(vec![
            fault(Way::Received, Action::Stall(None)),
            fault(Way::Sent, Action::Stall(None)),
        ]),
        _ => None,
    }
}

/// What the speaker did on its first connection beside what was captured.
fn outcome(timeline: &Timeline, variant: &Variant, ran: &FinishedRun) -> Outcome {
    let wanted: Vec<&[u8]> = timeline
        .pieces
        .iter()
        .filter(|piece| piece.way == Way::Sent && piece.octets.get(18) != Some(&KEEPALIVE))
        .map(|piece| piece.octets.as_slice())
        .collect();
    let mut outcome = Outcome {
        variant: variant.clone(),
        alike: 0,
        captured: wanted.len(),
        differs: None,
        ends: Ends::NeverOpened,
        ends_alike: false,
    };
    let Some((name, opened)) = first(ran) else {
        return outcome;
    };
    let mut sent = Vec::new();
    let mut notified = None;
    let mut ended = None;
    let limit = opened + tick(timeline.end) + 2 * INSTANT;
    for record in &ran.records {
        let TraceEvent::Socket(of, socket) = &record.event else {
            continue;
        };
        // What it says long after the recorded session was over is of no session that was captured.
        if *of != name || record.time > limit && timeline.ended.by() == Way::Received {
            continue;
        }
        match socket {
            Socket::Sent(octets) => {
                sent.extend_from_slice(octets);
                if let Some(codes) = notification(&sent) {
                    notified.get_or_insert((codes, record.time - opened));
                }
            }
            Socket::Closed | Socket::Shutdown => {
                ended.get_or_insert(Ends::Closed(record.time - opened));
            }
            Socket::Finished | Socket::Broken(_) => {
                ended.get_or_insert(Ends::ByPeer);
            }
            _ => {}
        }
    }
    let said = messages(&sent);
    let said: Vec<&[u8]> = said.into_iter().filter(|it| it[18] != KEEPALIVE).collect();
    let is_alike = |one: &[u8], other: &[u8]| {
        // The words of a NOTIFICATION are each speaker's own.
        let complains = one[18] == NOTIFICATION && other.get(18) == Some(&NOTIFICATION);
        one == other || complains && other.get(19..21) == one.get(19..21)
    };
    let mut left = said;
    for (number, other) in (1..).zip(&wanted) {
        match left.iter().position(|one| is_alike(one, other)) {
            Some(at) => {
                outcome.alike += 1;
                left.remove(at);
            }
            None => {
                let what = format!(
                    "{} (message {number}) is not sent in these octets",
                    kind(other)
                );
                outcome.differs.get_or_insert(what);
            }
        }
    }
    if sent.is_empty() && timeline.open(Way::Sent).is_some() {
        outcome.ends = Ends::Wordless;
        return outcome;
    }
    outcome.ends = match (notified, ended) {
        (Some(((code, subcode), at)), _) => Ends::Notified(code, subcode, at),
        (None, Some(ended)) => ended,
        (None, None) => Ends::Lives,
    };
    outcome.ends_alike = match (timeline.ended, &outcome.ends) {
        (Ended::Notified(Way::Sent), Ends::Notified(code, subcode, _)) => {
            let last = wanted
                .iter()
                .rev()
                .find(|it| it.get(18) == Some(&NOTIFICATION));
            last.and_then(|it| it.get(19..21)) == Some(&[*code, *subcode])
        }
        (Ended::Reset(Way::Sent) | Ended::Closed(Way::Sent), ends) => {
            matches!(ends, Ends::Closed(_))
        }
        (Ended::Silent(_), ends) => *ends == Ends::Lives,
        (ended, ends) => {
            ended.by() == Way::Received && matches!(ends, Ends::ByPeer | Ends::Closed(_))
        }
    };
    outcome
}

/// Whole messages, one after the other.
fn messages(octets: &[u8]) -> Vec<&[u8]> {
    let mut rest = octets;
    let mut out = Vec::new();
    while let Ok(Some(length)) = frame(rest) {
        let (message, after) = rest.split_at(length);
        out.push(message);
        rest = after;
    }
    out
}

fn notification(octets: &[u8]) -> Option<(u8, u8)> {
    let messages = messages(octets);
    let last = messages.last().filter(|it| it[18] == NOTIFICATION)?;
    Some((*last.get(19)?, *last.get(20)?))
}

fn kind(message: &[u8]) -> String {
    message.get(18).map_or_else(
        || "no message".to_owned(),
        |kind| MessageType(*kind).to_string(),
    )
}
