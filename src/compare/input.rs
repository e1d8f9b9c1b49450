//! Where a capture comes from, and how it is read more than once.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use thiserror::Error;

use crate::capture::{Capture, CaptureError};

/// Where a capture comes from.
pub enum Input {
    /// A file, which can be read again.
    File(PathBuf),
    /// A stream that can be read once, and its name.
    Once(String, Box<dyn Read>),
    /// A capture in memory, and its name.
    Memory(String, Vec<u8>),
    /// A stream whose octets are kept as they are read, and its name.
    Kept(String, Kept),
}

/// Why two captures could not be compared.
#[derive(Debug, Error)]
pub enum CompareError {
    /// One of them cannot be read.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// It would have to be read twice.
    #[error(
        "{0}: it has to be read twice to be compared, which a stream cannot be, and there is no room for a copy in the directory of temporary files: write it to a file"
    )]
    ReadOnce(String),
}

impl Input {
    /// The same capture once more, where it can be read again.
    #[must_use]
    pub fn again(&self) -> Option<Self> {
        match self {
            Self::File(path) => Some(Self::File(path.clone())),
            Self::Once(..) | Self::Kept(..) => None,
            Self::Memory(name, octets) => Some(Self::Memory(name.clone(), octets.clone())),
        }
    }

    /// Keeps what is read of a stream in a file that has no name, so that it can be read again.
    pub fn keep(&mut self) {
        if let Self::Once(name, stream) = self
            && let Ok(file) = unlinked()
        {
            let stream = std::mem::replace(stream, Box::new(Used));
            let kept = Kept {
                stream: Some(stream),
                file,
            };
            *self = Self::Kept(std::mem::take(name), kept);
        }
    }

    /// Begins to read.
    ///
    /// # Errors
    /// It is no capture, cannot be opened, or was read already and cannot be read again.
    pub fn open(&mut self) -> Result<Capture<Box<dyn Read + '_>>, CompareError> {
        let failed = |name: &str, error: io::Error| CaptureError {
            file: name.to_owned(),
            offset: 0,
            kind: error.into(),
        };
        Ok(match self {
            Self::File(path) => {
                let name = path.display().to_string();
                let file = File::open(&*path).map_err(|error| failed(&name, error))?;
                Capture::new(name, Box::new(file) as Box<dyn Read>)?
            }
            Self::Once(name, stream) => {
                let stream = std::mem::replace(stream, Box::new(Used));
                match Capture::new(name.clone(), stream as Box<dyn Read>) {
                    Err(error) if is_used(&error) => {
                        return Err(CompareError::ReadOnce(name.clone()));
                    }
                    capture => capture?,
                }
            }
            Self::Memory(name, octets) => {
                Capture::new(name.clone(), Box::new(&octets[..]) as Box<dyn Read>)?
            }
            Self::Kept(name, kept) => {
                kept.file
                    .seek(SeekFrom::Start(0))
                    .map_err(|error| failed(name, error))?;
                let octets: Box<dyn Read + '_> = match kept.stream.take() {
                    Some(stream) => Box::new(Copying {
                        stream,
                        copy: &mut kept.file,
                    }),
                    None => Box::new(&mut kept.file),
                };
                Capture::new(name.clone(), octets)?
            }
        })
    }
}

/// A stream, and a file that has what was read of it.
pub struct Kept {
    /// Until it is read.
    stream: Option<Box<dyn Read>>,
    file: File,
}

/// What is read goes to a file as well.
struct Copying<'f> {
    stream: Box<dyn Read>,
    copy: &'f mut File,
}

impl Read for Copying<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(buffer)?;
        self.copy.write_all(&buffer[..count])?;
        Ok(count)
    }
}

/// A file for reading and writing that nobody else can open, and that is gone when it is closed.
fn unlinked() -> io::Result<File> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("lockstep-{}-{number}.capture", std::process::id());
        let path = std::env::temp_dir().join(name);
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create_new(true).mode(0o600);
        match options.open(&path) {
            // Whoever put it there, it is not this file.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(file) => {
                std::fs::remove_file(path)?;
                return Ok(file);
            }
        }
    }
}

/// What is left of a stream that was read.
struct Used;

impl Read for Used {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::NotSeekable.into())
    }
}

fn is_used(error: &CaptureError) -> bool {
    use crate::capture::CaptureErrorKind::Io;
    matches!(&error.kind, Io(error) if error.kind() == io::ErrorKind::NotSeekable)
}
