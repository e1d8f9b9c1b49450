//! Real programs, unmodified, in virtual time. It sits on the network and the simulator alone and knows no BGP.
//!
//! A [`Host`] holds the processes of one host of the world. Each is traced (ptrace(2)) behind a filter (seccomp(2)) that
//! lets harmless calls run and stops at all others; those are answered from here: time, randomness, sockets, polling,
//! futexes, pipes, timers, processes and signals. One thread of one guest runs at a time, until every thread waits for
//! something that only the simulation can give; then virtual time may move. So a run is the same every time, and
//! [`Host::trace`] proves it: a hash over every answered call, with its time and its result.
//!
//! # Where to start reading
//! [`host`] (what runs next), then [`dispatch`] (which file answers a call), then any group: [`pipe`] is a short one.
//! What is kept for the guests is plain data ([`kernel`]); what is not (traced threads, connections of the network)
//! stands beside it.
//!
//! # How to add a system call
//! 1. Choose the file of its group, or make one: one idea a file.
//! 2. Write a function `fn(&mut Host, &Call) -> Result<Answer, Errno>`. Arguments come from [`Call`](registers::Call),
//!    memory from [`Host::read`](host::Host) and its kin; an `Err` is what the guest sees in `errno`. A call that must
//!    wait returns [`Answer::Wait`](dispatch::Answer) with what ends the wait; it is asked again from the start, with
//!    [`Call::again`](registers::Call) set, so it must change nothing before it waits.
//! 3. Add it to the file's `CALLS`; a new file's goes into the table of [`dispatch`].
//! 4. Add a program to `qa/guests` that makes the call, and its line in `tests/guest`: natively and as a guest it must
//!    print the same.
//!
//! A call that sees and changes nothing but its caller's memory belongs in [`filter::HARMLESS`] instead, where it costs
//! nothing. A descriptor of a new kind is a variant of [`description::Kind`]; opening it runs something harmless in the
//! kernel ([`Host::open`](host::Host)), so that its number is the kernel's.
//!
//! # What is refused
//! What is in no list ends the guest, with its name and arguments ([`Failure::Refused`]); what could reach outside
//! (io_uring, raw sockets, mounting, …) fails as in a kernel without it and is noted ([`Host::refusals`]). Only x86-64
//! Linux is supported.

mod affinity;
mod channel;
mod clock;
mod description;
mod descriptor;
mod dispatch;
mod drive;
mod epoll;
mod eventfd;
mod execute;
mod exit;
mod files;
mod filter;
mod fork;
mod futex;
mod host;
mod identity;
mod inet;
mod interface;
mod itimer;
mod kernel;
mod landlock;
mod leave;
mod limits;
mod machine;
mod memory;
mod netlink;
pub mod network;
mod option;
mod output;
mod pace;
mod pipe;
mod played;
mod poll;
mod post_mortem;
mod process;
mod random;
mod refusal;
mod registers;
mod schedule;
mod signal;
mod socket;
mod startup;
mod thread;
mod timerfd;
mod trace;
mod tracer;
mod transfer;
mod unix;
mod vdso;
mod watchdog;

pub use drive::drive;
pub use host::{Ended, Host, Settings, Turn};
pub use identity::Identity;
pub use leave::Left;
pub use output::{Line, Stream};
pub use pace::{Cost, Pace};
pub use played::{Moved, STUB, Started};
pub use post_mortem::PostMortem;
pub use refusal::Refusal;
pub use startup::{Program, SUBCOMMAND, execute};

/// Why guests cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The program, or its tracer, did not start.
    #[error("cannot start {0}")]
    Start(String),
    /// The kernel refused something to the tracer, or a guest was taken from it.
    #[error("the guest was lost: {0}")]
    Tracing(#[source] nix::errno::Errno),
    /// A call that is neither harmless nor answered.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// It computes without end.
    #[error(
        "process {process} made no progress: {seconds} s of processor time without an answered call"
    )]
    Spins {
        /// The process, by its number in the guest.
        process: i32,
        /// Processor time.
        seconds: u32,
    },
}
