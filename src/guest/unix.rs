//! Unix sockets between the processes of a host: streams, datagrams, sequenced packets, and descriptors sent along.

use std::collections::VecDeque;
use std::path::PathBuf;

use nix::errno::Errno;
use nix::libc;

use super::channel::{Channel, Part, Right};
use super::description::{ERR, HUP, IN, Kind, OUT, RDHUP};
use super::dispatch::Answer;
use super::host::Host;
use super::kernel::{Id, Kernel};
use super::output::Stream;
use super::registers::Call;
use super::socket::Header;
use super::transfer::{Vectors, length};

/// What kind of octets a socket carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Stream,
    Datagram,
    Packets,
}

impl Type {
    pub(super) fn of(kind: i32) -> Result<Self, Errno> {
        match kind {
            libc::SOCK_STREAM => Ok(Self::Stream),
            libc::SOCK_DGRAM | libc::SOCK_RAW => Ok(Self::Datagram),
            libc::SOCK_SEQPACKET => Ok(Self::Packets),
            _ => Err(Errno::ESOCKTNOSUPPORT),
        }
    }
}

/// Where a unix socket is bound: a path, or a name that begins with a zero (unix(7)).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name(Vec<u8>);

impl Name {
    /// The name in a `struct sockaddr_un`.
    pub(super) fn decode(address: &[u8]) -> Option<Self> {
        let name = address.get(2..)?;
        match name {
            [] => None,
            [0, ..] => Some(Self(name.to_vec())),
            _ => {
                let end = name
                    .iter()
                    .position(|octet| *octet == 0)
                    .unwrap_or(name.len());
                Some(Self(name[..end].to_vec()))
            }
        }
    }

    pub(super) fn encode(name: Option<&Self>) -> Vec<u8> {
        let mut address = (libc::AF_UNIX as u16).to_ne_bytes().to_vec();
        if let Some(Self(name)) = name {
            address.extend(name);
            if name.first() != Some(&0) {
                address.push(0);
            }
        }
        address
    }

    fn path(&self) -> Option<PathBuf> {
        use std::os::unix::ffi::OsStringExt;
        if self.0.first() == Some(&0) {
            return None;
        }
        Some(std::ffi::OsString::from_vec(self.0.clone()).into())
    }
}

/// syslog(3) writes there.
const LOG: &[u8] = b"/dev/log";

/// A unix socket.
#[derive(Debug, Clone)]
pub(super) struct UnixSocket {
    pub kind: Type,
    pub name: Option<Name>,
    pub peer_name: Option<Name>,
    pub incoming: Option<Id>,
    pub outgoing: Option<Id>,
    /// Connections that wait to be accepted.
    backlog: Option<VecDeque<Id>>,
    most: usize,
    arrivals: u64,
    /// The peer's process, user and group (`SO_PEERCRED`).
    pub credentials: (i32, u32, u32),
    /// `SO_PASSCRED`.
    pub wants_credentials: bool,
    /// `SO_RCVTIMEO` and `SO_SNDTIMEO`, in nanoseconds.
    pub timeouts: [Option<i64>; 2],
    /// It is connected to `/dev/log`.
    logs: bool,
}

impl UnixSocket {
    pub(super) fn new(kind: Type) -> Self {
        Self {
            kind,
            name: None,
            peer_name: None,
            incoming: None,
            outgoing: None,
            backlog: None,
            most: 0,
            arrivals: 0,
            credentials: (0, 0, 0),
            wants_credentials: false,
            timeouts: [None; 2],
            logs: false,
        }
    }

    pub(super) fn timeout(&self, reading: bool) -> Option<i64> {
        self.timeouts[usize::from(!reading)]
    }

    pub(super) fn listens(&self) -> bool {
        self.backlog.is_some()
    }

    fn messages(&self) -> bool {
        self.kind != Type::Stream
    }
}

