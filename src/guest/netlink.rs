//! rtnetlink(7): interfaces, addresses and routes of a host, as canned answers.

use std::collections::VecDeque;
use std::net::IpAddr;

use nix::errno::Errno;
use nix::libc;

use super::description::{IN, Kind, OUT};
use super::dispatch::Answer;
use super::host::Host;
use super::interface::{self, Interface};
use super::kernel::Id;
use super::memory::{u16_at, u32_at};
use super::registers::Call;
use super::socket::Header;
use super::transfer::{Vectors, length};

/// `struct nlmsghdr`.
const HEADER: usize = 16;

/// A netlink socket.
#[derive(Debug, Clone)]
pub(super) struct Netlink {
    /// Its address.
    port: u32,
    /// What waits to be received.
    answers: VecDeque<Vec<u8>>,
    pub arrivals: u64,
}

impl Netlink {
    pub(super) fn new(port: u32) -> Self {
        Self {
            port,
            answers: VecDeque::new(),
            arrivals: 0,
        }
    }

    pub(super) fn events(&self) -> u32 {
        OUT | if self.answers.is_empty() { 0 } else { IN }
    }

    /// `struct sockaddr_nl`: family, padding, port, groups.
    pub(super) fn name(&self) -> Vec<u8> {
        address(self.port)
    }

    pub(super) fn kernel_name(&self) -> Vec<u8> {
        address(0)
    }
}

fn address(port: u32) -> Vec<u8> {
    let mut bytes = (libc::AF_NETLINK as u16).to_ne_bytes().to_vec();
    bytes.extend([0; 2]);
    bytes.extend(port.to_ne_bytes());
    bytes.extend([0; 4]);
    bytes
}

impl Host {
    fn netlink(&mut self, id: Id) -> Result<&mut Netlink, Errno> {
        match self.kernel.description(id).map(|it| &mut it.kind) {
            Some(Kind::Netlink(socket)) => Ok(socket),
            _ => Err(Errno::ENOTSOCK),
        }
    }

    /// Requests, one after the other.
    pub(super) fn send_netlink(&mut self, id: Id, octets: &[u8]) -> Result<Answer, Errno> {
        let mut rest = octets;
        while rest.len() >= HEADER {
            let length = (u32_at(rest, 0) as usize).clamp(HEADER, rest.len());
            let request = &rest[..length];
            let interfaces = interface::all(&self.network.addresses());
            let port = self.netlink(id)?.port;
            let answers = answer(request, port, &interfaces);
            let socket = self.netlink(id)?;
            socket.arrivals += answers.len() as u64;
            socket.answers.extend(answers);
            rest = &rest[length.next_multiple_of(4).min(rest.len())..];
        }
        Ok(Answer::Value(octets.len() as i64))
    }

    fn take_netlink(&mut self, id: Id, flags: i32) -> Result<Option<Vec<u8>>, Errno> {
        let socket = self.netlink(id)?;
        if flags & libc::MSG_PEEK != 0 {
            return Ok(socket.answers.front().cloned());
        }
        Ok(socket.answers.pop_front())
    }

    pub(super) fn receive_netlink(
        &mut self,
        call: &Call,
        id: Id,
        vectors: &Vectors,
        flags: i32,
        from: Option<(u64, u64)>,
    ) -> Result<Answer, Errno> {
        let Some(message) = self.take_netlink(id, flags)? else {
            return self.would_block(call, id, IN, flags);
        };
        let count = message.len().min(length(vectors));
        self.memory(call)?.scatter(vectors, &message[..count])?;
        if let Some((at, length_at)) = from {
            self.store_address(call, at, length_at, &address(0))?;
        }
        let whole = flags & libc::MSG_TRUNC != 0;
        Ok(Answer::Value(
            if whole { message.len() } else { count } as i64
        ))
    }

    pub(super) fn receive_netlink_message(
        &mut self,
        call: &Call,
        id: Id,
        header: &Header,
        flags: i32,
    ) -> Result<Answer, Errno> {
        let Some(message) = self.take_netlink(id, flags)? else {
            return self.would_block(call, id, IN, flags);
        };
        let count = message.len().min(length(&header.vectors));
        self.memory(call)?
            .scatter(&header.vectors, &message[..count])?;
        let cut = if count < message.len() {
            libc::MSG_TRUNC
        } else {
            0
        };
        self.finish_header(call, header, &address(0), &[], cut)?;
        let whole = flags & libc::MSG_TRUNC != 0;
        Ok(Answer::Value(
            if whole { message.len() } else { count } as i64
        ))
    }
}

