//! The directory in which a guest runs: the same path in every run, as a guest may show it, put it in what it sends or
//! order things by it.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::libc::O_NOFOLLOW;

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
    /// The names are known to everybody, and `scratch` may be everybody's: what another user put there is passed over, a
    /// link is not followed, and nobody else reads or writes what is made here.
    ///
    /// # Errors
    /// What the operating system says; every directory is in use.
    pub(super) fn take(scratch: &Path) -> io::Result<Self> {
        let user = rustix::process::getuid().as_raw();
        let mut refused = None;
        for number in 0..MOST {
            let own = scratch.join(format!("lockstep-{user}-{number:02}"));
            if let Err(error) = make_private(&own, user) {
                refused = Some(error);
                continue;
            }
            let mut options = OpenOptions::new();
            let lock = options
                .write(true)
                .create(true)
                .truncate(false)
                .custom_flags(O_NOFOLLOW)
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
        Err(refused.unwrap_or_else(|| {
            io::Error::other(format!(
                "{MOST} guests run already below {}",
                scratch.display()
            ))
        }))
    }

    /// Leaves the directory as it is when this is dropped.
    pub(super) fn keep(&mut self) {
        self.is_kept = true;
    }

    /// Where a file is left that outlives the guest, until the next guest in this place leaves one of the same name.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.path.with_file_name(name)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Makes the directory `path` of the user number `user`, or takes one that is theirs alone.
fn make_private(path: &Path, user: u32) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => return made,
    }
    let about = fs::symlink_metadata(path)?;
    if !about.is_dir() || about.uid() != user {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            format!("{} is not this user's directory; remove it", path.display()),
        ));
    }
    if about.mode() & 0o077 != 0 {
        // It is this user's, so nobody else can have put a link in its place since.
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
        if about.mode() & 0o022 != 0 {
            empty(path)?;
        }
    }
    Ok(())
}

/// Removes what `directory` holds: others could write to it, and may have left links.
fn empty(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if fs::symlink_metadata(&path)?.is_dir() {
            fs::remove_dir_all(path)?;
        } else {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

impl Drop for Directory {
    fn drop(&mut self) {
        if !self.is_kept {
            // What stays behind harms nobody.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_leads_a_guest_elsewhere() {
        let scratch = std::env::temp_dir().join(format!("lockstep-scratch-{}", std::process::id()));
        let elsewhere = scratch.join("elsewhere");
        fs::create_dir_all(elsewhere.join("guest")).unwrap();
        fs::write(elsewhere.join("guest/kept"), "").unwrap();
        let user = rustix::process::getuid().as_raw();
        let name = |number: u32| scratch.join(format!("lockstep-{user}-{number:02}"));
        std::os::unix::fs::symlink(&elsewhere, name(0)).unwrap();
        fs::write(name(1), "").unwrap();
        // Everybody may write to this one, and somebody has put a link there.
        fs::create_dir(name(2)).unwrap();
        fs::set_permissions(name(2), fs::Permissions::from_mode(0o777)).unwrap();
        std::os::unix::fs::symlink(elsewhere.join("guest/kept"), name(2).join("lock")).unwrap();
        std::os::unix::fs::symlink(elsewhere.join("guest"), name(2).join("guest")).unwrap();
        let taken = Directory::take(&scratch).unwrap();
        assert_eq!(taken.path(), name(2).join("guest").canonicalize().unwrap());
        assert_eq!(fs::metadata(name(2)).unwrap().mode() & 0o777, 0o700);
        let next = Directory::take(&scratch).unwrap();
        assert_eq!(next.path(), name(3).join("guest").canonicalize().unwrap());
        drop((taken, next));
        assert!(elsewhere.join("guest/kept").is_file());
        fs::remove_dir_all(scratch).unwrap();
    }
}
