//! Runs a program as Docker's default profile does, without Docker: with its capabilities, and without the system calls
//! that it refuses (moby/profiles, `seccomp/default.json` and `oci/caps/defaults.go`).
//!
//! Usage: container PROGRAM [ARGUMENT…]

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

/// chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap, net_bind_service, net_raw, sys_chroot, mknod,
/// audit_write, setfcap.
const CAPABILITIES: &[u32] = &[0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31];
const LAST_CAPABILITY: u32 = 40;

/// Refused with EPERM to who lacks CAP_SYS_ADMIN, CAP_SYS_PTRACE and the like.
const REFUSED: &[i64] = &[
    libc::SYS_bpf,
    libc::SYS_fsopen,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_mount,
    libc::SYS_perf_event_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pivot_root,
    libc::SYS_setns,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
];

/// What personality(2) may be asked for.
const PERSONALITIES: &[u32] = &[0, 8, 0x2_0000, 0x2_0008, u32::MAX];

fn load(at: usize) -> libc::sock_filter {
    let code = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    libc::sock_filter {
        code,
        jt: 0,
        jf: 0,
        k: at as u32,
    }
}

fn skip_unless(value: u32, jump: u8) -> libc::sock_filter {
    libc::sock_filter {
        code: (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16,
        jt: 0,
        jf: jump,
        k: value,
    }
}

fn end(action: u32) -> libc::sock_filter {
    libc::sock_filter {
        code: (libc::BPF_RET | libc::BPF_K) as u16,
        jt: 0,
        jf: 0,
        k: action,
    }
}

fn filter() -> Vec<libc::sock_filter> {
    let refused = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
    let absent = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;
    let number = std::mem::offset_of!(libc::seccomp_data, nr);
    let first = std::mem::offset_of!(libc::seccomp_data, args);
    let mut all = vec![load(number)];
    for call in REFUSED {
        all.extend([skip_unless(*call as u32, 1), end(refused)]);
    }
    all.extend([skip_unless(libc::SYS_clone3 as u32, 1), end(absent)]);
    let choices = PERSONALITIES.len() as u8;
    all.push(skip_unless(libc::SYS_personality as u32, 2 + 2 * choices));
    all.push(load(first));
    for allowed in PERSONALITIES {
        all.extend([skip_unless(*allowed, 1), end(libc::SECCOMP_RET_ALLOW)]);
    }
    all.push(end(refused));
    all.push(end(libc::SECCOMP_RET_ALLOW));
    all
}

fn main() {
    let mut words = std::env::args_os().skip(1);
    let program = words.next().expect("a program");
    let mut filter = filter();
    let all = libc::sock_fprog {
        len: filter.len() as u16,
        filter: filter.as_mut_ptr(),
    };
    unsafe {
        for capability in (0..=LAST_CAPABILITY).filter(|it| !CAPABILITIES.contains(it)) {
            libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0);
        }
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        let set = libc::prctl(
            libc::PR_SET_SECCOMP,
            libc::SECCOMP_MODE_FILTER,
            &raw const all,
            0,
            0,
        );
        assert_eq!(set, 0, "a filter");
        assert_eq!(libc::personality(0x4_0000), -1, "it is refused");
    }
    let error = Command::new(program).args(words).exec();
    eprintln!("{error}");
    exit(127);
}
