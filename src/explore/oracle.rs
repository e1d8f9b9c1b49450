//! What must hold of every run, whatever faults it had: named checks, each with an exit status of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::explore::observed::Breach;
use crate::explore::plan::Plan;
use crate::explore::run::{FinishedRun, PATIENCE};
use crate::scenario::format::host_fault::{HostFault, ProgramFault};
use crate::scenario::golden::Golden;
use crate::scenario::scripted::table::Held;
use crate::sim::Action;

macro_rules! oracles {
    ($($variant:ident, $name:literal, $status:literal, $about:literal;)*) => {
        /// A check.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Oracle {
            $(#[doc = $about] $variant,)*
        }

        impl Oracle {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its word.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The exit status of a failure of its class.
            #[must_use]
            pub const fn status(self) -> u8 {
                match self { $(Self::$variant => $status,)* }
            }

            /// What it checks.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)* }
            }

            /// The oracle of that name.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|oracle| oracle.name() == name)
            }
        }
    };
}

oracles! {
    Liveness, "liveness", 10, "After the faults the session is back within a bound.";
    Table, "table", 11, "The peer's table is what the speaker was told to announce: nothing lost, nothing stale.";
    Unforced, "unforced", 12, "Every session that ended has a cause in the plan.";
    Answers, "answers", 13, "One answer per command, in order.";
    Timers, "timers", 14, "An established session is never silent for longer than its keepalive time.";
    Decodes, "decodes", 15, "What is on the wire decodes.";
    Modes, "modes", 16, "Both reactors end in the same state under the same plan.";
    Golden, "golden", 17, "Where nothing was lost, the octets are the golden's.";
    Panics, "panics", 18, "Nothing panics.";
    Prompt, "prompt", 19, "A command is answered, and taken by every established peer, in the moment in which it is read.";
    Collisions, "collisions", 20, "Of two connections that meet one lives.";
    Notifications, "notifications", 21, "Where nothing was lost, a NOTIFICATION that was sent arrives.";
    Rate, "rate", 22, "No peer is sent more in a second than its rate limit.";
}

impl fmt::Display for Oracle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A check that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Which.
    pub oracle: Oracle,
    /// What was found, in a sentence.
    pub text: String,
}

/// A peer's routes in the order of their index.
pub type Table = Vec<Held>;

/// How a scenario goes where nothing goes wrong, under the same rules.
#[derive(Debug, Clone, Default)]
pub struct Baseline {
    /// The peers that are up at the end, and what they hold.
    pub tables: BTreeMap<IpAddr, Table>,
    /// Why sessions end in it.
    pub causes: BTreeSet<String>,
    /// Whether its speaker is told to read its configuration again, which a speaker that crashed then has forgotten.
    pub reloaded: bool,
    /// Answers by program.
    pub answers: BTreeMap<String, Vec<String>>,
    /// Commands by program that are not answered, since it asked for no answers.
    pub unanswered: BTreeMap<String, usize>,
    /// Messages of the speaker that do not decode, which a scenario may be about.
    pub undecodable: usize,
    /// The speaker's messages.
    pub octets: Golden,
}

impl Baseline {
    /// What `ran`, a run of a quiet plan, shows.
    #[must_use]
    pub fn of(ran: &FinishedRun) -> Self {
        Self {
            tables: tables(ran),
            causes: ran
                .observed
                .ended
                .iter()
                .map(|end| end.cause.clone())
                .collect(),
            reloaded: ran.observed.reloaded,
            answers: ran.observed.answers.clone(),
            unanswered: ran.observed.unanswered.clone(),
            undecodable: undecodable(ran),
            octets: Golden::of(&ran.played.transcripts),
        }
    }
}

/// What the peers that are up hold.
#[must_use]
pub fn tables(ran: &FinishedRun) -> BTreeMap<IpAddr, Table> {
    ran.played
        .tables
        .iter()
        .filter(|(_, view)| view.is_live())
        .map(|(peer, view)| (*peer, view.routes().cloned().collect()))
        .collect()
}

fn undecodable(ran: &FinishedRun) -> usize {
    ran.played
        .tables
        .values()
        .map(|view| view.undecodable())
        .sum()
}

