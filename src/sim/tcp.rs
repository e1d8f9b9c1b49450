//! One TCP connection as its two sockets see it: what a call does. What arrives is in `reception`, what leaves in `transmission`.
//!
//! Linux is the standard. Bytes that arrived before an RST are still readable,
//! then `ConnectionReset` once, then end of file; after a FIN, reads keep
//! saying end of file whatever follows; a close with unread input sends RST
//! and discards what was not sent; data that reaches a closed socket is
//! answered with RST.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::task::{Poll, Waker};

use crate::sim::readiness::Readiness;
use crate::sim::receiver::Receiver;
pub(super) use crate::sim::segment::{Effects, Kind, Segment, Side};
use crate::sim::sender::Sender;
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
    pub(super) settings: TcpSettings,
    /// The most octets in a segment.
    pub(super) segment: usize,
    /// A segment was lost, and not everything is known to have arrived since.
    troubled: bool,
}

/// The buffers of a socket, in octets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Buffers {
    pub(super) send: usize,
    pub(super) receive: usize,
}

#[derive(Debug)]
pub(super) struct End {
    address: SocketAddr,
    pub(super) buffers: Buffers,
    pub(super) unsent: VecDeque<u8>,
    pub(super) sending: Sending,
    pub(super) sender: Sender,
    pub(super) received: VecDeque<u8>,
    pub(super) receiver: Receiver,
    pub(super) fin_received: bool,
    /// What the next call reports, once (`sk_err`).
    pub(super) error: Option<io::ErrorKind>,
    /// What a timeout reports instead of itself (`sk_err_soft`).
    pub(super) soft_error: Option<io::ErrorKind>,
    /// No more segments leave or are heard (the state CLOSED).
    pub(super) dead: bool,
    /// The application has let go.
    pub(super) released: bool,
    pub(super) reader: Option<Waker>,
    pub(super) writer: Option<Waker>,
    /// Who wants to know that it is dead.
    watcher: Option<Waker>,
    /// A write found no room (`SOCK_NOSPACE`): the next waits until a good part of the buffer is free.
    full: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sending {
    Open,
    /// FIN follows what is still unsent.
    Closing,
    Closed,
}

impl End {
    fn new(address: SocketAddr, buffers: Buffers, peer: Buffers, segment: usize) -> Self {
        Self {
            address,
            buffers,
            unsent: VecDeque::new(),
            sending: Sending::Open,
            sender: Sender::new(peer.receive as u64, segment),
            received: VecDeque::new(),
            receiver: Receiver::new(buffers.receive as u64),
            fin_received: false,
            error: None,
            soft_error: None,
            dead: false,
            released: false,
            reader: None,
            writer: None,
            watcher: None,
            full: false,
        }
    }

    pub(super) fn wake(&mut self, effects: &mut Effects) {
        effects.wakers.extend(self.reader.take());
        effects.wakers.extend(self.writer.take());
        effects.wakers.extend(self.watcher.take());
    }

    pub(super) fn kill(&mut self) {
        self.dead = true;
        self.unsent.clear();
        self.sender.stop();
        self.receiver.stop();
    }

    /// Octets in the send buffer: unsent, or not known to have arrived.
    fn queued(&self) -> usize {
        self.unsent.len() + self.sender.outstanding()
    }

    fn room(&self) -> usize {
        self.buffers.send.saturating_sub(self.queued())
    }

    /// Whether a third of the buffer is free (`sk_stream_is_writeable`).
    fn is_writable(&self) -> bool {
        let queued = self.queued();
        self.buffers.send.saturating_sub(queued) >= (queued / 2).max(1)
    }

    /// Wakes who waits for room, where there is enough.
    pub(super) fn wake_writer(&mut self, effects: &mut Effects) {
        if self.full && self.is_writable() {
            self.full = false;
            effects.wakers.extend(self.writer.take());
        }
    }

    /// Both directions have ended, and the peer knows of it: nothing that arrives can matter any more.
    pub(super) fn is_over(&self) -> bool {
        self.fin_received && self.sending == Sending::Closed && self.sender.outstanding() == 0
    }

    fn finished(&self) -> bool {
        self.released && (self.dead || self.is_over())
    }

    /// Whether acknowledgements and timers may change what an application sees.
    fn is_waiting(&self) -> bool {
        !self.dead && (self.full || !self.unsent.is_empty() || self.sending == Sending::Closing)
    }

    /// Whether something that was sent, or is to be, may still have to be sent again.
    fn is_unsettled(&self) -> bool {
        !self.dead && (!self.unsent.is_empty() || self.sender.outstanding() > 0)
    }
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
        settings: TcpSettings,
    ) -> Self {
        let segment = segment.max(1);
        Self {
            client: End::new(client, buffers, buffers, segment),
            server: End::new(server, buffers, buffers, segment),
            handshake: Handshake::Underway,
            settings,
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
    pub(super) fn is_waiting(&mut self) -> bool {
        let ends = [&self.client, &self.server];
        if self.troubled && self.handshake == Handshake::Done {
            self.troubled = ends.iter().any(|end| end.is_unsettled());
        }
        let alive = !self.client.dead || !self.server.dead;
        self.troubled
            || (self.settings.keepalive > 0 && alive)
            || ends.iter().any(|end| end.is_waiting())
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
        if end.has_news_of_window(segment) && !end.dead {
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
        end.receiver.answered(effects.now);
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

    /// `SO_ERROR`: what the next call would report, which it then does not.
    pub(super) fn take_error(&mut self, side: Side) -> Option<io::ErrorKind> {
        self.end(side).error.take()
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
        if end.fin_received && end.sending == Sending::Closed {
            // Both directions had ended: no one is left to be told of what nobody read.
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
