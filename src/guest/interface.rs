//! The interfaces of a host: a loopback, and one link with all of its addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nix::errno::Errno;
use nix::libc;

use super::dispatch::Answer;
use super::host::Host;
use super::memory::u32_at;
use super::registers::Call;
use crate::net::link_local::hardware_address;

/// An interface.
#[derive(Debug, Clone)]
pub(super) struct Interface {
    pub index: u32,
    pub name: &'static str,
    pub flags: u32,
    /// `ARPHRD_...`
    pub hardware: u16,
    pub mtu: u32,
    pub address: [u8; 6],
    pub addresses: Vec<IpAddr>,
}

/// The interfaces of a host with these addresses.
pub(super) fn all(addresses: &[IpAddr]) -> Vec<Interface> {
    let up = (libc::IFF_UP | libc::IFF_RUNNING | 0x1_0000) as u32;
    vec![
        Interface {
            index: 1,
            name: "lo",
            flags: up | libc::IFF_LOOPBACK as u32,
            hardware: libc::ARPHRD_LOOPBACK,
            mtu: 65_536,
            address: [0; 6],
            addresses: vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        },
        Interface {
            index: 2,
            name: "eth0",
            flags: up | (libc::IFF_BROADCAST | libc::IFF_MULTICAST) as u32,
            hardware: libc::ARPHRD_ETHER,
            mtu: 1_500,
            address: hardware_address(addresses),
            addresses: addresses
                .iter()
                .copied()
                .filter(|it| !it.is_loopback())
                .collect(),
        },
    ]
}

/// What is on the link of an address.
pub(super) fn prefix_length(ip: &IpAddr) -> u8 {
    match ip {
        IpAddr::V4(ip) if ip.is_loopback() => 8,
        IpAddr::V4(_) => 24,
        IpAddr::V6(ip) if ip.is_loopback() => 128,
        IpAddr::V6(_) => 64,
    }
}

/// The requests of netdevice(7), on `struct ifreq`.
pub(super) fn ioctl(host: &mut Host, call: &Call, request: u64) -> Result<Answer, Errno> {
    let at = call.address(2);
    let asked = host.read(call, at, 40)?;
    let interfaces = all(&host.network.addresses());
    let end = asked
        .iter()
        .position(|octet| *octet == 0)
        .unwrap_or(16)
        .min(16);
    let named = |one: &&Interface| one.name.as_bytes() == &asked[..end];
    if request == libc::SIOCGIFNAME {
        let index = u32_at(&asked, 16);
        let found = interfaces
            .iter()
            .find(|one| one.index == index)
            .ok_or(Errno::ENODEV)?;
        let mut name = [0; 16];
        name[..found.name.len()].copy_from_slice(found.name.as_bytes());
        host.write(call, at, &name)?;
        return Ok(Answer::Value(0));
    }
    let known = [libc::SIOCGIFINDEX, libc::SIOCGIFFLAGS, libc::SIOCGIFMTU];
    if !known.contains(&request) {
        host.refuse(
            call,
            format!("ioctl {request:#x} on a socket is not emulated (it fails with ENOTTY)"),
        );
        return Err(Errno::ENOTTY);
    }
    let found = interfaces.iter().find(named).ok_or(Errno::ENODEV)?;
    let value = match request {
        libc::SIOCGIFINDEX => found.index,
        libc::SIOCGIFMTU => found.mtu,
        _ => found.flags & 0xffff,
    };
    host.memory(call)?.write_u32(at + 16, value)?;
    Ok(Answer::Value(0))
}
