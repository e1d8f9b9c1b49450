//! What the page's script draws: scenarios, lanes, messages, and bodies that equal messages share.

use serde_json::{Value, json};

use super::rows::{self, Lane, Message};
use crate::bgp::attribute::WireContext;
use crate::bgp::collections::Map;
use crate::bgp::dissect;
use crate::bgp::iana::MessageType;
use crate::report::summary::summary;
use crate::report::terminal::{explanation, time};
use crate::scenario::suite::{Case, Report};
use crate::scenario::table::agreed;

/// Equal messages have one body: their octets and fields.
#[derive(Default)]
pub(super) struct Bodies {
    /// By octets and by how they are read.
    numbers: Map<(Vec<u8>, String), usize>,
    pub bodies: Vec<Value>,
}

impl Bodies {
    pub fn number(&mut self, context: &WireContext, bytes: &[u8]) -> usize {
        let key = (bytes.to_vec(), format!("{context:?}"));
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        let tree = dissect::message(context, bytes);
        let mut fields = Vec::new();
        flatten(&tree, 0, &mut fields);
        self.bodies.push(json!({ "x": hex(bytes), "f": fields }));
        self.numbers.insert(key, self.bodies.len() - 1);
        self.bodies.len() - 1
    }
}

fn flatten(node: &dissect::Node, depth: usize, fields: &mut Vec<Value>) {
    let (start, end) = (node.range.start, node.range.end);
    fields.push(json!([
        depth,
        start,
        end,
        node.name,
        node.source,
        node.value
    ]));
    for child in &node.children {
        flatten(child, depth + 1, fields);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The data of a run of the suite.
pub(super) fn of_suite(cases: &[Case], reports: &[Report]) -> Value {
    let mut bodies = Bodies::default();
    let scenarios: Vec<Value> = cases
        .iter()
        .map(|case| {
            let of_case = reports
                .iter()
                .filter(|report| report.scenario == case.scenario.name);
            scenario(case, &of_case.collect::<Vec<_>>(), &mut bodies)
        })
        .collect();
    json!({
        "made": concat!("lockstep ", env!("CARGO_PKG_VERSION")),
        "scenarios": scenarios,
        "bodies": bodies.bodies,
    })
}

fn scenario(case: &Case, reports: &[&Report], bodies: &mut Bodies) -> Value {
    let mut lanes = vec![Lane::of_golden(&case.golden)];
    lanes.extend(reports.iter().map(|report| Lane::of_run(report)));
    let rows = rows::align(&lanes);
    let notes: Vec<Value> = reports
        .iter()
        .enumerate()
        .filter(|(_, report)| !report.passed())
        .map(|(at, report)| {
            let divergence = report.verdict.faults.divergence.as_ref();
            let row = divergence.and_then(|divergence| {
                let place = (divergence.peer, divergence.attempt, divergence.number - 1);
                rows.iter().position(|row| row.anchor == Some(place))
            });
            let lane = if divergence.is_some_and(|d| d.found.is_some()) {
                at + 1
            } else {
                0
            };
            json!({
                "text": explanation(report),
                "again": report.command(),
                "row": row.map_or(-1, |row| row as i64),
                "lane": lane,
            })
        })
        .collect();
    let facts = |lane: usize| match lane.checked_sub(1).map(|at| reports[at]) {
        None => format!("{} message(s) of the reference", case.golden.messages()),
        Some(report) => format!(
            "{} message(s), {} virtual, {} wall, trace {}",
            report.verdict.messages,
            time(report.verdict.elapsed),
            time(report.wall),
            report
                .played
                .hash
                .map_or_else(|| "not kept".into(), |hash| format!("{hash:016x}")),
        ),
    };
    let lane_values: Vec<Value> = lanes
        .iter()
        .enumerate()
        .map(|(at, lane)| {
            let verdict = at.checked_sub(1).map(|at| if reports[at].passed() { "passed" } else { "failed" });
            json!({
                "label": lane.label,
                "caption": lane.caption,
                "verdict": verdict,
                "facts": facts(at),
                "messages": lane.messages.iter().map(|one| message(one, bodies)).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "name": case.scenario.name,
        "about": case.scenario.about,
        "why": case.scenario.why,
        "lanes": lane_values,
        "rows": rows.iter().map(|row| json!({ "m": row.messages, "x": row.differs })).collect::<Vec<_>>(),
        "notes": notes,
    })
}

fn message(message: &Message, bodies: &mut Bodies) -> Value {
    let context = message.open.as_deref().map(agreed).unwrap_or_default();
    let kind = MessageType(message.bytes.get(18).copied().unwrap_or_default());
    json!({
        "t": message.at.map(|at| u64::try_from(at.as_micros()).unwrap_or(u64::MAX)),
        "c": format!("{}#{}", message.connection.0, message.connection.1),
        "d": u8::from(!message.from_speaker),
        "k": kind.to_string().to_uppercase(),
        "s": summary(&context, &message.bytes),
        "b": bodies.number(&context, &message.bytes),
    })
}
