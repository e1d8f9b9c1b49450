//! Commands about sessions and neighbors: flush, clear, teardown, create, delete.

use crate::bgp::text::{self, TextError, Words};
use crate::config::fragment;

use super::super::selector::{self, Selector};
use super::Action;
use crate::api::line::Line;

/// `flush adj-rib out`
pub fn flush(words: &mut Line<'_>) -> Result<Action, TextError> {
    keyword(words, "adj-rib")?;
    keyword(words, "out")?;
    Ok(Action::FlushAdjRibOut)
}

/// `clear adj-rib in|out`, also `clear adj-rib`, which is `out`.
pub fn clear(words: &mut Line<'_>) -> Result<Action, TextError> {
    keyword(words, "adj-rib")?;
    match words.word() {
        None => Ok(Action::ClearAdjRibOut),
        Some(word) => match word.text {
            "out" => Ok(Action::ClearAdjRibOut),
            "in" => Ok(Action::ClearAdjRibIn),
            _ => Err(word.unknown("as an Adj-RIB", &["in", "out"])),
        },
    }
}

/// `teardown N`
pub fn teardown(words: &mut Line<'_>) -> Result<Action, TextError> {
    let word = words.expect("the subcode of Cease")?;
    word.text.parse().map(Action::Teardown).map_err(|_| {
        word.error(format!("`{}` is not a subcode", word.text))
            .help("write a number from 0 to 255; 2 is Administrative Shutdown (RFC 4486)")
    })
}

/// `create neighbor IP KEYWORD VALUE …`
pub fn create(words: &mut Line<'_>) -> Result<Action, TextError> {
    keyword(words, "neighbor")?;
    let (line, at) = (words.text(), words.at());
    words.drain();
    let split = text::split_from(line, at)?;
    let neighbor = fragment::neighbor_line(&mut Words::new(&split, line.len()))?;
    Ok(Action::CreateNeighbor(Box::new(neighbor)))
}

/// `delete neighbor IP …`: the selector is what follows.
pub fn delete(words: &mut Line<'_>) -> Result<(Vec<Selector>, Action), TextError> {
    let next = words.peek();
    let selectors = selector::parse(words)?;
    words.finish()?;
    match next {
        Some(word) if word.text == "neighbor" => Ok((selectors, Action::DeleteNeighbor)),
        _ => Err(words.expect("neighbor").map_or_else(
            |missing| missing,
            |word| word.unknown("to delete", &["neighbor"]),
        )),
    }
}

/// Insists that the next word is `expected`.
pub fn keyword(words: &mut Line<'_>, expected: &str) -> Result<(), TextError> {
    let word = words.expect(&format!("`{expected}`"))?;
    if word.text == expected {
        Ok(())
    } else {
        Err(word.unknown("here", &[expected]))
    }
}
