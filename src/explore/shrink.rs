//! Reduces a failing plan: fewer lines, then smaller numbers, while it still fails the same oracle.

use std::time::Duration;

use crate::explore::plan::Plan;
use crate::guest::{Cost, Pace};
use crate::scenario::format::host_fault::{HostFault, Partition, ProgramFault};
use crate::sim::{Action, Fault, Link, Moment};

/// The result of shrinking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shrunk {
    /// The smallest plan found that still fails.
    pub plan: Plan,
    /// Plans tried.
    pub tried: usize,
    /// Plans tried that still failed.
    pub kept: usize,
}

/// Shrinks `plan`; `fails` says whether a candidate fails as it did. `report` is called with each candidate and whether
/// it failed.
pub fn shrink(
    plan: &Plan,
    mut fails: impl FnMut(&Plan) -> bool,
    mut report: impl FnMut(&Plan, bool),
) -> Shrunk {
    let mut shrunk = Shrunk {
        plan: plan.clone(),
        tried: 0,
        kept: 0,
    };
    loop {
        let before = shrunk.plan.clone();
        let mut at = 0;
        // Whatever is taken away shifts the rest to its place, so a success does not move on.
        while let Some(candidate) = candidates(&shrunk.plan).into_iter().nth(at) {
            shrunk.tried += 1;
            let failed = fails(&candidate);
            report(&candidate, failed);
            if failed {
                shrunk.kept += 1;
                shrunk.plan = candidate;
            } else {
                at += 1;
            }
        }
        for cost in COSTS {
            bisect_cost(&mut shrunk, cost, &mut fails, &mut report);
        }
        if shrunk.plan == before {
            return shrunk;
        }
    }
}

/// One of the costs of a pace.
type CostOf = fn(&mut Pace) -> &mut Cost;

/// Each cost of a pace.
const COSTS: [CostOf; 3] = [
    |pace| &mut pace.call,
    |pace| &mut pace.empty_poll,
    |pace| &mut pace.late_poll,
];

/// How near to the boundary a cost is brought, in parts of itself.
const PRECISION: i64 = 50;

/// Brings the most that `cost` is towards its usual value, at which the plan does not fail, until it fails from there on
/// and not from a fiftieth nearer.
fn bisect_cost(
    shrunk: &mut Shrunk,
    cost: CostOf,
    fails: &mut impl FnMut(&Plan) -> bool,
    report: &mut impl FnMut(&Plan, bool),
) {
    let failing = *cost(&mut shrunk.plan.pace);
    let (mut passes, mut most) = (cost(&mut Pace::default()).most, failing.most);
    // A drawn cost may not be below the least of its range.
    if failing.is_drawn() {
        passes = passes.max(failing.least);
    }
    while most.abs_diff(passes) > (most / PRECISION).max(1).unsigned_abs() {
        let middle = readable(passes, most);
        let mut candidate = shrunk.plan.clone();
        *cost(&mut candidate.pace) = if failing.is_drawn() {
            Cost {
                most: middle,
                ..failing
            }
        } else {
            Cost::constant(middle)
        };
        shrunk.tried += 1;
        let failed = fails(&candidate);
        report(&candidate, failed);
        if failed {
            shrunk.kept += 1;
            shrunk.plan = candidate;
            most = middle;
        } else {
            passes = middle;
        }
    }
}

/// The middle between two different numbers, with as few digits as leave it strictly between them.
fn readable(one: i64, other: i64) -> i64 {
    let (least, most) = (one.min(other), one.max(other));
    let middle = least + (most - least) / 2;
    let mut unit = 1;
    let mut found = middle;
    while let Some(coarser) = i64::checked_mul(unit, 10) {
        let rounded = middle / coarser * coarser;
        // Within the middle half, so that each step still halves what is left, nearly.
        if rounded <= least || middle - rounded > (most - least) / 4 {
            break;
        }
        (unit, found) = (coarser, rounded);
    }
    found
}

