//! Open file descriptions that the tracer answers for, and what poll(2) says of them.
//!
//! A descriptor of a guest is a number of the kernel's all the same: something harmless stands there (an unconnected
//! unix socket, a pipe), so that numbers are given, duplicated, inherited and closed as always. What is not in a
//! process's table is a file of the kernel's.

use nix::libc;

use super::epoll::Epoll;
use super::eventfd::EventFd;
use super::inet::InetSocket;
use super::kernel::{Id, Kernel};
use super::netlink::Netlink;
use super::output::Stream;
use super::timerfd::TimerFd;
use super::unix::UnixSocket;

/// `POLLIN`.
pub(super) const IN: u32 = libc::POLLIN as u32;
/// `POLLOUT`.
pub(super) const OUT: u32 = libc::POLLOUT as u32;
/// `POLLERR`.
pub(super) const ERR: u32 = libc::POLLERR as u32;
/// `POLLHUP`.
pub(super) const HUP: u32 = libc::POLLHUP as u32;
/// `POLLRDHUP`.
pub(super) const RDHUP: u32 = libc::POLLRDHUP as u32;
/// `POLLRDNORM`.
const RDNORM: u32 = libc::POLLRDNORM as u32;
/// `POLLWRNORM`.
const WRNORM: u32 = libc::POLLWRNORM as u32;
/// What is reported whether it was asked for or not.
pub(super) const ALWAYS: u32 = ERR | HUP;

/// An open file description.
#[derive(Debug, Clone)]
pub(super) struct Description {
    pub kind: Kind,
    /// `O_NONBLOCK`.
    pub nonblocking: bool,
    /// Descriptors, in tables or on their way, that name it.
    pub references: u32,
}

/// What a description is.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    PipeReader(Id),
    PipeWriter(Id),
    Unix(UnixSocket),
    Inet(InetSocket),
    Netlink(Netlink),
    Event(EventFd),
    Timer(TimerFd),
    Epoll(Epoll),
    /// Standard output and error.
    Output(Stream),
    /// `/dev/random` and `/dev/urandom`.
    Random,
}

impl Kernel {
    pub(super) fn describe(&mut self, kind: Kind, nonblocking: bool) -> Id {
        let id = self.new_id();
        let description = Description {
            kind,
            nonblocking,
            references: 0,
        };
        self.descriptions.insert(id, description);
        id
    }

    /// What poll(2) would report of a description, whatever is asked for.
    pub(super) fn events(&self, id: Id) -> u32 {
        let Some(description) = self.descriptions.get(&id) else {
            return 0;
        };
        let events = match &description.kind {
            Kind::PipeReader(channel) => self.pipe_reader_events(*channel),
            Kind::PipeWriter(channel) => self.pipe_writer_events(*channel),
            Kind::Unix(socket) => self.unix_events(socket),
            Kind::Inet(socket) => socket.events(),
            Kind::Netlink(socket) => socket.events(),
            Kind::Event(event) => event.events(),
            Kind::Timer(timer) => timer.events(self.now),
            Kind::Epoll(epoll) => {
                if self.epoll_ready(epoll) {
                    IN
                } else {
                    0
                }
            }
            Kind::Output(_) => OUT,
            Kind::Random => IN | OUT,
        };
        let normal = if events & IN != 0 { RDNORM } else { 0 };
        events | normal | if events & OUT != 0 { WRNORM } else { 0 }
    }

    /// Counts of what made a description readable and writable, for edge-triggered epoll(7).
    pub(super) fn edges(&self, id: Id) -> (u64, u64) {
        let Some(description) = self.descriptions.get(&id) else {
            return (0, 0);
        };
        let arrivals = |channel: &Id| self.channels.get(channel).map_or(0, |it| it.arrivals);
        let departures = |channel: &Id| self.channels.get(channel).map_or(0, |it| it.departures);
        match &description.kind {
            Kind::PipeReader(channel) => (arrivals(channel), 0),
            Kind::PipeWriter(channel) => (0, departures(channel)),
            Kind::Unix(socket) => self.unix_edges(socket),
            Kind::Inet(socket) => (socket.status.arrivals, socket.status.departures),
            Kind::Netlink(socket) => (socket.arrivals, 1),
            Kind::Event(event) => (event.writes, event.reads),
            Kind::Timer(timer) => (timer.expiries(self.now).saturating_add(timer.sets), 0),
            Kind::Epoll(_) | Kind::Output(_) | Kind::Random => (1, 1),
        }
    }

    /// When a description becomes readable by itself.
    pub(super) fn due(&self, id: Id) -> Option<i64> {
        match &self.descriptions.get(&id)?.kind {
            Kind::Timer(timer) => timer.next(self.now),
            Kind::Epoll(epoll) => epoll
                .entries
                .values()
                .filter_map(|entry| self.due(entry.description))
                .min(),
            _ => None,
        }
    }
}
