//! Calls that are not allowed, or not emulated: named, with what would have to be added.

use nix::errno::Errno;
use nix::libc;

use super::dispatch::{Answer, Entry};
use super::host::Host;
use super::registers::{Call, name_of};

/// A refused call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Virtual time, in nanoseconds.
    pub time: i64,
    /// The process, by its number in the guest.
    pub process: i32,
    /// The call's name.
    pub call: String,
    /// Its arguments.
    pub arguments: [u64; 6],
    /// What is not emulated, and what would have to be added.
    pub reason: String,
    /// The guest was ended: nothing is known of what the call would have done.
    pub fatal: bool,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let arguments = self.arguments.map(|one| format!("{one:#x}")).join(", ");
        write!(
            formatter,
            "process {}: {}({arguments}) refused at {:.6} s: {}",
            self.process,
            self.call,
            self.time as f64 / 1e9,
            self.reason
        )
    }
}

/// Calls that could reach outside the simulation, or see through it: they fail as in a kernel without them.
pub(super) const CALLS: &[Entry] = &[
    (libc::SYS_io_uring_setup, absent),
    (libc::SYS_io_uring_enter, absent),
    (libc::SYS_io_uring_register, absent),
    (libc::SYS_io_setup, absent),
    (libc::SYS_bpf, forbidden),
    (libc::SYS_perf_event_open, forbidden),
    (libc::SYS_mount, forbidden),
    (libc::SYS_umount2, forbidden),
    (libc::SYS_pivot_root, forbidden),
    (libc::SYS_move_mount, forbidden),
    (libc::SYS_open_tree, forbidden),
    (libc::SYS_fsopen, forbidden),
    (libc::SYS_setns, forbidden),
    (libc::SYS_unshare, forbidden),
    (libc::SYS_ptrace, forbidden),
    (libc::SYS_process_vm_readv, forbidden),
    (libc::SYS_process_vm_writev, forbidden),
    (libc::SYS_kcmp, forbidden),
    (libc::SYS_init_module, forbidden),
    (libc::SYS_finit_module, forbidden),
    (libc::SYS_delete_module, forbidden),
    (libc::SYS_kexec_load, forbidden),
    (libc::SYS_reboot, forbidden),
    (libc::SYS_swapon, forbidden),
    (libc::SYS_iopl, forbidden),
    (libc::SYS_ioperm, forbidden),
    (libc::SYS_settimeofday, forbidden),
    (libc::SYS_clock_settime, forbidden),
    (libc::SYS_adjtimex, forbidden),
    (libc::SYS_clock_adjtime, forbidden),
    (libc::SYS_sethostname, forbidden),
    (libc::SYS_setdomainname, forbidden),
    (libc::SYS_userfaultfd, forbidden),
    (libc::SYS_pidfd_open, absent),
    (libc::SYS_pidfd_getfd, absent),
    (libc::SYS_pidfd_send_signal, absent),
    (libc::SYS_seccomp, absent),
    (libc::SYS_keyctl, absent),
    (libc::SYS_add_key, absent),
    (libc::SYS_request_key, absent),
    (libc::SYS_memfd_secret, absent),
    (libc::SYS_fanotify_init, absent),
    (libc::SYS_open_by_handle_at, forbidden),
    (libc::SYS_acct, forbidden),
    (libc::SYS_quotactl, forbidden),
    (libc::SYS_vhangup, forbidden),
];

fn absent(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    host.refuse(call, "a guest has no such call (it fails with ENOSYS)");
    Err(Errno::ENOSYS)
}

fn forbidden(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    host.refuse(call, "a guest may not (it fails with EPERM)");
    Err(Errno::EPERM)
}

impl Host {
    /// Notes a call that fails; the guest goes on.
    pub(super) fn refuse(&mut self, call: &Call, reason: impl Into<String>) {
        self.note(call, reason.into(), false);
    }

    /// Notes a call that nothing is known of: the guest ends.
    pub(super) fn unknown(&mut self, call: &Call, reason: impl Into<String>) {
        self.note(call, reason.into(), true);
    }

    fn note(&mut self, call: &Call, reason: String, fatal: bool) {
        let refusal = Refusal {
            time: self.kernel.now,
            process: call.process,
            call: name_of(call.number),
            arguments: call.arguments,
            reason,
            fatal,
        };
        self.kernel.trace.event(
            self.kernel.now,
            call.thread,
            &format!("refused {}", refusal.call),
        );
        self.kernel.refusals.push(refusal);
    }
}
