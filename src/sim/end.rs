//! One end of a TCP connection: its buffers, how far it is in closing, and who waits for it.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::task::Waker;
use std::time::Duration;

use crate::sim::receiver::Receiver;
use crate::sim::segment::Effects;
use crate::sim::sender::Sender;
use crate::sim::sysctl::TcpSettings;
use crate::sim::ttl::Ttls;

/// The buffers of a socket, in octets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Buffers {
    pub(super) send: usize,
    pub(super) receive: usize,
}

impl Buffers {
    /// The most octets in a segment: what half a window takes, unless it is a tiny one (`tcp_bound_to_half_wnd`).
    pub(super) fn bound(self, segment: usize) -> usize {
        let most = match self.receive {
            tiny @ ..=536 => tiny,
            window => window / 2,
        };
        segment.min(most).max(1)
    }
}

#[derive(Debug)]
pub(super) struct End {
    pub(super) address: SocketAddr,
    pub(super) buffers: Buffers,
    /// Of its host's TCP.
    pub(super) settings: TcpSettings,
    pub(super) ttls: Ttls,
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
    pub(super) watcher: Option<Waker>,
    /// A write found no room (`SOCK_NOSPACE`): the next waits until a good part of the buffer is free.
    pub(super) full: bool,
    /// It sent FIN before it heard the peer's: it is the one that waits in the end (RFC 9293 section 3.6).
    pub(super) closed_first: bool,
    /// In TIME_WAIT since then.
    pub(super) time_wait: Option<Duration>,
    /// Closed since then, and waits for the peer's FIN (FIN-WAIT-2).
    pub(super) fin_wait: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sending {
    Open,
    /// FIN follows what is still unsent.
    Closing,
    Closed,
}

impl End {
    pub(super) fn new(
        address: SocketAddr,
        buffers: Buffers,
        settings: TcpSettings,
        segment: usize,
    ) -> Self {
        Self {
            address,
            buffers,
            settings,
            ttls: Ttls::default(),
            unsent: VecDeque::new(),
            sending: Sending::Open,
            sender: Sender::new(buffers.receive as u64, segment),
            received: VecDeque::new(),
            receiver: Receiver::new(buffers.receive as u64, segment),
            fin_received: false,
            error: None,
            soft_error: None,
            dead: false,
            released: false,
            reader: None,
            writer: None,
            watcher: None,
            full: false,
            closed_first: false,
            time_wait: None,
            fin_wait: None,
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
    pub(super) fn queued(&self) -> usize {
        self.unsent.len() + self.sender.outstanding()
    }

    pub(super) fn room(&self) -> usize {
        self.buffers.send.saturating_sub(self.queued())
    }

    /// Whether a third of the buffer is free (`sk_stream_is_writeable`).
    pub(super) fn is_writable(&self) -> bool {
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

    /// When the wait for the peer's FIN is over, where it waits.
    pub(super) fn fin_wait_until(&self) -> Option<Duration> {
        let timeout = Duration::from_secs(self.settings.fin_timeout.into());
        self.fin_wait.map(|since| since + timeout)
    }

    /// Notes what follows from a FIN that came, was acknowledged, or a close.
    pub(super) fn note_closing(&mut self, now: Duration) {
        let sent_all = self.sending == Sending::Closed && self.sender.outstanding() == 0;
        if !sent_all || self.dead {
            return;
        }
        if self.fin_received {
            self.fin_wait = None;
            if self.closed_first {
                self.time_wait.get_or_insert(now);
            }
        } else if self.released {
            self.fin_wait.get_or_insert(now);
        }
    }

    pub(super) fn finished(&self) -> bool {
        self.released && (self.dead || self.is_over())
    }

    /// Whether acknowledgements and timers may change what an application sees.
    pub(super) fn is_waiting(&self) -> bool {
        let is_held_up = self.full || !self.unsent.is_empty() || self.sending == Sending::Closing;
        !self.dead && (is_held_up || self.settings.keepalive > 0)
    }

    /// Whether something that was sent, or is to be, may still have to be sent again.
    pub(super) fn is_unsettled(&self) -> bool {
        !self.dead && (!self.unsent.is_empty() || self.sender.outstanding() > 0)
    }
}
