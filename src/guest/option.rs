//! setsockopt(2) and getsockopt(2).

use nix::errno::Errno;
use nix::libc;

use super::description::Kind;
use super::dispatch::Answer;
use super::host::Host;
use super::inet;
use super::kernel::Id;
use super::memory::{timeval, u16_at, u32_at};
use super::registers::Call;
use super::unix::{Type, UnixSocket};
use crate::sim::DEFAULT_TTL;

/// `IP_MINTTL` of IPv6.
const IPV6_MINHOPCOUNT: i32 = 73;
/// The longest option that is kept.
const LONGEST: usize = 256;
/// `struct tcp_md5sig`: an address of 128 octets, flags, prefix length, key length, interface, key.
const MD5_KEY_AT: usize = 136;
/// The longest key (RFC 2385).
const LONGEST_KEY: usize = 80;
/// The default of `SO_RCVBUF`, as Linux says it for TCP.
const RECEIVE_BUFFER: i32 = 131_072;
/// The default of `SO_SNDBUF`.
const SEND_BUFFER: i32 = 87_040;
/// `SO_RCVTIMEO` and `SO_SNDTIMEO`.
const TIMEOUTS: [i32; 2] = [libc::SO_RCVTIMEO, libc::SO_SNDTIMEO];

pub(super) fn setsockopt(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let id = host.socket_of(call)?;
    let (level, name) = (call.int(1), call.int(2));
    let length = call.size(4).min(LONGEST);
    let value = host.read(call, call.address(3), length)?;
    let number = u32_at(&value, 0);
    if level == libc::SOL_SOCKET && TIMEOUTS.contains(&name) {
        let span = host.memory(call)?.read_timeval(call.address(3))?;
        let at = usize::from(name == libc::SO_SNDTIMEO);
        let span = (span > 0).then_some(span);
        match host.kernel.description(id).map(|it| &mut it.kind) {
            Some(Kind::Inet(socket)) => socket.timeouts[at] = span,
            Some(Kind::Unix(socket)) => socket.timeouts[at] = span,
            _ => {}
        }
        return Ok(Answer::Value(0));
    }
    match host.kernel.description(id).map(|it| &mut it.kind) {
        Some(Kind::Inet(_)) => return host.set_inet_option(call, id, (level, name), value),
        Some(Kind::Unix(socket)) => {
            if (level, name) == (libc::SOL_SOCKET, libc::SO_PASSCRED) {
                socket.wants_credentials = number != 0;
            }
        }
        Some(Kind::Netlink(_)) => {}
        _ => return Err(Errno::ENOTSOCK),
    }
    Ok(Answer::Value(0))
}

impl Host {
    fn set_inet_option(
        &mut self,
        call: &Call,
        id: Id,
        option: (i32, i32),
        value: Vec<u8>,
    ) -> Result<Answer, Errno> {
        let number = u32_at(&value, 0);
        let one = number.to_ne_bytes();
        // An option of one octet may be given as such.
        let small = value.first().copied().map(i32::from).unwrap_or(0);
        let number = if value.len() >= 4 {
            i32::from_ne_bytes(one)
        } else {
            small
        };
        let socket = self.inet(id)?;
        match option {
            (libc::SOL_SOCKET, libc::SO_LINGER) => {
                socket.resets = number != 0 && u32_at(&value, 4) == 0;
            }
            (libc::IPPROTO_IP, libc::IP_TTL) | (libc::IPPROTO_IPV6, libc::IPV6_UNICAST_HOPS) => {
                if !(-1..=255).contains(&number) || (number == 0 && option.0 == libc::IPPROTO_IP) {
                    return Err(Errno::EINVAL);
                }
                socket.options.outgoing_ttl = u8::try_from(number).ok();
                self.tell_ttls(id)?;
            }
            (libc::IPPROTO_IP, libc::IP_MINTTL) | (libc::IPPROTO_IPV6, IPV6_MINHOPCOUNT) => {
                if !(0..=255).contains(&number) {
                    return Err(Errno::EINVAL);
                }
                socket.options.incoming_ttl = u8::try_from(number).ok().filter(|it| *it > 0);
                self.tell_ttls(id)?;
            }
            (libc::IPPROTO_IPV6, libc::IPV6_V6ONLY) => socket.only_v6 = number != 0,
            (libc::IPPROTO_TCP, libc::TCP_MD5SIG | libc::TCP_MD5SIG_EXT) => {
                return self.set_key(id, option.1, &value);
            }
            (libc::SOL_SOCKET, libc::SO_BINDTODEVICE) => {}
            (libc::SOL_SOCKET | libc::IPPROTO_IP | libc::IPPROTO_IPV6 | libc::IPPROTO_TCP, _) => {}
            _ => {
                self.refuse(
                    call,
                    format!(
                        "socket options of level {} are not emulated (it fails with ENOPROTOOPT)",
                        option.0
                    ),
                );
                return Err(Errno::ENOPROTOOPT);
            }
        }
        let socket = self.inet(id)?;
        socket.stored.insert(option, value);
        Ok(Answer::Value(0))
    }

