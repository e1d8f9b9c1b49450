//! `--stop-at`: where a guest is stopped, and what to type then.

use std::io::{self, Write};
use std::time::Duration;

use miette::miette;

use super::output::Output;
use crate::explore::finished_run::FinishedRun;
use crate::net::ConnectionName;
use crate::scenario::format::values::parse_duration;
use crate::subject::Stopped;

/// A place in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// This virtual time since the run began.
    Time(Duration),
    /// The speaker's message of this number on this connection, KEEPALIVEs not counted, as failures name it.
    Message(usize, ConnectionName),
}

/// Reads `12s` or `message 3 of 10.0.0.2#1`.
pub(super) fn place(text: &str) -> Result<Place, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let place = match words.as_slice() {
        [time] => parse_duration(time).map(Place::Time),
        ["message", number, "of", connection] => {
            let number = number.parse().ok().filter(|number| *number > 0);
            number
                .zip(connection.parse().ok())
                .map(|(number, name)| Place::Message(number, name))
        }
        _ => None,
    };
    place.ok_or_else(|| {
        format!("`{text}` is no place: write a time (300ms, 2s) or `message 3 of 10.0.0.2#1`")
    })
}

/// When `place` is in `ran`: for a message, when its peer has it.
///
/// # Errors
/// There is no such connection or message.
pub(super) fn time(place: &Place, ran: &FinishedRun) -> miette::Result<Duration> {
    let (number, name) = match place {
        Place::Time(time) => return Ok(*time),
        Place::Message(number, name) => (*number, *name),
    };
    let mut transcripts = ran.played.transcripts.iter();
    let Some(transcript) = transcripts.find(|transcript| transcript.name == name) else {
        let names = ran.played.transcripts.iter().map(|it| it.name.to_string());
        return Err(miette!(
            help = format!("its connections: {}", names.collect::<Vec<_>>().join(", ")),
            "there is no connection {name} in this run"
        ));
    };
    let found = transcript.compared().nth(number - 1);
    found.map(|passed| passed.at).ok_or_else(|| {
        miette!(
            help = "KEEPALIVEs are not counted",
            "the speaker sends {} messages on {name}",
            transcript.compared().count()
        )
    })
}

/// Prints what stopped at `at`, and what to type.
pub(super) fn print(at: Duration, stopped: &[Stopped], out: &mut Output) -> io::Result<()> {
    writeln!(out, "stopped at {:.6} s of virtual time", at.as_secs_f64())?;
    for it in stopped {
        let (title, process) = (&it.title, it.process);
        writeln!(
            out,
            "  {title}: process {process}, {}",
            it.executable.display()
        )?;
        writeln!(out, "    look at it   {}", it.debugger)?;
    }
    let processes: Vec<String> = stopped.iter().map(|it| it.process.to_string()).collect();
    writeln!(out, "    end it       kill -KILL {}", processes.join(" "))?;
    if let Some(first) = stopped.first() {
        writeln!(out, "    its files    {}", first.directory.display())?;
    }
    writeln!(
        out,
        "It is stopped for looking at: no call that it makes would be answered by the simulation."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_time_or_a_message() {
        assert_eq!(place("2s"), Ok(Place::Time(Duration::from_secs(2))));
        let name = "10.0.0.2#1".parse().unwrap();
        assert_eq!(
            place("message 3 of 10.0.0.2#1"),
            Ok(Place::Message(3, name))
        );
        for text in [
            "",
            "soon",
            "message 0 of 10.0.0.2#1",
            "message 3 of",
            "message x of 10.0.0.2#1",
        ] {
            assert!(place(text).unwrap_err().contains("is no place"), "{text}");
        }
    }
}
