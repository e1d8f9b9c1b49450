//! One TCP connection as its two sockets see it, without time: what a call or an arriving segment does.
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

/// The two ends: the one that connected, and the one that accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Server,
}

impl Side {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// What travels from one end to the other, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// The server has a place for the connection.
    SynAck,
    /// The client's last word of the handshake: the server may accept.
    Ack,
    Data(Box<[u8]>),
    /// The receiver has read this many octets.
    Window(usize),
    Fin,
    Reset,
}

impl Segment {
    /// Octets on the line, headers of IP and TCP included.
    pub(super) fn length(&self) -> usize {
        const HEADERS: usize = 40;
        match self {
            Self::Data(bytes) => HEADERS + bytes.len(),
            _ => HEADERS,
        }
    }
}

/// What a step leaves to be done: segments to carry, tasks to wake.
#[derive(Debug, Default)]
pub(super) struct Effects {
    pub(super) segments: Vec<(Side, Segment)>,
    pub(super) wakers: Vec<Waker>,
}

/// How far the handshake is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handshake {
    Underway,
    Done,
    Failed(io::ErrorKind),
}

/// A connection: both ends, and nothing of time.
#[derive(Debug)]
pub(super) struct Tcp {
    client: End,
    server: End,
    pub(super) handshake: Handshake,
    /// The most octets in a segment.
    segment: usize,
}

/// The buffers of a socket, in octets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Buffers {
    pub(super) send: usize,
    pub(super) receive: usize,
}

#[derive(Debug)]
struct End {
    address: SocketAddr,
    buffers: Buffers,
    unsent: VecDeque<u8>,
    /// Sent, and not known to have been read.
    outstanding: usize,
    sending: Sending,
    received: VecDeque<u8>,
    /// Read since the peer last heard of it.
    unannounced: usize,
    fin_received: bool,
    /// What the next call reports, once (`sk_err`).
    error: Option<io::ErrorKind>,
    /// No more segments leave or are heard (the state CLOSED).
    dead: bool,
    /// The application has let go.
    released: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
    /// Who wants to know that it is dead.
    watcher: Option<Waker>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sending {
    Open,
    /// FIN follows what is still unsent.
    Closing,
    Closed,
}

impl End {
    fn new(address: SocketAddr, buffers: Buffers) -> Self {
        Self {
            address,
            buffers,
            unsent: VecDeque::new(),
            outstanding: 0,
            sending: Sending::Open,
            received: VecDeque::new(),
            unannounced: 0,
            fin_received: false,
            error: None,
            dead: false,
            released: false,
            reader: None,
            writer: None,
            watcher: None,
        }
    }

    fn wake(&mut self, effects: &mut Effects) {
        effects.wakers.extend(self.reader.take());
        effects.wakers.extend(self.writer.take());
        effects.wakers.extend(self.watcher.take());
    }

    fn kill(&mut self) {
        self.dead = true;
        self.unsent.clear();
    }

    /// Nothing that arrives can matter any more.
    fn finished(&self) -> bool {
        self.released && (self.dead || (self.fin_received && self.sending == Sending::Closed))
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
    ) -> Self {
        Self {
            client: End::new(client, buffers),
            server: End::new(server, buffers),
            handshake: Handshake::Underway,
            segment: segment.max(1),
        }
    }

    fn end(&mut self, side: Side) -> &mut End {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
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
        end.unannounced += count + more;
        if end.unannounced >= end.buffers.receive.div_ceil(2) && !end.dead {
            let announced = std::mem::take(&mut end.unannounced);
            effects.segments.push((side, Segment::Window(announced)));
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
        if end.dead || end.error.is_some() || end.sending != Sending::Open {
            let kind = end.error.take().unwrap_or(io::ErrorKind::BrokenPipe);
            return Poll::Ready(Err(kind.into()));
        }
        let room = end.buffers.send.saturating_sub(end.unsent.len());
        if room == 0 && !bytes.is_empty() {
            keep(&mut end.writer, waker);
            return Poll::Pending;
        }
        let count = room.min(bytes.len());
        end.unsent.extend(&bytes[..count]);
        self.send(side, effects);
        Poll::Ready(Ok(count))
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
        effects.segments.push((side, Segment::Reset));
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

    /// The host lost it without a word.
    pub(super) fn vanish(&mut self, side: Side, kind: io::ErrorKind, effects: &mut Effects) {
        let end = self.end(side);
        if !end.dead {
            end.kill();
            end.error = Some(kind);
            end.wake(effects);
        }
    }

    /// `segment` has reached `side`.
    pub(super) fn arrive(&mut self, side: Side, segment: Segment, effects: &mut Effects) {
        let end = self.end(side);
        if end.dead {
            return;
        }
        match segment {
            Segment::SynAck | Segment::Ack => {}
            Segment::Data(_) if end.released => self.reset(side, effects),
            Segment::Data(bytes) => {
                end.received.extend(bytes.iter());
                effects.wakers.extend(end.reader.take());
            }
            Segment::Window(count) => {
                end.outstanding -= count;
                self.send(side, effects);
            }
            Segment::Fin => {
                end.fin_received = true;
                effects.wakers.extend(end.reader.take());
            }
            Segment::Reset => {
                end.kill();
                let half_closed = end.fin_received && end.sending == Sending::Open;
                end.error = Some(if half_closed {
                    io::ErrorKind::BrokenPipe
                } else {
                    io::ErrorKind::ConnectionReset
                });
                end.wake(effects);
            }
        }
    }

    /// Sends what the peer's window allows, then the FIN that waits behind it.
    fn send(&mut self, side: Side, effects: &mut Effects) {
        let window = self.end(side.other()).buffers.receive;
        let most = self.segment;
        let end = self.end(side);
        let waiting = end.unsent.len();
        while !end.unsent.is_empty() && end.outstanding < window {
            let length = most.min(end.unsent.len()).min(window - end.outstanding);
            let bytes = end.unsent.drain(..length).collect();
            end.outstanding += length;
            effects.segments.push((side, Segment::Data(bytes)));
        }
        if end.unsent.len() < waiting {
            effects.wakers.extend(end.writer.take());
        }
        if end.unsent.is_empty() && end.sending == Sending::Closing {
            end.sending = Sending::Closed;
            effects.segments.push((side, Segment::Fin));
        }
    }
}
