//! Values of options that several subcommands have.

use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use miette::miette;

use crate::explore::suggest;
use crate::reactor::defects::Defect;
use crate::scenario::format::values::parse_duration;
use crate::subject::Variant;

/// A whole number from 1.
pub(super) fn at_least_one() -> impl clap::builder::TypedValueParser<Value = usize> {
    use clap::builder::TypedValueParser as _;
    RangedU64ValueParser::<u64>::new()
        .range(1..)
        .try_map(usize::try_from)
}

/// A duration such as `90s` or `10min`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| format!("`{text}` is not a duration: write 90s or 10min"))
}

/// The defect of that name.
pub(super) fn named_defect(text: &str) -> Result<Defect, String> {
    text.parse()
        .map_err(|_| format!("there is no defect `{text}`; {}", suggest::defect(text)))
}

/// Checks that each of `defects` exists in at least one of `variants`.
pub(super) fn check_effect(defects: &[Defect], variants: &[Variant]) -> miette::Result<()> {
    let exists = |defect: &Defect, variant: &Variant| {
        let mode = variant.own_mode();
        mode.is_some_and(|mode| defect.modes().contains(&mode))
    };
    let absent = |defect: &&Defect| !variants.iter().any(|variant| exists(defect, variant));
    match (defects.iter().find(absent), variants) {
        (Some(defect), [variant]) => Err(miette!(
            help = "run it in the other mode, or leave the defect out",
            "defect `{defect}` has no effect: it does not exist in the {variant} reactor"
        )),
        _ => Ok(()),
    }
}
