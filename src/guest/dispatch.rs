//! The table of calls: each group's file names its calls and what answers them.

use std::sync::LazyLock;

use nix::errno::Errno;
use nix::libc;

use super::host::Host;
use super::registers::Call;
use super::thread::Wait;

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// This is its result; the kernel never sees it.
    Value(i64),
    /// The kernel does it.
    Native,
    /// The caller waits; then the call is asked again.
    Wait(Wait),
    /// The caller is gone, or runs another program: nothing is to be answered.
    Gone,
}

/// Answers a call; an error is what the guest sees.
pub(super) type Handler = fn(&mut Host, &Call) -> Result<Answer, Errno>;
/// A call's number and what answers it.
pub(super) type Entry = (i64, Handler);

/// The greatest number of a call, and one more.
const NUMBERS: usize = 512;

/// Calls that are harmless but for their cost, which is why they stop: they look at the machine's state.
const NATIVE: &[i64] = &[
    libc::SYS_capget,
    libc::SYS_copy_file_range,
    libc::SYS_fadvise64,
    libc::SYS_fallocate,
    libc::SYS_fchdir,
    libc::SYS_ftruncate,
    libc::SYS_getpriority,
    libc::SYS_getrlimit,
    libc::SYS_getrusage,
    libc::SYS_io_cancel,
    libc::SYS_memfd_create,
    libc::SYS_pkey_alloc,
    libc::SYS_pread64,
    libc::SYS_preadv,
    libc::SYS_pwrite64,
    libc::SYS_pwritev,
    libc::SYS_readahead,
    libc::SYS_sched_getparam,
    libc::SYS_sched_getscheduler,
    libc::SYS_sched_get_priority_max,
    libc::SYS_sched_get_priority_min,
    libc::SYS_statfs,
    libc::SYS_sync_file_range,
];

static TABLE: LazyLock<Vec<Option<Handler>>> = LazyLock::new(|| {
    let mut table: Vec<Option<Handler>> = vec![None; NUMBERS];
    let groups = [
        super::clock::CALLS,
        super::descriptor::CALLS,
        super::epoll::CALLS,
        super::eventfd::CALLS,
        super::execute::CALLS,
        super::exit::CALLS,
        super::files::CALLS,
        super::fork::CALLS,
        super::futex::CALLS,
        super::identity::CALLS,
        super::itimer::CALLS,
        super::limits::CALLS,
        super::pipe::CALLS,
        super::poll::CALLS,
        super::random::CALLS,
        super::refusal::CALLS,
        super::signal::CALLS,
        super::socket::CALLS,
        super::timerfd::CALLS,
        super::transfer::CALLS,
    ];
    let native: &[Entry] = &NATIVE.map_entries();
    for (number, handler) in groups.iter().copied().chain([native]).flatten() {
        if let Some(slot) = usize::try_from(*number)
            .ok()
            .and_then(|at| table.get_mut(at))
        {
            *slot = Some(*handler);
        }
    }
    table
});

trait Entries {
    fn map_entries(&self) -> Vec<Entry>;
}

impl Entries for &[i64] {
    fn map_entries(&self) -> Vec<Entry> {
        self.iter()
            .map(|number| (*number, native as Handler))
            .collect()
    }
}

/// Lets the kernel do it.
pub(super) fn native(_host: &mut Host, _call: &Call) -> Result<Answer, Errno> {
    Ok(Answer::Native)
}

/// Says yes, and does nothing.
pub(super) fn nothing(_host: &mut Host, _call: &Call) -> Result<Answer, Errno> {
    Ok(Answer::Value(0))
}

/// What answers the call of this number.
pub(super) fn handler(number: i64) -> Option<Handler> {
    let at = usize::try_from(number).ok()?;
    TABLE.get(at).copied().flatten()
}
