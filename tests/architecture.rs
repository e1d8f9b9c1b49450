//! The order of the modules and the absence of circles, read from the `use`s and paths of every file in `src`.
//!
//! A module may use only what is before it in the order of [`ORDER`], and nothing of the other tower. Files that use each
//! other in a circle are an error unless they are in [`KNOWN_CIRCLES`], which may only shrink.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The ground.
const GROUND: &[&str] = &["net"];
/// The tower of BGP.
const PROTOCOL: &[&str] = &[
    "bgp", "capture", "compare", "speaker", "config", "api", "reactor",
];
/// The tower of the world.
const WORLD: &[&str] = &["os", "sim", "guest"];
/// Where they meet, and above.
const ABOVE: &[&str] = &[
    "subject", "scenario", "explore", "field", "conform", "report", "cli",
];
const ORDER: &[&[&str]] = &[GROUND, PROTOCOL, WORLD, ABOVE];

/// Uses against the order that are still to be removed: from which file, which module.
const KNOWN_UPWARD: &[(&str, &str)] = &[];

/// Circles that are still to be opened: the files of each.
const KNOWN_CIRCLES: &[&[&str]] = &[
    &[
        "bgp::attribute",
        "bgp::message::error",
        "bgp::message::header",
        "bgp::message::notification",
    ],
    &["bgp::attribute::as4_path", "bgp::attribute::as_path"],
    &[
        "bgp::attribute::aggregator",
        "bgp::attribute::as4_aggregator",
    ],
    &[
        "bgp::dissect::attribute",
        "bgp::dissect::capability",
        "bgp::dissect::message",
    ],
    &[
        "speaker::neighbor",
        "speaker::session",
        "speaker::session::verbatim",
    ],
    &[
        "speaker::rib::batch",
        "speaker::rib::builder",
        "speaker::rib::out",
        "speaker::rib::pack",
        "speaker::rib::pending",
        "speaker::rib::set",
        "speaker::rib::table",
    ],
    &[
        "reactor::tasks::converse",
        "reactor::tasks::defect_state",
        "reactor::tasks::peer",
    ],
    // The kernel's calls, a group to a file, are all methods of one type.
    &["guest::*"],
];

/// A file of `src`: its module path (`sim::fault`) and what is compiled of it outside tests.
struct File {
    module: String,
    tokens: Vec<String>,
}

fn files() -> Vec<File> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut directories = vec![src.clone()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&src).unwrap().with_extension("");
                let name = name.to_str().unwrap().replace('/', "::");
                let module = name.strip_suffix("::mod").unwrap_or(&name).to_owned();
                let tokens = tokens(&fs::read_to_string(&path).unwrap());
                files.push(File { module, tokens });
            }
        }
    }
    files.sort_by(|one, other| one.module.cmp(&other.module));
    files
}

/// The identifiers and punctuation of `text` without comments, literals and its tests.
fn tokens(text: &str) -> Vec<String> {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let mut tokens = Vec::new();
    let characters: Vec<char> = text.chars().collect();
    let mut at = 0;
    let next = |at: usize| characters.get(at + 1).copied();
    while let Some(&character) = characters.get(at) {
        if character == '/' && next(at) == Some('/') {
            while characters.get(at).is_some_and(|it| *it != '\n') {
                at += 1;
            }
        } else if character == 'r' && matches!(next(at), Some('"' | '#')) && raw(&characters, at) {
            let hashes = characters[at + 1..]
                .iter()
                .take_while(|it| **it == '#')
                .count();
            let end = format!("\"{}", "#".repeat(hashes));
            at += hashes + 2;
            while at < characters.len()
                && !characters[at..]
                    .iter()
                    .take(hashes + 1)
                    .eq(end.chars().collect::<Vec<_>>().iter())
            {
                at += 1;
            }
            at += hashes + 1;
        } else if character == '"' {
            at += 1;
            while characters.get(at).is_some_and(|it| *it != '"') {
                at += 1 + usize::from(characters[at] == '\\');
            }
            at += 1;
        } else if character == '\''
            && (next(at) == Some('\\') || characters.get(at + 2) == Some(&'\''))
        {
            at += 2;
            while characters.get(at).is_some_and(|it| *it != '\'') {
                at += 1;
            }
            at += 1;
        } else if character.is_alphanumeric() || character == '_' {
            let word: String = characters[at..]
                .iter()
                .take_while(|it| it.is_alphanumeric() || **it == '_')
                .collect();
            at += word.chars().count();
            tokens.push(word);
        } else if character == ':' && next(at) == Some(':') {
            tokens.push("::".to_owned());
            at += 2;
        } else {
            if !character.is_whitespace() {
                tokens.push(character.to_string());
            }
            at += 1;
        }
    }
    tokens
}