impl Kernel {
    pub(super) fn unix_events(&self, socket: &UnixSocket) -> u32 {
        if let Some(backlog) = &socket.backlog {
            return if backlog.is_empty() { 0 } else { IN };
        }
        let incoming = socket.incoming.and_then(|it| self.channels.get(&it));
        let outgoing = socket.outgoing.and_then(|it| self.channels.get(&it));
        let mut events = match incoming {
            Some(channel) => {
                let there = if channel.is_empty() && !channel.reset {
                    0
                } else {
                    IN
                };
                let end = if channel.writer || socket.kind == Type::Datagram {
                    0
                } else {
                    IN | RDHUP
                };
                there | end | if channel.reset { ERR } else { 0 }
            }
            None if socket.kind == Type::Datagram => 0,
            None => HUP,
        };
        match outgoing {
            Some(channel) if channel.reader => events |= if channel.writable() { OUT } else { 0 },
            Some(_) => events |= OUT,
            None => events |= OUT,
        }
        let over = incoming.is_some_and(|it| !it.writer)
            && outgoing.is_none_or(|it| !it.reader || !it.writer);
        if over && socket.kind != Type::Datagram {
            events |= HUP;
        }
        events
    }

    pub(super) fn unix_edges(&self, socket: &UnixSocket) -> (u64, u64) {
        let incoming = socket.incoming.and_then(|it| self.channels.get(&it));
        let outgoing = socket.outgoing.and_then(|it| self.channels.get(&it));
        let arrivals = incoming.map_or(socket.arrivals, |it| it.arrivals);
        (arrivals, outgoing.map_or(1, |it| it.departures))
    }
}

impl Host {
    fn unix(&mut self, id: Id) -> Result<&mut UnixSocket, Errno> {
        match self.kernel.description(id).map(|it| &mut it.kind) {
            Some(Kind::Unix(socket)) => Ok(socket),
            _ => Err(Errno::ENOTSOCK),
        }
    }

    fn own_credentials(&self, process: i32) -> (i32, u32, u32) {
        let own = self.kernel.processes.get(&process);
        own.map_or((process, 0, 0), |it| (process, it.users[1], it.groups[1]))
    }

    /// Two sockets that are connected to each other.
    pub(super) fn unix_pair(&mut self, kind: Type, process: i32, nonblocking: bool) -> [Id; 2] {
        let messages = kind != Type::Stream;
        let channels = [self.kernel.new_id(), self.kernel.new_id()];
        for channel in channels {
            self.kernel.channels.insert(channel, Channel::new(messages));
        }
        let credentials = self.own_credentials(process);
        [(0, 1), (1, 0)].map(|(own, other)| {
            let socket = UnixSocket {
                incoming: Some(channels[own]),
                outgoing: Some(channels[other]),
                credentials,
                ..UnixSocket::new(kind)
            };
            self.kernel.describe(Kind::Unix(socket), nonblocking)
        })
    }

    /// A path's name over the machine's files, so that all spellings of it are one.
    fn place_of(&self, process: i32, name: &Name) -> Name {
        use std::os::unix::ffi::OsStrExt;
        let Some(path) = name.path() else {
            return name.clone();
        };
        let placed = match self.over(process, &path) {
            Some(over) => over,
            None if path.is_absolute() => path,
            None => self
                .directories
                .get(&process)
                .map(|it| it.join(&path))
                .unwrap_or(path),
        };
        Name(placed.as_os_str().as_bytes().to_vec())
    }

    pub(super) fn bind_unix(
        &mut self,
        call: &Call,
        id: Id,
        address: &[u8],
    ) -> Result<Answer, Errno> {
        let name = Name::decode(address).ok_or(Errno::EINVAL)?;
        let named = self.unix(id)?.name.is_some();
        let place = self.place_of(call.process, &name);
        if let Some(path) = place.path() {
            // A node in the guest's files, so that it is found, unlinked and its mode changed as always.
            if let Some(parent) = path.parent() {
                let _ = std::fs::create_dir_all(parent);
            }
            let mode = nix::sys::stat::Mode::from_bits_truncate(0o777);
            match nix::sys::stat::mknod(&path, nix::sys::stat::SFlag::S_IFSOCK, mode, 0) {
                Ok(()) => {}
                Err(Errno::EEXIST) => return Err(Errno::EADDRINUSE),
                Err(error) => return Err(error),
            }
            if named {
                let _ = std::fs::remove_file(&path);
            }
        } else if self.kernel.names.contains_key(&place) {
            return Err(Errno::EADDRINUSE);
        }
        if named {
            return Err(Errno::EINVAL);
        }
        self.kernel.names.insert(place, id);
        let channel = self.kernel.new_id();
        let socket = self.unix(id)?;
        socket.name = Some(name);
        if socket.kind == Type::Datagram && socket.incoming.is_none() {
            socket.incoming = Some(channel);
            self.kernel.channels.insert(channel, Channel::new(true));
        }
        Ok(Answer::Value(0))
    }

