//! What the kernel is asked of a socket and what no safe function offers: MD5 signatures, and the least TTL.
//!
//! The call is in nix's `setsockopt_impl!`, its way to options that it does not know by name; here is only what each
//! option takes, in the kernel's layout.

use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;

use nix::libc;
use nix::sys::socket::SetSockOpt;
use nix::sys::socket::sockopt::SetStruct;

use crate::net::PeerKey;

/// `struct tcp_md5sig` of linux/tcp.h: no padding, every octet set.
///
/// ```text
/// | sockaddr_storage (128) | flags | prefix length | key length (2) | interface (4) | key (80) |
/// ```
#[repr(C, align(8))]
struct TcpMd5Sig {
    family: u16,
    address: [u8; 126],
    flags: u8,
    prefix_length: u8,
    key_length: u16,
    interface: u32,
    key: [u8; KEY],
}

/// The most octets of a key.
const KEY: usize = 80;

/// `TCP_MD5SIG_FLAG_PREFIX`: the key is that of a range of peers.
const PREFIX: u8 = 0x01;

#[derive(Clone, Copy)]
struct Md5Signature;
nix::setsockopt_impl!(
    Md5Signature,
    libc::IPPROTO_TCP,
    libc::TCP_MD5SIG_EXT,
    TcpMd5Sig,
    SetStruct<'_, TcpMd5Sig>
);

#[derive(Clone, Copy)]
struct LeastTtl;
nix::setsockopt_impl!(
    LeastTtl,
    libc::IPPROTO_IP,
    libc::IP_MINTTL,
    i32,
    SetStruct<'_, i32>
);

#[derive(Clone, Copy)]
struct LeastHopLimit;
nix::setsockopt_impl!(
    LeastHopLimit,
    libc::IPPROTO_IPV6,
    libc::IPV6_MINHOPCOUNT,
    i32,
    SetStruct<'_, i32>
);

/// Segments from and to the peers of `key` are signed with it from now on (RFC 2385); an empty key ends that.
pub(super) fn set_md5(socket: &impl AsFd, key: &PeerKey) -> io::Result<()> {
    // After the family, and before the address: the port and, in IPv6, the flow information. Both are zero.
    let mut address = [0; 126];
    let family = match key.peer {
        IpAddr::V4(peer) => {
            address[2..6].copy_from_slice(&peer.octets());
            libc::AF_INET
        }
        IpAddr::V6(peer) => {
            address[6..22].copy_from_slice(&peer.octets());
            libc::AF_INET6
        }
    };
    let mut octets = [0; KEY];
    let Some(room) = octets.get_mut(..key.key.len()) else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("an MD5 key has at most {KEY} octets, not {}", key.key.len()),
        ));
    };
    room.copy_from_slice(&key.key);
    let signature = TcpMd5Sig {
        family: family as u16,
        address,
        flags: PREFIX,
        prefix_length: key.prefix_length,
        key_length: key.key.len() as u16,
        interface: 0,
        key: octets,
    };
    Ok(Md5Signature.set(socket, &signature)?)
}

/// The kernel drops what arrives from `peer` with a lower TTL or hop limit (RFC 5082).
pub(super) fn set_least_ttl(socket: &impl AsFd, peer: IpAddr, ttl: u8) -> io::Result<()> {
    let ttl = i32::from(ttl);
    match peer {
        IpAddr::V4(_) => LeastTtl.set(socket, &ttl)?,
        IpAddr::V6(_) => LeastHopLimit.set(socket, &ttl)?,
    }
    Ok(())
}
