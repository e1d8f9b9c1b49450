//! Help for an unknown word: the nearest known one, and all of them.

use crate::config::nearest;
use crate::reactor::defects::Defect;

/// Help for the unknown word `text`: `forms` are the known ones, each a keyword and, after a space, its arguments.
#[must_use]
pub fn help(text: &str, forms: &[&str]) -> String {
    let words: Vec<&str> = forms
        .iter()
        .map(|form| form.split(' ').next().unwrap_or(form))
        .collect();
    let listed = match forms {
        [] => return "there is none".to_owned(),
        [one] => format!("write {one}"),
        [first @ .., last] => format!("write {} or {last}", first.join(", ")),
    };
    match nearest(text, &words) {
        Some(near) => format!("did you mean `{near}`? {listed}"),
        None => listed,
    }
}

/// Help for `text`, which is not the name of a defect.
#[must_use]
pub fn defect(text: &str) -> String {
    let names: Vec<&str> = Defect::ALL.iter().map(|defect| defect.name()).collect();
    let listed = "`lockstep defects` lists them";
    match nearest(text, &names) {
        Some(near) => format!("did you mean `{near}`? {listed}"),
        None => listed.to_owned(),
    }
}