    pub(super) fn listen_unix(&mut self, id: Id, most: i32) -> Result<Answer, Errno> {
        let socket = self.unix(id)?;
        if socket.kind == Type::Datagram {
            return Err(Errno::EOPNOTSUPP);
        }
        if socket.name.is_none() || socket.incoming.is_some() {
            return Err(Errno::EINVAL);
        }
        socket.most = usize::try_from(most).unwrap_or(0);
        socket.backlog.get_or_insert_default();
        Ok(Answer::Value(0))
    }

    /// The socket that is bound to a name.
    fn bound_at(&self, process: i32, name: &Name) -> Result<Id, Errno> {
        let place = self.place_of(process, name);
        if let Some(path) = place.path()
            && !path.exists()
        {
            return Err(Errno::ENOENT);
        }
        self.kernel
            .names
            .get(&place)
            .copied()
            .ok_or(Errno::ECONNREFUSED)
    }

    pub(super) fn connect_unix(
        &mut self,
        call: &Call,
        id: Id,
        address: &[u8],
    ) -> Result<Answer, Errno> {
        let name = Name::decode(address);
        let own = self.unix(id)?.clone();
        let Some(name) = name else {
            self.unix(id)?.outgoing = None;
            return Ok(Answer::Value(0));
        };
        if name.0 == LOG && own.kind == Type::Datagram {
            let socket = self.unix(id)?;
            (socket.logs, socket.peer_name) = (true, Some(name));
            return Ok(Answer::Value(0));
        }
        if own.kind != Type::Datagram && own.outgoing.is_some() {
            return Err(Errno::EISCONN);
        }
        if own.listens() {
            return Err(Errno::EINVAL);
        }
        let target = self.bound_at(call.process, &name)?;
        let other = self.unix(target).map_err(|_| Errno::ECONNREFUSED)?.clone();
        if own.kind != other.kind {
            return Err(Errno::EPROTOTYPE);
        }
        if own.kind == Type::Datagram {
            let socket = self.unix(id)?;
            (socket.outgoing, socket.peer_name) = (other.incoming, Some(name));
            return Ok(Answer::Value(0));
        }
        let Some(backlog) = &other.backlog else {
            return Err(Errno::ECONNREFUSED);
        };
        if backlog.len() > other.most {
            // A listener is writable where its backlog has room; nothing says so to poll(2), as on Linux.
            return Err(Errno::EAGAIN);
        }
        let credentials = self.own_credentials(call.process);
        let ends = self.unix_pair(own.kind, call.process, false);
        // One end becomes this socket; the other one waits to be accepted.
        let Some(Kind::Unix(first)) = self.kernel.descriptions.remove(&ends[0]).map(|it| it.kind)
        else {
            return Err(Errno::ECONNREFUSED);
        };
        let socket = self.unix(id)?;
        (socket.incoming, socket.outgoing) = (first.incoming, first.outgoing);
        socket.peer_name = Some(name.clone());
        socket.credentials = other.credentials;
        let waiting = self.unix(ends[1])?;
        (waiting.name, waiting.peer_name, waiting.credentials) =
            (Some(name), own.name, credentials);
        let listener = self.unix(target)?;
        listener.arrivals += 1;
        listener.backlog.get_or_insert_default().push_back(ends[1]);
        Ok(Answer::Value(0))
    }

    pub(super) fn accept_unix(&mut self, id: Id) -> Result<Option<(Id, Vec<u8>)>, Errno> {
        let socket = self.unix(id)?;
        let backlog = socket.backlog.as_mut().ok_or(Errno::EINVAL)?;
        let Some(new) = backlog.pop_front() else {
            return Ok(None);
        };
        let peer = Name::encode(self.unix(new)?.peer_name.as_ref());
        Ok(Some((new, peer)))
    }

