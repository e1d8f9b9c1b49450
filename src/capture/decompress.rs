//! gzip (RFC 1952) and Zstandard (RFC 8878), decompressed as they are read.

use std::error::Error;
use std::io::{self, Chain, Cursor, Read};
use std::mem;

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

/// Octets that were read already, and the rest.
type Prefixed<R> = Chain<Cursor<Vec<u8>>, R>;

/// Octets of a file as they are, or decompressed.
pub(super) enum Octets<R: Read> {
    Plain(R),
    Gzip(Box<MultiGzDecoder<Prefixed<R>>>),
    Zstd(Box<Frames<Prefixed<R>>>),
    /// While one becomes another.
    Nothing,
}

impl<R: Read> Octets<R> {
    /// Decompresses what begins with `prefix`, which was read of it already, if it is compressed. Says whether it is.
    pub(super) fn decompress(&mut self, prefix: &[u8]) -> bool {
        let is_gzip = prefix.starts_with(&[0x1f, 0x8b]);
        let is_zstd = prefix.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]);
        if !is_gzip && !is_zstd {
            return false;
        }
        let Self::Plain(inner) = mem::replace(self, Self::Nothing) else {
            return false;
        };
        let whole = Cursor::new(prefix.to_vec()).chain(inner);
        *self = if is_gzip {
            Self::Gzip(Box::new(MultiGzDecoder::new(whole)))
        } else {
            Self::Zstd(Box::new(Frames::Between(whole)))
        };
        true
    }

    pub(super) const fn is_plain(&self) -> bool {
        matches!(self, Self::Plain(_))
    }
}

impl<R: Read> Read for Octets<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(inner) => inner.read(buffer),
            Self::Gzip(inner) => inner.read(buffer),
            Self::Zstd(inner) => inner.read(buffer),
            Self::Nothing => Ok(0),
        }
    }
}

impl<R: Read> std::fmt::Debug for Octets<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Plain",
            Self::Gzip(_) => "Gzip",
            Self::Zstd(_) => "Zstd",
            Self::Nothing => "Nothing",
        })
    }
}

/// Whether an error of decompression is that the file ends too early.
pub(super) fn is_end(error: &io::Error) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if kind == Some(io::ErrorKind::UnexpectedEof) {
            return true;
        }
        cause = match error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    false
}

/// The frames of a Zstandard file, one after another; those that are to be skipped are skipped.
pub(super) enum Frames<R: Read> {
    /// Before a frame.
    Between(R),
    Within(Box<StreamingDecoder<Prefixed<R>, FrameDecoder>>),
    Over,
}

impl<R: Read> Frames<R> {
    /// Begins the next frame, if there is one.
    fn begin(mut inner: R) -> io::Result<Self> {
        const SKIPPABLE: [u8; 3] = [0x2a, 0x4d, 0x18];
        loop {
            let mut magic = Vec::with_capacity(8);
            if inner.by_ref().take(4).read_to_end(&mut magic)? == 0 {
                return Ok(Self::Over);
            }
            let is_skippable = matches!(&magic[..], [first, rest @ ..] if first & 0xf0 == 0x50 && rest == SKIPPABLE);
            if !is_skippable {
                let whole = Cursor::new(magic).chain(inner);
                return match StreamingDecoder::new(whole) {
                    Ok(decoder) => Ok(Self::Within(Box::new(decoder))),
                    Err(error) => Err(io::Error::other(error)),
                };
            }
            let mut length = [0; 4];
            inner.read_exact(&mut length)?;
            let length = u64::from(u32::from_le_bytes(length));
            if io::copy(&mut inner.by_ref().take(length), &mut io::sink())? < length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            *self = match mem::replace(self, Self::Over) {
                Self::Over => return Ok(0),
                Self::Between(inner) => Self::begin(inner)?,
                Self::Within(mut decoder) => {
                    let count = decoder.read(buffer)?;
                    if count > 0 {
                        *self = Self::Within(decoder);
                        return Ok(count);
                    }
                    // What the frame began with is used up.
                    Self::Between(decoder.into_inner().into_inner().1)
                }
            };
        }
    }
}
