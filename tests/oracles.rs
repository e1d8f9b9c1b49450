//! Verdicts from the wire against those from the speaker's own events: every scenario, both reactors, with defects and
//! without, each oracle fired often.

mod former;
mod former_verdict;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use lockstep::explore::baseline::Baseline;
use lockstep::explore::evidence::connection::WireConnection;
use lockstep::explore::finished_run::FinishedRun;
use lockstep::explore::generate::{Class, generate};
use lockstep::explore::oracle::{Failure, NotJudged, Oracle, judge};
use lockstep::explore::parse::parse;
use lockstep::explore::plan::Plan;
use lockstep::explore::trial::{Trial, Trier};
use lockstep::reactor::Mode;
use lockstep::reactor::defects::Defect;
use lockstep::scenario::format::script::Scenario;
use lockstep::scenario::format::{directory, parse as scenario};
use lockstep::scenario::golden::Golden;
use lockstep::scenario::golden::manifest::Manifest;
use lockstep::sim::Keep;
use lockstep::subject::Variant;

use former::Observed;
use former_verdict::{former, shortest};

/// The oracles that judged by the speaker's events and now judge by the wire.
const MOVED: [Oracle; 5] = [
    Oracle::Unforced,
    Oracle::Timers,
    Oracle::Collisions,
    Oracle::Notifications,
    Oracle::Rate,
];

/// How often each oracle must fire for the agreement to say something.
const OFTEN: usize = 50;

const SUITE: &str = "scenarios";
const CANARIES: &str = "scenarios/canaries";

/// A scenario to be run again and again, and how sessions end in it without faults.
struct Bench {
    trier: Trier,
    /// In sync, in async.
    causes: [BTreeSet<String>; 2],
}

/// What a test has come to.
#[derive(Default)]
struct Tally {
    fired: BTreeMap<Oracle, usize>,
    differences: Vec<String>,
}

const fn index(mode: Mode) -> usize {
    match mode {
        Mode::Sync => 0,
        Mode::Async => 1,
    }
}

impl Bench {
    fn new(scenario: Scenario) -> Self {
        let captures = root().join("captures");
        let manifest = Manifest::load(&captures).unwrap();
        let golden = Golden::load(&captures, &manifest, &scenario.name).ok();
        let mut bench = Self {
            trier: Trier::new(scenario, golden, &Variant::both()).unwrap(),
            causes: <[BTreeSet<String>; 2]>::default(),
        };
        let quiet = Plan::quiet(&bench.trier.scenario().name);
        for mode in Mode::ALL {
            let (_, ran) = bench
                .trier
                .try_variant(&quiet, &Variant::own(mode), Keep::All)
                .unwrap();
            let ran = ran.unwrap();
            let observed = Observed::of(&ran.records, 0, ran.played.elapsed);
            let causes = observed.ended.iter().map(|end| end.cause.clone());
            bench.causes[index(mode)] = causes.collect();
            assert_eq!(observed.reloaded, ran.reloads, "{} {mode}", quiet.scenario);
        }
        bench
    }

    /// Runs `plan` in each of `modes` and holds the verdicts against each other.
    fn compare(&self, plan: &Plan, modes: &[Mode], tally: &mut Tally) {
        let variants: Vec<Variant> = modes.iter().copied().map(Variant::own).collect();
        for (trial, ran) in self.trier.try_variants(plan, &variants, Keep::All).unwrap() {
            let failed: BTreeSet<Oracle> = trial.failures.iter().map(|it| it.oracle).collect();
            for oracle in failed {
                *tally.fired.entry(oracle).or_default() += 1;
            }
            if let Some(ran) = ran {
                let differences = self.differences(plan, &trial, &ran);
                let mode = &trial.variant;
                tally
                    .differences
                    .extend(differences.map(|text| format!("{text}, in {mode} of\n{plan}")));
            }
        }
    }

    fn differences(
        &self,
        plan: &Plan,
        trial: &Trial,
        ran: &FinishedRun,
    ) -> impl Iterator<Item = String> {
        let observed = Observed::of(&ran.records, plan.skew, ran.played.elapsed);
        let before = former(
            plan,
            ran,
            &observed,
            &self.causes[index(trial.variant.own_mode().unwrap())],
        );
        let mut differences = Vec::new();
        let holds = ran.wire.connections.iter().filter_map(WireConnection::hold);
        let holds = [shortest(holds), shortest(observed.holds.values().copied())];
        // An OPEN that never got out is none on the wire, and was one inside.
        let unsent = |it: &WireConnection| it.opened.is_some() && it.opens[0].is_none();
        if holds[0] != holds[1] && !ran.wire.connections.iter().any(unsent) {
            differences.push(format!("hold times {holds:?}"));
        }
        for oracle in MOVED {
            let mut failures = trial.failures.iter();
            let wire = failures.find(|failure| failure.oracle == oracle);
            let inside = before.get(&oracle);
            if wire.is_some() != inside.is_some() && !is_explained(plan, oracle, wire) {
                let wire = wire.map(|failure| &failure.text);
                differences.push(format!("{oracle}: {wire:?} on the wire, {inside:?} inside"));
            }
        }
        differences.into_iter()
    }
}

