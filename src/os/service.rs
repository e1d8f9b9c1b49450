//! What a daemon asks of the system: a user to run as, a pid file, a umask, running in the background.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::libc::{ELOOP, O_NOFOLLOW, O_NONBLOCK};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Gid, Uid, User, setgid, setgroups, setuid};
use rustix::process::{Pid, test_kill_process};

/// The user that a daemon started by root runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// User ID.
    pub user: u32,
    /// Group ID of the user's primary group.
    pub group: u32,
}

impl Identity {
    /// Looks up `name`; `None` unless this process runs as root.
    ///
    /// # Errors
    /// `NotFound` if there is no such user; errors of the password database.
    pub fn find(name: &str) -> io::Result<Option<Self>> {
        if !Uid::effective().is_root() {
            return Ok(None);
        }
        let found = User::from_name(name)?.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::NotFound,
                format!("there is no user {name}, and a daemon does not run as root; exabgp_daemon_user names another"),
            )
        })?;
        Ok(Some(Self {
            user: found.uid.as_raw(),
            group: found.gid.as_raw(),
        }))
    }

    /// Becomes this user, for good.
    ///
    /// # Errors
    /// What the system says: then the process must end.
    pub fn assume(self) -> io::Result<()> {
        let (user, group) = (Uid::from_raw(self.user), Gid::from_raw(self.group));
        // The user comes last: the groups are root's to change.
        setgroups(&[group])?;
        setgid(group)?;
        setuid(user)?;
        Ok(())
    }
}

/// Sets the umask of this process, which its API programs inherit.
pub fn set_umask(mask: u32) {
    umask(Mode::from_bits_truncate(mask));
}

/// Goes into the background: the caller's process ends, and its successor has no terminal. No thread may run yet.
///
/// # Errors
/// What the system says.
pub fn detach() -> io::Result<()> {
    Ok(nix::unistd::daemon(false, false)?)
}

/// A file with the number of this process, as long as it is held.
#[derive(Debug)]
pub struct PidFile(PathBuf);

impl PidFile {
    /// Writes it; one that a process left that is gone is taken over.
    ///
    /// # Errors
    /// Another process holds it, it is a link or no pid file, or it cannot be written.
    pub fn write(path: &Path) -> io::Result<Self> {
        let wrong = |error: io::Error| {
            io::Error::new(
                error.kind(),
                format!("pid file {}: {error}", path.display()),
            )
        };
        let mut file = match File::create_new(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => take_over(path),
            created => created,
        }
        .map_err(wrong)?;
        writeln!(file, "{}", std::process::id()).map_err(wrong)?;
        Ok(Self(path.to_path_buf()))
    }
}

/// Opens and empties the pid file of a process that is gone.
///
/// # Errors
/// The process runs; or this is a link, or no pid file, and so not to be overwritten.
fn take_over(path: &Path) -> io::Result<File> {
    let refused = |why: String| io::Error::new(io::ErrorKind::AlreadyExists, why);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(O_NOFOLLOW | O_NONBLOCK)
        .open(path)
        .map_err(|error| match error.raw_os_error() {
            Some(ELOOP) => refused("it is a symbolic link; remove it".to_owned()),
            _ => error,
        })?;
    if !file.metadata()?.is_file() {
        return Err(refused("it is no regular file".to_owned()));
    }
    let mut text = String::new();
    let is_text = (&file)
        .take(LONGEST_NUMBER)
        .read_to_string(&mut text)
        .is_ok();
    let number = text.trim();
    if !is_text || number.bytes().any(|octet| !octet.is_ascii_digit()) {
        return Err(refused(
            "it is there and has no process number in it; remove it if it is not needed".to_owned(),
        ));
    }
    if is_running(number) {
        return Err(refused(format!("process {number} runs already")));
    }
    file.set_len(0)?;
    file.rewind()?;
    Ok(file)
}

/// No pid file is longer, in octets.
const LONGEST_NUMBER: u64 = 32;

fn is_running(number: &str) -> bool {
    let process = number.parse().ok().and_then(Pid::from_raw);
    process.is_some_and(|process| match test_kill_process(process) {
        Ok(()) => true,
        // It is there, and another user's.
        Err(error) => error == rustix::io::Errno::PERM,
    })
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // The directory may be one that only root writes to.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_file_is_held_by_one_process_and_goes_with_it() {
        let directory = std::env::temp_dir().join(format!("lockstep-pid-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("daemon.pid");
        // No process has this number: Linux stops at 4194304.
        std::fs::write(&path, "4194305\n").unwrap();
        let held = PidFile::write(&path).unwrap();
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            format!("{}\n", std::process::id())
        );
        let told = PidFile::write(&path).unwrap_err().to_string();
        assert!(told.ends_with(&format!("process {} runs already", std::process::id())));
        drop(held);
        assert!(!path.exists());
        // What is no pid file is left as it is, and so is what a link leads to.
        let (other, link) = (directory.join("other"), directory.join("link"));
        for text in [
            "root:x:0:0\n",
            "12 34\n",
            "4194305 and more than a number has\n",
        ] {
            std::fs::write(&other, text).unwrap();
            let told = PidFile::write(&other).unwrap_err().to_string();
            assert!(told.contains("no process number in it"), "{told}");
            assert_eq!(std::fs::read_to_string(&other).unwrap(), text);
        }
        std::fs::write(&other, "4194305\n").unwrap();
        std::os::unix::fs::symlink(&other, &link).unwrap();
        let told = PidFile::write(&link).unwrap_err().to_string();
        assert!(told.ends_with("it is a symbolic link; remove it"), "{told}");
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "4194305\n");
        std::fs::remove_dir_all(directory).unwrap();
        let nowhere = PidFile::write(Path::new("/nowhere/daemon.pid")).unwrap_err();
        assert!(
            nowhere
                .to_string()
                .starts_with("pid file /nowhere/daemon.pid: ")
        );
    }
}
