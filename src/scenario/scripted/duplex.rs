//! A stream that is read and written at the same time by async code.

use std::future::poll_fn;
use std::io;
use std::task::Poll;

use crate::net::Stream;
use crate::net::buffer::ReadBuffer;

/// Octets of one read.
const READ: usize = 64 * 1024;

/// A stream and the octets queued for it.
#[derive(Debug)]
pub struct Duplex<S> {
    stream: S,
    outgoing: Vec<u8>,
    buffer: ReadBuffer,
}

impl<S: Stream> Duplex<S> {
    /// A stream with an empty queue.
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            outgoing: Vec::new(),
            buffer: ReadBuffer::new(READ),
        }
    }

    /// Queues `bytes`; they are written while [`Duplex::read`] or [`Duplex::flush`] is awaited.
    pub fn write(&mut self, bytes: &[u8]) {
        self.outgoing.extend_from_slice(bytes);
    }

    /// Writes what is queued, then reads; empty is the end of the stream. Where it is not to read, it waits for ever.
    /// Cancel-safe.
    ///
    /// # Errors
    /// What the stream says.
    pub async fn read(&mut self, reads: bool) -> io::Result<&[u8]> {
        let Self {
            stream,
            outgoing,
            buffer,
        } = self;
        let count = poll_fn(|context| {
            while !outgoing.is_empty() {
                match stream.poll_write(context, outgoing) {
                    Poll::Ready(Ok(count)) => drop(outgoing.drain(..count)),
                    // The other end may have stopped reading and still have sent data.
                    Poll::Ready(Err(_)) => outgoing.clear(),
                    Poll::Pending => break,
                }
            }
            if reads {
                stream.poll_read(context, buffer)
            } else {
                Poll::Pending
            }
        })
        .await?;
        Ok(&self.buffer[..count])
    }

    /// Writes all that is queued.
    ///
    /// # Errors
    /// What the stream says.
    pub async fn flush(&mut self) -> io::Result<()> {
        let Self {
            stream, outgoing, ..
        } = self;
        poll_fn(|context| {
            while !outgoing.is_empty() {
                match stream.poll_write(context, outgoing) {
                    Poll::Ready(Ok(count)) => drop(outgoing.drain(..count)),
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => return Poll::Pending,
                }
            }
            Poll::Ready(Ok(()))
        })
        .await
    }
}
