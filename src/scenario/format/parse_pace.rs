//! The line `pace`, of scenarios and of plans: what a guest's work costs in virtual time.

use std::time::Duration;

use crate::bgp::text::{TextError, Words};
use crate::guest::{Cost, Pace};
use crate::scenario::format::host_fault::Time;
use crate::scenario::format::values::{read_time, unknown};

/// Reads what follows `pace`: `call 2us`, `empty-poll 3ms` or `late-poll 90ms`, or a range of which each is drawn, as in
/// `call 1us..3ms`; nothing longer than `longest`.
///
/// # Errors
/// Another word, a time that is none or out of its bounds, a range whose end is not after its start.
pub fn pace(pace: &mut Pace, words: &mut Words<'_>, longest: Duration) -> Result<(), TextError> {
    const KNOWN: &str = "call, empty-poll or late-poll";
    let word = words.word("`call`, `empty-poll` or `late-poll`")?;
    let cost = match word.text.as_str() {
        "call" => &mut pace.call,
        "empty-poll" => &mut pace.empty_poll,
        "late-poll" => &mut pace.late_poll,
        other => return Err(unknown(&word.span, other, KNOWN)),
    };
    let name = word.text.as_str();
    let given = words.word("a time, or a range of times as in `1us..3ms`")?;
    let start = given.span.start;
    let bounds = match given.text.split_once("..") {
        None => [(given.text.as_str(), start); 2],
        Some((least, most)) => [(least, start), (most, start + least.len() + 2)],
    };
    let mut read = [0; 2];
    for ((text, at), read) in bounds.into_iter().zip(&mut read) {
        let span = at..at + text.len();
        let time = read_time(text).ok_or_else(|| {
            TextError::new(span.clone(), format!("`{text}` is not a time")).help(
                "write a number and its unit, as in 150us, 300ms or 2s, or two as a range: 1us..3ms",
            )
        })?;
        if time.is_zero() || time > longest {
            let (time, longest) = (Time(time), Time(longest));
            return Err(
                TextError::new(span, format!("`pace {name}` cannot be {time}")).help(format!(
                    "write a time from 1ns to {longest}; without a cost a busy loop would never end"
                )),
            );
        }
        *read = i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
    }
    let [least, most] = read;
    if least > most {
        let [(least, _), (most, _)] = bounds;
        return Err(
            TextError::new(given.span.clone(), format!("{least} is longer than {most}"))
                .help(format!("write the shorter one first: {most}..{least}")),
        );
    }
    *cost = Cost { least, most };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bgp::text::Word;

    fn read(text: &str) -> Result<Pace, TextError> {
        let mut read = Pace::default();
        let mut at = 0;
        let words: Vec<Word> = text
            .split(' ')
            .map(|word| {
                let start = at;
                at += word.len() + 1;
                Word {
                    text: word.to_owned(),
                    span: start..start + word.len(),
                }
            })
            .collect();
        pace(
            &mut read,
            &mut Words::new(&words, text.len()),
            Duration::from_secs(60),
        )?;
        Ok(read)
    }

    #[test]
    fn a_cost_is_a_time_or_a_range_that_is_read_back_as_it_is_written() {
        for text in ["2us", "500ns", "1us..3ms", "2600us..2601us"] {
            assert_eq!(
                read(&format!("call {text}")).unwrap().call.to_string(),
                text
            );
        }
        assert!(!read("call 3ms..3ms").unwrap().call.is_drawn());
    }

    #[test]
    fn what_is_wrong_is_marked() {
        for (text, marked, message) in [
            ("call 1us..3", "3", "`3` is not a time"),
            ("call ..3ms", "", "`` is not a time"),
            ("call 1us...3ms", ".3ms", "`.3ms` is not a time"),
            ("call 3ms..1us", "3ms..1us", "3ms is longer than 1us"),
            (
                "empty-poll 1us..61s",
                "61s",
                "`pace empty-poll` cannot be 61s",
            ),
            ("call 0s..1s", "0s", "`pace call` cannot be 0s"),
            ("cal 1us", "cal", "unknown keyword `cal`"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(&text[error.span.clone()], marked, "{text}");
            assert_eq!(error.message, message);
        }
    }
}