/// The datagrams that answer a request.
fn answer(request: &[u8], port: u32, interfaces: &[Interface]) -> Vec<Vec<u8>> {
    let (kind, flags, sequence) = (u16_at(request, 4), u16_at(request, 6), u32_at(request, 8));
    let dump = i32::from(flags) & libc::NLM_F_DUMP == libc::NLM_F_DUMP;
    let family = request.get(HEADER).copied().unwrap_or(0);
    let message = |kind: u16, body: &[u8]| {
        message(
            kind,
            if dump { libc::NLM_F_MULTI } else { 0 },
            sequence,
            port,
            body,
        )
    };
    let mut parts: Vec<u8> = vec![];
    match kind {
        libc::RTM_GETLINK => {
            let wanted = u32_at(request, HEADER + 4);
            let meant = interfaces
                .iter()
                .filter(|it| dump || it.index == wanted || wanted == 0);
            for one in meant {
                parts.extend(message(libc::RTM_NEWLINK, &link(one)));
            }
        }
        libc::RTM_GETADDR => {
            for one in interfaces {
                for ip in &one.addresses {
                    if family == 0 || family == family_of(ip) {
                        parts.extend(message(libc::RTM_NEWADDR, &address_of(one, ip)));
                    }
                }
            }
        }
        // A host has no routes but those to what is on its link.
        libc::RTM_GETROUTE | libc::RTM_GETNEIGH | libc::RTM_GETRULE if dump => {}
        _ => {
            return vec![error(
                request,
                port,
                if dump { 0 } else { -libc::EOPNOTSUPP },
            )];
        }
    }
    if !dump {
        if parts.is_empty() {
            return vec![error(request, port, -libc::ENODEV)];
        }
        return vec![parts];
    }
    let done = message(libc::NLMSG_DONE as u16, &0_i32.to_ne_bytes());
    if parts.is_empty() {
        vec![done]
    } else {
        vec![parts, done]
    }
}

fn error(request: &[u8], port: u32, code: i32) -> Vec<u8> {
    let mut body = code.to_ne_bytes().to_vec();
    body.extend(&request[..HEADER]);
    message(libc::NLMSG_ERROR as u16, 0, u32_at(request, 8), port, &body)
}

fn message(kind: u16, flags: i32, sequence: u32, port: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes = ((HEADER + body.len()) as u32).to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend((flags as u16).to_ne_bytes());
    bytes.extend(sequence.to_ne_bytes());
    bytes.extend(port.to_ne_bytes());
    bytes.extend(body);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn attribute(bytes: &mut Vec<u8>, kind: u16, value: &[u8]) {
    bytes.extend((4 + value.len() as u16).to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

fn family_of(ip: &IpAddr) -> u8 {
    match ip {
        IpAddr::V4(_) => libc::AF_INET as u8,
        IpAddr::V6(_) => libc::AF_INET6 as u8,
    }
}

fn octets_of(ip: &IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

/// `struct ifinfomsg` and its attributes.
fn link(one: &Interface) -> Vec<u8> {
    let mut body = vec![0, 0];
    body.extend(one.hardware.to_ne_bytes());
    body.extend(one.index.to_ne_bytes());
    body.extend(one.flags.to_ne_bytes());
    body.extend(u32::MAX.to_ne_bytes());
    let name = [one.name.as_bytes(), &[0]].concat();
    attribute(&mut body, libc::IFLA_IFNAME, &name);
    attribute(&mut body, libc::IFLA_MTU, &one.mtu.to_ne_bytes());
    attribute(&mut body, libc::IFLA_OPERSTATE, &[6]); // up
    attribute(&mut body, libc::IFLA_ADDRESS, &one.address);
    body
}

/// `struct ifaddrmsg` and its attributes.
fn address_of(one: &Interface, ip: &IpAddr) -> Vec<u8> {
    let bits = interface::prefix_length(ip);
    let scope = match ip {
        ip if ip.is_loopback() => libc::RT_SCOPE_HOST,
        IpAddr::V6(ip) if ip.is_unicast_link_local() => libc::RT_SCOPE_LINK,
        _ => libc::RT_SCOPE_UNIVERSE,
    };
    let permanent = 0x80;
    let mut body = vec![family_of(ip), bits, permanent, scope];
    body.extend(one.index.to_ne_bytes());
    attribute(&mut body, libc::IFA_ADDRESS, &octets_of(ip));
    if ip.is_ipv4() {
        attribute(&mut body, libc::IFA_LOCAL, &octets_of(ip));
        attribute(
            &mut body,
            libc::IFA_LABEL,
            &[one.name.as_bytes(), &[0]].concat(),
        );
    }
    attribute(
        &mut body,
        libc::IFA_FLAGS,
        &u32::from(permanent).to_ne_bytes(),
    );
    body
}
