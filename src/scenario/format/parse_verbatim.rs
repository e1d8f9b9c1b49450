//! The steps of a `verbatim` section: bytes that the speaker sends to a peer instead of its own messages.

use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::bgp::text::{TextError, Words};
use crate::scenario::format::parse_peer::send;
use crate::scenario::format::values::{duration, unknown};
use crate::speaker::session::Verbatim;

/// A section that is being read.
pub struct Draft {
    peer: IpAddr,
    span: Range<usize>,
    now: Duration,
    pieces: Vec<(Duration, Vec<u8>)>,
}

impl Draft {
    /// The section of `peer`, which the file begins at `span`.
    #[must_use]
    pub const fn new(peer: IpAddr, span: Range<usize>) -> Self {
        Self {
            peer,
            span,
            now: Duration::ZERO,
            pieces: Vec::new(),
        }
    }

    /// Reads the step that begins with `keyword`.
    ///
    /// # Errors
    /// Where it is no step of such a section, or time would run backwards.
    pub fn step(
        &mut self,
        keyword: &str,
        span: &Range<usize>,
        words: &mut Words<'_>,
    ) -> Result<(), TextError> {
        match keyword {
            "at" => {
                let span = words.span();
                let time = duration(words)?;
                if time < self.now {
                    return Err(
                        TextError::new(span, "this is before the time of the step above")
                            .help("put the steps in the order of their times"),
                    );
                }
                self.now = time;
            }
            "send" => self.pieces.push((self.now, send(words)?)),
            other => return Err(unknown(span, other, "at or send")),
        }
        Ok(())
    }

    /// The bytes to send, and the peer to send them to.
    ///
    /// # Errors
    /// Where it does not begin with OPEN.
    pub fn finish(self) -> Result<(IpAddr, Arc<Verbatim>), TextError> {
        let verbatim = Verbatim::new(self.pieces).map_err(|error| {
            TextError::new(self.span, error.to_string()).help("begin it with `send message 1 …`")
        })?;
        Ok((self.peer, Arc::new(verbatim)))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::scenario::format::parse::parse;

    fn mistake(section: &str) -> String {
        let text = format!("about x\npeer 127.0.0.1\nverbatim 127.0.0.1\n{section}");
        parse(Path::new("x"), &text).unwrap_err().message
    }

    #[test]
    fn a_recital_begins_with_open_and_time_does_not_run_backwards() {
        assert!(mistake("at 1ms\nsend message 4").contains("must begin with a whole OPEN"));
        assert!(mistake("at 2ms\nat 1ms").contains("before the time of the step above"));
        assert_eq!(mistake("sleep 1ms"), "unknown keyword `sleep`");
    }
}
