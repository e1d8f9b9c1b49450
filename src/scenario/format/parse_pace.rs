//! The line `pace`, of scenarios and of plans: what a guest's work costs in virtual time.

use std::time::Duration;

use crate::bgp::text::{TextError, Words};
use crate::guest::Pace;
use crate::scenario::format::host_fault::Time;
use crate::scenario::format::values::{time, unknown};

/// Reads what follows `pace`: `call 2us`, `empty-poll 3ms` or `late-poll 90ms`, none longer than `longest`.
///
/// # Errors
/// Another word, or a time that is none or out of its bounds.
pub fn pace(pace: &mut Pace, words: &mut Words<'_>, longest: Duration) -> Result<(), TextError> {
    const KNOWN: &str = "call, empty-poll or late-poll";
    let word = words.word("`call`, `empty-poll` or `late-poll`")?;
    let cost = match word.text.as_str() {
        "call" => &mut pace.call,
        "empty-poll" => &mut pace.empty_poll,
        "late-poll" => &mut pace.late_poll,
        other => return Err(unknown(&word.span, other, KNOWN)),
    };
    let span = words.span();
    let given = time(words)?;
    if given.is_zero() || given > longest {
        let (given, longest) = (Time(given), Time(longest));
        return Err(
            TextError::new(span, format!("`pace {}` cannot be {given}", word.text)).help(format!(
                "write a time from 1ns to {longest}; without a cost a busy loop would never end"
            )),
        );
    }
    *cost = i64::try_from(given.as_nanos()).unwrap_or(i64::MAX);
    Ok(())
}