/// Checks a run of `plan` against all oracles but that of the modes.
#[must_use]
pub fn check(
    plan: &Plan,
    ran: &FinishedRun,
    baseline: &Baseline,
    golden: Option<&Golden>,
) -> Vec<Failure> {
    let mut failures = Vec::new();
    let mut fail = |oracle, text| failures.push(Failure { oracle, text });
    state(plan, ran, baseline, &mut fail);
    if let Some(end) = unforced(plan, ran, baseline) {
        fail(Oracle::Unforced, end);
    }
    if let Some(text) = answers(plan, ran, baseline) {
        fail(Oracle::Answers, text);
    }
    for (breach, text) in &ran.observed.breaches {
        let oracle = match breach {
            Breach::Order => Oracle::Answers,
            Breach::Late => Oracle::Prompt,
            Breach::Collision => Oracle::Collisions,
        };
        fail(oracle, text.clone());
    }
    if is_benign(plan, ran) && arrived(ran) < ran.observed.notifications {
        fail(
            Oracle::Notifications,
            "a NOTIFICATION did not arrive".into(),
        );
    }
    if let Some(text) = too_fast(ran) {
        fail(Oracle::Rate, text);
    }
    for (connection, (since, silence)) in &ran.observed.silences {
        // A clock that runs slow counts its seconds late.
        let slow = 1.0 + f64::from(plan.skew.unsigned_abs()) / 1e6 * 2.0;
        let hold = ran
            .observed
            .holds
            .get(connection)
            .copied()
            .unwrap_or_default();
        let allowed = (hold / 3).mul_f64(slow) + SLACK;
        if !hold.is_zero() && *silence > allowed {
            fail(
                Oracle::Timers,
                format!(
                    "{connection} was silent for {:.3} s from {:.6} s on",
                    silence.as_secs_f64(),
                    since.as_secs_f64()
                ),
            );
        }
    }
    let garbled = ran.played.tables.values().any(|view| view.is_garbled());
    if garbled || undecodable(ran) > baseline.undecodable {
        fail(
            Oracle::Decodes,
            "a message of the speaker does not decode".into(),
        );
    }
    let golden = golden.unwrap_or(&baseline.octets);
    // Where no session stays up, the moment of its end decides how much is said.
    let settled = !baseline.tables.is_empty() || plan.is_quiet();
    if is_benign(plan, ran)
        && settled
        && let Some(divergence) = golden_divergence(golden, ran)
    {
        fail(Oracle::Golden, divergence);
    }
    failures
}

/// NOTIFICATIONs of the speaker that its peers received.
fn arrived(ran: &FinishedRun) -> usize {
    ran.played
        .transcripts
        .iter()
        .flat_map(|transcript| transcript.compared())
        .filter(|passed| passed.bytes.get(18) == Some(&3))
        .count()
}

fn too_fast(ran: &FinishedRun) -> Option<String> {
    ran.observed.busiest.iter().find_map(|(connection, updates)| {
        let (peer, _) = connection.rsplit_once('#')?;
        let limit = *ran.limits.get(peer)?;
        (*updates > limit as usize).then(|| {
            format!("{connection} was sent {updates} UPDATE(s) within a second, its limit being {limit}")
        })
    })
}

/// What a timer may be late by.
const SLACK: Duration = Duration::from_secs(1);

fn state(
    plan: &Plan,
    ran: &FinishedRun,
    baseline: &Baseline,
    fail: &mut impl FnMut(Oracle, String),
) {
    let found = tables(ran);
    for (peer, expected) in &baseline.tables {
        match found.get(peer) {
            None => fail(
                Oracle::Liveness,
                format!("no session with {peer} at the end"),
            ),
            // Whether a crash came before a reload or after it, or before a program's end, decides what is known then.
            Some(found) if !(crashes(plan) && (baseline.reloaded || program_may_end(plan))) => {
                if let Some(text) = difference(expected, found) {
                    fail(Oracle::Table, format!("at {peer}: {text}"));
                }
            }
            Some(_) => {}
        }
    }
}

/// Whether a program dies: it need not be started again, so what it would have said is not owed.
pub(super) fn program_may_end(plan: &Plan) -> bool {
    plan.host_faults.iter().any(|host_fault| {
        matches!(
            host_fault,
            HostFault::Program {
                how: ProgramFault::Dies(_),
                ..
            }
        )
    })
}

fn crashes(plan: &Plan) -> bool {
    plan.host_faults
        .iter()
        .any(|host_fault| matches!(host_fault, HostFault::CrashSpeaker { .. }))
}

/// The first difference of two tables, in a sentence.
#[must_use]
pub fn difference(expected: &[Held], found: &[Held]) -> Option<String> {
    let lost = expected
        .iter()
        .find(|held| !found.iter().any(|other| other.nlri == held.nlri));
    if let Some(held) = lost {
        return Some(format!("{} is lost", held.nlri.text()));
    }
    let stale = found
        .iter()
        .find(|held| !expected.iter().any(|other| other.nlri == held.nlri));
    if let Some(held) = stale {
        return Some(format!("{} is stale", held.nlri.text()));
    }
    let other = expected.iter().find(|held| !found.contains(held))?;
    Some(format!(
        "{} has another next hop or other attributes",
        other.nlri.text()
    ))
}

