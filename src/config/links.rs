//! From `api` sections to processes: names, and patterns of names.

use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::{Anchored, Input};

use crate::bgp::text::{TextError, Word};
use crate::speaker::neighbor::{ApiSection, Neighbor};

use super::api::ApiDraft;
use super::process::Process;
use super::suggest;

/// Octets that a compiled pattern may take.
const PATTERN_LIMIT: usize = 1 << 20;

/// What no two neighbors may share: the peer and the port where `listen` is said, else the whole name.
pub fn index(neighbor: &Neighbor) -> String {
    match neighbor.listen {
        Some(port) => format!("peer-ip {} listen {port}", neighbor.peer()),
        None => neighbor.name(),
    }
}

/// The `api` sections of the neighbor that `at` begins, their processes resolved.
///
/// Those that `processes-match` finds may command the neighbor but receive no events of it, as in ExaBGP;
/// they come as a section of their own. `broken` are processes that exist but have errors.
///
/// # Errors
/// Where a process is not defined, a pattern is none or matches no process, or names and patterns are mixed.
pub fn resolve(
    drafts: Vec<ApiDraft>,
    at: &Word,
    processes: &[Process],
    broken: &[String],
) -> Result<Vec<ApiSection>, TextError> {
    let names: Vec<&str> = processes
        .iter()
        .map(|process| process.name.as_str())
        .chain(broken.iter().map(String::as_str))
        .collect();
    let named = drafts.iter().any(|draft| !draft.processes.is_empty());
    let pattern = drafts.iter().find_map(|draft| draft.patterns.first());
    if let (true, Some(pattern)) = (named, pattern) {
        return Err(TextError::new(
            pattern.span.clone(),
            format!(
                "the neighbor `{}` has both processes and processes-match",
                at.text
            ),
        )
        .help("say either the names or the patterns"));
    }
    let mut patterns = Vec::new();
    let mut sections = Vec::new();
    for draft in drafts {
        let mut section = draft.section;
        for name in draft.processes {
            if !names.contains(&name.text.as_str()) {
                return Err(suggest::unknown(&name, "as a process", &names));
            }
            section.processes.push(name.text);
        }
        patterns.extend(draft.patterns);
        sections.push(section);
    }
    if let Some(matched) = matching(&patterns, &names)? {
        sections.push(ApiSection {
            processes: matched,
            by_pattern: true,
            ..ApiSection::default()
        });
    }
    Ok(sections)
}

/// The names that one of `patterns` matches at their beginning; nothing where there are no patterns.
fn matching(patterns: &[Word], names: &[&str]) -> Result<Option<Vec<String>>, TextError> {
    let Some(first) = patterns.first() else {
        return Ok(None);
    };
    let mut matched: Vec<String> = Vec::new();
    for pattern in patterns {
        let automaton = compile(pattern)?;
        for name in names {
            let input = Input::new(name).anchored(Anchored::Yes);
            if matches!(automaton.try_search_fwd(&input), Ok(Some(_)))
                && !matched.iter().any(|known| known == name)
            {
                matched.push((*name).to_owned());
            }
        }
    }
    if matched.is_empty() {
        return Err(TextError::new(
            first.span.clone(),
            format!("no process has a name like `{}`", first.text),
        )
        .help(format!("the processes are: {}", names.join(", "))));
    }
    Ok(Some(matched))
}

fn compile(pattern: &Word) -> Result<dense::DFA<Vec<u32>>, TextError> {
    dense::Builder::new()
        .configure(
            dense::Config::new()
                .start_kind(StartKind::Anchored)
                .dfa_size_limit(Some(PATTERN_LIMIT))
                .determinize_size_limit(Some(PATTERN_LIMIT)),
        )
        .syntax(regex_automata::util::syntax::Config::new().unicode(false).utf8(false))
        .build(&pattern.text)
        .map_err(|error| {
            TextError::new(
                pattern.span.clone(),
                format!("`{}` is not a pattern: {error}", pattern.text),
            )
            .help("write a regular expression, in quotation marks if it has spaces, braces or brackets")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(pattern: &str, names: &[&str]) -> Result<Vec<String>, String> {
        let word = Word {
            text: pattern.to_owned(),
            span: 0..0,
        };
        matching(&[word], names)
            .map(Option::unwrap_or_default)
            .map_err(|error| error.message)
    }

    #[test]
    fn patterns_match_at_the_beginning() {
        let names = ["add-remove", "announce", "readd"];
        assert_eq!(find("^add", &names).unwrap(), ["add-remove"]);
        assert_eq!(
            find("a(nn|dd)", &names).unwrap(),
            ["add-remove", "announce"]
        );
        assert_eq!(find(".*add$", &names).unwrap(), ["readd"]);
        assert_eq!(
            find("x", &names),
            Err("no process has a name like `x`".to_owned())
        );
        assert!(
            find("(", &names)
                .unwrap_err()
                .starts_with("`(` is not a pattern")
        );
        assert!(find("(a{1000}){1000}", &names).is_err());
    }
}