    /// A socket that is on the network already changes its TTLs there.
    fn tell_ttls(&mut self, id: Id) -> Result<(), Errno> {
        let options = self.inet(id)?.options.clone();
        self.network.set_options(id, &options);
        Ok(())
    }

    /// A key for the segments of a peer; one of no length takes it away.
    fn set_key(&mut self, id: Id, name: i32, value: &[u8]) -> Result<Answer, Errno> {
        let length = usize::from(u16_at(value, 130));
        let key = value
            .get(MD5_KEY_AT..MD5_KEY_AT + length)
            .ok_or(Errno::EINVAL)?;
        if length > LONGEST_KEY {
            return Err(Errno::EINVAL);
        }
        let socket = self.inet(id)?;
        let peer = inet::decode(&value[..28.min(value.len())], libc::AF_INET6)?.ip();
        let whole = if peer.is_ipv4() { 32 } else { 128 };
        let prefix = name == libc::TCP_MD5SIG_EXT && value[128] & 1 != 0;
        let bits = if prefix { value[129] } else { whole };
        let keys = &mut socket.options.keys;
        let before = keys.len();
        keys.retain(|(other, other_bits, _)| (*other, *other_bits) != (peer, bits));
        if length == 0 {
            if keys.len() == before {
                return Err(Errno::ENOENT);
            }
        } else {
            keys.push((peer, bits, key.to_vec()));
        }
        let (listens, options) = (socket.listens, socket.options.clone());
        if listens {
            self.network.set_options(id, &options);
        }
        Ok(Answer::Value(0))
    }
}

pub(super) fn getsockopt(host: &mut Host, call: &Call) -> Result<Answer, Errno> {
    let id = host.socket_of(call)?;
    let option = (call.int(1), call.int(2));
    let value = match host.kernel.descriptions.get(&id).map(|it| &it.kind) {
        Some(Kind::Inet(_)) => host.inet_option(call, id, option)?,
        Some(Kind::Unix(socket)) => unix_option(socket, option)?,
        Some(Kind::Netlink(_)) => match option {
            (libc::SOL_SOCKET, libc::SO_ERROR) => 0_i32.to_ne_bytes().to_vec(),
            _ => RECEIVE_BUFFER.to_ne_bytes().to_vec(),
        },
        _ => return Err(Errno::ENOTSOCK),
    };
    let memory = host.memory(call)?;
    let room = memory.read_u32(call.address(4))? as usize;
    let count = room.min(value.len());
    memory.write(call.address(3), &value[..count])?;
    memory.write_u32(call.address(4), count as u32)?;
    Ok(Answer::Value(0))
}

fn timeout(span: Option<i64>) -> Vec<u8> {
    timeval(span.unwrap_or(0)).to_vec()
}

fn unix_option(socket: &UnixSocket, option: (i32, i32)) -> Result<Vec<u8>, Errno> {
    if option.0 != libc::SOL_SOCKET {
        return Err(Errno::EOPNOTSUPP);
    }
    let number = match option.1 {
        libc::SO_ERROR => 0,
        libc::SO_TYPE => match socket.kind {
            Type::Stream => libc::SOCK_STREAM,
            Type::Datagram => libc::SOCK_DGRAM,
            Type::Packets => libc::SOCK_SEQPACKET,
        },
        libc::SO_DOMAIN => libc::AF_UNIX,
        libc::SO_PROTOCOL => 0,
        libc::SO_ACCEPTCONN => i32::from(socket.listens()),
        libc::SO_PASSCRED => i32::from(socket.wants_credentials),
        libc::SO_SNDBUF | libc::SO_RCVBUF => 212_992,
        libc::SO_RCVTIMEO => return Ok(timeout(socket.timeouts[0])),
        libc::SO_SNDTIMEO => return Ok(timeout(socket.timeouts[1])),
        libc::SO_PEERCRED => {
            let (process, user, group) = socket.credentials;
            let mut value = process.to_ne_bytes().to_vec();
            value.extend(user.to_ne_bytes());
            value.extend(group.to_ne_bytes());
            return Ok(value);
        }
        _ => return Err(Errno::ENOPROTOOPT),
    };
    Ok(number.to_ne_bytes().to_vec())
}

