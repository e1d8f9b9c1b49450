"""Chance from one seed, and the small things that everything here draws."""

import ipaddress
import random
import struct

R = random.Random()

FAMILIES = {
    'ipv4 unicast': (1, 1),
    'ipv6 unicast': (2, 1),
    'ipv4 nlri-mpls': (1, 4),
    'ipv6 nlri-mpls': (2, 4),
    'ipv4 mpls-vpn': (1, 128),
    'ipv6 mpls-vpn': (2, 128),
    'ipv4 flow': (1, 133),
    'ipv6 flow': (2, 133),
    'ipv4 flow-vpn': (1, 134),
    'ipv6 flow-vpn': (2, 134),
    'l2vpn vpls': (25, 65),
    'l2vpn evpn': (25, 70),
    'ipv4 mcast-vpn': (1, 5),
    'ipv6 mcast-vpn': (2, 5),
    'ipv4 mup': (1, 85),
    'ipv6 mup': (2, 85),
    'ipv4 rtc': (1, 132),
    'bgp-ls bgp-ls': (16388, 71),
    'bgp-ls bgp-ls-vpn': (16388, 72),
}


def u8(n):
    return struct.pack('!B', n)


def u16(n):
    return struct.pack('!H', n)


def u32(n):
    return struct.pack('!L', n)


def octets(n):
    """Random octets, half of the time mostly zeros, since that is where special cases lie."""
    if R.random() < 0.5:
        return bytes(R.randrange(256) for _ in range(n))
    return bytes(R.choice((0, 0, 0, 1, 255, R.randrange(256))) for _ in range(n))


def number(bits):
    return R.choice((0, 1, (1 << bits) - 1, R.randrange(1 << bits), R.randrange(1 << min(bits, 10))))


def size(six):
    return 16 if six else 4


def ip(six=False):
    return str(ipaddress.ip_address(octets(size(six))))


def rd_words():
    return R.choice(
        (
            f'{R.randrange(65536)}:{number(32)}',
            f'{ip()}:{number(16)}',
            f'{R.randrange(65536, 1 << 32)}:{number(16)}',
        )
    )


def net(six=False):
    length = R.choice((0, 8, 24, size(six) * 8, R.randrange(size(six) * 8 + 1)))
    # ExaBGP 5.0.15 takes an IPv6 /32 for the mask of the neighbor's IPv4 address, and refuses the neighbor.
    length = 33 if six and length == 32 else length
    return str(ipaddress.ip_network((octets(size(six)), length), strict=False))
