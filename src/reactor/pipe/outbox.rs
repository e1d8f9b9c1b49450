//! What waits to be written to a program.

/// Lines for a program, in order, bounded: a program that does not read must not take all memory, nor hold up a session.
#[derive(Debug, Default)]
pub struct Outbox {
    octets: Vec<u8>,
    written: usize,
}

impl Outbox {
    /// Beyond this many octets no more commands of the program are read, until it reads its answers.
    pub const HIGH_WATER: usize = 1024 * 1024;

    /// Beyond this many octets the program counts as broken: it has not read while this much happened.
    pub const LIMIT: usize = 64 * 1024 * 1024;

    /// Adds a line, or several; the last end of line is added where it is missing.
    pub fn push(&mut self, lines: &str) {
        self.octets.reserve(lines.len() + 1);
        self.octets.extend_from_slice(lines.as_bytes());
        if !lines.ends_with('\n') {
            self.octets.push(b'\n');
        }
    }

    /// What is to be written next.
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        &self.octets[self.written..]
    }

    /// The first `count` octets of [`Outbox::pending`] were written.
    pub fn wrote(&mut self, count: usize) {
        self.written += count;
        if self.written == self.octets.len() {
            self.octets.clear();
            self.written = 0;
        } else if self.written > Self::HIGH_WATER {
            self.octets.drain(..self.written);
            self.written = 0;
        }
    }

    /// Whether nothing waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.written == self.octets.len()
    }

    /// Whether so much waits that the program's commands should wait too.
    #[must_use]
    pub const fn is_high(&self) -> bool {
        self.octets.len() - self.written > Self::HIGH_WATER
    }

    /// Whether more waits than a working program would leave.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.octets.len() - self.written > Self::LIMIT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_half_written_goes_on_where_it_stopped() {
        let mut outbox = Outbox::default();
        outbox.push("done");
        outbox.push("error");
        assert_eq!(outbox.pending(), b"done\nerror\n");
        outbox.wrote(3);
        assert_eq!(outbox.pending(), b"e\nerror\n");
        outbox.wrote(8);
        assert!(outbox.is_empty());
    }

    #[test]
    fn it_knows_when_it_is_too_full() {
        let mut outbox = Outbox::default();
        outbox.push(&"x".repeat(Outbox::HIGH_WATER));
        assert!(outbox.is_high() && !outbox.is_over());
        outbox.wrote(2);
        assert!(!outbox.is_high());
        outbox.push(&"x".repeat(Outbox::LIMIT));
        assert!(outbox.is_over());
    }
}
