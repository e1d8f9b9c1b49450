//! A duplex pipe in memory, for API programs that are played rather than run.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::net::Stream;
use crate::net::programs::ProgramPipe;
use crate::sim::tcp::keep;

/// What a pipe of Linux holds, in octets.
pub const PIPE_CAPACITY: usize = 65_536;

/// One end of a duplex pipe; what is written is there to be read at once.
///
/// Dropping it ends what the other reads, after what was written, and breaks what the other writes.
#[derive(Debug)]
pub struct Pipe {
    incoming: Rc<RefCell<HalfPipe>>,
    outgoing: Rc<RefCell<HalfPipe>>,
}

#[derive(Debug, Default)]
struct HalfPipe {
    octets: VecDeque<u8>,
    capacity: usize,
    ended: bool,
    broken: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// The two ends of a pipe that holds `capacity` octets each way.
#[must_use]
pub fn pipe(capacity: usize) -> (Pipe, Pipe) {
    let lane = || {
        Rc::new(RefCell::new(HalfPipe {
            capacity: capacity.max(1),
            ..HalfPipe::default()
        }))
    };
    let (there, back) = (lane(), lane());
    let one = Pipe {
        incoming: back.clone(),
        outgoing: there.clone(),
    };
    let other = Pipe {
        incoming: there,
        outgoing: back,
    };
    (one, other)
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl Pipe {
    fn end(&self) {
        let mut lane = self.outgoing.borrow_mut();
        lane.ended = true;
        let reader = lane.reader.take();
        drop(lane);
        wake(reader);
    }
}

impl ProgramPipe for Pipe {
    fn poll_unread(&mut self, context: &mut Context<'_>, most: usize) -> Poll<()> {
        let mut lane = self.outgoing.borrow_mut();
        if lane.octets.len() <= most || lane.broken {
            return Poll::Ready(());
        }
        keep(&mut lane.writer, context.waker());
        Poll::Pending
    }
}

impl Stream for Pipe {
    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut lane = self.incoming.borrow_mut();
        if buffer.is_empty() || (lane.octets.is_empty() && lane.ended) {
            return Poll::Ready(Ok(0));
        }
        if lane.octets.is_empty() {
            keep(&mut lane.reader, context.waker());
            return Poll::Pending;
        }
        let count = buffer.len().min(lane.octets.len());
        for (place, octet) in buffer.iter_mut().zip(lane.octets.drain(..count)) {
            *place = octet;
        }
        let writer = lane.writer.take();
        drop(lane);
        wake(writer);
        Poll::Ready(Ok(count))
    }

    fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut lane = self.outgoing.borrow_mut();
        if lane.broken || lane.ended {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let count = bytes.len().min(lane.capacity - lane.octets.len());
        if count == 0 && !bytes.is_empty() {
            keep(&mut lane.writer, context.waker());
            return Poll::Pending;
        }
        lane.octets.extend(&bytes[..count]);
        let reader = lane.reader.take();
        drop(lane);
        wake(reader);
        Poll::Ready(Ok(count))
    }

    fn poll_shutdown(&mut self, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.end();
        Poll::Ready(Ok(()))
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.end();
        let mut lane = self.incoming.borrow_mut();
        lane.broken = true;
        lane.octets.clear();
        let writer = lane.writer.take();
        drop(lane);
        wake(writer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pipe: &mut Pipe) -> Poll<io::Result<Vec<u8>>> {
        let mut buffer = [0; 100];
        pipe.poll_read(&mut Context::from_waker(Waker::noop()), &mut buffer)
            .map_ok(|count| buffer[..count].to_vec())
    }

    fn write(pipe: &mut Pipe, bytes: &[u8]) -> Poll<io::Result<usize>> {
        pipe.poll_write(&mut Context::from_waker(Waker::noop()), bytes)
    }

    #[test]
    fn a_full_pipe_waits_and_a_read_makes_room() {
        let (mut one, mut other) = pipe(4);
        assert!(matches!(write(&mut one, b"abcdef"), Poll::Ready(Ok(4))));
        assert!(write(&mut one, b"ef").is_pending());
        assert!(matches!(read(&mut other), Poll::Ready(Ok(bytes)) if bytes == b"abcd"));
        assert!(matches!(write(&mut one, b"ef"), Poll::Ready(Ok(2))));
    }

    #[test]
    fn what_lies_unread_is_known_and_a_read_wakes() {
        let (mut one, mut other) = pipe(PIPE_CAPACITY);
        let context = &mut Context::from_waker(Waker::noop());
        assert!(matches!(write(&mut one, b"done\n"), Poll::Ready(Ok(5))));
        assert!(one.poll_unread(context, 4).is_pending());
        assert!(one.poll_unread(context, 5).is_ready());
        assert!(matches!(read(&mut other), Poll::Ready(Ok(_))));
        assert!(one.poll_unread(context, 0).is_ready());
    }

    #[test]
    fn a_dropped_end_is_read_to_the_end_and_cannot_be_written() {
        let (mut one, mut other) = pipe(PIPE_CAPACITY);
        assert!(read(&mut other).is_pending());
        assert!(matches!(write(&mut one, b"last"), Poll::Ready(Ok(4))));
        drop(one);
        assert!(matches!(read(&mut other), Poll::Ready(Ok(bytes)) if bytes == b"last"));
        assert!(matches!(read(&mut other), Poll::Ready(Ok(bytes)) if bytes.is_empty()));
        let broken = write(&mut other, b"x");
        assert!(
            matches!(broken, Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe)
        );
    }
}
