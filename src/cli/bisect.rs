//! `lockstep bisect`: where two subjects differ under one plan.

use std::fmt::Write as _;

use clap::Args;

use super::Status;
use super::output::say;
use super::plan_file::PlanFile;
use super::subject::check_speaker;
use super::values::named_defect;
use crate::bgp::hex;
use crate::explore::bisect::{Bisection, FirstDifference};
use crate::reactor::defects::Defect;
use crate::scenario::scripted::transcript::Passed;
use crate::sim::Record;
use crate::subject::Variant;

/// The plan, and the two subjects to compare.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    file: PlanFile,
    /// The two subjects to compare (`sync`, `async`, `exabgp=5.0.13`; default: both reactors).
    #[arg(value_names = ["A", "B"], num_args = 2)]
    subjects: Vec<Variant>,
    /// Enable historical defects (comma-separated).
    #[arg(long, value_delimiter = ',', value_parser = named_defect, value_name = "NAME")]
    defect: Vec<Defect>,
}

/// Bisects.
///
/// # Errors
/// Bad input; a run that panics or does not end.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    let variants: [Variant; 2] = match arguments.subjects.as_slice() {
        [one, other] => [one.clone(), other.clone()],
        _ => Variant::both(),
    };
    for variant in &variants {
        check_speaker(&variant.speaker)?;
    }
    let (mut text, trier) = arguments.file.load(&variants)?;
    text.plan.defects.extend(&arguments.defect);
    let plan = &text.plan;
    let bisection = Bisection::of(&trier, plan, &variants).map_err(|error| text.explain(error))?;
    for (what, difference) in [
        ("in time", &bisection.time),
        ("in bytes", &bisection.octets),
    ] {
        match difference {
            Some(_) if what == "in bytes" && *difference == bisection.time => {
                say!("first difference in bytes: the same message");
            }
            None => say!("{what}: no difference"),
            Some(difference) => {
                let pending = Bisection::pending(&trier, plan, &variants, difference.at());
                say!(
                    "{}",
                    describe(what, &variants, difference, &bisection, &pending).trim_end()
                );
            }
        }
    }
    Ok(if bisection.octets.is_some() {
        Status::Failed
    } else {
        Status::Passed
    })
}

fn describe(
    what: &str,
    variants: &[Variant; 2],
    difference: &FirstDifference,
    bisection: &Bisection,
    pending: &[Vec<String>; 2],
) -> String {
    let who = if difference.from_speaker {
        "speaker"
    } else {
        "peer"
    };
    let mut text = format!(
        "first difference {what}: message {} of the {who} on {}\n",
        difference.number, difference.connection
    );
    let mut line = |label: &str, passed: Option<&Passed>| {
        let shown = passed.map_or_else(|| "nothing".to_owned(), message);
        let _ = writeln!(text, "  {label:18} {shown}");
    };
    line("last in common", difference.before.as_ref());
    line(&variants[0].to_string(), difference.passed[0].as_ref());
    line(&variants[1].to_string(), difference.passed[1].as_ref());
    let around = bisection.around(difference.at());
    for (variant, ((last, next), pending)) in variants.iter().zip(around.iter().zip(pending)) {
        let _ = writeln!(text, "  {variant}, before that instant:");
        records(&mut text, last);
        let _ = writeln!(text, "  {variant}, pending then:");
        for sentence in pending {
            let _ = writeln!(text, "    {sentence}");
        }
        if pending.is_empty() {
            let _ = writeln!(text, "    nothing");
        }
        let _ = writeln!(text, "  {variant}, done next:");
        records(&mut text, next);
    }
    text
}

fn records(text: &mut String, records: &[Record]) {
    for record in records {
        let _ = writeln!(text, "    {record}");
    }
}

fn message(passed: &Passed) -> String {
    // The marker carries no information.
    let body = passed.bytes.get(16..).unwrap_or_default();
    format!("{:.6} s {}", passed.at.as_secs_f64(), hex::text(body))
}