/// With `notification-lost` the speaker believes that it ended a session with a NOTIFICATION, and its events say so. None
/// is on the wire, where the session ends for no reason.
fn is_explained(plan: &Plan, oracle: Oracle, wire: Option<&Failure>) -> bool {
    oracle == Oracle::Unforced
        && plan.defects.contains(&Defect::NotificationLost)
        && wire.is_some_and(|it| {
            it.text
                .ends_with("closed the connection without a NOTIFICATION")
        })
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn load(directory: &str, name: &str) -> Scenario {
    scenario::load(&root().join(directory).join(name)).unwrap()
}

fn none_differ(tally: &Tally) {
    let count = tally.differences.len();
    let first = tally.differences.iter().take(10);
    let first: Vec<&str> = first.map(String::as_str).collect();
    assert!(count == 0, "{count} differences:\n{}", first.join("\n"));
}

/// Drawn plans of every class of faults: with defects off no oracle fires, and none did; with each defect in its turn they
/// fire or not as they did.
#[test]
fn wire_and_inside_agree_on_every_scenario() {
    let (mut sound, mut defective) = (Tally::default(), Tally::default());
    let mut defects = Defect::ALL.iter().cycle();
    for directory in [SUITE, CANARIES] {
        let all = directory::select(&root().join(directory), &[]).unwrap();
        assert!(!all.is_empty(), "{directory}");
        for scenario in all {
            let bench = Bench::new(scenario);
            for seed in 1..=2 {
                let mut plan = generate(bench.trier.profile(), seed, Class::ALL);
                bench.compare(&plan, &Mode::ALL, &mut sound);
                plan.defects.extend(defects.next());
                bench.compare(&plan, &Mode::ALL, &mut defective);
            }
        }
    }
    none_differ(&sound);
    none_differ(&defective);
    assert_eq!(sound.fired, BTreeMap::new());
    assert!(defective.fired.len() > 4, "{:?}", defective.fired);
}

/// Plans that make one oracle or several fire.
struct PlanSet {
    /// In `scenarios`, or in its canaries.
    directory: &'static str,
    scenario: &'static str,
    defect: Option<Defect>,
    modes: &'static [Mode],
    plans: Plans,
}

enum Plans {
    /// Seeds from 1 to this, drawn from these classes.
    Drawn(u64, &'static [Class]),
    /// Lines in which `N` is each of these numbers.
    Lines(&'static str, std::ops::RangeInclusive<u32>),
}

const BOTH: &[Mode] = &Mode::ALL;
const SYNC: &[Mode] = &[Mode::Sync];
const ASYNC: &[Mode] = &[Mode::Async];

/// A run that recovers within a bound cannot: each attempt takes 127 s to fail.
const UNANSWERED: &str = "latency Nms
fault 127.0.0.1#1 sent opening: ignore
fault 127.0.0.1#2 sent opening: ignore
fault 127.0.0.1#3 sent opening: ignore
fault 127.0.0.1#4 sent opening: ignore
fault 127.0.0.1#5 sent opening: ignore
fault 127.0.0.1#6 sent opening: ignore
fault 127.0.0.1#7 sent opening: ignore
fault 127.0.0.1#8 sent opening: ignore
fault 127.0.0.1#9 sent opening: ignore
";

fn plan_sets() -> Vec<PlanSet> {
    use Class::{Latency, Order, Stall};
    use Plans::{Drawn, Lines};
    let plan_set = |directory, scenario, defect, modes, plans| PlanSet {
        directory,
        scenario,
        defect,
        modes,
        plans,
    };
    vec![
        // Liveness.
        plan_set(SUITE, "api-announce", None, BOTH, Lines(UNANSWERED, 1..=26)),
        // Table, modes, prompt, answers, golden.
        plan_set(
            SUITE,
            "api-announce",
            Some(Defect::LostWakeup),
            BOTH,
            Drawn(52, &[Latency]),
        ),
        // Answers.
        plan_set(
            SUITE,
            "api-rr",
            Some(Defect::CommandsBeforePeers),
            SYNC,
            Drawn(10, &[Latency]),
        ),
        // Prompt.
        plan_set(
            SUITE,
            "api-rr",
            Some(Defect::SleepInRead),
            ASYNC,
            Drawn(10, &[Latency]),
        ),
        // Unforced, by a NOTIFICATION of the speaker.
        plan_set(
            SUITE,
            "conf-attributes",
            Some(Defect::CancelledRead),
            ASYNC,
            Drawn(20, &[Stall]),
        ),
        // Timers, and unforced, by a NOTIFICATION of the peer.
        plan_set(
            CANARIES,
            "api-flood",
            Some(Defect::KeepaliveStarved),
            BOTH,
            Drawn(26, &[Latency]),
        ),
        // Decodes.
        plan_set(
            SUITE,
            "conf-attributes",
            Some(Defect::HalfMessageResumed),
            BOTH,
            Lines(
                "window 30\nfault 127.0.0.1#1 sent byte N: reset\n",
                80..=110,
            ),
        ),
        plan_set(
            CANARIES,
            "collision",
            Some(Defect::CollisionToNone),
            BOTH,
            Drawn(26, &[Latency, Order]),
        ),
        plan_set(
            CANARIES,
            "notification-unread",
            Some(Defect::NotificationLost),
            BOTH,
            Lines("window N\n", 5..=35),
        ),
        // Panics.
        plan_set(
            SUITE,
            "api-rr",
            Some(Defect::CrashOnReset),
            BOTH,
            Lines("fault 127.0.0.1#1 sent byte N: reset\n", 60..=90),
        ),
        plan_set(
            CANARIES,
            "rate-limit",
            Some(Defect::NoRateLimit),
            ASYNC,
            Drawn(52, &[Latency]),
        ),
    ]
}

impl PlanSet {
    fn plans(&self, trier: &Trier) -> Vec<Plan> {
        let mut plans: Vec<Plan> = match &self.plans {
            Plans::Drawn(count, classes) => (1..=*count)
                .map(|seed| generate(trier.profile(), seed, classes))
                .collect(),
            Plans::Lines(lines, numbers) => numbers
                .clone()
                .map(|number| {
                    let lines = lines.replace('N', &number.to_string());
                    parse(&format!("scenario {}\n{lines}", self.scenario)).unwrap()
                })
                .collect(),
        };
        for plan in &mut plans {
            plan.defects.extend(self.defect);
        }
        plans
    }
}

/// A run that panics leaves no evidence: there are no other verdicts to compare.
#[test]
fn wire_and_inside_agree_where_each_oracle_fires_often() {
    let mut tally = Tally::default();
    for plan_set in plan_sets() {
        let bench = Bench::new(load(plan_set.directory, plan_set.scenario));
        for plan in plan_set.plans(&bench.trier) {
            bench.compare(&plan, plan_set.modes, &mut tally);
        }
    }
    none_differ(&tally);
    let seldom: Vec<_> = Oracle::ALL
        .iter()
        .map(|oracle| (*oracle, tally.fired.get(oracle).copied().unwrap_or(0)))
        .filter(|(_, fired)| *fired < OFTEN)
        .collect();
    assert_eq!(seldom, []);
}

#[test]
fn a_verdict_says_what_was_not_judged_and_why() {
    let trier = Trier::new(load(SUITE, "api-rr"), None, &Variant::both()).unwrap();
    let plan = parse("scenario api-rr\nfault 127.0.0.1#1 received byte 117: reset\n").unwrap();
    let (trial, ran) = trier
        .try_variant(&plan, &Variant::own(Mode::Sync), Keep::Hash)
        .unwrap();
    let told = |not_judged: &[NotJudged]| -> Vec<String> {
        let lines = not_judged.iter();
        lines
            .map(|it| format!("{}: {}", it.oracle, it.why))
            .collect()
    };
    insta::assert_snapshot!(told(&trial.not_judged).join("\n"), @r"
    unforced: sessions that ended from 0.007000 s on: a fault that may end one triggered then
    collisions: no two connections collided
    notifications: the plan has faults that may end a session or change what is sent
    rate: no neighbor has a rate limit
    golden: the plan has faults that may end a session or change what is sent
    modes: the plan ran with one subject only
    ");
    // Of a speaker that shows nothing but the wire, answers are not judged; all else is, as before.
    let mut ran = ran.unwrap();
    ran.inside = None;
    let baseline = Baseline::of(&ran);
    let verdict = judge(&plan, &ran, &baseline, None);
    assert_eq!(verdict.failures, []);
    let unseen = told(&verdict.not_judged);
    for oracle in ["answers", "prompt"] {
        let why = format!("{oracle}: the speaker's API cannot be seen from outside");
        assert!(unseen.contains(&why), "{unseen:?}");
    }
    let same = |it: &&String| !it.starts_with("answers") && !it.starts_with("prompt");
    let before = told(&trial.not_judged);
    let before: Vec<_> = before.iter().filter(same).collect();
    let after: Vec<_> = unseen.iter().filter(same).collect();
    assert_eq!(after, before[..before.len() - 1], "all but the modes");
}
