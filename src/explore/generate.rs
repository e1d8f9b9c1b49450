//! Generates a plan from a seed, swarm style: each seed enables some classes of faults and draws a few faults of those.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use crate::explore::plan::Plan;
use crate::explore::suggest;
use crate::guest::{Cost, Pace};
use crate::net::HostName;
use crate::scenario::format::host_fault::{HostFault, Partition, PeerBehaviour, ProgramFault};
use crate::sim::{Action, ConnectionName, Direction, Fault, Moment, Random, Seed};

macro_rules! classes {
    ($($variant:ident, $name:literal;)*) => {
        /// A class of faults, as `--faults` names it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Class {
            $(#[doc = concat!("`", $name, "`.")] $variant,)*
        }

        impl Class {
            /// Every class, in the order of the help.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its name in `--faults`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

classes! {
    Reset, "reset";
    Close, "close";
    Stall, "stall";
    Slow, "slow";
    Latency, "latency";
    Bandwidth, "bandwidth";
    Split, "split";
    Coalesce, "coalesce";
    Refuse, "refuse";
    Silence, "silence";
    Window, "window";
    CrashSpeaker, "crash-speaker";
    CrashPeer, "crash-peer";
    Program, "program";
    Skew, "skew";
    Order, "order";
    Collide, "collide";
    Deaf, "deaf";
    Loss, "loss";
    Partition, "partition";
    Pace, "pace";
    Stop, "stop";
    Reload, "reload";
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Class {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .iter()
            .copied()
            .find(|class| class.name() == text)
            .ok_or_else(|| {
                let known: Vec<&str> = Self::ALL.iter().map(|class| class.name()).collect();
                format!(
                    "unknown class of faults `{text}`; {}",
                    suggest::help(text, &known)
                )
            })
    }
}

/// What a run without faults looks like: where faults can trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The scenario's name.
    pub scenario: String,
    /// The hosts under test, where there are several.
    pub hosts: Vec<HostName>,
    /// The links between hosts.
    pub links: Vec<[HostName; 2]>,
    /// By connection, octets in each direction: sent, received.
    pub connections: Vec<(ConnectionName, u64, u64)>,
    /// By program, its number of steps.
    pub programs: Vec<(String, usize)>,
    /// Virtual time that the run took.
    pub elapsed: Duration,
    /// What is under test is real daemons alone.
    pub guests: bool,
    /// Each of them has a signal for reading its configuration again.
    pub reloads: bool,
}

impl Profile {
    /// Whether faults of `class` have something to act on.
    #[must_use]
    pub fn has_target(&self, class: Class) -> bool {
        match class {
            Class::Partition => !self.links.is_empty(),
            Class::Pace | Class::Stop => self.guests,
            Class::Reload => self.reloads,
            Class::Program => !self.programs.is_empty(),
            _ => true,
        }
    }
}

/// The plan of `seed`, with faults of the `allowed` classes.
#[must_use]
pub fn generate(profile: &Profile, seed: u64, allowed: &[Class]) -> Plan {
    let mut random = Seed(seed).stream("plan");
    let mut plan = Plan {
        seed,
        ..Plan::quiet(&profile.scenario)
    };
    // A class that is left out draws nothing: the plans of other scenarios stay as they are.
    let possible = |class: &Class| match class {
        Class::Partition | Class::Pace | Class::Stop | Class::Reload => profile.has_target(*class),
        _ => true,
    };
    let allowed: Vec<Class> = allowed.iter().copied().filter(possible).collect();
    let mut on: Vec<Class> = allowed
        .iter()
        .copied()
        .filter(|_| random.chance(1, 3))
        .collect();
    if on.is_empty() && !allowed.is_empty() {
        on.push(allowed[random.below(allowed.len() as u64) as usize]);
    }
    for class in on {
        let times = 1 + random.below(2);
        for _ in 0..times {
            draw(&mut plan, profile, class, &mut random);
        }
    }
    plan
}

fn draw(plan: &mut Plan, profile: &Profile, class: Class, random: &mut Random) {
    let micros = |random: &mut Random, most: u64| Duration::from_micros(random.below(most) + 1);
    match class {
        Class::Reset => {
            let action = if random.chance(1, 2) {
                Action::Reset
            } else {
                Action::ResetByPeer
            };
            add_fault(plan, profile, random, action);
        }
        Class::Close => {
            let action = if random.chance(1, 2) {
                Action::Close
            } else {
                Action::HalfClose
            };
            add_fault(plan, profile, random, action);
        }
        Class::Stall => {
            let time = Duration::from_millis(10 * (1 + random.below(500)));
            add_fault(plan, profile, random, Action::Stall(Some(time)));
        }
        Class::Slow => {
            let action = Action::Slow(10 + random.below(2_000));
            add_fault(plan, profile, random, action);
        }
        Class::Split => {
            let action = Action::Split(1 + random.below(40) as usize);
            add_fault(plan, profile, random, action);
        }
        Class::Coalesce => {
            let action = Action::Coalesce(1 + random.below(500) as usize, micros(random, 50_000));
            add_fault(plan, profile, random, action);
        }
        Class::Silence => {
            let time = Duration::from_secs(1 + random.below(300));
            add_fault(plan, profile, random, Action::Silence(Some(time)));
        }
        Class::Refuse => {
            let action = if random.chance(3, 4) {
                Action::Refuse
            } else {
                Action::Ignore
            };
            if let Some(mut fault) = somewhere(profile, random, action) {
                fault.moment = Moment::Opening;
                plan.faults.push(fault);
            }
        }
        Class::Latency => {
            plan.link.latency = micros(random, 50_000);
            plan.link.jitter = micros(random, 20_000);
        }
        Class::Bandwidth => plan.link.bandwidth = Some(200 + random.below(100_000)),
        Class::Loss if random.chance(1, 2) => {
            plan.link.loss = 1_000 * (1 + random.below(100) as u32)
        }
        Class::Loss => {
            let action = Action::Lose(1 + random.below(4));
            add_fault(plan, profile, random, action);
        }
        Class::Window => plan.window = Some(20 + random.below(2_000) as usize),
        Class::Skew => plan.skew = random.below(400_000) as i32 - 200_000,
        Class::Pace => pace(plan, random),
        Class::Stop => plan.host_faults.push(HostFault::StopSpeaker {
            host: some_host(profile, random),
            at: within(profile, random),
            time: Duration::from_millis(10 * (1 + random.below(3_000))),
        }),
        Class::Reload => plan.host_faults.push(HostFault::Reload {
            host: some_host(profile, random),
            at: within(profile, random),
        }),
        Class::Order => plan.drawn_order = true,
        Class::CrashSpeaker => plan.host_faults.push(HostFault::CrashSpeaker {
            host: some_host(profile, random),
            at: within(profile, random),
            down: micros(random, 3_000_000),
        }),
        Class::CrashPeer => {
            if let Some((ConnectionName { peer, .. }, ..)) = connection(profile, random) {
                let (at, down) = (within(profile, random), micros(random, 3_000_000));
                plan.host_faults
                    .push(HostFault::CrashPeer { peer, at, down });
            }
        }
        Class::Partition => {
            let ends = profile.links[random.below(profile.links.len() as u64) as usize];
            let at = within(profile, random);
            let time = Duration::from_millis(100 * (1 + random.below(3_000)));
            let partition = Partition { ends, at, time };
            plan.host_faults.push(HostFault::Partition(partition));
        }
        Class::Program => program(plan, profile, random),
        Class::Collide => behaviour(plan, profile, random, PeerBehaviour::Connects),
        // A peer that reads nothing would otherwise end the session long before the speaker does.
        Class::Deaf => {
            let stall = somewhere(profile, random, Action::Stall(None));
            if let Some(fault) = stall {
                plan.faults.push(Fault {
                    direction: Direction::Sent,
                    ..fault
                });
                let peer = fault.connection.peer;
                strange(plan, peer, PeerBehaviour::Patient);
            }
        }
    }
}

/// One of the hosts under test, where there are several.
fn some_host(profile: &Profile, random: &mut Random) -> Option<HostName> {
    match profile.hosts.len() as u64 {
        0 => None,
        hosts => Some(profile.hosts[random.below(hosts) as usize]),
    }
}

/// A machine that is slow, or now and then.
fn pace(plan: &mut Plan, random: &mut Random) {
    // Nanoseconds; each magnitude is as likely as the next.
    const CALLS: [i64; 6] = [5_000, 20_000, 50_000, 200_000, 500_000, 1_000_000];
    const POLLS: [i64; 6] = [
        200_000, 500_000, 2_000_000, 5_000_000, 10_000_000, 20_000_000,
    ];
    let one_of = |random: &mut Random, of: &[i64; 6]| of[random.below(6) as usize];
    let (call, poll) = (one_of(random, &CALLS), one_of(random, &POLLS));
    let uneven = random.chance(1, 2);
    let cost = |least: i64, most: i64| match uneven {
        true => Cost { least, most },
        false => Cost::constant(most),
    };
    let usual = Pace::default();
    if random.chance(1, 2) {
        plan.pace.call = cost(usual.call.least, call);
    } else {
        plan.pace.empty_poll = cost(usual.call.least, poll);
    }
}

fn behaviour(plan: &mut Plan, profile: &Profile, random: &mut Random, behaviour: PeerBehaviour) {
    if let Some((name, ..)) = connection(profile, random) {
        strange(plan, name.peer, behaviour);
    }
}

fn strange(plan: &mut Plan, peer: IpAddr, behaviour: PeerBehaviour) {
    let fault = HostFault::Peer { peer, behaviour };
    if !plan.host_faults.contains(&fault) {
        plan.host_faults.push(fault);
    }
}

fn program(plan: &mut Plan, profile: &Profile, random: &mut Random) {
    let count = profile.programs.len() as u64;
    if count == 0 {
        return;
    }
    let (name, steps) = &profile.programs[random.below(count) as usize];
    let how = match random.below(4) {
        0 => ProgramFault::Late(Duration::from_millis(random.below(3_000))),
        1 => ProgramFault::Slow(Duration::from_millis(1 + random.below(300))),
        2 => ProgramFault::Dies(1 + random.below((*steps).max(1) as u64) as usize),
        _ => ProgramFault::Floods(1 + random.below(3_000) as usize),
    };
    plan.host_faults.push(HostFault::Program {
        name: name.clone(),
        how,
    });
}

fn add_fault(plan: &mut Plan, profile: &Profile, random: &mut Random, action: Action) {
    plan.faults.extend(somewhere(profile, random, action));
}

/// A moment within a run, in whole microseconds so that the plan stays readable.
fn within(profile: &Profile, random: &mut Random) -> Duration {
    let micros = u64::try_from(profile.elapsed.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(random.below(micros.max(1)))
}

fn connection(profile: &Profile, random: &mut Random) -> Option<(ConnectionName, u64, u64)> {
    let count = profile.connections.len() as u64;
    (count > 0).then(|| profile.connections[random.below(count) as usize])
}

fn somewhere(profile: &Profile, random: &mut Random, action: Action) -> Option<Fault> {
    let (name, sent, received) = connection(profile, random)?;
    let direction = if random.chance(1, 2) {
        Direction::Sent
    } else {
        Direction::Received
    };
    let octets = if direction == Direction::Sent {
        sent
    } else {
        received
    };
    let moment = if random.chance(4, 5) {
        Moment::Byte(random.below(octets + 1))
    } else {
        Moment::Time(within(profile, random))
    };
    Some(Fault {
        connection: ConnectionName {
            // A later connection only exists where an earlier one was lost.
            attempt: name.attempt + u32::from(random.chance(1, 4)),
            ..name
        },
        direction,
        moment,
        action,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_class_has_the_nearest_and_all_of_them_beside_it() {
        let said = "stal".parse::<Class>().unwrap_err();
        let begins = "unknown class of faults `stal`; did you mean `stall`? write reset, close, ";
        assert!(said.starts_with(begins), "{said}");
        for class in Class::ALL {
            assert_eq!(class.name().parse(), Ok(*class));
            assert!(said.contains(class.name()), "{said}");
        }
    }
}
