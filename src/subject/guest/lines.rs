//! What guests print, put together to lines: many programs write a line piece by piece.

use crate::guest;

/// Lines of all processes of a host.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// What has no end yet, by process and stream.
    open: Vec<Piece>,
    completed: Vec<Line>,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Nanoseconds since the world began, of its last octet.
    pub time: i64,
    /// The process, by its number in the guest.
    pub process: i32,
    /// What it says, without the end of the line.
    pub text: String,
}

#[derive(Debug)]
struct Piece {
    process: i32,
    stream: guest::Stream,
    time: i64,
    octets: Vec<u8>,
}

impl Lines {
    /// Takes a write.
    pub(super) fn take(&mut self, write: &guest::Line) {
        let (process, stream, time) = (write.process, write.stream, write.time);
        if stream == guest::Stream::Log {
            // A datagram is a line, behind a priority: `<26>Nov 14 22:13:20 bird: text`.
            let text = String::from_utf8_lossy(&write.octets);
            let text = text
                .trim_start_matches('<')
                .trim_start_matches(|c: char| c.is_ascii_digit());
            return self.complete(time, process, text.trim_start_matches('>').as_bytes());
        }
        let known = self
            .open
            .iter()
            .position(|it| (it.process, it.stream) == (process, stream));
        let at = known.unwrap_or_else(|| {
            self.open.push(Piece {
                process,
                stream,
                time,
                octets: Vec::new(),
            });
            self.open.len() - 1
        });
        self.open[at].time = time;
        self.open[at].octets.extend_from_slice(&write.octets);
        while let Some(end) = self.open[at]
            .octets
            .iter()
            .position(|octet| *octet == b'\n')
        {
            let line: Vec<u8> = self.open[at].octets.drain(..=end).collect();
            self.complete(time, process, &line);
        }
    }

    fn complete(&mut self, time: i64, process: i32, octets: &[u8]) {
        let text = String::from_utf8_lossy(octets).trim_end().to_owned();
        if !text.is_empty() {
            self.completed.push(Line {
                time,
                process,
                text,
            });
        }
    }

    /// The lines that came to their end since; where all is `over`, also those that did not.
    pub(super) fn completed(&mut self, over: bool) -> impl Iterator<Item = Line> {
        if over {
            for piece in std::mem::take(&mut self.open) {
                self.complete(piece.time, piece.process, &piece.octets);
            }
        }
        std::mem::take(&mut self.completed).into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(process: i32, time: i64, text: &str) -> guest::Line {
        guest::Line {
            time,
            process,
            stream: guest::Stream::Error,
            octets: text.into(),
        }
    }

    #[test]
    fn pieces_of_several_processes_become_their_own_lines() {
        let mut lines = Lines::default();
        for (process, time, text) in [
            (1, 10, "<INFO> "),
            (2, 11, "ready\n"),
            (1, 12, "Started\n\nand"),
        ] {
            lines.take(&write(process, time, text));
        }
        let found: Vec<_> = lines
            .completed(false)
            .map(|it| (it.time, it.process, it.text))
            .collect();
        assert_eq!(
            found,
            [
                (11, 2, "ready".to_owned()),
                (12, 1, "<INFO> Started".to_owned())
            ]
        );
        let rest: Vec<_> = lines.completed(true).map(|it| it.text).collect();
        assert_eq!(rest, ["and"]);
    }

    #[test]
    fn a_syslog_line_has_no_priority() {
        let mut lines = Lines::default();
        lines.take(&guest::Line {
            stream: guest::Stream::Log,
            ..write(1, 5, "<26>Nov 14 22:13:20 bird: bad")
        });
        let found: Vec<_> = lines.completed(false).map(|it| it.text).collect();
        assert_eq!(found, ["Nov 14 22:13:20 bird: bad"]);
    }
}
