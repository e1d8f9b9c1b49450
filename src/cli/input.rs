//! What a user may name as a capture: a file, `-`, or whatever else a resolver knows.

use std::io::{self, IsTerminal};
use std::path::Path;

use crate::compare::Input;

/// Turns a name that is no file into a capture: a golden, a scenario in a mode. `None` where it is neither.
pub type Resolver<'r> = &'r dyn Fn(&str) -> Option<miette::Result<Input>>;

/// The capture that `name` stands for.
///
/// # Errors
/// There is none of that name.
pub fn input(name: &str, resolve: Resolver<'_>) -> miette::Result<Input> {
    if name == "-" {
        if io::stdin().is_terminal() {
            return Err(miette::miette!(
                help = "for example: tcpdump -w - port 179 | lockstep show -",
                "`-` is standard input, which is a terminal: a capture must be piped in"
            ));
        }
        return Ok(Input::Once("-".to_owned(), Box::new(io::stdin())));
    }
    let path = Path::new(name);
    if path.is_file() {
        return Ok(Input::File(path.to_owned()));
    }
    if let Some(found) = resolve(name) {
        return found;
    }
    if path.is_dir() {
        return Err(miette::miette!(
            help = "name a pcap or pcapng file in it",
            "{name} is a directory"
        ));
    }
    Err(miette::miette!(
        help = "a capture is named by its path, as `-` for standard input, or as a scenario in a mode, like `api-rib@async`",
        "there is no file {name}, and no scenario of that name"
    ))
}
