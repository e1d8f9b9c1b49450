//! Scripted API programs: what a speaker starts is a script at the other end of a pipe.

use std::io;
use std::rc::Rc;

use tokio::task::spawn_local;

use crate::net::clock::Clock;
use crate::net::programs::{self, Programs};
use crate::scenario::format::script::Scenario;
use crate::scenario::scripted::program::{Program, ProgramBehaviour, ProgramInput};
use crate::scenario::scripted::progress::Progress;
use crate::sim::{PIPE_CAPACITY, Pipe, pipe};

/// Starts the scripts of a scenario.
pub struct ScriptedPrograms {
    /// The scenario whose `program` sections are played.
    pub scenario: Rc<Scenario>,
    /// The progress of the run.
    pub progress: Progress,
    /// The programs' clock.
    pub clock: Clock,
    /// Where the lines that they receive are recorded.
    pub input: ProgramInput,
    /// How programs behave: timing and misbehaviour.
    pub program_behaviour: ProgramBehaviour,
}

impl Programs for ScriptedPrograms {
    type Pipe = Pipe;

    fn start(&mut self, program: &programs::Program) -> io::Result<Pipe> {
        let script = self
            .scenario
            .programs
            .iter()
            .find(|script| script.name == program.name)
            .ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::NotFound,
                    format!("the scenario has no section `process {}`", program.name),
                )
            })?;
        let (ours, theirs) = pipe(PIPE_CAPACITY);
        let program = Program::new(
            script.clone(),
            theirs,
            self.progress.clone(),
            self.clock,
            self.input.clone(),
            self.program_behaviour.clone(),
        );
        spawn_local(program.play());
        Ok(ours)
    }
}
