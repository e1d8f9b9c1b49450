//! Values of options that several subcommands have.

use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use miette::miette;

use crate::explore::suggest;
use crate::reactor::Mode;
use crate::reactor::defects::Defect;
use crate::scenario::format::values::parse_duration;

/// A whole number from 1.
pub(super) fn at_least_one() -> impl clap::builder::TypedValueParser<Value = usize> {
    use clap::builder::TypedValueParser as _;
    RangedU64ValueParser::<u64>::new()
        .range(1..)
        .try_map(usize::try_from)
}

/// `90s`, `10min`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| format!("`{text}` is not a duration: write 90s or 10min"))
}

/// The defect of that name.
pub(super) fn named_defect(text: &str) -> Result<Defect, String> {
    text.parse()
        .map_err(|_| format!("there is no defect `{text}`; {}", suggest::defect(text)))
}

/// Checks that each of `defects` exists in at least one of `modes`.
pub(super) fn check_effect(defects: &[Defect], modes: &[Mode]) -> miette::Result<()> {
    let absent = |defect: &&Defect| !modes.iter().any(|mode| defect.modes().contains(mode));
    match (defects.iter().find(absent), modes) {
        (Some(defect), [mode]) => Err(miette!(
            help = "run it in the other mode, or leave the defect out",
            "defect `{defect}` has no effect: it does not exist in the {mode} reactor"
        )),
        _ => Ok(()),
    }
}
