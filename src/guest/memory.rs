//! The memory of a guest's process.

use std::fs::File;
use std::io::{IoSlice, IoSliceMut};
use std::os::unix::fs::FileExt;

use nix::errno::Errno;
use nix::sys::uio::{RemoteIoVec, process_vm_readv, process_vm_writev};
use nix::unistd::Pid;

/// The longest string (a path, a name) that is read, with its NUL.
const LONGEST_STRING: usize = 4_096;
/// The most octets that one call moves: beyond it, it moves a part, as Linux may.
pub(super) const MOST: usize = 1 << 20;

/// A process's memory.
#[derive(Debug)]
pub(super) struct Memory {
    process: Pid,
    /// /proc/PID/mem: reaches pages that the process itself may not write.
    file: File,
    /// process_vm_readv(2) is not allowed here.
    refused: bool,
}

impl Memory {
    pub(super) fn new(process: Pid) -> Result<Self, Errno> {
        let file = File::options()
            .read(true)
            .write(true)
            .open(format!("/proc/{process}/mem"))
            .map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(0)))?;
        Ok(Self {
            process,
            file,
            refused: false,
        })
    }

    /// `length` octets at `at`.
    pub(super) fn read(&mut self, at: u64, length: usize) -> Result<Vec<u8>, Errno> {
        let mut bytes = vec![0; length.min(MOST)];
        self.read_into(at, &mut bytes)?;
        Ok(bytes)
    }

    pub(super) fn read_into(&mut self, at: u64, bytes: &mut [u8]) -> Result<(), Errno> {
        if bytes.is_empty() {
            return Ok(());
        }
        if !self.refused {
            let remote = [RemoteIoVec {
                base: at as usize,
                len: bytes.len(),
            }];
            match process_vm_readv(self.process, &mut [IoSliceMut::new(bytes)], &remote) {
                Ok(count) if count == bytes.len() => return Ok(()),
                Ok(_) | Err(Errno::EFAULT) => return Err(Errno::EFAULT),
                Err(_) => self.refused = true,
            }
        }
        self.file
            .read_exact_at(bytes, at)
            .map_err(|_| Errno::EFAULT)
    }

    pub(super) fn write(&mut self, at: u64, bytes: &[u8]) -> Result<(), Errno> {
        if bytes.is_empty() {
            return Ok(());
        }
        if !self.refused {
            let remote = [RemoteIoVec {
                base: at as usize,
                len: bytes.len(),
            }];
            match process_vm_writev(self.process, &[IoSlice::new(bytes)], &remote) {
                Ok(count) if count == bytes.len() => return Ok(()),
                Ok(_) | Err(Errno::EFAULT) => return Err(Errno::EFAULT),
                Err(_) => self.refused = true,
            }
        }
        self.force(at, bytes)
    }

    /// Writes where the process itself may not.
    pub(super) fn force(&self, at: u64, bytes: &[u8]) -> Result<(), Errno> {
        self.file.write_all_at(bytes, at).map_err(|_| Errno::EFAULT)
    }

    pub(super) fn read_u32(&mut self, at: u64) -> Result<u32, Errno> {
        let mut bytes = [0; 4];
        self.read_into(at, &mut bytes)?;
        Ok(u32::from_ne_bytes(bytes))
    }

    pub(super) fn read_u64(&mut self, at: u64) -> Result<u64, Errno> {
        let mut bytes = [0; 8];
        self.read_into(at, &mut bytes)?;
        Ok(u64::from_ne_bytes(bytes))
    }

    pub(super) fn write_u32(&mut self, at: u64, value: u32) -> Result<(), Errno> {
        self.write(at, &value.to_ne_bytes())
    }

    pub(super) fn write_u64(&mut self, at: u64, value: u64) -> Result<(), Errno> {
        self.write(at, &value.to_ne_bytes())
    }

    /// A NUL-terminated string.
    pub(super) fn read_string(&mut self, at: u64) -> Result<Vec<u8>, Errno> {
        let mut text = vec![];
        let mut at = at;
        while text.len() < LONGEST_STRING {
            // To the end of the page at most: the next one may not be there.
            let length = (256 - at as usize % 256).min(LONGEST_STRING - text.len());
            let part = self.read(at, length)?;
            if let Some(end) = part.iter().position(|octet| *octet == 0) {
                text.extend(&part[..end]);
                return Ok(text);
            }
            at += part.len() as u64;
            text.extend(part);
        }
        Err(Errno::ENAMETOOLONG)
    }

    /// The buffers of a `struct iovec` array: address and length.
    pub(super) fn read_vectors(
        &mut self,
        at: u64,
        count: usize,
    ) -> Result<Vec<(u64, usize)>, Errno> {
        if count > 1_024 {
            return Err(Errno::EINVAL);
        }
        let bytes = self.read(at, 16 * count)?;
        Ok(bytes
            .chunks_exact(16)
            .map(|one| (u64_at(one, 0), u64_at(one, 8) as usize))
            .collect())
    }

    /// The octets of `vectors`, one after the other, [`MOST`] at most.
    pub(super) fn gather(&mut self, vectors: &[(u64, usize)]) -> Result<Vec<u8>, Errno> {
        let mut all = vec![];
        for (at, length) in vectors {
            let length = (*length).min(MOST - all.len());
            all.extend(self.read(*at, length)?);
        }
        Ok(all)
    }

    /// Puts `bytes` into `vectors`, one after the other.
    pub(super) fn scatter(&mut self, vectors: &[(u64, usize)], bytes: &[u8]) -> Result<(), Errno> {
        let mut rest = bytes;
        for (at, length) in vectors {
            let (part, after) = rest.split_at((*length).min(rest.len()));
            self.write(*at, part)?;
            rest = after;
        }
        Ok(())
    }

    /// A `struct timespec`, in nanoseconds.
    pub(super) fn read_timespec(&mut self, at: u64) -> Result<i64, Errno> {
        let bytes = self.read(at, 16)?;
        let (seconds, nanoseconds) = (u64_at(&bytes, 0) as i64, u64_at(&bytes, 8) as i64);
        if seconds < 0 || !(0..1_000_000_000).contains(&nanoseconds) {
            return Err(Errno::EINVAL);
        }
        Ok(seconds
            .saturating_mul(1_000_000_000)
            .saturating_add(nanoseconds))
    }

    /// A `struct timeval`, in nanoseconds.
    pub(super) fn read_timeval(&mut self, at: u64) -> Result<i64, Errno> {
        let bytes = self.read(at, 16)?;
        let (seconds, microseconds) = (u64_at(&bytes, 0) as i64, u64_at(&bytes, 8) as i64);
        if seconds < 0 || !(0..1_000_000).contains(&microseconds) {
            return Err(Errno::EINVAL);
        }
        Ok(seconds
            .saturating_mul(1_000_000_000)
            .saturating_add(microseconds * 1_000))
    }
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_ne_bytes([octet(bytes, at), octet(bytes, at + 1)])
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(std::array::from_fn(|i| octet(bytes, at + i)))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_ne_bytes(std::array::from_fn(|i| octet(bytes, at + i)))
}

/// Beyond the end there are zeros.
fn octet(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

/// `struct timespec` of nanoseconds.
pub(super) fn timespec(nanoseconds: i64) -> [u8; 16] {
    pair(nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000)
}

/// `struct timeval` of nanoseconds.
pub(super) fn timeval(nanoseconds: i64) -> [u8; 16] {
    pair(
        nanoseconds / 1_000_000_000,
        nanoseconds % 1_000_000_000 / 1_000,
    )
}

fn pair(first: i64, second: i64) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&first.to_ne_bytes());
    bytes[8..].copy_from_slice(&second.to_ne_bytes());
    bytes
}
