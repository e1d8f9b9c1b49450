//! Files: read where they are, written in the guest's private directory.
//!
//! A guest sees the machine's files, and over them those in `root` of its own directory: what it writes to an absolute
//! path lands there, and is found there again. The kernel (see [`landlock`](super::landlock)) holds it to that whatever
//! this file overlooks.

use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::libc;

use super::description::Kind;
use super::dispatch::{Answer, Entry, nothing};
use super::host::Host;
use super::registers::Call;

/// The calls of this file.
pub(super) const CALLS: &[Entry] = &[
    (libc::SYS_open, open),
    (libc::SYS_openat, openat),
    (libc::SYS_openat2, openat2),
    (libc::SYS_creat, creat),
    (libc::SYS_stat, at_0),
    (libc::SYS_lstat, at_0),
    (libc::SYS_access, at_0),
    (libc::SYS_readlink, at_0),
    (libc::SYS_chdir, at_0),
    (libc::SYS_newfstatat, at_1),
    (libc::SYS_statx, at_1),
    (libc::SYS_faccessat, at_1),
    (libc::SYS_faccessat2, at_1),
    (libc::SYS_readlinkat, at_1),
    (libc::SYS_fstat, super::dispatch::native),
    (libc::SYS_getxattr, at_0),
    (libc::SYS_lgetxattr, at_0),
    (libc::SYS_listxattr, at_0),
    (libc::SYS_llistxattr, at_0),
    (libc::SYS_flistxattr, super::dispatch::native),
    (libc::SYS_fgetxattr, super::dispatch::native),
    (libc::SYS_mkdir, change_0),
    (libc::SYS_rmdir, change_0),
    (libc::SYS_unlink, change_0),
    (libc::SYS_chmod, change_0),
    (libc::SYS_truncate, change_0),
    (libc::SYS_utime, change_0),
    (libc::SYS_utimes, change_0),
    (libc::SYS_mkdirat, change_1),
    (libc::SYS_unlinkat, change_1),
    (libc::SYS_fchmodat, change_1),
    (libc::SYS_utimensat, change_1),
    (libc::SYS_futimesat, change_1),
    (libc::SYS_rename, two_0),
    (libc::SYS_link, two_0),
    (libc::SYS_symlink, symlink_0),
    (libc::SYS_renameat, two_1),
    (libc::SYS_renameat2, two_1),
    (libc::SYS_linkat, two_1),
    (libc::SYS_symlinkat, symlink_1),
    (libc::SYS_mknod, mknod),
    (libc::SYS_mknodat, mknod),
    (libc::SYS_chown, nothing),
    (libc::SYS_lchown, nothing),
    (libc::SYS_fchown, nothing),
    (libc::SYS_fchownat, nothing),
    (libc::SYS_fchmod, fchmod),
    (libc::SYS_chroot, chroot),
    (libc::SYS_flock, flock),
    (libc::SYS_inotify_init, absent),
    (libc::SYS_inotify_init1, absent),
    (libc::SYS_inotify_add_watch, absent),
];

/// Where in a guest's directory the files lie that it writes to absolute paths.
pub(super) const OVERLAY: &str = "root";
/// What a guest may open to write, and that nobody reads.
const SINK: &str = "/dev/null";

impl Host {
    /// The path of an argument.
    pub(super) fn path(&mut self, call: &Call, at: usize) -> Result<PathBuf, Errno> {
        let text = self.memory(call)?.read_string(call.address(at))?;
        Ok(PathBuf::from(std::ffi::OsString::from_vec(text)))
    }

    /// Where a path lies over the machine's files; `None` where it is relative, or in the guest's directory already.
    pub(super) fn over(&self, process: i32, path: &Path) -> Option<PathBuf> {
        let directory = self.directories.get(&process)?;
        let plain = lexical(path)?;
        if plain.starts_with(directory) || plain.starts_with("/dev") {
            return None;
        }
        let below = plain.strip_prefix("/").ok()?;
        Some(directory.join(OVERLAY).join(below))
    }

