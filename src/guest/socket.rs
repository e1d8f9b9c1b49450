//! The socket calls: which family answers them.

use nix::errno::Errno;
use nix::libc;

use super::channel::Right;
use super::description::{IN, Kind};
use super::dispatch::{Answer, Entry};
use super::host::Host;
use super::inet::InetSocket;
use super::kernel::Id;
use super::memory::{u32_at, u64_at};
use super::netlink::Netlink;
use super::registers::Call;
use super::transfer::Vectors;
use super::unix::{Name, Type, UnixSocket};

/// The calls of this file.
pub(super) const CALLS: &[Entry] = &[
    (libc::SYS_socket, socket),
    (libc::SYS_socketpair, socketpair),
    (libc::SYS_bind, bind),
    (libc::SYS_listen, listen),
    (libc::SYS_accept, accept),
    (libc::SYS_accept4, accept),
    (libc::SYS_connect, connect),
    (libc::SYS_getsockname, getsockname),
    (libc::SYS_getpeername, getpeername),
    (libc::SYS_sendto, sendto),
    (libc::SYS_recvfrom, recvfrom),
    (libc::SYS_sendmsg, sendmsg),
    (libc::SYS_recvmsg, recvmsg),
    (libc::SYS_sendmmsg, sendmmsg),
    (libc::SYS_shutdown, shutdown),
    (libc::SYS_setsockopt, super::option::setsockopt),
    (libc::SYS_getsockopt, super::option::getsockopt),
];

/// What is not a type in the type argument of socket(2).
const TYPE_FLAGS: i32 = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
/// The longest address.
const LONGEST_ADDRESS: usize = 128;
/// The most descriptors in one message (SCM_MAX_FD).
const MOST_RIGHTS: usize = 253;

fn socket(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let (family, kind, protocol) = (call.int(0), call.int(1) & !TYPE_FLAGS, call.int(2));
    let description = match (family, kind) {
        (libc::AF_INET | libc::AF_INET6, libc::SOCK_STREAM)
            if matches!(protocol, 0 | libc::IPPROTO_TCP) =>
        {
            Kind::Inet(InetSocket::new(family))
        }
        (libc::AF_UNIX, _) => Kind::Unix(UnixSocket::new(Type::of(kind)?)),
        (libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_DGRAM)
            if protocol == libc::NETLINK_ROUTE =>
        {
            Kind::Netlink(Netlink::new(call.process as u32))
        }
        (libc::AF_INET | libc::AF_INET6, libc::SOCK_DGRAM) => {
            host.refuse(call, "UDP is not simulated (it fails with EPROTONOSUPPORT); it would need datagrams in src/sim");
            return Err(Errno::EPROTONOSUPPORT);
        }
        (libc::AF_INET | libc::AF_INET6, libc::SOCK_RAW) | (libc::AF_PACKET, _) => {
            host.refuse(
                call,
                "a guest may not open raw sockets (it fails with EPERM)",
            );
            return Err(Errno::EPERM);
        }
        _ => {
            host.refuse(call, format!("sockets of family {family}, type {kind}, protocol {protocol} are not emulated (it fails with EAFNOSUPPORT)"));
            return Err(Errno::EAFNOSUPPORT);
        }
    };
    let flags = call.int(1) & TYPE_FLAGS;
    let arguments = placeholder(kind, flags);
    host.open(call, libc::SYS_socket, arguments, description, flags)
        .map(|at| Answer::Value(at.into()))
}

/// What the kernel opens in a socket's place: one that is never connected.
fn placeholder(kind: i32, flags: i32) -> [u64; 6] {
    let kind = if kind == libc::SOCK_RAW {
        libc::SOCK_DGRAM
    } else {
        kind
    };
    [libc::AF_UNIX as u64, (kind | flags) as u64, 0, 0, 0, 0]
}

