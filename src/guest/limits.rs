//! Resource limits: a guest may look and lower, but for the processor time by which its progress is watched.

use nix::errno::Errno;
use nix::libc;

use super::dispatch::{Answer, Entry};
use super::host::Host;
use super::registers::Call;

/// The calls of this file.
pub(super) const CALLS: &[Entry] = &[
    (libc::SYS_prlimit64, prlimit),
    (libc::SYS_setrlimit, setrlimit),
];

fn prlimit(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let (process, resource) = (call.int(0), call.int(1) as u32);
    if process != 0 && process != call.process {
        return Err(Errno::EPERM);
    }
    if resource == libc::RLIMIT_CPU {
        if call.address(3) != 0 {
            host.write(call, call.address(3), &[0xff; 16])?;
        }
        return Ok(Answer::Value(0));
    }
    let mut arguments = call.arguments;
    arguments[0] = 0;
    host.inject(call, libc::SYS_prlimit64, arguments)
        .map(Answer::Value)
}

fn setrlimit(_host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    if call.arguments[0] as u32 == libc::RLIMIT_CPU {
        return Ok(Answer::Value(0));
    }
    Ok(Answer::Native)
}
