//! A [`Stream`] as tokio's `AsyncRead` and `AsyncWrite`: for speakers that are written against those.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::network::Stream;

/// The most octets that one read takes into its own buffer.
const CHUNK: usize = 16 * 1024;

/// A connection, or any other stream of [`net`](crate::net), as a tokio stream.
///
/// Dropping it closes the stream, as dropping a socket does.
#[derive(Debug)]
pub struct AsyncStream<S> {
    stream: S,
    buffer: Vec<u8>,
}

impl<S: Stream> AsyncStream<S> {
    /// `stream`, to be read and written with tokio's extension traits.
    #[must_use]
    pub const fn new(stream: S) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
        }
    }

    /// The stream itself: its addresses, its name.
    #[must_use]
    pub const fn get_ref(&self) -> &S {
        &self.stream
    }

    /// The stream itself.
    #[must_use]
    pub fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: Stream> AsyncRead for AsyncStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.buffer.resize(buffer.remaining().min(CHUNK), 0);
        let count = ready!(this.stream.poll_read(context, &mut this.buffer))?;
        buffer.put_slice(&this.buffer[..count]);
        Poll::Ready(Ok(()))
    }
}

impl<S: Stream> AsyncWrite for AsyncStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().stream.poll_write(context, bytes)
    }

    /// What was written is on its way: there is nothing to flush.
    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream.poll_shutdown(context)
    }
}