impl Host {
    fn inet_option(&mut self, call: &Call, id: Id, option: (i32, i32)) -> Result<Vec<u8>, Errno> {
        if option == (libc::SOL_SOCKET, libc::SO_ERROR) {
            let error = self.network.take_error(id);
            self.refresh(id);
            let socket = self.inet(id)?;
            let taken = socket.status.error.take();
            return Ok(error
                .or(taken)
                .map_or(0, |it| it as i32)
                .to_ne_bytes()
                .to_vec());
        }
        let socket = self.inet(id)?;
        let stored = socket.stored.get(&option);
        // The kernel doubles a buffer that is asked for.
        let buffer =
            |default: i32| stored.map_or(default, |it| (u32_at(it, 0) as i32).saturating_mul(2));
        let number = match option {
            (libc::SOL_SOCKET, libc::SO_TYPE) => libc::SOCK_STREAM,
            (libc::SOL_SOCKET, libc::SO_DOMAIN) => socket.family,
            (libc::SOL_SOCKET, libc::SO_PROTOCOL) => libc::IPPROTO_TCP,
            (libc::SOL_SOCKET, libc::SO_ACCEPTCONN) => i32::from(socket.listens),
            (libc::SOL_SOCKET, libc::SO_RCVBUF) => buffer(RECEIVE_BUFFER),
            (libc::SOL_SOCKET, libc::SO_SNDBUF) => buffer(SEND_BUFFER),
            (libc::SOL_SOCKET, libc::SO_RCVTIMEO) => return Ok(timeout(socket.timeouts[0])),
            (libc::SOL_SOCKET, libc::SO_SNDTIMEO) => return Ok(timeout(socket.timeouts[1])),
            (libc::IPPROTO_TCP, libc::TCP_INFO) => return Ok(tcp_info(socket)),
            (libc::IPPROTO_TCP, libc::TCP_MAXSEG) => 1_460,
            (libc::IPPROTO_IP, libc::IP_TTL) => {
                i32::from(socket.options.outgoing_ttl.unwrap_or(DEFAULT_TTL))
            }
            (libc::IPPROTO_IPV6, libc::IPV6_UNICAST_HOPS) => {
                i32::from(socket.options.outgoing_ttl.unwrap_or(DEFAULT_TTL))
            }
            (libc::IPPROTO_IPV6, libc::IPV6_V6ONLY) => i32::from(socket.only_v6),
            (libc::SOL_SOCKET | libc::IPPROTO_IP | libc::IPPROTO_IPV6 | libc::IPPROTO_TCP, _) => {
                return Ok(stored.cloned().unwrap_or_else(|| vec![0; 4]));
            }
            _ => {
                self.refuse(
                    call,
                    format!(
                        "socket options of level {} are not emulated (it fails with ENOPROTOOPT)",
                        option.0
                    ),
                );
                return Err(Errno::ENOPROTOOPT);
            }
        };
        Ok(number.to_ne_bytes().to_vec())
    }
}

/// `struct tcp_info` of a quiet connection: its state, and segments and times as on a short path.
fn tcp_info(socket: &super::inet::InetSocket) -> Vec<u8> {
    let state = if socket.listens {
        10 // TCP_LISTEN
    } else if socket.status.connecting {
        2 // TCP_SYN_SENT
    } else if socket.status.gone || !socket.status.connected {
        7 // TCP_CLOSE
    } else if socket.status.finished {
        8 // TCP_CLOSE_WAIT
    } else {
        1 // TCP_ESTABLISHED
    };
    let mut info = vec![0; 232];
    info[0] = state;
    // retransmission timeout, segment sizes sent and received, round trip, congestion window
    for (at, value) in [
        (8, 204_000_u32),
        (16, 1_460),
        (20, 1_460),
        (68, 2_000),
        (72, 1_000),
        (80, 10),
        (84, 1_460),
    ] {
        info[at..at + 4].copy_from_slice(&value.to_ne_bytes());
    }
    info
}