    /// Where a path is read: in the guest's own files where it is there.
    fn to_read(&self, call: &Call, path: &Path) -> Option<PathBuf> {
        if let Some(own) = self.own_process(call, path) {
            return Some(own);
        }
        let over = self.over(call.process, path)?;
        let found = fs::symlink_metadata(&over).ok()?;
        // A directory there holds what the guest made in it; the machine's own says more.
        (!found.is_dir() || !path.exists()).then_some(over)
    }

    /// `/proc/N` of a guest, by its number in the guest.
    fn own_process(&self, call: &Call, path: &Path) -> Option<PathBuf> {
        let rest = path.strip_prefix("/proc").ok()?;
        let first = rest.components().next()?.as_os_str().to_str()?;
        let number: i32 = first.parse().ok()?;
        let tracee = self.tracees.get(&number).or_else(|| {
            (number == call.process)
                .then(|| self.tracees.get(&call.thread))
                .flatten()
        })?;
        Some(tracee.directory().join(rest.strip_prefix(first).ok()?))
    }

    /// Where a path is written: always over the machine's files, whose directories are made there as needed.
    fn to_write(&self, call: &Call, path: &Path) -> Option<PathBuf> {
        let over = self.over(call.process, path)?;
        if let Some(parent) = over.parent() {
            let _ = fs::create_dir_all(parent);
        }
        Some(over)
    }

    /// Runs the call with other paths in some of its arguments.
    fn with_paths(
        &mut self,
        call: &Call,
        paths: &[(usize, Option<PathBuf>)],
    ) -> Result<Answer, Errno> {
        if paths.iter().all(|(_, path)| path.is_none()) {
            return Ok(Answer::Native);
        }
        let mut octets = vec![];
        let mut places = vec![];
        for (at, path) in paths {
            if let Some(path) = path {
                places.push((*at, octets.len() as u64));
                octets.extend(path.as_os_str().as_bytes());
                octets.push(0);
            }
        }
        self.with_octets(call, &octets, |host, base| {
            let mut arguments = call.arguments;
            for (at, place) in places {
                arguments[at] = base + place;
            }
            host.inject(call, call.number, arguments)
        })
        .map(Answer::Value)
    }

    /// Puts octets into the guest's memory, below its stack, while `during` runs.
    pub(super) fn with_octets<T>(
        &mut self,
        call: &Call,
        octets: &[u8],
        during: impl FnOnce(&mut Self, u64) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let stack = self
            .kernel
            .threads
            .get(&call.thread)
            .map_or(0, |it| it.registers.rsp);
        // Below the red zone. What is there is put back: a small stack may end before.
        let at = (stack - 256 - octets.len() as u64) & !15;
        let memory = self.memory(call)?;
        let before = memory.read(at, octets.len())?;
        memory.write(at, octets)?;
        let result = during(self, at);
        if let Ok(memory) = self.memory(call) {
            memory.write(at, &before)?;
        }
        result
    }
}

/// An absolute path without `.` and `..`; `None` where it is relative.
fn lexical(path: &Path) -> Option<PathBuf> {
    if !path.is_absolute() {
        return None;
    }
    let mut plain = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(name) => plain.push(name),
            Component::ParentDir => {
                plain.pop();
            }
            _ => {}
        }
    }
    Some(plain)
}

fn open(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    open_path(host, call, 0, call.int(1))
}

fn openat(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    open_path(host, call, 1, call.int(2))
}

fn creat(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    open_path(
        host,
        call,
        0,
        libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC,
    )
}

/// As in a kernel before 5.6.
fn openat2(_host: &mut Host, _call: &Call) -> Result<Answer, Errno> {
    Err(Errno::ENOSYS)
}