/// Whether a raw string begins at `at`, and not an identifier that ends in `r`.
fn raw(characters: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).map(|at| characters[at]);
    let mut rest = characters[at + 1..].iter().skip_while(|it| **it == '#');
    rest.next() == Some(&'"') && !before.is_some_and(|it| it.is_alphanumeric() || it == '_')
}

/// Every path that `file` spells, as absolute segments; `known` are the modules there are.
fn paths(file: &File, known: &BTreeSet<&str>) -> Vec<(bool, Vec<String>)> {
    let here: Vec<String> = file.module.split("::").map(str::to_owned).collect();
    let mut found = Vec::new();
    for (at, token) in file.tokens.iter().enumerate() {
        let starts = file.tokens.get(at + 1).is_some_and(|next| next == "::")
            && (at == 0 || file.tokens[at - 1] != "::");
        if !starts {
            continue;
        }
        let exported = exported(&file.tokens, at);
        let prefix = match token.as_str() {
            "crate" => Vec::new(),
            "self" => here.clone(),
            "super" => here[..here.len() - 1].to_vec(),
            child if known.contains(format!("{}::{child}", file.module).as_str()) => {
                [here.as_slice(), &[child.to_owned()]].concat()
            }
            _ => continue,
        };
        let mut all = Vec::new();
        tree(&file.tokens, at + 2, prefix, &mut all);
        found.extend(all.into_iter().map(|path| (exported, path)));
    }
    found
}

/// Whether the path at `at` is that of a `pub use`.
fn exported(tokens: &[String], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).filter(|before| tokens[*before] == "use") else {
        return false;
    };
    before > 0 && matches!(tokens[before - 1].as_str(), "pub" | ")")
}

/// Reads the rest of a path, or of a tree of paths, from `at` on; gives where it ends.
fn tree(
    tokens: &[String],
    mut at: usize,
    mut path: Vec<String>,
    all: &mut Vec<Vec<String>>,
) -> usize {
    loop {
        match tokens.get(at).map(String::as_str) {
            Some("{") => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token != "}") {
                    at = tree(tokens, at, path.clone(), all);
                    if tokens.get(at).is_some_and(|token| token == ",") {
                        at += 1;
                    }
                }
                return at + 1;
            }
            Some("super") => drop(path.pop()),
            Some("self") => {}
            Some(segment) => path.push(segment.to_owned()),
            None => return at,
        }
        at += 1;
        if tokens.get(at).is_some_and(|token| token == "::") {
            at += 1;
            continue;
        }
        if tokens.get(at).is_some_and(|token| token == "as") {
            at += 2;
        }
        all.push(path);
        return at;
    }
}

/// Which file a path ends in: re-exports of a parent are followed to the file that defines the item.
struct Resolver<'a> {
    known: BTreeSet<&'a str>,
    /// By module: the name that it re-exports (`*` for all) and the path of it.
    exports: BTreeMap<&'a str, Vec<Vec<String>>>,
}

