//! What a host has on its link beside the addresses that it is given: a hardware address, and by it a link-local one.

use std::net::{IpAddr, Ipv6Addr};

/// The hardware address of the host with `addresses`: locally administered, and the last octets of the first address.
#[must_use]
pub fn hardware_address(addresses: &[IpAddr]) -> [u8; 6] {
    let [a, b, c, d] = match addresses.first() {
        None => [0, 0, 0, 1],
        Some(IpAddr::V4(first)) => first.octets(),
        Some(IpAddr::V6(first)) => {
            let [.., a, b, c, d] = first.octets();
            [a, b, c, d]
        }
    };
    [2, 0, a, b, c, d]
}

/// The address that IPv6 gives a link by itself, from its hardware address (RFC 4291 appendix A).
#[must_use]
pub fn link_local(hardware: [u8; 6]) -> Ipv6Addr {
    let [a, b, c, d, e, f] = hardware.map(u16::from);
    let universal = 2;
    Ipv6Addr::new(
        0xfe80,
        0,
        0,
        0,
        (a ^ universal) << 8 | b,
        c << 8 | 0xff,
        0xfe00 | d,
        e << 8 | f,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_kernel_makes_them() {
        let hardware = hardware_address(&["10.0.0.1".parse().unwrap()]);
        assert_eq!(hardware, [2, 0, 10, 0, 0, 1]);
        let expected: Ipv6Addr = "fe80::aff:fe00:1".parse().unwrap();
        assert_eq!(link_local(hardware), expected);
        let hardware = hardware_address(&["fd00::12:3456".parse().unwrap()]);
        let expected: Ipv6Addr = "fe80::ff:fe12:3456".parse().unwrap();
        assert_eq!(link_local(hardware), expected);
    }
}