/// Every plan that is one step smaller: lines first, then settings, then numbers.
fn candidates(plan: &Plan) -> Vec<Plan> {
    let mut all = Vec::new();
    let mut push = |change: &dyn Fn(&mut Plan)| {
        let mut candidate = plan.clone();
        change(&mut candidate);
        if candidate != *plan {
            all.push(candidate);
        }
    };
    if plan.faults.len() > 2 {
        let half = plan.faults.len() / 2;
        push(&|plan| plan.faults.truncate(half));
        push(&|plan| {
            plan.faults.drain(..half);
        });
    }
    for at in 0..plan.faults.len() {
        push(&|plan| {
            plan.faults.remove(at);
        });
    }
    for at in 0..plan.host_faults.len() {
        push(&|plan| drop(plan.host_faults.remove(at)));
    }
    for at in 0..plan.defects.len() {
        push(&|plan| {
            plan.defects.remove(at);
        });
    }
    let usual = Plan::quiet("");
    push(&|plan| plan.link = usual.link);
    push(&|plan| {
        plan.link = Link {
            jitter: Duration::ZERO,
            ..plan.link
        }
    });
    push(&|plan| {
        plan.link = Link {
            bandwidth: None,
            ..plan.link
        }
    });
    push(&|plan| plan.link.loss = 0);
    for at in 0..plan.tcp.len() {
        push(&|plan| {
            plan.tcp.remove(at);
        });
    }
    push(&|plan| plan.window = None);
    push(&|plan| plan.skew = 0);
    push(&|plan| plan.drawn_order = false);
    for cost in COSTS {
        push(&|plan| *cost(&mut plan.pace) = *cost(&mut Pace::default()));
    }
    for cost in COSTS {
        push(&|plan| {
            let cost = cost(&mut plan.pace);
            *cost = Cost::constant(cost.most);
        });
    }
    push(&|plan| plan.watch = usual.watch);
    push(&|plan| plan.seed = 0);
    for at in 0..plan.faults.len() {
        for fault in smaller_faults(&plan.faults[at]) {
            push(&|plan| plan.faults[at] = fault);
        }
    }
    for at in 0..plan.host_faults.len() {
        for host_fault in smaller_host_faults(&plan.host_faults[at]) {
            push(&|plan| plan.host_faults[at] = host_fault.clone());
        }
    }
    for latency in smaller_times(plan.link.latency) {
        push(&|plan| plan.link.latency = latency.max(usual.link.latency));
    }
    all
}

/// Smaller numbers to try: zero, half, one less.
fn smaller(number: u64, least: u64) -> Vec<u64> {
    let mut all = vec![least, number / 2, number.saturating_sub(1)];
    all.retain(|candidate| *candidate >= least && *candidate < number);
    all.dedup();
    all
}

/// Shorter durations to try: zero, whole seconds, whole milliseconds, half.
fn smaller_times(time: Duration) -> Vec<Duration> {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let mut all = vec![
        0,
        micros / 1_000_000 * 1_000_000,
        micros / 1_000 * 1_000,
        micros / 2,
    ];
    all.retain(|candidate| *candidate < micros);
    all.dedup();
    all.into_iter().map(Duration::from_micros).collect()
}

fn smaller_faults(fault: &Fault) -> Vec<Fault> {
    let mut all = Vec::new();
    if fault.connection.attempt > 1 {
        let mut first = *fault;
        first.connection.attempt = 1;
        all.push(first);
    }
    let moments: Vec<Moment> = match fault.moment {
        Moment::Opening => Vec::new(),
        Moment::Byte(byte) => smaller(byte, 0).into_iter().map(Moment::Byte).collect(),
        Moment::Time(time) => smaller_times(time).into_iter().map(Moment::Time).collect(),
    };
    all.extend(moments.into_iter().map(|moment| Fault { moment, ..*fault }));
    let actions: Vec<Action> = match fault.action {
        Action::Stall(Some(time)) => smaller_times(time)
            .into_iter()
            .map(|time| Action::Stall(Some(time)))
            .collect(),
        Action::Silence(Some(time)) => smaller_times(time)
            .into_iter()
            .map(|time| Action::Silence(Some(time)))
            .collect(),
        Action::Delay(time) => smaller_times(time).into_iter().map(Action::Delay).collect(),
        Action::Lose(nth) => smaller(nth, 1).into_iter().map(Action::Lose).collect(),
        Action::HalfClose => vec![Action::Close],
        Action::ResetByPeer => vec![Action::Reset],
        _ => Vec::new(),
    };
    all.extend(actions.into_iter().map(|action| Fault { action, ..*fault }));
    all
}

fn smaller_host_faults(host_fault: &HostFault) -> Vec<HostFault> {
    match host_fault {
        HostFault::CrashSpeaker { host, at, down } => outages(*at, *down)
            .map(|(at, down)| HostFault::CrashSpeaker {
                host: *host,
                at,
                down,
            })
            .collect(),
        HostFault::StopSpeaker { host, at, time } => outages(*at, *time)
            .map(|(at, time)| HostFault::StopSpeaker {
                host: *host,
                at,
                time,
            })
            .collect(),
        HostFault::Reload { host, at } => smaller_times(*at)
            .into_iter()
            .map(|at| HostFault::Reload { host: *host, at })
            .collect(),
        HostFault::CrashPeer { peer, at, down } => outages(*at, *down)
            .map(|(at, down)| HostFault::CrashPeer {
                peer: *peer,
                at,
                down,
            })
            .collect(),
        HostFault::Partition(partition) => outages(partition.at, partition.time)
            .map(|(at, time)| {
                HostFault::Partition(Partition {
                    at,
                    time,
                    ..*partition
                })
            })
            .collect(),
        HostFault::Peer { .. } => Vec::new(),
        HostFault::Program { name, how } => program_faults(*how)
            .into_iter()
            .map(|how| HostFault::Program {
                name: name.clone(),
                how,
            })
            .collect(),
    }
}

