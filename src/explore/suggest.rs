//! What would be right instead of a word that is not known: the nearest of those that are, and all of them.

use crate::config::nearest;
use crate::reactor::defects::Defect;

/// Help for `text`, in whose place `forms` are known: each a word, and after a space what belongs to it.
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

/// Help for `text`, which is no defect's name.
#[must_use]
pub fn defect(text: &str) -> String {
    let names: Vec<&str> = Defect::ALL.iter().map(|defect| defect.name()).collect();
    let listed = "`lockstep defects` lists them";
    match nearest(text, &names) {
        Some(near) => format!("did you mean `{near}`? {listed}"),
        None => listed.to_owned(),
    }
}