fn open_path(host: &mut Host, call: &Call, at: usize, flags: i32) -> Result<Answer, Errno> {
    let path = host.path(call, at)?;
    if path == Path::new("/dev/urandom") || path == Path::new("/dev/random") {
        return host
            .open(call, call.number, call.arguments, Kind::Random, flags)
            .map(|number| Answer::Value(number.into()));
    }
    if is_fifo(&path) {
        host.refuse(
            call,
            format!(
                "{}: named pipes are not emulated (it fails with ENXIO)",
                path.display()
            ),
        );
        return Err(Errno::ENXIO);
    }
    let writes = flags & (libc::O_WRONLY | libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC) != 0
        || flags & libc::O_TMPFILE == libc::O_TMPFILE;
    if !writes || path == Path::new(SINK) {
        let over = host.to_read(call, &path);
        return host.with_paths(call, &[(at, over)]);
    }
    let over = host.to_write(call, &path);
    if let Some(over) = &over
        && flags & libc::O_TRUNC == 0
        && path.is_file()
        && !over.exists()
    {
        let _ = fs::copy(&path, over);
    }
    host.with_paths(call, &[(at, over)])
}

fn is_fifo(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    path.is_absolute() && fs::metadata(path).is_ok_and(|it| it.file_type().is_fifo())
}

fn read_at(host: &mut Host, call: &Call, at: usize) -> Result<Answer, Errno> {
    let path = host.path(call, at)?;
    let over = host.to_read(call, &path);
    host.with_paths(call, &[(at, over)])
}

fn at_0(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    read_at(host, call, 0)
}

fn at_1(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    read_at(host, call, 1)
}

fn change_at(host: &mut Host, call: &Call, at: usize) -> Result<Answer, Errno> {
    if call.address(at) == 0 {
        return Ok(Answer::Native); // utimensat(2) of a descriptor
    }
    let path = host.path(call, at)?;
    let makes = matches!(call.number, libc::SYS_mkdir | libc::SYS_mkdirat);
    if makes && path.is_absolute() && path.is_dir() {
        return Err(Errno::EEXIST);
    }
    let over = host.to_write(call, &path);
    let changed = matches!(call.number, libc::SYS_chmod | libc::SYS_fchmodat);
    // A file of the machine's whose mode alone is changed stays as it is.
    if changed && over.as_ref().is_some_and(|it| !it.exists()) && path.exists() {
        return Ok(Answer::Value(0));
    }
    host.with_paths(call, &[(at, over)])
}

fn change_0(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    change_at(host, call, 0)
}

fn change_1(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    change_at(host, call, 1)
}

fn two_at(host: &mut Host, call: &Call, from: usize, to: usize) -> Result<Answer, Errno> {
    let source = host.path(call, from)?;
    let target = host.path(call, to)?;
    let source = host.to_read(call, &source);
    let target = host.to_write(call, &target);
    host.with_paths(call, &[(from, source), (to, target)])
}

fn two_0(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    two_at(host, call, 0, 1)
}

fn two_1(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    two_at(host, call, 1, 3)
}

fn symlink_0(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    change_at(host, call, 1)
}

fn symlink_1(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    change_at(host, call, 2)
}

/// Device files and named pipes lead out, or block the tracer.
fn mknod(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let at = if call.number == libc::SYS_mknodat {
        2
    } else {
        1
    };
    if call.arguments[at] as u32 & libc::S_IFMT == libc::S_IFREG {
        return change_at(host, call, at - 1);
    }
    host.refuse(
        call,
        "a guest may make no devices, named pipes or sockets as files (it fails with EPERM)",
    );
    Err(Errno::EPERM)
}

fn fchmod(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    if host.kernel.lookup(call.process, call.int(0)).is_some() {
        return Ok(Answer::Value(0));
    }
    Ok(Answer::Native)
}

/// Said to have been done: what a guest may reach is held by other means.
fn chroot(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    host.path(call, 0)?;
    Ok(Answer::Value(0))
}

/// A lock that waits would stop the tracer.
fn flock(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let mut arguments = call.arguments;
    arguments[1] |= libc::LOCK_NB as u64;
    host.inject(call, libc::SYS_flock, arguments)
        .map(Answer::Value)
}

fn absent(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    host.refuse(call, "inotify is not emulated; files of a guest change by its own hand alone (it fails with ENOSYS)");
    Err(Errno::ENOSYS)
}
