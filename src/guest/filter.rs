//! Which system calls run by themselves, and which stop in the tracer: by list.
//!
//! What is not in [`HARMLESS`] stops. The tracer answers it, refuses it, or lets the kernel do it (see
//! [`dispatch`](super::dispatch)).

use std::collections::BTreeMap;

use nix::libc;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};

/// Calls that see and change nothing but the memory of the caller, or what it has read before: they run at native speed.
pub(super) const HARMLESS: &[i64] = &[
    libc::SYS_arch_prctl,
    libc::SYS_brk,
    libc::SYS_fdatasync,
    libc::SYS_fsync,
    libc::SYS_fstatfs,
    libc::SYS_getcwd,
    libc::SYS_getdents64,
    libc::SYS_get_robust_list,
    libc::SYS_lseek,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_mincore,
    libc::SYS_mlock,
    libc::SYS_mlock2,
    libc::SYS_mlockall,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_msync,
    libc::SYS_munlock,
    libc::SYS_munlockall,
    libc::SYS_munmap,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigpending,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_umask,
];

/// The filter of a guest: [`HARMLESS`] runs, all else stops.
pub(super) fn program() -> Result<BpfProgram, String> {
    let rules: BTreeMap<_, _> = HARMLESS.iter().map(|number| (*number, vec![])).collect();
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Trace(1),
        SeccompAction::Allow,
        TargetArch::x86_64,
    )
    .map_err(|error| error.to_string())?;
    filter.try_into().map_err(|error| format!("{error}"))
}
