//! Did you mean: the valid word that is nearest to a wrong one.

use crate::bgp::text::{TextError, Word};

/// `word` is not one of `valid`; `place` says where it stands ("in a neighbor").
pub fn unknown(word: &Word, place: &str, valid: &[&str]) -> TextError {
    let error = TextError::new(
        word.span.clone(),
        format!("`{}` is not known {place}", word.text),
    );
    error.help(help(&word.text, valid))
}

/// What would be right instead of `text`.
pub fn help(text: &str, valid: &[&str]) -> String {
    match nearest(text, valid) {
        Some(near) => format!("did you mean `{near}`?"),
        None if valid.is_empty() => "there is none".to_owned(),
        None => format!("valid here: {}", valid.join(", ")),
    }
}

/// The word of `valid` nearest to `text`, if it is near at all: up to a third of its letters differ.
pub fn nearest<'a>(text: &str, valid: &[&'a str]) -> Option<&'a str> {
    let text = text.to_lowercase();
    if text.len() > 64 {
        return None;
    }
    let (distance, near) = valid
        .iter()
        .map(|word| (distance(&text, word), *word))
        .min_by_key(|(distance, _)| *distance)?;
    (distance <= near.len().div_ceil(3).max(1)).then_some(near)
}

/// Letters to insert, remove, replace or swap (Damerau and Levenshtein, of neighbors once).
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, &a) in left.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, &b) in right.iter().enumerate() {
            let replaced = row[j] + usize::from(a != b);
            let mut least = replaced.min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && a == right[j - 1] && left[i - 1] == b {
                least = least.min(before[j - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_proposed_and_far_ones_are_not() {
        let valid = ["local-as", "peer-as", "hold-time", "router-id"];
        assert_eq!(help("holdtime", &valid), "did you mean `hold-time`?");
        assert_eq!(help("rotuer-id", &valid), "did you mean `router-id`?");
        assert_eq!(
            help("banana", &valid),
            "valid here: local-as, peer-as, hold-time, router-id"
        );
    }

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
