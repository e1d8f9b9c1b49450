//! `lockstep anonymise`: captures without addresses, AS numbers and names.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use miette::{IntoDiagnostic, WrapErr, miette};

use super::Status;
use super::encoding::Encoding;
use super::input::Places;
use super::output::say;
use crate::capture::counted;
use crate::field::anonymise::{Key, anonymise};

/// The captures, the key, and where the results go.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Captures (pcap or pcapng, compressed or not), `-` for standard input, or a scenario in a mode.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// The secret that decides what becomes of each name: captures with the same one stay consistent
    /// (default: a random one for this call).
    #[arg(long, value_name = "TEXT")]
    key: Option<String>,
    /// Output file, for one capture (default: NAME.anonymous.pcap beside it).
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    encoding: Encoding,
    #[command(flatten)]
    places: Places,
}

/// Anonymises.
///
/// # Errors
/// A capture that cannot be read, or that holds no packets; a file that cannot be written.
pub fn run(arguments: Arguments) -> miette::Result<Status> {
    if arguments.out.is_some() && arguments.files.len() > 1 {
        return Err(miette!(
            help = "leave --out out: each result is written beside its capture",
            "--out is for one capture, and there are {}",
            arguments.files.len()
        ));
    }
    let key = match &arguments.key {
        Some(secret) => Key::new(secret.as_bytes()),
        None => Key::new(&random()?),
    };
    let declared = arguments.encoding.declared()?;
    let mut has_session = true;
    for name in &arguments.files {
        let mut input = arguments.places.input(name)?;
        let path = arguments.out.clone().unwrap_or_else(|| beside(name));
        if path == Path::new(name) {
            return Err(miette!(
                "{name} would be overwritten: name another file with --out"
            ));
        }
        // Read once before anything is written: what is no capture leaves no file.
        let mut octets = Vec::new();
        let done = anonymise(&mut input, &key, &declared, &mut octets).into_diagnostic()?;
        if done.written == 0 {
            has_session = false;
            say!(
                "{name}: no BGP in {}, nothing written",
                counted(done.packets, "packet")
            );
            continue;
        }
        fs::write(&path, &octets)
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot write {}", path.display()))?;
        say!(
            "{name} → {}: {} of {}, {}, {}",
            path.display(),
            done.written,
            counted(done.packets, "packet"),
            counted(done.connections as u64, "connection"),
            counted(done.messages, "message")
        );
        if done.written < done.packets {
            say!(
                "left out: {} of no BGP session",
                counted(done.packets - done.written, "packet")
            );
        }
        if done.junk > 0 {
            say!(
                "scrambled: {} that are no message",
                counted(done.junk, "octet")
            );
        }
    }
    Ok(if has_session {
        Status::Passed
    } else {
        Status::Invalid
    })
}

/// A secret that nobody knows.
fn random() -> miette::Result<[u8; 32]> {
    let mut secret = [0; 32];
    File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut secret))
        .into_diagnostic()
        .wrap_err("cannot draw a key: name one with --key")?;
    Ok(secret)
}

/// The file beside `name` for its result.
fn beside(name: &str) -> PathBuf {
    if name == "-" {
        return PathBuf::from("anonymous.pcap");
    }
    let path = Path::new(name);
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = ["gz", "zst", "pcap", "pcapng", "cap"]
        .iter()
        .fold(file.as_ref(), |stem, ending| {
            stem.strip_suffix(&format!(".{ending}")).unwrap_or(stem)
        });
    path.with_file_name(format!("{stem}.anonymous.pcap"))
}