fn socketpair(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let kind = Type::of(call.int(1) & !TYPE_FLAGS)?;
    if call.int(0) != libc::AF_UNIX {
        return Err(Errno::EOPNOTSUPP);
    }
    host.inject(call, libc::SYS_socketpair, call.arguments)?;
    let numbers = host.read(call, call.address(3), 8)?;
    let flags = call.int(1);
    let ends = host.unix_pair(kind, call.process, flags & libc::SOCK_NONBLOCK != 0);
    for (end, at) in ends.into_iter().zip([0, 4]) {
        let number = u32_at(&numbers, at) as i32;
        host.kernel
            .place(call.process, number, end, flags & libc::SOCK_CLOEXEC != 0);
    }
    Ok(Answer::Value(0))
}

impl Host {
    /// The description of a call's first argument; a file of the kernel's is no socket.
    pub(super) fn socket_of(&self, call: &Call) -> Result<Id, Errno> {
        match self.kernel.lookup(call.process, call.int(0)) {
            Some(id) => match self.kind(id)? {
                Kind::Unix(_) | Kind::Inet(_) | Kind::Netlink(_) => Ok(id),
                _ => Err(Errno::ENOTSOCK),
            },
            None => {
                let link = self.tracees.get(&call.thread).map(|it| it.directory());
                let there =
                    link.is_some_and(|it| it.join(format!("fd/{}", call.int(0))).is_symlink());
                Err(if there { Errno::ENOTSOCK } else { Errno::EBADF })
            }
        }
    }

    pub(super) fn kind(&self, id: Id) -> Result<&Kind, Errno> {
        Ok(&self.kernel.descriptions.get(&id).ok_or(Errno::EBADF)?.kind)
    }

    /// An address argument.
    fn address(&mut self, call: &Call, at: u64, length: u64) -> Result<Vec<u8>, Errno> {
        let length = length as usize & 0xffff_ffff;
        if length > LONGEST_ADDRESS {
            return Err(Errno::EINVAL);
        }
        self.read(call, at, length)
    }

    /// Stores an address where a call wants one: what fits, and its whole length.
    pub(super) fn store_address(
        &mut self,
        call: &Call,
        at: u64,
        length_at: u64,
        address: &[u8],
    ) -> Result<(), Errno> {
        if at == 0 || length_at == 0 {
            return Ok(());
        }
        let memory = self.memory(call)?;
        let room = memory.read_u32(length_at)? as usize;
        memory.write(at, &address[..room.min(address.len())])?;
        memory.write_u32(length_at, address.len() as u32)
    }
}

fn bind(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let id = host.socket_of(call)?;
    let address = host.address(call, call.address(1), call.arguments[2])?;
    match host.kind(id)? {
        Kind::Inet(_) => host.bind_inet(id, &address),
        Kind::Unix(_) => host.bind_unix(call, id, &address),
        Kind::Netlink(_) => Ok(Answer::Value(0)),
        _ => Err(Errno::ENOTSOCK),
    }
}

fn listen(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let id = host.socket_of(call)?;
    match host.kind(id)? {
        Kind::Inet(_) => host.listen_inet(id),
        Kind::Unix(_) => host.listen_unix(id, call.int(1)),
        _ => Err(Errno::EOPNOTSUPP),
    }
}

fn accept(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let id = host.socket_of(call)?;
    let flags = if call.number == libc::SYS_accept4 {
        call.int(3)
    } else {
        0
    };
    let taken = match host.kind(id)? {
        Kind::Inet(_) => host.accept_inet(id)?,
        Kind::Unix(_) => host.accept_unix(id)?,
        _ => return Err(Errno::EOPNOTSUPP),
    };
    let Some((new, peer)) = taken else {
        return host.would_block(call, id, IN, 0);
    };
    if let Some(description) = host.kernel.description(new) {
        description.nonblocking = flags & libc::SOCK_NONBLOCK != 0;
    }
    let at = host.install(call, new, flags & libc::SOCK_CLOEXEC != 0)?;
    host.store_address(call, call.address(1), call.address(2), &peer)?;
    Ok(Answer::Value(at.into()))
}