impl Resolver<'_> {
    fn resolve(&self, path: &[String], depth: usize) -> Vec<String> {
        let mut length = path.len();
        while length > 0 && !self.known.contains(path[..length].join("::").as_str()) {
            length -= 1;
        }
        let module = path[..length].join("::");
        let Some(item) = path.get(length).filter(|_| depth < 8) else {
            return vec![module];
        };
        let exports = self.exports.get(module.as_str());
        let exports = exports.map(Vec::as_slice).unwrap_or_default();
        let named = exports.iter().find(|export| export.last() == Some(item));
        if let Some(export) = named {
            return self.resolve(export, depth + 1);
        }
        let globs = exports
            .iter()
            .filter(|export| export.last().is_some_and(|it| it == "*"));
        let globs: Vec<String> = globs
            .flat_map(|export| self.resolve(&export[..export.len() - 1], depth + 1))
            .collect();
        if globs.is_empty() {
            vec![module]
        } else {
            globs
        }
    }
}

/// Which files use which.
fn uses() -> BTreeMap<String, BTreeSet<String>> {
    let files = files();
    let known: BTreeSet<&str> = files.iter().map(|file| file.module.as_str()).collect();
    let spelled: Vec<_> = files.iter().map(|file| paths(file, &known)).collect();
    let exports = files.iter().zip(&spelled).map(|(file, paths)| {
        let exported = paths.iter().filter(|(exported, _)| *exported);
        (
            file.module.as_str(),
            exported.map(|(_, path)| path.clone()).collect(),
        )
    });
    let resolver = Resolver {
        exports: exports.collect(),
        known: known.clone(),
    };
    let mut uses = BTreeMap::new();
    for (file, paths) in files.iter().zip(&spelled) {
        let used = paths.iter().filter(|(exported, _)| !exported);
        let targets: BTreeSet<String> = used
            .flat_map(|(_, path)| resolver.resolve(path, 0))
            .filter(|target| *target != file.module && !target.is_empty())
            // A parent that lists its children, or hands an item on, is the face of one module with them.
            .filter(|target| !target.starts_with(&format!("{}::", file.module)))
            .collect();
        uses.insert(file.module.clone(), targets);
    }
    uses
}

fn top(module: &str) -> &str {
    module.split("::").next().unwrap_or_default()
}

/// Why a module at the top must not use another, if so.
fn forbidden(from: &str, to: &str) -> Option<&'static str> {
    let place = |module: &str| {
        let tower = ORDER.iter().position(|tower| tower.contains(&module))?;
        let level = ORDER[tower].iter().position(|name| *name == module)?;
        Some((tower, level))
    };
    let (Some(from), Some(to)) = (place(from), place(to)) else {
        return Some("a module that is not in the order");
    };
    let towers = [1, 2];
    if from.0 != to.0 && towers.contains(&from.0) && towers.contains(&to.0) {
        return Some("the other tower");
    }
    (to > from).then_some("a module after it")
}

#[test]
fn no_module_uses_one_after_it_or_the_other_tower() {
    let mut found = BTreeSet::new();
    for (file, targets) in uses() {
        if matches!(file.as_str(), "lib" | "main") {
            continue;
        }
        for target in &targets {
            let (from, to) = (top(&file), top(target));
            if from != to
                && let Some(why) = forbidden(from, to)
            {
                found.insert((file.clone(), to.to_owned(), why));
            }
        }
    }
    let known = |(file, to, _): &&(String, String, &str)| {
        KNOWN_UPWARD.contains(&(file.as_str(), to.as_str()))
    };
    let new: Vec<_> = found.iter().filter(|use_| !known(use_)).collect();
    assert!(
        new.is_empty(),
        "against the order (file, what it uses, why not): {new:#?}"
    );
    for (file, to) in KNOWN_UPWARD {
        let still = found
            .iter()
            .any(|(one, other, _)| one == file && other == to);
        assert!(
            still,
            "{file} no longer uses {to}: remove it from KNOWN_UPWARD"
        );
    }
}

