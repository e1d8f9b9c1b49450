//! `lockstep check`: checks configurations and lists what is in them.

use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use miette::{Context, IntoDiagnostic};

use super::Status;
use super::output::{complain, say};
use crate::bgp::attribute::NextHop;
use crate::bgp::text::TextError;
use crate::config::{self, Configuration, Encoder, Process};
use crate::os::programs;
use crate::os::small_file;
use crate::speaker::neighbor::{Address, Neighbor};
use crate::speaker::peer::Peer;
use crate::speaker::rib::Refused;
use crate::speaker::route::ConfiguredRoute;

/// The configurations to check.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Configuration files in ExaBGP's format.
    #[arg(required = true, value_name = "CONFIG")]
    configurations: Vec<PathBuf>,
    /// Most routes to show for each neighbor.
    #[arg(long, default_value_t = 20, value_name = "N")]
    routes: usize,
}

/// Checks each file and lists its contents.
///
/// # Errors
/// The first file that cannot be read or has mistakes.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    let mut status = Status::Passed;
    for path in &arguments.configurations {
        if check(path, Some(arguments.routes))? != Status::Passed {
            status = Status::Invalid;
        }
    }
    Ok(status)
}

/// Checks one file, and shows what is in it with at most `routes` routes of each neighbor, or nothing.
///
/// # Errors
/// It cannot be read, or has mistakes.
pub(super) fn check(path: &Path, routes: Option<usize>) -> miette::Result<Status> {
    let name = path.display().to_string();
    let failed = || format!("cannot read {name}");
    // What is no regular file, like a named pipe, can be read but once.
    let kept = match path.is_file() {
        true => None,
        false => Some(
            small_file::read_text(path)
                .into_diagnostic()
                .wrap_err_with(failed)?,
        ),
    };
    let open = || -> io::Result<Box<dyn io::Read + '_>> {
        Ok(match &kept {
            Some(text) => Box::new(text.as_bytes()),
            None => Box::new(File::open(path)?),
        })
    };
    let read = config::read(&name, open)
        .into_diagnostic()
        .wrap_err_with(failed)?;
    let configuration = read?;
    if !configuration.warnings.is_empty() {
        let warnings = config::warnings(&name, open, configuration.warnings.clone())
            .into_diagnostic()
            .wrap_err_with(failed)?;
        complain!("{}", warnings.render().trim_end());
    }
    let missing = programs(&configuration, path.parent().unwrap_or(Path::new(".")));
    if !missing.is_empty() {
        let missing = config::mistakes(&name, open, missing)
            .into_diagnostic()
            .wrap_err_with(failed)?;
        return Err(missing.into());
    }
    if let Some(routes) = routes {
        say!("{}", report(&name, &configuration, routes).trim_end());
    }
    let mut status = Status::Passed;
    for neighbor in configuration.neighbors {
        let peer = neighbor.peer();
        for (route, reason) in refused(neighbor) {
            complain!("{name}: neighbor {peer}: {route}: {reason}");
            status = Status::Invalid;
        }
    }
    Ok(status)
}

/// What is wrong with the programs of a configuration in `directory`: ExaBGP does not start where one is missing.
pub(super) fn programs(configuration: &Configuration, directory: &Path) -> Vec<TextError> {
    let wrong = |process: &Process| {
        let missing = programs::locate(process.run.first()?, directory).err()?;
        let help = "it is looked for in /etc/exabgp, beside the configuration, and in PATH";
        Some(TextError::new(process.at.clone(), missing).help(help))
    };
    configuration.processes.iter().filter_map(wrong).collect()
}

/// The routes that `neighbor` could never be sent, and why. Routes of a family that it does not have are silently left
/// out, as in ExaBGP.
fn refused(neighbor: Neighbor) -> Vec<(String, Refused)> {
    let (_, refused) = Peer::new(Arc::new(neighbor));
    refused
        .into_iter()
        .filter(|(_, reason)| !matches!(reason, Refused::Family(_)))
        .map(|(route, reason)| (describe_route(&route), reason))
        .collect()
}

/// Lists the contents of `configuration`, with at most `routes` routes of each neighbor.
fn report(name: &str, configuration: &Configuration, routes: usize) -> String {
    let mut out = String::new();
    let total = configuration
        .neighbors
        .iter()
        .map(|neighbor| neighbor.routes.len())
        .sum();
    let _ = writeln!(
        out,
        "{name}: {}, {}, {}",
        count(configuration.neighbors.len(), "neighbor"),
        count(total, "route"),
        count_processes(configuration.processes.len()),
    );
    for neighbor in &configuration.neighbors {
        describe(&mut out, neighbor, routes);
    }
    for process in &configuration.processes {
        describe_process(&mut out, process);
    }
    out
}

fn describe(out: &mut String, neighbor: &Neighbor, limit: usize) {
    let local = match neighbor.local_address {
        Address::Ip(address) => address.to_string(),
        Address::Auto => "auto".to_owned(),
    };
    let families: Vec<String> = neighbor
        .families
        .iter()
        .map(|family| family.to_string())
        .collect();
    let processes: Vec<&str> = neighbor
        .api
        .iter()
        .flat_map(|section| section.processes.iter().map(String::as_str))
        .collect();
    let _ = writeln!(out, "\nneighbor {}", neighbor.peer());
    let mut row = |label: &str, value: &str| {
        let _ = writeln!(out, "  {label:<12}{value}");
    };
    if let Some(description) = &neighbor.description {
        row("description", description);
    }
    row("local", &format!("{local} AS {}", neighbor.local_as));
    row(
        "peer",
        &format!("{} AS {}", neighbor.peer(), neighbor.peer_as),
    );
    row("hold time", &format!("{} s", neighbor.hold_time));
    row("families", &families.join(", "));
    if !processes.is_empty() {
        row("processes", &processes.join(", "));
    }
    row("routes", &neighbor.routes.len().to_string());
    for route in neighbor.routes.iter().take(limit) {
        let _ = writeln!(out, "    {}", describe_route(&route));
    }
    if neighbor.routes.len() > limit {
        let _ = writeln!(out, "    and {} more", neighbor.routes.len() - limit);
    }
}

/// A route in ExaBGP's syntax.
fn describe_route(configured: &ConfiguredRoute) -> String {
    let route = &configured.route;
    let next_hop = match &route.next_hop {
        NextHop::None => None,
        other => other.address(),
    };
    let mut text = format!(
        "{} {}{}",
        route.nlri.family,
        route.nlri.extensive(next_hop),
        route.attributes.text()
    );
    if configured.next_hop_self {
        text.push_str(" next-hop self");
    }
    if let Some(watchdog) = &configured.watchdog {
        let _ = write!(text, " watchdog {watchdog}");
    }
    if configured.withdrawn {
        text.push_str(" withdraw");
    }
    text
}

fn describe_process(out: &mut String, process: &Process) {
    let encoder = match process.encoder {
        Encoder::Json => "json",
        Encoder::Text => "text",
    };
    let respawn = if process.respawn {
        "started again when it ends"
    } else {
        "started once"
    };
    let _ = writeln!(
        out,
        "\nprocess {}\n  {:<12}{}\n  {:<12}{encoder}, {respawn}",
        process.name,
        "run",
        process.run.join(" "),
        "encoder",
    );
}

fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

fn count_processes(number: usize) -> String {
    match number {
        1 => "1 process".to_owned(),
        _ => format!("{number} processes"),
    }
}