fn connect(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let id = host.socket_of(call)?;
    let address = host.address(call, call.address(1), call.arguments[2])?;
    match host.kind(id)? {
        Kind::Inet(_) => host.connect_inet(call, id, &address),
        Kind::Unix(_) => host.connect_unix(call, id, &address),
        Kind::Netlink(_) => Ok(Answer::Value(0)),
        _ => Err(Errno::ENOTSOCK),
    }
}

fn getsockname(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let id = host.socket_of(call)?;
    let address = match host.kind(id)? {
        Kind::Inet(socket) => socket.local_name(),
        Kind::Unix(socket) => Name::encode(socket.name.as_ref()),
        Kind::Netlink(socket) => socket.name(),
        _ => return Err(Errno::ENOTSOCK),
    };
    host.store_address(call, call.address(1), call.address(2), &address)?;
    Ok(Answer::Value(0))
}

fn getpeername(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let id = host.socket_of(call)?;
    let address = match host.kind(id)? {
        Kind::Inet(socket) => socket.peer_name()?,
        Kind::Unix(socket) if socket.outgoing.is_some() => Name::encode(socket.peer_name.as_ref()),
        Kind::Unix(_) => return Err(Errno::ENOTCONN),
        Kind::Netlink(socket) => socket.kernel_name(),
        _ => return Err(Errno::ENOTSOCK),
    };
    host.store_address(call, call.address(1), call.address(2), &address)?;
    Ok(Answer::Value(0))
}

fn sendto(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let id = host.socket_of(call)?;
    let vectors = vec![(call.address(1), call.size(2))];
    let flags = call.int(3);
    if call.address(4) != 0 && matches!(host.kind(id)?, Kind::Unix(_)) {
        let to = host.address(call, call.address(4), call.arguments[5])?;
        let octets = host.memory(call)?.gather(&vectors)?;
        return host.send_unix(call, id, octets, vec![], Name::decode(&to), flags);
    }
    host.send(call, id, &vectors, flags)
}

fn recvfrom(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let id = host.socket_of(call)?;
    let vectors = vec![(call.address(1), call.size(2))];
    let flags = call.int(3);
    let from = (call.address(4), call.address(5));
    match host.kind(id)? {
        Kind::Unix(_) => {
            let Some(received) = host.take_unix(id, super::transfer::length(&vectors), flags)?
            else {
                return host.would_block(call, id, IN, flags);
            };
            let octets: Vec<u8> = received.0.octets.into();
            host.kernel.trace.local_octets(octets.len());
            host.memory(call)?.scatter(&vectors, &octets)?;
            for right in received.0.rights {
                host.unreference(right.0);
            }
            let name = Name::encode(received.0.from.as_ref());
            host.store_address(call, from.0, from.1, &name)?;
            Ok(Answer::Value(octets.len() as i64))
        }
        Kind::Netlink(_) => host.receive_netlink(call, id, &vectors, flags, Some(from)),
        _ => host.receive(call, id, &vectors, flags),
    }
}

/// `struct msghdr`.
pub(super) struct Header {
    pub name: u64,
    pub name_length: u32,
    pub vectors: Vectors,
    pub control: u64,
    pub control_length: usize,
    at: u64,
}

/// Its size.
const HEADER: usize = 56;

impl Host {
    fn header(&mut self, call: &Call, at: u64) -> Result<Header, Errno> {
        let bytes = self.read(call, at, HEADER)?;
        let count = u64_at(&bytes, 24) as usize;
        Ok(Header {
            name: u64_at(&bytes, 0),
            name_length: u32_at(&bytes, 8),
            vectors: self.memory(call)?.read_vectors(u64_at(&bytes, 16), count)?,
            control: u64_at(&bytes, 32),
            control_length: u64_at(&bytes, 40) as usize,
            at,
        })
    }

    /// What recvmsg(2) stores beside the octets.
    pub(super) fn finish_header(
        &mut self,
        call: &Call,
        header: &Header,
        name: &[u8],
        control: &[u8],
        flags: i32,
    ) -> Result<(), Errno> {
        let memory = self.memory(call)?;
        if header.name != 0 {
            let room = (header.name_length as usize).min(name.len());
            memory.write(header.name, &name[..room])?;
            memory.write_u32(header.at + 8, name.len() as u32)?;
        }
        memory.write(
            header.control,
            &control[..control.len().min(header.control_length)],
        )?;
        memory.write_u64(header.at + 40, control.len() as u64)?;
        memory.write_u32(header.at + 48, flags as u32)
    }