/// Whether nothing in `plan` is made to end a session or to change what is sent: it only holds up, cuts and joins.
pub(super) fn is_mild(plan: &Plan) -> bool {
    plan.host_faults.is_empty()
        && plan.faults.iter().all(|fault| {
            matches!(
                fault.action,
                Action::Split(_) | Action::Coalesce(..) | Action::Delay(_) | Action::Stall(Some(_))
            )
        })
}

/// Whether a mild plan has not held anything up for so long that somebody noticed.
fn is_benign(plan: &Plan, ran: &FinishedRun) -> bool {
    let held_up: Duration = plan
        .faults
        .iter()
        .map(|fault| match fault.action {
            Action::Stall(Some(time)) | Action::Coalesce(_, time) | Action::Delay(time) => time,
            _ => Duration::ZERO,
        })
        .sum();
    is_mild(plan) && held_up < (PATIENCE - SLACK).min(harmless(ran) / 2)
}

/// A stall that no hold time of the run notices: a third of the shortest, and of a minute at most.
fn harmless(ran: &FinishedRun) -> Duration {
    let holds = ran.observed.holds.values().copied();
    let shortest = holds.filter(|hold| !hold.is_zero()).min();
    shortest.unwrap_or(MINUTE).min(MINUTE) / 3
}

const MINUTE: Duration = Duration::from_secs(60);

/// The first session that ended without a cause.
fn unforced(plan: &Plan, ran: &FinishedRun, baseline: &Baseline) -> Option<String> {
    let first_harm = ran
        .struck
        .iter()
        .filter(|struck| match struck.fault.action {
            Action::Reset
            | Action::ResetByPeer
            | Action::Close
            | Action::HalfClose
            | Action::Silence(_) => true,
            Action::Slow(rate) => rate < 200,
            Action::Stall(time) => time.is_none_or(|time| time >= harmless(ran)),
            _ => false,
        })
        .filter_map(|struck| struck.at)
        .chain(
            plan.host_faults
                .iter()
                .filter_map(|host_fault| match host_fault {
                    HostFault::CrashSpeaker { at, .. } | HostFault::CrashPeer { at, .. } => {
                        Some(*at)
                    }
                    HostFault::Peer { .. } | HostFault::Program { .. } => None,
                }),
        )
        .min();
    let end = ran.observed.ended.iter().find(|end| {
        !end.meant
            && !baseline.causes.contains(&end.cause)
            && first_harm.is_none_or(|harm| end.at < harm)
    })?;
    Some(format!(
        "{} ended at {:.6} s in {}, and nothing in the plan made it: {}",
        end.connection,
        end.at.as_secs_f64(),
        end.state,
        end.cause
    ))
}

fn answers(plan: &Plan, ran: &FinishedRun, baseline: &Baseline) -> Option<String> {
    // Where the speaker is told to end, who was heard before that is a matter of time.
    if baseline.tables.is_empty() {
        return None;
    }
    for (program, open) in &ran.observed.unanswered {
        let usual = baseline.unanswered.get(program).copied().unwrap_or(0);
        if *open > usual {
            return Some(format!(
                "process {program} has no answer to {} command(s)",
                open - usual
            ));
        }
    }
    // A program that is cut off, or started again, is answered as far as it came.
    if crashes(plan) || program_may_end(plan) {
        return None;
    }
    let empty = Vec::new();
    baseline.answers.iter().find_map(|(program, expected)| {
        let found = ran.observed.answers.get(program).unwrap_or(&empty);
        if is_benign(plan, ran) && found != expected {
            return Some(format!(
                "process {program} was answered {found:?}, not {expected:?}"
            ));
        }
        // A program that is not answered everything may not be answered its flood either.
        let flood = flood(plan, program);
        let usual = baseline.unanswered.get(program).copied().unwrap_or(0);
        let due = expected.len() + flood;
        (found.len() != due && (flood == 0 || usual == 0)).then(|| {
            format!(
                "process {program} got {} answer(s) to {due} command(s)",
                found.len()
            )
        })
    })
}

/// Lines with which `program` floods the speaker.
fn flood(plan: &Plan, program: &str) -> usize {
    let first = plan
        .host_faults
        .iter()
        .find_map(|host_fault| match host_fault {
            HostFault::Program {
                name,
                how: ProgramFault::Floods(lines),
            } if name == program => Some(*lines),
            _ => None,
        });
    first.unwrap_or(0)
}

fn golden_divergence(golden: &Golden, ran: &FinishedRun) -> Option<String> {
    let mut run = Golden::of(&ran.played.transcripts);
    // Only connections that the golden has: a speaker that never gives up connects again.
    run.connections
        .retain(|key, _| golden.connections.contains_key(key));
    let divergence = golden.divergence(&run)?;
    Some(format!(
        "message {} of connection {} with {} is not the golden's",
        divergence.number, divergence.attempt, divergence.peer
    ))
}
