//! A connection on its way out: the rest is written, FIN is sent, and what the peer still sends is read and dropped,
//! since a socket that is closed with something unread answers with RST, which may overtake the NOTIFICATION.

use std::net::IpAddr;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::net::{Connection, ConnectionName};

/// How long the peer may take to read the rest and to close its half.
const LINGER: Duration = Duration::from_secs(2);

/// A connection that is being closed.
pub(super) struct Closing<T> {
    /// Its name; `None` where it never had a session.
    pub name: Option<ConnectionName>,
    /// The address of the peer.
    pub peer: IpAddr,
    stream: T,
    rest: Vec<u8>,
    written: usize,
    shut: bool,
    pub until: Duration,
    waker: Option<Waker>,
}

impl<T: Connection> Closing<T> {
    pub fn new(name: Option<ConnectionName>, stream: T, rest: Vec<u8>, now: Duration) -> Self {
        Self {
            name,
            peer: stream.peer_address().ip(),
            stream,
            rest,
            written: 0,
            shut: false,
            until: now + LINGER,
            waker: None,
        }
    }

    /// From now on this waker is woken when there is something to do.
    pub fn watch(&mut self, waker: Waker) {
        self.waker = Some(waker);
    }

    /// Does what can be done now; says whether the socket may be dropped.
    pub fn step(&mut self, now: Duration, lingers: bool, buffer: &mut [u8]) -> bool {
        let Some(waker) = self.waker.clone() else {
            return true;
        };
        let mut context = Context::from_waker(&waker);
        if now >= self.until {
            return true;
        }
        while self.written < self.rest.len() {
            match self
                .stream
                .poll_write(&mut context, &self.rest[self.written..])
            {
                Poll::Ready(Ok(count)) => self.written += count,
                Poll::Ready(Err(_)) => return true,
                Poll::Pending => break,
            }
        }
        if self.written == self.rest.len() && !self.shut {
            if !lingers {
                return true;
            }
            match self.stream.poll_shutdown(&mut context) {
                Poll::Ready(Ok(())) => self.shut = true,
                Poll::Ready(Err(_)) => return true,
                Poll::Pending => {}
            }
        }
        loop {
            match self.stream.poll_read(&mut context, buffer) {
                Poll::Ready(Ok(0) | Err(_)) => return self.shut || self.written == self.rest.len(),
                Poll::Ready(Ok(_)) => {}
                Poll::Pending => return false,
            }
        }
    }
}
