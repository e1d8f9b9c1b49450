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
use crate::net::{ConnectionName, HostName};
use crate::scenario::format::host_fault::{HostFault, Partition, ProgramFault, Time};
use crate::scenario::format::script::Scenario;
use crate::scenario::format::topology::linked;
use crate::sim::{Faults, SimConnection, TcpChange, TcpSettings};

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
        host_of(line, fault.connection, scenario)?;
        if !neighbors.contains(&fault.connection.peer) {
            let of_speakers = addresses_under_test(fault.connection.host, scenario);
            known_peer(line, fault.connection.peer, &of_speakers, scenario)?;
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
            HostFault::CrashSpeaker { host, .. } => {
                crashed(line, ["crash", "at"], *host, scenario)?
            }
            HostFault::StopSpeaker { host, .. } | HostFault::Reload { host, .. } => {
                let form = match fault {
                    HostFault::Reload { .. } => ["signal", "reload at"],
                    _ => ["stop", "at"],
                };
                crashed(line, form, *host, scenario)?;
                of_guest(line, plan)?;
            }
            HostFault::Partition(partition) => cut(line, *partition, scenario)?,
            HostFault::CrashPeer { peer, .. } | HostFault::Peer { peer, .. } => {
                known_peer(line, *peer, &[], scenario)?;
            }
            HostFault::Program { name, how } => known_program(line, name, *how, scenario)?,
        }
    }
    for (index, change) in plan.tcp.iter().enumerate() {
        let line = PlanLine::Tcp(index);
        if let Some(host) = change.host {
            known_host(line, host, scenario)?;
        }
        fits(line, *change, plan, scenario)?;
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

/// A connection is of one of the hosts under test; where there is one, its name is left out.
fn host_of(line: PlanLine, name: ConnectionName, scenario: &Scenario) -> Result<(), PlanMistake> {
    let hosts = under_test(scenario);
    let mistake = |message: String, help: String| PlanMistake {
        line,
        word: Some(name.to_string()),
        message,
        help,
    };
    match (name.host, hosts.as_slice()) {
        (None, []) => Ok(()),
        (Some(host), []) => {
            let without = ConnectionName { host: None, ..name };
            Err(mistake(
                format!("the scenario has one host under test, and none is called `{host}`"),
                format!("write {without}"),
            ))
        }
        (None, [first, ..]) => {
            let names: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
            Err(mistake(
                format!(
                    "{name} does not say of which host it is: {} are under test",
                    names.join(" and ")
                ),
                format!("write, for example, {first}/{name}"),
            ))
        }
        (Some(host), _) if hosts.contains(&host) => Ok(()),
        (Some(host), _) => {
            let names: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
            Err(mistake(
                format!("no host under test is called `{host}`"),
                suggest::help(host.as_str(), &names),
            ))
        }
    }
}

/// The names of the hosts under test, where there are several.
fn under_test(scenario: &Scenario) -> Vec<HostName> {
    let speakers = scenario.speakers.iter();
    speakers
        .filter_map(|speaker| scenario.label(speaker))
        .collect()
}

/// Only a real daemon has processes and takes signals in a simulated world.
fn of_guest(line: PlanLine, plan: &Plan) -> Result<(), PlanMistake> {
    if plan.variants().iter().all(|it| !it.speaker.is_own()) {
        return Ok(());
    }
    Err(PlanMistake {
        line,
        word: None,
        message: "our own speaker is no process of its own in a simulated world".to_owned(),
        help: "add a line such as `speaker bird`, or write `crash speaker at … for …` in its place"
            .to_owned(),
    })
}

/// The host whose speaker crashes, or what else `directive` has happen to it.
fn crashed(
    line: PlanLine,
    [directive, when]: [&str; 2],
    host: Option<HostName>,
    scenario: &Scenario,
) -> Result<(), PlanMistake> {
    let hosts: Vec<&str> = scenario
        .speakers
        .iter()
        .map(|it| it.host.as_str())
        .collect();
    let Some(host) = host else {
        if let [first, _, ..] = hosts.as_slice() {
            return Err(PlanMistake {
                line,
                word: Some("speaker".to_owned()),
                message: format!("{} have a speaker each", hosts.join(" and ")),
                help: format!("write, for example, `{directive} {first} {when} …`"),
            });
        }
        return Ok(());
    };
    if scenario.speaker(host).is_some() {
        return Ok(());
    }
    let mut peers = scenario.peers.iter();
    let (message, help) = match peers.find(|peer| peer.host == host) {
        Some(peer) if scenario.topology.is_declared => (
            format!("`{host}` has a peer, not a speaker"),
            format!("write `crash peer {} at …`", peer.address),
        ),
        _ => (
            format!("scenario `{}` has no host `{host}`", scenario.name),
            if scenario.topology.is_declared {
                suggest::help(host.as_str(), &hosts)
            } else {
                "write `speaker` or `peer ADDRESS`: the scenario declares no hosts".to_owned()
            },
        ),
    };
    Err(PlanMistake {
        line,
        word: Some(host.to_string()),
        message,
        help,
    })
}

fn known_host(line: PlanLine, host: HostName, scenario: &Scenario) -> Result<(), PlanMistake> {
    let hosts = scenario.topology.hosts.iter();
    let names: Vec<&str> = hosts.map(|it| it.name.as_str()).collect();
    if names.contains(&host.as_str()) {
        return Ok(());
    }
    Err(PlanMistake {
        line,
        word: Some(host.to_string()),
        message: format!("scenario `{}` has no host `{host}`", scenario.name),
        help: suggest::help(host.as_str(), &names),
    })
}

/// A setting of TCP goes together with those of the scenario.
fn fits(
    line: PlanLine,
    change: TcpChange,
    plan: &Plan,
    scenario: &Scenario,
) -> Result<(), PlanMistake> {
    let hosts = scenario.topology.hosts.iter().map(|host| host.name);
    for host in hosts.filter(|host| change.host.is_none_or(|of| of == *host)) {
        let changes = scenario.topology.tcp.iter().chain(&plan.tcp);
        let mut settings = TcpSettings::of_host(Some(host), changes);
        let bounds = settings.bounds(change.name).unwrap_or((0, u32::MAX));
        let value = settings.setting(change.name).map_or(change.value, |it| *it);
        let (least, most) = bounds;
        if !(least..=most).contains(&value) {
            return Err(PlanMistake {
                line,
                word: Some(change.value.to_string()),
                message: format!("`{}` of host `{host}` cannot be {value}", change.name),
                help: format!("write a whole number from {least} to {most}"),
            });
        }
    }
    Ok(())
}

/// A partition is between two hosts that have a link.
fn cut(line: PlanLine, partition: Partition, scenario: &Scenario) -> Result<(), PlanMistake> {
    let topology = &scenario.topology;
    let [one, other] = partition.ends;
    let mistake = |word: HostName, message: String, help: String| PlanMistake {
        line,
        word: Some(word.to_string()),
        message,
        help,
    };
    if !topology.is_declared {
        return Err(mistake(
            one,
            format!("scenario `{}` declares no hosts", scenario.name),
            "declare them in it: `host NAME ADDRESS` and `link A B`; or silence a connection: \
             `fault 127.0.0.1#1 sent time 2s: silence 10s`"
                .to_owned(),
        ));
    }
    let names: Vec<&str> = topology.hosts.iter().map(|it| it.name.as_str()).collect();
    for end in partition.ends {
        if topology.host(end).is_none() {
            return Err(mistake(
                end,
                format!("scenario `{}` has no host `{end}`", scenario.name),
                suggest::help(end.as_str(), &names),
            ));
        }
    }
    if one == other {
        let another = names.iter().find(|name| **name != one.as_str());
        return Err(mistake(
            one,
            format!("a partition is between two hosts, and `{one}` is one"),
            format!(
                "write, for example, `partition {one} {}`",
                another.unwrap_or(&"OTHER")
            ),
        ));
    }
    if topology.link(one, other).is_none() {
        return Err(mistake(
            other,
            format!("`{one}` and `{other}` have no link to cut"),
            linked(topology, one, other),
        ));
    }
    Ok(())
}

/// The addresses of the hosts under test other than `own`: they are peers of each other.
fn addresses_under_test(own: Option<HostName>, scenario: &Scenario) -> Vec<IpAddr> {
    let hosts = under_test(scenario).into_iter();
    hosts
        .filter(|host| Some(*host) != own)
        .filter_map(|host| scenario.topology.host(host))
        .flat_map(|host| host.addresses.iter().copied())
        .collect()
}

/// A peer is a scripted one, or one of `others`.
fn known_peer(
    line: PlanLine,
    peer: IpAddr,
    others: &[IpAddr],
    scenario: &Scenario,
) -> Result<(), PlanMistake> {
    let scripted = scenario.peers.iter().map(|script| script.address);
    let known = || scripted.clone().chain(others.iter().copied());
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
