//! What waits to be written to a program.

use std::collections::VecDeque;
use std::io;
use std::task::{Context, Poll, ready};

use crate::net::programs::ProgramPipe;

/// Lines for a program, in order, bounded: a program that does not read must not take all memory, nor hold up a session.
///
/// An answer is written once the program has read the answer before it, unless more than [`Outbox::AT_ONCE`] wait. Many
/// programs call select() on a standard input that their language buffers: of two answers that one read brings, they see
/// the second when the next one comes. The reference writes each answer from a loop of its own, so that they get by there.
#[derive(Debug, Default)]
pub struct Outbox {
    octets: Vec<u8>,
    written: usize,
    /// Where in the whole stream the answers begin and end that have to wait for those before them.
    answers: VecDeque<(u64, u64)>,
    /// Octets of the whole stream that were written.
    sent: u64,
    /// Where in the whole stream the last answer ends that may be written.
    answered: u64,
}

impl Outbox {
    /// Beyond this many octets no more commands of the program are read, until it reads its answers.
    pub const HIGH_WATER: usize = 1024 * 1024;

    /// Beyond this many octets the program counts as broken: it has not read while this much happened.
    pub const LIMIT: usize = 64 * 1024 * 1024;

    /// A program that has more commands than this to be answered wants throughput: it is given all answers at once.
    pub const AT_ONCE: usize = 8;

    /// Adds a line, or several; the last end of line is added where it is missing.
    pub fn push(&mut self, lines: &str) {
        self.octets.reserve(lines.len() + 1);
        self.octets.extend_from_slice(lines.as_bytes());
        if !lines.ends_with('\n') {
            self.octets.push(b'\n');
        }
    }

    /// Adds the answer to a command, with the lines that belong to it.
    pub fn push_answer(&mut self, lines: &str) {
        let start = self.end();
        self.push(lines);
        self.answers.push_back((start, self.end()));
        if self.answers.len() > Self::AT_ONCE {
            self.hurry();
        }
    }

    /// Lets every answer so far go, whatever the program has read.
    pub fn hurry(&mut self) {
        if let Some((_, end)) = self.answers.pop_back() {
            self.answered = end;
            self.answers.clear();
        }
    }

    /// Where in the whole stream the next line begins.
    const fn end(&self) -> u64 {
        self.sent + (self.octets.len() - self.written) as u64
    }

    /// Where an answer is next that follows another: how many octets the program may have unread then.
    fn gate(&self) -> Option<usize> {
        let (start, _) = self.answers.front()?;
        (*start == self.sent)
            .then(|| usize::try_from(self.sent - self.answered).unwrap_or(usize::MAX))
    }

    /// What may be written next.
    fn pending(&self) -> &[u8] {
        let octets = &self.octets[self.written..];
        match self.answers.front() {
            Some((start, _)) => &octets[..(start - self.sent) as usize],
            None => octets,
        }
    }

    /// Writes to `pipe` what it takes at once, if anything may be written; says how much it was.
    pub fn poll_write(
        &mut self,
        pipe: &mut impl ProgramPipe,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if let Some(most) = self.gate() {
            // Before the first answer there is none to be read.
            if self.answered > 0 {
                ready!(pipe.poll_unread(context, most));
            }
            if let Some((_, end)) = self.answers.pop_front() {
                self.answered = end;
            }
        }
        let count = ready!(pipe.poll_write(context, self.pending()))?;
        self.wrote(count);
        Poll::Ready(Ok(count))
    }

    fn wrote(&mut self, count: usize) {
        self.sent += count as u64;
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

    use std::task::Waker;

    use crate::net::Stream;
    use crate::sim::{PIPE_CAPACITY, Pipe, pipe};

    /// Writes all that may be written, and gives what `program` reads then, if it reads.
    fn flush(outbox: &mut Outbox, ours: &mut Pipe) {
        let context = &mut Context::from_waker(Waker::noop());
        while !outbox.is_empty() && outbox.poll_write(ours, context).is_ready() {}
    }

    fn read(program: &mut Pipe, most: usize) -> String {
        let mut buffer = vec![0; most];
        match program.poll_read(&mut Context::from_waker(Waker::noop()), &mut buffer) {
            Poll::Ready(Ok(count)) => String::from_utf8(buffer[..count].to_vec()).unwrap(),
            _ => String::new(),
        }
    }

    #[test]
    fn what_is_half_written_goes_on_where_it_stopped() {
        let (mut ours, mut program) = pipe(3);
        let mut outbox = Outbox::default();
        outbox.push("done");
        outbox.push("error");
        let mut told = String::new();
        while !outbox.is_empty() {
            flush(&mut outbox, &mut ours);
            told += &read(&mut program, 9);
        }
        assert_eq!(told + &read(&mut program, 9), "done\nerror\n");
    }

    #[test]
    fn an_answer_waits_until_the_one_before_is_read_but_events_do_not() {
        let (mut ours, mut program) = pipe(PIPE_CAPACITY);
        let mut outbox = Outbox::default();
        for line in ["one\ndone", "two\ndone"] {
            outbox.push_answer(line);
        }
        outbox.push("event");
        outbox.push_answer("done");
        flush(&mut outbox, &mut ours);
        assert_eq!(read(&mut program, 7), "one\ndon");
        flush(&mut outbox, &mut ours);
        assert_eq!(read(&mut program, 99), "e\n");
        flush(&mut outbox, &mut ours);
        // The event behind the answer comes with it; the answer behind the event waits for the first alone.
        assert_eq!(read(&mut program, 9), "two\ndone\n");
        flush(&mut outbox, &mut ours);
        assert_eq!(read(&mut program, 99), "event\ndone\n");
        assert!(outbox.is_empty());
    }

    #[test]
    fn many_answers_go_at_once() {
        let (mut ours, mut program) = pipe(PIPE_CAPACITY);
        let mut outbox = Outbox::default();
        for _ in 0..=Outbox::AT_ONCE {
            outbox.push_answer("done");
        }
        flush(&mut outbox, &mut ours);
        assert_eq!(
            read(&mut program, 999),
            "done\n".repeat(Outbox::AT_ONCE + 1)
        );
        outbox.push_answer("done");
        outbox.push_answer("last");
        outbox.hurry();
        flush(&mut outbox, &mut ours);
        assert_eq!(read(&mut program, 999), "done\nlast\n");
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
