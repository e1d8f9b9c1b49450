//! A speaker's control program: each command of the script is a run of it as a further guest of the host.

use std::task::{Context, Poll};

use crate::guest::{self, Failure};
use crate::net::Stream;
use crate::subject::control::{self, ControlScript};

/// The control program and the script that speaks through it.
pub(super) struct ControlProgram<T> {
    /// The program, without arguments.
    program: guest::Program,
    /// Its own arguments.
    arguments: Vec<String>,
    script: ControlScript<T>,
    /// The process that runs now, and how many writes of guests there were before it.
    running: Option<(i32, usize)>,
    over: bool,
}

impl<T: Stream> ControlProgram<T> {
    pub(super) fn new(
        program: guest::Program,
        arguments: &[String],
        script: ControlScript<T>,
    ) -> Self {
        Self {
            program,
            arguments: arguments.to_vec(),
            script,
            running: None,
            over: false,
        }
    }

    /// Moves commands and answers; whether any moved.
    pub(super) fn poll(
        &mut self,
        guests: &mut guest::Host,
        context: &mut Context<'_>,
    ) -> Result<bool, Failure> {
        let mut moved = false;
        if let Some((process, before)) = self.running {
            let Some(ended) = guests.ended(process) else {
                return Ok(false);
            };
            let writes = guests.output()[before..].iter();
            let printed = writes.filter(|write| write.process == process);
            let printed: Vec<u8> = printed.flat_map(|write| write.octets.clone()).collect();
            self.script
                .answer(&printed, ended == guest::Ended::Exited(0));
            self.running = None;
            moved = true;
        }
        if self.over {
            return Ok(moved);
        }
        match self.script.poll_command(context) {
            Poll::Pending => Ok(moved),
            Poll::Ready(None) => {
                self.over = true;
                Ok(moved)
            }
            Poll::Ready(Some(command)) => {
                let mut program = self.program.clone();
                let arguments = control::arguments(&self.arguments, &command);
                program.arguments = arguments.into_iter().map(Into::into).collect();
                let before = guests.output().len();
                self.running = Some((guests.start(&program)?, before));
                Ok(true)
            }
        }
    }
}
