//! Whether a plan can be carried out at all in its scenario: connections, peers and programs that exist, faults that
//! the simulated network can cause, an end within the time that a run may take.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use crate::explore::outcome::PlanMistake;
use crate::explore::plan::Plan;
use crate::explore::plan_lines::PlanLine;
use crate::explore::suggest;
use crate::guest::Pace;
use crate::net::ConnectionName;
use crate::scenario::format::host_fault::{HostFault, ProgramFault, Time};
use crate::scenario::format::script::Scenario;
use crate::sim::{Faults, SimConnection};

/// The longest that the faults of a plan and the watch after them may last, in virtual time; a run is stopped after a
/// day.
const LONGEST: Duration = Duration::from_secs(12 * 3_600);

/// Checks that `scenario` and the simulated network can carry out `plan`; the speaker may have `neighbors` that no peer
/// of the scenario plays.
///
/// # Errors
/// The first line that cannot be carried out.
pub fn check(
    plan: &Plan,
    scenario: &Scenario,
    neighbors: &BTreeSet<IpAddr>,
) -> Result<(), PlanMistake> {
    for (index, fault) in plan.faults.iter().enumerate() {
        let line = PlanLine::Fault(index);
        only_host(line, fault.connection)?;
        if !neighbors.contains(&fault.connection.peer) {
            known_peer(line, fault.connection.peer, scenario)?;
        }
        Faults::new(std::slice::from_ref(fault))
            .check::<SimConnection>()
            .map_err(|unsupported| PlanMistake {
                line,
                word: None,
                message: format!("fault `{fault}` is not supported"),
                help: unsupported.reason.to_owned(),
            })?;
    }
    for (index, fault) in plan.host_faults.iter().enumerate() {
        let line = PlanLine::HostFault(index);
        match fault {
            HostFault::CrashSpeaker { .. } => {}
            HostFault::CrashPeer { peer, .. } | HostFault::Peer { peer, .. } => {
                known_peer(line, *peer, scenario)?;
            }
            HostFault::Program { name, how } => known_program(line, name, *how, scenario)?,
        }
    }
    if plan.pace != Pace::default() && plan.variants().iter().any(|it| it.speaker.is_own()) {
        return Err(PlanMistake {
            line: PlanLine::Pace,
            word: None,
            message: "our own speaker makes no system calls in a simulated world".to_owned(),
            help: "add a line such as `speaker exabgp`, or remove this one".to_owned(),
        });
    }
    ends(plan)
}

/// A scenario has one host under test, whose name is left out.
fn only_host(line: PlanLine, name: ConnectionName) -> Result<(), PlanMistake> {
    let Some(host) = name.host else {
        return Ok(());
    };
    let without = ConnectionName { host: None, ..name };
    Err(PlanMistake {
        line,
        word: Some(name.to_string()),
        message: format!("the scenario has one host under test, and none is called `{host}`"),
        help: format!("write {without}"),
    })
}

fn known_peer(line: PlanLine, peer: IpAddr, scenario: &Scenario) -> Result<(), PlanMistake> {
    let known = || scenario.peers.iter().map(|script| script.address);
    if known().any(|address| address == peer) {
        return Ok(());
    }
    let addresses: Vec<String> = known().map(|address| address.to_string()).collect();
    let forms: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let peer = peer.to_string();
    Err(PlanMistake {
        line,
        message: format!("scenario `{}` has no peer {peer}", scenario.name),
        help: suggest::help(&peer, &forms),
        word: Some(peer),
    })
}

fn known_program(
    line: PlanLine,
    name: &str,
    how: ProgramFault,
    scenario: &Scenario,
) -> Result<(), PlanMistake> {
    let mut programs = scenario.programs.iter();
    let Some(program) = programs.find(|program| program.name == name) else {
        let known: Vec<&str> = scenario
            .programs
            .iter()
            .map(|it| it.name.as_str())
            .collect();
        return Err(PlanMistake {
            line,
            word: Some(name.to_owned()),
            message: format!("scenario `{}` has no process `{name}`", scenario.name),
            help: match known.as_slice() {
                [] => "remove the line: this scenario starts no process".to_owned(),
                known => suggest::help(name, known),
            },
        });
    };
    let steps = program.steps.len().max(1);
    match how {
        ProgramFault::Dies(step) if step > steps => Err(PlanMistake {
            line,
            word: Some(step.to_string()),
            message: format!(
                "process `{name}` has {steps} step(s), so it cannot die before step {step}"
            ),
            help: format!("write a number from 1 to {steps}"),
        }),
        _ => Ok(()),
    }
}

fn ends(plan: &Plan) -> Result<(), PlanMistake> {
    let last = plan.last_timed_fault();
    if last.saturating_add(plan.watch) <= LONGEST {
        return Ok(());
    }
    let lasts = |only: Plan| only.last_timed_fault();
    let quiet = || Plan::quiet("");
    let faults = plan.faults.iter().enumerate().map(|(index, fault)| {
        let faults = vec![*fault];
        (lasts(Plan { faults, ..quiet() }), PlanLine::Fault(index))
    });
    let host_faults = plan.host_faults.iter().enumerate().map(|(index, fault)| {
        let host_faults = vec![fault.clone()];
        let line = PlanLine::HostFault(index);
        (
            lasts(Plan {
                host_faults,
                ..quiet()
            }),
            line,
        )
    });
    let watch = std::iter::once((plan.watch, PlanLine::Watch));
    let longest = faults
        .chain(host_faults)
        .chain(watch)
        .max_by_key(|(time, _)| *time);
    Err(PlanMistake {
        line: longest.map_or(PlanLine::Watch, |(_, line)| line),
        word: None,
        message: format!(
            "faults and watch last {} in all, longer than a run may take",
            Time(last.saturating_add(plan.watch))
        ),
        help: format!(
            "keep the sum of all times of the plan within {}",
            Time(LONGEST)
        ),
    })
}
