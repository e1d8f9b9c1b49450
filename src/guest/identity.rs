//! Who a guest is: process numbers, users, names, the machine.

use nix::errno::Errno;
use nix::libc;

use super::dispatch::{Answer, Entry, native, nothing};
use super::host::Host;
use super::registers::Call;

/// The calls of this file.
pub(super) const CALLS: &[Entry] = &[
    (libc::SYS_getpid, getpid),
    (libc::SYS_gettid, gettid),
    (libc::SYS_getppid, getppid),
    (libc::SYS_getpgrp, getpgid),
    (libc::SYS_getpgid, getpgid),
    (libc::SYS_setpgid, setpgid),
    (libc::SYS_getsid, getsid),
    (libc::SYS_setsid, setsid),
    (libc::SYS_uname, uname),
    (libc::SYS_getuid, getuid),
    (libc::SYS_geteuid, geteuid),
    (libc::SYS_getgid, getgid),
    (libc::SYS_getegid, getegid),
    (libc::SYS_getresuid, getresuid),
    (libc::SYS_getresgid, getresgid),
    (libc::SYS_setuid, setuid),
    (libc::SYS_setgid, setgid),
    (libc::SYS_setreuid, setresuid),
    (libc::SYS_setregid, setresgid),
    (libc::SYS_setresuid, setresuid),
    (libc::SYS_setresgid, setresgid),
    (libc::SYS_setfsuid, nothing),
    (libc::SYS_setfsgid, nothing),
    (libc::SYS_getgroups, nothing),
    (libc::SYS_setgroups, nothing),
    (libc::SYS_capset, nothing),
    (libc::SYS_setpriority, nothing),
    (libc::SYS_ioprio_set, nothing),
    (libc::SYS_sched_setscheduler, nothing),
    (libc::SYS_sched_setparam, nothing),
    (libc::SYS_sched_setaffinity, nothing),
    (libc::SYS_sched_getaffinity, sched_getaffinity),
    (libc::SYS_getcpu, getcpu),
    (libc::SYS_sysinfo, sysinfo),
    (libc::SYS_prctl, prctl),
    (libc::SYS_personality, personality),
];

/// What a host's guests see of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `uname -n`.
    pub host_name: String,
    /// `uname -r`.
    pub release: String,
    /// The number of the first process.
    pub first_pid: i32,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            host_name: "host".into(),
            release: "6.1.0".into(),
            first_pid: 1_000,
        }
    }
}

fn getpid(_host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    Ok(Answer::Value(call.process.into()))
}

fn gettid(_host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    Ok(Answer::Value(call.thread.into()))
}

fn process(host: &mut Host, number: i32) -> Result<&mut super::process::Process, Errno> {
    host.kernel.processes.get_mut(&number).ok_or(Errno::ESRCH)
}

/// The process that an argument means: zero is the caller.
fn meant(call: &Call, number: i32) -> i32 {
    if number == 0 { call.process } else { number }
}

fn getppid(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    Ok(Answer::Value(process(host, call.process)?.parent.into()))
}

fn getpgid(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let number = if call.number == libc::SYS_getpgrp {
        0
    } else {
        call.int(0)
    };
    Ok(Answer::Value(
        process(host, meant(call, number))?.group.into(),
    ))
}

fn setpgid(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let number = meant(call, call.int(0));
    let group = if call.int(1) == 0 {
        number
    } else {
        call.int(1)
    };
    process(host, number)?.group = group;
    Ok(Answer::Value(0))
}

fn getsid(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    Ok(Answer::Value(
        process(host, meant(call, call.int(0)))?.session.into(),
    ))
}

fn setsid(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let own = process(host, call.process)?;
    if own.group == call.process {
        return Err(Errno::EPERM);
    }
    (own.group, own.session) = (call.process, call.process);
    Ok(Answer::Value(call.process.into()))
}

/// `struct utsname`: six strings of 65 octets.
fn uname(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let identity = host.kernel.identity.clone();
    let mut all = [0; 6 * 65];
    let fields = [
        "Linux",
        &identity.host_name,
        &identity.release,
        "#1 SMP",
        "x86_64",
        "(none)",
    ];
    for (place, field) in all.chunks_exact_mut(65).zip(fields) {
        let length = field.len().min(64);
        place[..length].copy_from_slice(&field.as_bytes()[..length]);
    }
    host.write(call, call.address(0), &all)?;
    Ok(Answer::Value(0))
}