fn outages(at: Duration, down: Duration) -> impl Iterator<Item = (Duration, Duration)> {
    let earlier = smaller_times(at).into_iter().map(move |at| (at, down));
    let shorter = smaller_times(down).into_iter().map(move |down| (at, down));
    earlier.chain(shorter)
}

fn program_faults(how: ProgramFault) -> Vec<ProgramFault> {
    match how {
        ProgramFault::Late(by) => smaller_times(by)
            .into_iter()
            .map(ProgramFault::Late)
            .collect(),
        ProgramFault::Slow(by) => smaller_times(by)
            .into_iter()
            .map(ProgramFault::Slow)
            .collect(),
        ProgramFault::Dies(step) => smaller(step as u64, 1)
            .into_iter()
            .map(|step| ProgramFault::Dies(step as usize))
            .collect(),
        ProgramFault::Floods(lines) => smaller(lines as u64, 0)
            .into_iter()
            .map(|lines| ProgramFault::Floods(lines as usize))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::parse::parse;

    #[test]
    fn a_plan_shrinks_to_the_line_and_the_numbers_that_matter() {
        let plan = parse(
            "scenario api-rr\nseed 77\nlatency 312us\njitter 9ms\n\
             fault 127.0.0.1#1 sent byte 3: stall 2.5s\n\
             fault 127.0.0.1#1 received byte 117: reset\n\
             fault 127.0.0.1#2 received byte 5: split 3\n\
             crash peer 127.0.0.1 at 1500ms for 20ms\n",
        )
        .unwrap();
        let fails = |plan: &Plan| {
            plan.faults.iter().any(|fault| {
                fault.action == Action::Reset
                    && matches!(fault.moment, Moment::Byte(byte) if byte >= 48)
            })
        };
        let shrunk = shrink(&plan, fails, |_, _| ());
        assert_eq!(
            shrunk.plan.to_string(),
            "scenario api-rr\nseed 0\nfault 127.0.0.1#1 received byte 48: reset\n"
        );
    }

    #[test]
    fn a_pace_shrinks_to_the_boundary_from_which_it_fails() {
        let plan = parse("scenario x\nseed 3\npace call 7ms\npace empty-poll 1us..40ms\n").unwrap();
        let slow = |plan: &Plan| plan.pace.call.most >= 2_600_000;
        let shrunk = shrink(&plan, slow, |_, _| ());
        let call = shrunk.plan.pace.call;
        assert!((2_600_000..2_660_000).contains(&call.most), "{call}");
        assert_eq!(shrunk.plan.pace.empty_poll, Pace::default().empty_poll);
        assert!(shrunk.tried < 40, "{} tries", shrunk.tried);
        // What only a drawn cost shows stays drawn, in a shorter range.
        let uneven = |plan: &Plan| {
            let cost = plan.pace.empty_poll;
            cost.is_drawn() && cost.most >= 9_000_000
        };
        let shrunk = shrink(&plan, uneven, |_, _| ());
        let cost = shrunk.plan.pace.empty_poll;
        assert_eq!(cost.least, 1_000);
        assert!((9_000_000..9_200_000).contains(&cost.most), "{cost}");
        // One that is too quick is brought up to the boundary.
        let plan = parse("scenario x\nseed 0\npace empty-poll 1us\n").unwrap();
        let quick = |plan: &Plan| plan.pace.empty_poll.most <= 30_000;
        let cost = shrink(&plan, quick, |_, _| ()).plan.pace.empty_poll;
        assert!((29_000..=30_000).contains(&cost.most), "{cost}");
    }

    #[test]
    fn a_defect_that_the_failure_does_not_need_is_left_out() {
        let plan = parse(
            "scenario api-rr\nseed 0\ndefect early-answer\ndefect cancelled-read\ndefect no-rate-limit\n",
        )
        .unwrap();
        assert_eq!(plan.defects.len(), 3);
        let needed = plan.defects[1];
        let shrunk = shrink(&plan, |plan| plan.defects.contains(&needed), |_, _| ());
        assert_eq!(shrunk.plan.defects, [needed]);
    }
}