#[test]
fn no_new_circle_of_files() {
    let found = circles(&uses());
    for circle in &found {
        let within = KNOWN_CIRCLES.iter().any(|known| {
            circle
                .iter()
                .all(|file| known.iter().any(|it| matches(it, file)))
        });
        assert!(
            within,
            "these files use each other in a circle: {circle:#?}"
        );
    }
    for known in KNOWN_CIRCLES.iter().copied().flatten() {
        let still = found.iter().flatten().any(|file| matches(known, file));
        assert!(
            still,
            "{known} is in no circle any more: remove it from KNOWN_CIRCLES"
        );
    }
}

/// Whether `known`, a file or `module::*`, is `file`.
fn matches(known: &str, file: &str) -> bool {
    match known.strip_suffix('*') {
        Some(module) => file.starts_with(module),
        None => known == file,
    }
}

/// Strongly connected components of more than one file (Tarjan).
fn circles(uses: &BTreeMap<String, BTreeSet<String>>) -> Vec<BTreeSet<String>> {
    let mut search = Search {
        uses,
        index: BTreeMap::new(),
        low: BTreeMap::new(),
        stack: Vec::new(),
        found: Vec::new(),
    };
    for file in uses.keys() {
        if !search.index.contains_key(file.as_str()) {
            search.visit(file);
        }
    }
    search.found
}

struct Search<'a> {
    uses: &'a BTreeMap<String, BTreeSet<String>>,
    index: BTreeMap<&'a str, usize>,
    low: BTreeMap<&'a str, usize>,
    stack: Vec<&'a str>,
    found: Vec<BTreeSet<String>>,
}

impl<'a> Search<'a> {
    fn visit(&mut self, file: &'a str) {
        let number = self.index.len();
        self.index.insert(file, number);
        self.low.insert(file, number);
        self.stack.push(file);
        for target in &self.uses[file] {
            let Some((target, _)) = self.uses.get_key_value(target) else {
                continue;
            };
            if !self.index.contains_key(target.as_str()) {
                self.visit(target);
                let low = self.low[file].min(self.low[target.as_str()]);
                self.low.insert(file, low);
            } else if self.stack.contains(&target.as_str()) {
                let low = self.low[file].min(self.index[target.as_str()]);
                self.low.insert(file, low);
            }
        }
        if self.low[file] != number {
            return;
        }
        let start = self.stack.iter().position(|one| *one == file).unwrap();
        let circle: BTreeSet<String> = self.stack.drain(start..).map(str::to_owned).collect();
        if circle.len() > 1 {
            self.found.push(circle);
        }
    }
}

#[test]
fn the_reader_of_uses_sees_groups_re_exports_and_circles() {
    let paths_of = |text: &str| {
        let file = File {
            module: "a::b".to_owned(),
            tokens: tokens(text),
        };
        let known = BTreeSet::from(["a", "a::b", "a::b::child"]);
        let paths = paths(&file, &known).into_iter();
        paths
            .map(|(exported, path)| (exported, path.join("::")))
            .collect::<Vec<_>>()
    };
    let path = |path: &str| (false, path.to_owned());
    assert_eq!(
        paths_of(
            "use crate::x::{self, y::Z as W, v::{one, two}};\nfn f() { super::g(\"crate::no\") }"
        ),
        ["x", "x::y::Z", "x::v::one", "x::v::two", "a::g"].map(path)
    );
    assert_eq!(
        paths_of(
            "// crate::no\npub use child::*; let c = '\"'; pub(crate) fn h() { child::k(r#\"crate::\"no\"#) }"
        ),
        [(true, "a::b::child::*".to_owned()), path("a::b::child::k")]
    );
    let edges = [("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("d", "e")];
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (from, to) in edges {
        uses.entry(to.into()).or_default();
        uses.entry(from.into()).or_default().insert(to.into());
    }
    let circle = ["a", "b", "c"].map(str::to_owned);
    assert_eq!(circles(&uses), [BTreeSet::from(circle)]);
    assert_eq!(forbidden("bgp", "sim"), Some("the other tower"));
    assert_eq!(forbidden("sim", "explore"), Some("a module after it"));
    assert_eq!(forbidden("explore", "sim"), None);
    assert_eq!(forbidden("sim", "net"), None);
}
