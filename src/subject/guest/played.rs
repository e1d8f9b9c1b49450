//! API programs of a guest, played by ours at the other end of its pipes.

use std::task::{Context, Poll};

use crate::guest::{self, Moved};
use crate::net::Stream;

/// The most octets that are moved between the guest and a program at once: a pipe's capacity on Linux (pipe(7)).
const CHUNK: usize = 65_536;

/// A program of ours at the other end of a guest's pipes.
pub(super) struct PlayedProgram<T> {
    process: i32,
    pipe: T,
    /// What the guest wrote and the program has not taken.
    to_program: Vec<u8>,
    /// The guest closed the program's standard input.
    closed: bool,
    pub(super) over: bool,
}

impl<T: Stream> PlayedProgram<T> {
    /// The program that `process` stands for; ours is at the other end of `pipe`.
    pub(super) const fn new(process: i32, pipe: T) -> Self {
        Self {
            process,
            pipe,
            to_program: Vec::new(),
            closed: false,
            over: false,
        }
    }

    /// Whether it is played at the pipes of this process, which itself does nothing.
    pub(super) const fn stands_for(&self, process: i32) -> bool {
        self.process == process
    }

    /// Moves octets both ways; whether any moved.
    pub(super) fn poll(&mut self, guests: &mut guest::Host, context: &mut Context<'_>) -> bool {
        let mut moved = false;
        while !self.closed || !self.to_program.is_empty() {
            if self.to_program.is_empty() {
                match guests.take_input(self.process, CHUNK) {
                    Moved::Some(octets) => {
                        self.to_program = octets;
                        moved = true;
                    }
                    Moved::Later => break,
                    Moved::Over => {
                        self.closed = true;
                        let _ = self.pipe.poll_shutdown(context);
                        break;
                    }
                }
            }
            match self.pipe.poll_write(context, &self.to_program) {
                Poll::Ready(Ok(count)) => drop(self.to_program.drain(..count)),
                Poll::Ready(Err(_)) => {
                    self.to_program.clear();
                    self.closed = true;
                }
                Poll::Pending => break,
            }
        }
        let mut buffer = vec![0; CHUNK];
        while let Some(room) = guests.output_room(self.process).filter(|room| *room > 0) {
            let most = room.min(CHUNK);
            match self.pipe.poll_read(context, &mut buffer[..most]) {
                Poll::Ready(Ok(count)) if count > 0 => {
                    guests.put_output(self.process, &buffer[..count]);
                    moved = true;
                }
                Poll::Ready(_) => {
                    guests.end(self.process);
                    self.over = true;
                    return true;
                }
                Poll::Pending => break,
            }
        }
        if guests.ended(self.process).is_some() {
            self.over = true;
        }
        moved
    }
}
