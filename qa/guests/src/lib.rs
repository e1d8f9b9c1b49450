//! What the programs share: system calls as results, and their printing.
//!
//! Nothing that may differ from run to run is printed: no time, no process number, no address. This crate alone may use
//! `unsafe`: it is there to make system calls.

use std::io::Write;

/// The result of a call: its value, or the name of its error.
pub fn result(value: i64) -> Result<i64, String> {
    if value >= 0 {
        return Ok(value);
    }
    let number = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
    Err(name(number))
}

/// The name of an error number.
pub fn name(number: i32) -> String {
    let known = [
        (libc::EPERM, "EPERM"),
        (libc::ENOENT, "ENOENT"),
        (libc::ESRCH, "ESRCH"),
        (libc::EINTR, "EINTR"),
        (libc::EBADF, "EBADF"),
        (libc::ECHILD, "ECHILD"),
        (libc::EAGAIN, "EAGAIN"),
        (libc::EACCES, "EACCES"),
        (libc::EFAULT, "EFAULT"),
        (libc::EEXIST, "EEXIST"),
        (libc::EINVAL, "EINVAL"),
        (libc::EPIPE, "EPIPE"),
        (libc::ENOSYS, "ENOSYS"),
        (libc::ENOTSOCK, "ENOTSOCK"),
        (libc::EMSGSIZE, "EMSGSIZE"),
        (libc::EOPNOTSUPP, "EOPNOTSUPP"),
        (libc::EADDRINUSE, "EADDRINUSE"),
        (libc::EADDRNOTAVAIL, "EADDRNOTAVAIL"),
        (libc::ECONNRESET, "ECONNRESET"),
        (libc::EISCONN, "EISCONN"),
        (libc::ENOTCONN, "ENOTCONN"),
        (libc::ETIMEDOUT, "ETIMEDOUT"),
        (libc::ECONNREFUSED, "ECONNREFUSED"),
        (libc::EALREADY, "EALREADY"),
        (libc::EINPROGRESS, "EINPROGRESS"),
        (libc::ENOTEMPTY, "ENOTEMPTY"),
        (libc::EPROTOTYPE, "EPROTOTYPE"),
        (libc::EOWNERDEAD, "EOWNERDEAD"),
        (libc::ENOTTY, "ENOTTY"),
        (libc::ENOPROTOOPT, "ENOPROTOOPT"),
        (libc::EPROTONOSUPPORT, "EPROTONOSUPPORT"),
        (libc::EROFS, "EROFS"),
        (libc::ENOTDIR, "ENOTDIR"),
        (libc::EISDIR, "EISDIR"),
    ];
    let found = known.iter().find(|(one, _)| *one == number);
    found.map_or_else(|| format!("error {number}"), |(_, name)| (*name).to_owned())
}

/// Prints one observation.
pub fn show(what: &str, value: impl std::fmt::Debug) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{what}: {value:?}");
    let _ = out.flush();
}

/// Shows the result of a system call.
#[macro_export]
macro_rules! call {
    ($what:expr, $call:expr) => {{
        let value = unsafe { $call } as i64;
        let result = $crate::result(value);
        $crate::show($what, &result);
        value as i32
    }};
}

/// The events that poll(2) finds at once, or within a while, by name.
pub fn poll(descriptor: i32, events: i16, milliseconds: i32) -> String {
    let mut one = libc::pollfd {
        fd: descriptor,
        events,
        revents: 0,
    };
    let count = unsafe { libc::poll(&mut one, 1, milliseconds) };
    if count < 0 {
        return format!("{:?}", result(-1));
    }
    events_of(one.revents)
}

/// The names of events.
pub fn events_of(events: i16) -> String {
    let names = [
        (libc::POLLIN, "IN"),
        (libc::POLLOUT, "OUT"),
        (libc::POLLERR, "ERR"),
        (libc::POLLHUP, "HUP"),
        (libc::POLLRDHUP, "RDHUP"),
        (libc::POLLNVAL, "NVAL"),
    ];
    let set: Vec<&str> = names
        .iter()
        .filter(|(bit, _)| events & bit != 0)
        .map(|(_, name)| *name)
        .collect();
    set.join("|")
}

/// All events that are asked for.
pub const ALL: i16 = libc::POLLIN | libc::POLLOUT | libc::POLLRDHUP;

/// A pipe: its reading and its writing end.
pub fn pipe(flags: i32) -> [i32; 2] {
    let mut ends = [0; 2];
    assert_eq!(unsafe { libc::pipe2(ends.as_mut_ptr(), flags) }, 0);
    ends
}

/// Writes octets; the result.
pub fn write(descriptor: i32, octets: &[u8]) -> Result<i64, String> {
    result(unsafe { libc::write(descriptor, octets.as_ptr().cast(), octets.len()) } as i64)
}

/// Reads octets.
pub fn read(descriptor: i32, most: usize) -> Result<Vec<u8>, String> {
    let mut octets = vec![0; most];
    let count = result(unsafe { libc::read(descriptor, octets.as_mut_ptr().cast(), most) } as i64)?;
    octets.truncate(count as usize);
    Ok(octets)
}

/// Reads text.
pub fn text(descriptor: i32) -> Result<String, String> {
    read(descriptor, 4_096).map(|octets| String::from_utf8_lossy(&octets).into_owned())
}

/// Closes.
pub fn close(descriptor: i32) {
    unsafe { libc::close(descriptor) };
}

/// Runs `child` in a process of its own; its number.
pub fn fork(child: impl FnOnce() -> i32) -> i32 {
    match unsafe { libc::fork() } {
        0 => unsafe { libc::_exit(child()) },
        number => number,
    }
}

/// Waits for a child: how it ended.
pub fn wait(child: i32) -> String {
    let mut status = 0;
    let found = unsafe { libc::waitpid(child, &mut status, 0) };
    if found != child {
        return format!("{:?}", result(-1));
    }
    if libc::WIFEXITED(status) {
        format!("exited {}", libc::WEXITSTATUS(status))
    } else {
        format!("killed {}", libc::WTERMSIG(status))
    }
}

/// Sleeps.
pub fn sleep(milliseconds: i64) {
    let span = libc::timespec {
        tv_sec: milliseconds / 1_000,
        tv_nsec: milliseconds % 1_000 * 1_000_000,
    };
    unsafe { libc::nanosleep(&span, std::ptr::null_mut()) };
}

/// Milliseconds of the monotonic clock.
pub fn now() -> i64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
}
