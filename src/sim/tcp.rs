//! One TCP connection as its two sockets see it: what a call does. What arrives is in `reception`, what leaves in `transmission`.
//!
//! Linux is the standard. Bytes that arrived before an RST are still readable,
//! then `ConnectionReset` once, then end of file; after a FIN, reads keep
//! saying end of file whatever follows; a close with unread input sends RST
//! and discards what was not sent; data that reaches a closed socket is
//! answered with RST.

use std::io;
use std::net::SocketAddr;
use std::task::{Poll, Waker};

pub(super) use crate::sim::end::{Buffers, End, Sending};
use crate::sim::readiness::Readiness;
pub(super) use crate::sim::segment::{Effects, Kind, Segment, Side};
use crate::sim::sysctl::TcpSettings;

/// How far the handshake is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handshake {
    Underway,
    Done,
    Failed(io::ErrorKind),
}

/// A connection: both ends.
#[derive(Debug)]
pub(super) struct Tcp {
    pub(super) client: End,
    pub(super) server: End,
    pub(super) handshake: Handshake,
    /// The most octets in a segment.
    pub(super) segment: usize,
    /// A segment was lost, and not everything is known to have arrived since.
    troubled: bool,
}

/// Keeps `waker` in `slot`.
pub(super) fn keep(slot: &mut Option<Waker>, waker: &Waker) {
    match slot {
        Some(kept) if kept.will_wake(waker) => {}
        _ => *slot = Some(waker.clone()),
    }
}

impl Tcp {
    pub(super) fn new(
        client: SocketAddr,
        server: SocketAddr,
        buffers: Buffers,
        segment: usize,
        settings: [TcpSettings; 2],
    ) -> Self {
        let [of_client, of_server] = settings;
        let segment = buffers.bound(segment);
        Self {
            client: End::new(client, buffers, of_client, segment),
            server: End::new(server, buffers, of_server, segment),
            handshake: Handshake::Underway,
            segment,
            troubled: false,
        }
    }