fn getuid(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    Ok(Answer::Value(process(host, call.process)?.users[0].into()))
}

fn geteuid(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    Ok(Answer::Value(process(host, call.process)?.users[1].into()))
}

fn getgid(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    Ok(Answer::Value(process(host, call.process)?.groups[0].into()))
}

fn getegid(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    Ok(Answer::Value(process(host, call.process)?.groups[1].into()))
}

fn getresuid(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let users = process(host, call.process)?.users;
    three(host, call, users)
}

fn getresgid(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let groups = process(host, call.process)?.groups;
    three(host, call, groups)
}

fn three(host: &mut Host, call: &Call, values: [u32; 3]) -> Result<Answer, Errno> {
    for (at, value) in values.into_iter().enumerate() {
        host.memory(call)?.write_u32(call.address(at), value)?;
    }
    Ok(Answer::Value(0))
}

/// A guest begins as root and may become anyone: no file of the kernel's is reached as another user.
fn setuid(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    process(host, call.process)?.users = [call.arguments[0] as u32; 3];
    Ok(Answer::Value(0))
}

fn setgid(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    process(host, call.process)?.groups = [call.arguments[0] as u32; 3];
    Ok(Answer::Value(0))
}

fn setresuid(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let own = process(host, call.process)?;
    own.users = chosen(call, own.users);
    Ok(Answer::Value(0))
}

fn setresgid(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let own = process(host, call.process)?;
    own.groups = chosen(call, own.groups);
    Ok(Answer::Value(0))
}

/// Each of the three that is not -1; setreuid has two.
fn chosen(call: &Call, now: [u32; 3]) -> [u32; 3] {
    let two = matches!(call.number, libc::SYS_setreuid | libc::SYS_setregid);
    std::array::from_fn(|at| {
        let source = if two && at == 2 { 1 } else { at };
        match call.arguments[source] as u32 {
            u32::MAX => now[at],
            value => value,
        }
    })
}

/// One processor.
fn sched_getaffinity(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    if call.size(1) < 8 {
        return Err(Errno::EINVAL);
    }
    host.write(call, call.address(2), &1_u64.to_ne_bytes())?;
    Ok(Answer::Value(8))
}

fn getcpu(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    for at in [0, 1] {
        if call.address(at) != 0 {
            host.memory(call)?.write_u32(call.address(at), 0)?;
        }
    }
    Ok(Answer::Value(0))
}

/// `struct sysinfo`: up for a while, one gibibyte, half of it free.
fn sysinfo(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let up = super::clock::Clock::Monotonic.at(host.kernel.now) / 1_000_000_000;
    let mut info = [0; 112];
    for (at, value) in [(0, up), (32, 1 << 30), (40, 1 << 29)] {
        info[at..at + 8].copy_from_slice(&value.to_ne_bytes());
    }
    info[80..82].copy_from_slice(&(host.kernel.processes.len() as u16).to_ne_bytes());
    info[104..108].copy_from_slice(&1_u32.to_ne_bytes());
    host.write(call, call.address(0), &info)?;
    Ok(Answer::Value(0))
}

/// Naming memory (`PR_SET_VMA`), as Go does.
const PR_SET_VMA: i32 = 0x5356_4d41;

fn prctl(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    match call.int(0) {
        libc::PR_SET_NAME
        | libc::PR_GET_NAME
        | libc::PR_CAPBSET_READ
        | libc::PR_GET_DUMPABLE
        | libc::PR_SET_NO_NEW_PRIVS
        | libc::PR_GET_NO_NEW_PRIVS
        | libc::PR_SET_THP_DISABLE
        | libc::PR_GET_KEEPCAPS
        | libc::PR_GET_SECCOMP
        | libc::PR_CAP_AMBIENT
        | PR_SET_VMA => native(host, call),
        libc::PR_SET_PDEATHSIG
        | libc::PR_SET_DUMPABLE
        | libc::PR_SET_KEEPCAPS
        | libc::PR_CAPBSET_DROP
        | libc::PR_SET_TIMERSLACK
        | libc::PR_SET_CHILD_SUBREAPER => Ok(Answer::Value(0)),
        other => {
            host.refuse(
                call,
                format!("prctl option {other} is not known to be harmless (it fails with EINVAL)"),
            );
            Err(Errno::EINVAL)
        }
    }
}

/// Only the question what it is.
fn personality(_host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    match call.arguments[0] as u32 {
        u32::MAX => Ok(Answer::Value(0)),
        _ => Err(Errno::EPERM),
    }
}