    /// The descriptors of a message that is sent (SCM_RIGHTS).
    fn rights_of(&mut self, call: &Call, header: &Header) -> Result<Vec<Right>, Errno> {
        if header.control == 0 || header.control_length == 0 {
            return Ok(vec![]);
        }
        let control = self.read(call, header.control, header.control_length.min(4_096))?;
        let mut rights = vec![];
        let mut at = 0;
        while at + 16 <= control.len() {
            let length = u64_at(&control, at) as usize;
            if length < 16 || at + length > control.len() {
                return Err(Errno::EINVAL);
            }
            let kind = (
                u32_at(&control, at + 8) as i32,
                u32_at(&control, at + 12) as i32,
            );
            if kind == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
                for number in control[at + 16..at + length].chunks_exact(4) {
                    rights.push(self.right(call, u32_at(number, 0) as i32)?);
                }
            }
            at += length.next_multiple_of(8);
        }
        if rights.len() > MOST_RIGHTS {
            return Err(Errno::EINVAL);
        }
        Ok(rights)
    }

    fn right(&mut self, call: &Call, descriptor: i32) -> Result<Right, Errno> {
        match self.kernel.lookup(call.process, descriptor) {
            Some(id) => Ok(Right(id)),
            None => {
                self.unknown(call, format!("descriptor {descriptor} is a file of the kernel's: passing one to another process is not emulated"));
                Err(Errno::EBADF)
            }
        }
    }
}

fn sendmsg(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let id = host.socket_of(call)?;
    send_header(host, call, id, call.address(1), call.int(2))
}

fn send_header(host: &mut Host, call: &Call, id: Id, at: u64, flags: i32) -> Result<Answer, Errno> {
    let header = host.header(call, at)?;
    if !matches!(host.kind(id)?, Kind::Unix(_)) {
        return host.send(call, id, &header.vectors, flags);
    }
    let rights = host.rights_of(call, &header)?;
    let octets = host.memory(call)?.gather(&header.vectors)?;
    let to = match header.name {
        0 => None,
        at => Name::decode(&host.address(call, at, header.name_length.into())?),
    };
    host.send_unix(call, id, octets, rights, to, flags)
}

/// As many as can be sent at once; each has its length stored.
fn sendmmsg(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let id = host.socket_of(call)?;
    let mut sent = 0;
    for number in 0..call.arguments[2].min(1_024) {
        let at = call.address(1) + number * (HEADER as u64 + 8);
        match send_header(host, call, id, at, call.int(3)) {
            Ok(Answer::Value(count)) => {
                host.memory(call)?
                    .write_u32(at + HEADER as u64, count as u32)?;
                sent += 1;
            }
            other if sent == 0 => return other,
            _ => break,
        }
    }
    Ok(Answer::Value(sent))
}

fn recvmsg(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let id = host.socket_of(call)?;
    let flags = call.int(2);
    let header = host.header(call, call.address(1))?;
    match host.kind(id)? {
        Kind::Unix(_) => host.receive_unix_message(call, id, &header, flags),
        Kind::Netlink(_) => host.receive_netlink_message(call, id, &header, flags),
        _ => {
            let answer = host.receive(call, id, &header.vectors, flags)?;
            if matches!(answer, Answer::Value(_)) {
                host.finish_header(call, &header, &[], &[], 0)?;
            }
            Ok(answer)
        }
    }
}

fn shutdown(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let id = host.socket_of(call)?;
    let how = call.int(1);
    match host.kind(id)? {
        Kind::Inet(_) => host.shutdown_inet(id, how),
        Kind::Unix(_) => host.shutdown_unix(id, how),
        _ => Err(Errno::ENOTSOCK),
    }
}