    pub(super) fn end(&mut self, side: Side) -> &mut End {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    /// A segment of this connection was lost.
    pub(super) fn trouble(&mut self) {
        self.troubled = true;
    }

    /// Whether acknowledgements and timers must be attended to when they are due, rather than when somebody next looks.
    pub(super) fn is_waiting(&mut self, half_open: bool) -> bool {
        let ends = [&self.client, &self.server];
        if self.troubled && self.handshake == Handshake::Done {
            self.troubled = half_open || ends.iter().any(|end| end.is_unsettled());
        }
        self.troubled || ends.iter().any(|end| end.is_waiting())
    }

    pub(super) fn address(&self, side: Side) -> SocketAddr {
        match side {
            Side::Client => self.client.address,
            Side::Server => self.server.address,
        }
    }

    /// Whether both ends are through with it.
    pub(super) fn finished(&self) -> bool {
        match self.handshake {
            Handshake::Done => self.client.finished() && self.server.finished(),
            Handshake::Underway => false,
            Handshake::Failed(_) => self.client.released,
        }
    }

    pub(super) fn poll_connected(&mut self, waker: &Waker) -> Poll<io::Result<()>> {
        match self.handshake {
            Handshake::Done => Poll::Ready(Ok(())),
            Handshake::Failed(kind) => Poll::Ready(Err(kind.into())),
            Handshake::Underway => {
                keep(&mut self.client.reader, waker);
                Poll::Pending
            }
        }
    }

    /// The server has answered.
    pub(super) fn connected(&mut self, effects: &mut Effects) {
        self.handshake = Handshake::Done;
        self.client.wake(effects);
    }

    pub(super) fn fail_handshake(&mut self, kind: io::ErrorKind, effects: &mut Effects) {
        if self.handshake == Handshake::Underway {
            self.handshake = Handshake::Failed(kind);
            self.client.wake(effects);
        }
    }

    pub(super) fn read(
        &mut self,
        side: Side,
        buffer: &mut [u8],
        waker: &Waker,
        effects: &mut Effects,
    ) -> Poll<io::Result<usize>> {
        let segment = self.segment;
        let end = self.end(side);
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if end.received.is_empty() {
            if end.fin_received {
                return Poll::Ready(Ok(0));
            }
            if let Some(kind) = end.error.take() {
                return Poll::Ready(Err(kind.into()));
            }
            if end.dead {
                return Poll::Ready(Ok(0));
            }
            keep(&mut end.reader, waker);
            return Poll::Pending;
        }
        let count = io::Read::read(&mut end.received, buffer)?;
        // `VecDeque` reads only up to where it wraps round.
        let more = io::Read::read(&mut end.received, &mut buffer[count..])?;
        let is_read = end.receiver.read_acknowledges(end.received.is_empty());
        if !end.dead && (is_read || end.has_news_of_window(segment)) {
            self.push(side, Kind::Ack, effects);
        }
        Poll::Ready(Ok(count + more))
    }

    /// Ready once it is dead.
    pub(super) fn poll_gone(&mut self, side: Side, waker: &Waker) -> Poll<()> {
        let end = self.end(side);
        if end.dead {
            return Poll::Ready(());
        }
        keep(&mut end.watcher, waker);
        Poll::Pending
    }

    pub(super) fn write(
        &mut self,
        side: Side,
        bytes: &[u8],
        waker: &Waker,
        effects: &mut Effects,
    ) -> Poll<io::Result<usize>> {
        let end = self.end(side);
        let waits = end.full && !end.is_writable() && !end.dead && end.error.is_none();
        if !bytes.is_empty() && waits {
            keep(&mut end.writer, waker);
            return Poll::Pending;
        }
        match self.try_write(side, bytes, effects) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                keep(&mut self.end(side).writer, waker);
                Poll::Pending
            }
            wrote => Poll::Ready(wrote),
        }
    }

    /// `send(2)` on a socket that does not block.
    pub(super) fn try_write(
        &mut self,
        side: Side,
        bytes: &[u8],
        effects: &mut Effects,
    ) -> io::Result<usize> {
        let end = self.end(side);
        if end.dead || end.error.is_some() || end.sending != Sending::Open {
            return Err(end.error.take().unwrap_or(io::ErrorKind::BrokenPipe).into());
        }
        let room = end.room();
        if room == 0 && !bytes.is_empty() {
            end.full = true;
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = room.min(bytes.len());
        end.full = false;
        end.unsent.extend(&bytes[..count]);
        end.receiver.answers(effects.now);
        self.send(side, effects);
        Ok(count)
    }

    /// What `poll(2)` says of the socket.
    pub(super) fn readiness(&self, side: Side) -> Readiness {
        let end = match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        };
        let shut = end.sending != Sending::Open;
        let hung_up = end.dead || (end.fin_received && shut);
        Readiness {
            readable: !end.received.is_empty()
                || end.fin_received
                || hung_up
                || end.error.is_some(),
            writable: end.is_writable() || shut || end.dead || end.error.is_some(),
            peer_closed: end.fin_received || end.dead,
            hung_up,
            error: end.error.is_some(),
        }
    }

    /// `SO_ERROR`: what the next call would report, which it then does not; or else what a timeout would report.
    pub(super) fn take_error(&mut self, side: Side) -> Option<io::ErrorKind> {
        let end = self.end(side);
        end.error.take().or_else(|| end.soft_error.take())
    }

    /// Wakes `waker` when anything changes that [`Self::readiness`] shows.
    pub(super) fn watch(&mut self, side: Side, waker: &Waker) {
        let end = self.end(side);
        keep(&mut end.reader, waker);
        if !end.is_writable() {
            end.full = true;
        }
        keep(&mut end.writer, waker);
    }

    /// `shutdown(2)`.
    pub(super) fn try_shutdown(&mut self, side: Side, effects: &mut Effects) -> io::Result<()> {
        let end = self.end(side);
        if end.dead || end.is_over() {
            return Err(io::ErrorKind::NotConnected.into());
        }
        self.shutdown(side, effects);
        Ok(())
    }

    /// Never fails: where the connection is gone there is nothing left to close.
    pub(super) fn shutdown(&mut self, side: Side, effects: &mut Effects) {
        let end = self.end(side);
        if !end.dead && end.sending == Sending::Open {
            end.sending = Sending::Closing;
            self.send(side, effects);
        }
    }

    /// `close(2)`.
    pub(super) fn close(&mut self, side: Side, effects: &mut Effects) {
        let end = self.end(side);
        end.released = true;
        end.reader = None;
        end.writer = None;
        if end.dead {
            return;
        }
        if end.is_over() {
            // No one is left to be told of what nobody read.
            return end.kill();
        }
        if !end.received.is_empty() {
            end.received.clear();
            return self.reset(side, effects);
        }
        if end.sending == Sending::Open {
            end.sending = Sending::Closing;
        }
        self.send(side, effects);
        self.end(side).note_closing(effects.now);
    }

    /// Sends RST and is gone.
    pub(super) fn reset(&mut self, side: Side, effects: &mut Effects) {
        let end = self.end(side);
        if end.dead {
            return;
        }
        end.kill();
        self.push(side, Kind::Reset, effects);
    }

    /// The host loses it and sends RST: whoever holds the socket there is told the same.
    pub(super) fn lose(&mut self, side: Side, effects: &mut Effects) {
        if !self.end(side).dead {
            self.reset(side, effects);
            let end = self.end(side);
            end.error = Some(io::ErrorKind::ConnectionReset);
            end.wake(effects);
        }
    }
}