    /// Takes what has come; `None` where nothing has.
    pub(super) fn take_unix(
        &mut self,
        id: Id,
        most: usize,
        flags: i32,
    ) -> Result<Option<(Part, bool)>, Errno> {
        let socket = self.unix(id)?;
        let datagrams = socket.kind == Type::Datagram;
        match socket.incoming {
            Some(channel) => self.read_channel(channel, most, flags),
            None if datagrams => Ok(None),
            None if socket.kind == Type::Stream => Err(Errno::EINVAL),
            None => Err(Errno::ENOTCONN),
        }
    }

    pub(super) fn receive_unix(
        &mut self,
        call: &Call,
        id: Id,
        vectors: &Vectors,
        flags: i32,
    ) -> Result<Answer, Errno> {
        let Some((part, _)) = self.take_unix(id, length(vectors), flags)? else {
            return self.would_block(call, id, IN, flags);
        };
        let octets: Vec<u8> = part.octets.into();
        self.kernel.trace.local_octets(octets.len());
        self.memory(call)?.scatter(vectors, &octets)?;
        for right in part.rights {
            self.unreference(right.0);
        }
        Ok(Answer::Value(octets.len() as i64))
    }

    pub(super) fn receive_unix_message(
        &mut self,
        call: &Call,
        id: Id,
        header: &Header,
        flags: i32,
    ) -> Result<Answer, Errno> {
        let Some((part, cut)) = self.take_unix(id, length(&header.vectors), flags)? else {
            return self.would_block(call, id, IN, flags);
        };
        let octets: Vec<u8> = part.octets.into();
        self.kernel.trace.local_octets(octets.len());
        self.memory(call)?.scatter(&header.vectors, &octets)?;
        let mut control = vec![];
        let mut found = if cut { libc::MSG_TRUNC } else { 0 };
        if self.unix(id)?.wants_credentials {
            let (process, user, group) = part.credentials;
            let mut data = process.to_ne_bytes().to_vec();
            data.extend(user.to_ne_bytes());
            data.extend(group.to_ne_bytes());
            ancillary(&mut control, libc::SCM_CREDENTIALS, &data);
        }
        found |= self.receive_rights(call, header, &mut control, part.rights, flags)?;
        let name = part
            .from
            .as_ref()
            .map_or_else(Vec::new, |name| Name::encode(Some(name)));
        self.finish_header(call, header, &name, &control, found)?;
        Ok(Answer::Value(octets.len() as i64))
    }

    /// Gives the receiver the descriptors that came along, as many as it has room for.
    fn receive_rights(
        &mut self,
        call: &Call,
        header: &Header,
        control: &mut Vec<u8>,
        rights: Vec<Right>,
        flags: i32,
    ) -> Result<i32, Errno> {
        if rights.is_empty() {
            return Ok(0);
        }
        let room = header.control_length.saturating_sub(control.len() + 16) / 4;
        let mut data = vec![];
        let cut = rights.len() > room;
        for (at, right) in rights.into_iter().enumerate() {
            if at < room {
                let number = self.install(call, right.0, flags & libc::MSG_CMSG_CLOEXEC != 0)?;
                data.extend(number.to_ne_bytes());
            }
            self.unreference(right.0);
        }
        if !data.is_empty() {
            ancillary(control, libc::SCM_RIGHTS, &data);
        }
        Ok(if cut { libc::MSG_CTRUNC } else { 0 })
    }

