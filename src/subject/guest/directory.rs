//! The directory in which a guest runs: the same path in every run, as a guest may show it, put it in what it sends or
//! order things by it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Guests of this machine's user that can run at once.
const MOST: usize = 100;

/// A directory that belongs to one life of a guest until it is dropped, empty at first.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    /// It stays until the next guest has it.
    is_kept: bool,
    /// Held as long as the directory is in use.
    _lock: File,
}

impl Directory {
    /// The first directory below `scratch` that no other guest uses.
    ///
    /// # Errors
    /// What the operating system says; every directory is in use.
    pub(super) fn take(scratch: &Path) -> io::Result<Self> {
        let user = rustix::process::getuid().as_raw();
        for number in 0..MOST {
            let own = scratch.join(format!("lockstep-{user}-{number:02}"));
            fs::create_dir_all(&own)?;
            let mut options = OpenOptions::new();
            let lock = options
                .write(true)
                .create(true)
                .truncate(false)
                .open(own.join("lock"))?;
            match lock.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => continue,
                Err(TryLockError::Error(error)) => return Err(error),
            }
            let path = own.join("guest");
            match fs::remove_dir_all(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            fs::create_dir(&path)?;
            return Ok(Self {
                path: path.canonicalize()?,
                is_kept: false,
                _lock: lock,
            });
        }
        Err(io::Error::other(format!(
            "{MOST} guests run already below {}",
            scratch.display()
        )))
    }

    /// Leaves the directory as it is when this is dropped.
    pub(super) fn keep(&mut self) {
        self.is_kept = true;
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if !self.is_kept {
            // What stays behind harms nobody.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