    pub(super) fn send_unix(
        &mut self,
        call: &Call,
        id: Id,
        octets: Vec<u8>,
        rights: Vec<Right>,
        to: Option<Name>,
        flags: i32,
    ) -> Result<Answer, Errno> {
        let socket = self.unix(id)?.clone();
        let count = octets.len() as i64;
        if socket.logs || to.as_ref().is_some_and(|it| it.0 == LOG) {
            self.kernel.print(call.process, Stream::Log, &octets);
            return Ok(Answer::Value(count));
        }
        let target = match (&to, socket.outgoing) {
            (Some(name), _) if socket.kind == Type::Datagram => {
                let other = self.bound_at(call.process, name)?;
                self.unix(other)?.incoming
            }
            (_, outgoing) => outgoing,
        };
        let target = target.ok_or(Errno::ENOTCONN)?;
        let credentials = self.own_credentials(call.process);
        let Some(channel) = self.kernel.channels.get_mut(&target).filter(|it| it.reader) else {
            if socket.kind == Type::Datagram {
                return Err(Errno::ECONNREFUSED);
            }
            if flags & libc::MSG_NOSIGNAL == 0 {
                self.signal_thread(call.thread, libc::SIGPIPE);
            }
            return Err(Errno::EPIPE);
        };
        if !channel.writer {
            return Err(Errno::EPIPE);
        }
        let room = channel.room();
        if socket.messages() && octets.len() > channel.capacity {
            return Err(Errno::EMSGSIZE);
        }
        if room == 0 || (socket.messages() && room < octets.len()) {
            return self.would_block(call, id, OUT, flags);
        }
        let count = room.min(octets.len());
        if count > 0 || socket.messages() {
            channel.push(Part {
                octets: octets[..count].iter().copied().collect(),
                rights: rights.clone(),
                from: socket.name,
                credentials,
            });
            for right in &rights {
                if let Some(found) = self.kernel.descriptions.get_mut(&right.0) {
                    found.references += 1;
                }
            }
        }
        self.kernel.trace.local_octets(count);
        Ok(Answer::Value(count as i64))
    }

    pub(super) fn shutdown_unix(&mut self, id: Id, how: i32) -> Result<Answer, Errno> {
        let socket = self.unix(id)?.clone();
        let (Some(incoming), Some(outgoing)) = (socket.incoming, socket.outgoing) else {
            return Err(Errno::ENOTCONN);
        };
        if matches!(how, libc::SHUT_WR | libc::SHUT_RDWR)
            && let Some(channel) = self.kernel.channels.get_mut(&outgoing)
        {
            channel.writer = false;
            channel.arrivals += 1;
        }
        if matches!(how, libc::SHUT_RD | libc::SHUT_RDWR)
            && let Some(channel) = self.kernel.channels.get_mut(&incoming)
        {
            channel.reader = false;
            channel.writer = false;
            channel.arrivals += 1;
            channel.departures += 1;
        }
        Ok(Answer::Value(0))
    }

    pub(super) fn close_unix(&mut self, id: Id, socket: UnixSocket) {
        self.kernel.names.retain(|_, bound| *bound != id);
        for waiting in socket.backlog.into_iter().flatten() {
            self.unreference(waiting);
        }
        if let Some(incoming) = socket.incoming {
            let unread = self
                .kernel
                .channels
                .get(&incoming)
                .is_some_and(|it| !it.is_empty());
            self.close_reader(incoming);
            if unread
                && socket.kind != Type::Datagram
                && let Some(back) = socket
                    .outgoing
                    .and_then(|it| self.kernel.channels.get_mut(&it))
            {
                back.reset = true;
            }
        }
        if let (Some(outgoing), true) = (
            socket.outgoing,
            socket.kind != Type::Datagram || socket.name.is_none(),
        ) {
            self.close_writer_of(outgoing, socket.kind);
        }
    }

    /// Many may send to one datagram socket: it does not end with one of them.
    fn close_writer_of(&mut self, channel: Id, kind: Type) {
        if kind != Type::Datagram {
            self.close_writer(channel);
        }
    }
}

/// One `struct cmsghdr` of SOL_SOCKET with its data.
fn ancillary(control: &mut Vec<u8>, kind: i32, data: &[u8]) {
    control.resize(control.len().next_multiple_of(8), 0);
    control.extend((16 + data.len() as u64).to_ne_bytes());
    control.extend(libc::SOL_SOCKET.to_ne_bytes());
    control.extend(kind.to_ne_bytes());
    control.extend(data);
    control.resize(control.len().next_multiple_of(8), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_ends_at_its_nul_and_an_abstract_name_does_not() {
        let path = Name::decode(b"\x01\x00/run/x\0junk").map(|it| it.0);
        assert_eq!(path.as_deref(), Some(b"/run/x".as_slice()));
        let name = Name::decode(b"\x01\x00\0a\0b").map(|it| it.0);
        assert_eq!(name.as_deref(), Some(b"\0a\0b".as_slice()));
    }
}
