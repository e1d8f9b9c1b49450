#!/usr/bin/env python3
"""Records what the real ExaBGP makes of random NLRI, attributes and route words.

    python3 -m venv VENV && VENV/bin/pip install exabgp==5.0.15
    VENV/bin/python qa/differential/record.py [SEED [COUNT]]

writes tests/differential/{nlri,attributes,words,updates,lines}.jsonl, which `cargo test --test main differential` replays:
each line has the octets or the words, and either what ExaBGP 5.0.15 shows for them or `null` where it refuses.
The same seed gives the same files.
"""

import ipaddress
import json
import os
import random
import re
import struct
import sys

from exabgp.environment import getenv
from exabgp.logger import log

log.silence()
log.init(getenv())

from exabgp.bgp.message import Action  # noqa: E402
from exabgp.bgp.message.direction import Direction  # noqa: E402
from exabgp.bgp.message.update import Update  # noqa: E402,F401  registers every attribute
from exabgp.bgp.message.update.attribute import Attribute  # noqa: E402
from exabgp.bgp.message.update.nlri import NLRI  # noqa: E402
from exabgp.configuration.check import _negotiated  # noqa: E402
from exabgp.configuration.configuration import Configuration  # noqa: E402
from exabgp.protocol.family import AFI, SAFI  # noqa: E402
from exabgp.reactor.api.response import Response  # noqa: E402
from exabgp.version import json as json_version  # noqa: E402

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 1
COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 12
HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, '..', '..', 'tests', 'differential')
R = random.Random(SEED)

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


def rd():
    kind = R.choice((0, 0, 1, 2, 3))
    return u16(kind) + octets(6)


def size(six):
    return 16 if six else 4


def prefix(six):
    """(length, octets)"""
    length = R.choice((0, 8, 24, size(six) * 8, R.randrange(size(six) * 8 + 1)))
    return length, octets((length + 7) // 8)


def label(last=True):
    return struct.pack('!L', (R.randrange(1 << 20) << 4) | (1 if last else 0))[1:]


def labels():
    count = R.choice((1, 1, 2))
    return b''.join(label(at == count - 1) for at in range(count))


def inet(six, labelled=False, vpn=False):
    length, value = prefix(six)
    stack = labels() if labelled else b''
    distinguisher = rd() if vpn else b''
    return u8(length + 8 * len(stack) + 8 * len(distinguisher)) + stack + distinguisher + value


def flow_tests(code):
    count = R.choice((1, 1, 2, 3))
    out = u8(code)
    for at in range(count):
        width = R.choice((0, 0, 1)) if code in (4, 5, 6, 9, 10, 12) else 0
        width = R.choice((0, 1, 2)) if code == 13 else width
        value = octets(1 << width)
        if code in (3, 7, 8) and R.random() < 0.5:
            value = u8(R.choice((0, 1, 2, 3, 5, 6, 8, 9, 17, 40, 47, 58, 89, 132, 253)))
            width = 0
        out += u8(R.choice((0, 0x40)) | width << 4 | R.randrange(8) | (0x80 if at == count - 1 else 0)) + value
    return out


def flow(six, vpn):
    body = rd() if vpn else b''
    codes = sorted(R.sample(range(1, 14 if six else 13), R.randrange(1, 6)))
    for code in codes:
        if code > 2:
            body += flow_tests(code)
        elif six:
            length = R.randrange(0, 129)
            offset = R.randrange(0, length) if length and R.random() < 0.5 else 0
            body += u8(code) + u8(length) + u8(offset) + octets((length - offset + 7) // 8)
        else:
            length, value = prefix(False)
            body += u8(code) + u8(length) + value
    return (u8(len(body)) if len(body) < 240 else u16(0xF000 | len(body))) + body


def sized(six):
    return u8(size(six) * 8) + octets(size(six))


def evpn():
    kind = R.choice((1, 2, 3, 4, 5, 5, 6, 9))
    six = R.random() < 0.5
    esi = R.choice((bytes(10), octets(10)))
    if kind == 1:
        body = rd() + esi + octets(4) + R.choice((b'', label(), label(False), bytes(3)))
    elif kind == 2:
        ip = R.choice((u8(0), sized(six)))
        body = rd() + esi + octets(4) + u8(48) + octets(6) + ip + label() + R.choice((b'', label()))
    elif kind == 3:
        body = rd() + octets(4) + sized(six)
    elif kind == 4:
        body = rd() + esi + sized(six)
    elif kind == 5:
        body = rd() + esi + octets(4) + u8(R.randrange(129)) + octets(2 * size(six)) + label()
    else:
        body = octets(R.randrange(20))
    return u8(kind) + u8(len(body)) + body


def mvpn(six):
    kind = R.choice((1, 3, 5, 6, 7))
    if kind < 5:
        body = octets(R.randrange(24))
    else:
        body = rd() + (octets(4) if kind > 5 else b'') + sized(six) + sized(six)
    return u8(kind) + u8(len(body)) + body


def mup(six):
    # of a type that it does not know, ExaBGP 5.0.15 takes the AFI for the architecture, and the other way round
    kind = R.choice((1, 2, 3, 3, 4) if six else (1, 2, 3, 3, 4, 9))
    if kind == 1:
        length, value = prefix(six)
        body = rd() + u8(length) + value
    elif kind == 2:
        body = rd() + octets(size(six))
    elif kind == 3:
        length, value = prefix(six)
        body = rd() + u8(length) + value + octets(5) + sized(six) + R.choice((b'', sized(six)))
    elif kind == 4:
        bits = R.choice((0, 32, R.randrange(33)))
        body = rd() + u8(size(six) * 8 + bits) + octets(size(six)) + octets((bits + 7) // 8)
    else:
        body = octets(R.randrange(12))
    return u8(1) + u16(kind) + u8(len(body)) + body


def tlv(code, value):
    return u16(code) + u16(len(value)) + value


def node(protocol):
    out = b''
    for code in sorted(R.sample((512, 513, 514, 515, 516), R.randrange(1, 5))):
        if code == 515:
            length = {1: (6, 7), 2: (6, 7), 3: (4, 8), 5: (4, 8), 6: (4, 8), 227: (4, 8)}.get(protocol, (5,))
            out += tlv(code, octets(R.choice(length)))
        else:
            out += tlv(code, octets(4))
    return out


def link_state(vpn):
    kind = R.choice((1, 2, 2, 3, 4, 6, 7))
    protocol = R.choice((1, 2, 3, 4, 5, 6, 7, 227))
    body = (rd() if vpn else b'') + u8(protocol) + octets(8) + tlv(256, node(protocol))
    if kind == 2:
        body += tlv(257, node(protocol))
        for code, value in (
            (258, octets(8)),
            (259, octets(4)),
            (260, octets(4)),
            (261, octets(16)),
            (262, octets(16)),
            (263, octets(2)),
            (999, octets(3)),
        ):
            if R.random() < 0.5:
                body += tlv(code, value)
    elif kind in (3, 4):
        if R.random() < 0.5:
            body += tlv(264, octets(1))
        length, value = prefix(kind == 4)
        body += tlv(265, u8(length) + value)
    elif kind == 6:
        for code, value in ((263, octets(2)), (518, octets(16)), (999, octets(3)), (999, octets(2))):
            if R.random() < 0.6:
                body += tlv(code, value)
    elif kind == 7:
        body = octets(R.randrange(12))
    return u16(kind) + u16(len(body)) + body


def nlri(name):
    six = name.startswith('ipv6')
    safi = name.split()[1]
    return {
        'unicast': lambda: inet(six),
        'nlri-mpls': lambda: inet(six, labelled=True),
        'mpls-vpn': lambda: inet(six, labelled=True, vpn=True),
        'flow': lambda: flow(six, False),
        'flow-vpn': lambda: flow(six, True),
        'vpls': lambda: u16(17) + rd() + octets(6) + label(),
        'evpn': evpn,
        'mcast-vpn': lambda: mvpn(six),
        'mup': lambda: mup(six),
        'rtc': lambda: R.choice((u8(0), u8(96) + octets(4) + u8(R.choice((0, 1, 2))) + octets(7))),
        'bgp-ls': lambda: link_state(False),
        'bgp-ls-vpn': lambda: link_state(True),
    }[safi]()


def changed(data):
    """`data` with an octet changed, added or taken away."""
    data = bytearray(data)
    how = R.randrange(3)
    at = R.randrange(len(data)) if data else 0
    if how == 0 and data:
        data[at] = R.choice((0, 1, 0x7F, 0x80, 0xFF, R.randrange(256)))
    elif how == 1 and data:
        del data[at:]
    else:
        data.insert(at, R.randrange(256))
    return bytes(data)


def show_nlri(name, data, path):
    afi, safi = FAMILIES[name]
    try:
        route, left = NLRI.unpack_nlri(AFI.create(afi), SAFI.create(safi), data, Action.ANNOUNCE, path)
        if route is None:
            return None
        return {'text': str(route), 'json': route.json(), 'left': len(left)}
    except Exception:
        return None


def extended_community():
    kind = R.choice((0x00, 0x01, 0x02, 0x03, 0x06, 0x07, 0x08, 0x0C, 0x40, 0x43, 0x47, 0x80, 0x81, 0x82, R.randrange(256)))
    subtype = R.choice((0x00, 0x02, 0x03, 0x04, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x13, 0x14, R.randrange(256)))
    return u8(kind) + u8(subtype) + octets(6)


def prefix_sid():
    out = b''
    for _ in range(R.choice((1, 1, 2, 3))):
        code = R.choice((1, 3, 5, 6, 77))
        if code == 1:
            value = octets(7)
        elif code == 3:
            value = octets(2 + 6 * R.randrange(1, 4))
        elif code in (5, 6):
            structure = R.choice((b'', u8(1) + u16(6) + octets(6)))
            info = octets(1) + octets(16) + octets(1) + octets(2) + octets(1) + structure
            value = octets(1) + u8(1) + u16(len(info)) + info
        else:
            value = octets(R.randrange(6))
        out += u8(code) + u16(len(value)) + value
    return out


LINK_STATE_TLVS = {
    1024: lambda: octets(1),
    1025: lambda: octets(R.randrange(6)),
    1026: lambda: R.choice((b'node-1', octets(5), 'né'.encode())),
    1027: lambda: octets(R.randrange(1, 6)),
    1028: lambda: octets(4),
    1029: lambda: octets(16),
    1030: lambda: octets(4),
    1031: lambda: octets(16),
    1034: lambda: octets(2)
    + b''.join(octets(3) + tlv(1161, octets(R.choice((3, 4)))) for _ in range(R.randrange(3))),
    1035: lambda: octets(R.randrange(3)),
    1038: lambda: octets(4),
    1088: lambda: octets(4),
    1089: lambda: struct.pack('!f', R.choice((0.0, 1e9, 1.5, 1e20, R.random() * 1e9))),
    1090: lambda: struct.pack('!f', R.choice((0.0, 1e9, 1e-7, R.random() * 1e9))),
    1091: lambda: struct.pack('!8f', *(R.choice((0.0, 1e9, R.random() * 1e9)) for _ in range(8))),
    1092: lambda: octets(4),
    1093: lambda: octets(2),
    1094: lambda: octets(1),
    1095: lambda: octets(R.choice((1, 2, 3))),
    1096: lambda: octets(4 * R.randrange(4)),
    1097: lambda: octets(R.randrange(6)),
    1098: lambda: R.choice((b'link-1', octets(4))),
    1099: lambda: R.choice((u8(0x30) + octets(3) + octets(3), u8(0x00) + octets(3) + octets(4), octets(9))),
    1100: lambda: R.choice((u8(0x30) + octets(9) + octets(3), u8(0x00) + octets(9) + octets(4), octets(13))),
    1106: lambda: octets(22) + R.choice((b'', tlv(1252, octets(4)), tlv(7, octets(3)))),
    1107: lambda: octets(28) + R.choice((b'', tlv(1252, octets(4)), tlv(7, octets(3)))),
    1108: lambda: octets(26) + R.choice((b'', tlv(1252, octets(4)), tlv(7, octets(3)))),
    1152: lambda: octets(1),
    1153: lambda: octets(4 * R.randrange(4)),
    1154: lambda: octets(8 * R.randrange(3)),
    1155: lambda: octets(4),
    1156: lambda: octets(R.choice((4, 16))),
    1157: lambda: octets(R.randrange(6)),
    1158: lambda: R.choice((u8(0x0C) + octets(3) + octets(3), u8(0x00) + octets(3) + octets(4), octets(8))),
    1162: lambda: octets(8),
    1170: lambda: octets(1),
    1171: lambda: octets(R.choice((4, 16))),
    1250: lambda: octets(4),
    1252: lambda: octets(4),
    1999: lambda: octets(R.randrange(5)),
}


def link_state_attribute():
    codes = [R.choice(list(LINK_STATE_TLVS)) for _ in range(R.randrange(1, 5))]
    codes += R.sample(codes, 1) if R.random() < 0.3 else []
    return b''.join(tlv(code, LINK_STATE_TLVS[code]()) for code in codes)


def pmsi():
    kind = R.choice((0, 1, 3, 6, 6, 9))
    tunnel = octets(4) if kind == 6 else octets(R.randrange(6))
    return octets(1) + u8(kind) + octets(3) + (b'' if kind == 0 and R.random() < 0.7 else tunnel)


ATTRIBUTES = {
    16: (0xC0, lambda: b''.join(extended_community() for _ in range(R.randrange(1, 4)))),
    25: (
        0xC0,
        lambda: b''.join(u8(R.choice((0, 0x40, 0x80))) + u8(R.choice((2, 0x0B, 0x0C))) + octets(18) for _ in range(R.randrange(1, 3))),
    ),
    22: (0xC0, pmsi),
    29: (0x80, link_state_attribute),
    40: (0xC0, prefix_sid),
}


def show_attribute(code, flag, data):
    try:
        attribute = Attribute.unpack(code, flag, data, Direction.IN, None)
        shown = {'text': str(attribute)}
        shown['json'] = attribute.json() if code != 22 else json.dumps(str(attribute))
        return shown
    except Exception:
        return None


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


def test_words(name, binary=False):
    def one():
        if binary:
            names = {
                'tcp-flags': ('fin', 'syn', 'rst', 'push', 'ack', 'urg', 'ece', 'cwr', 'ns', 'urgent', '0x12'),
                'fragment': ('dont-fragment', 'is-fragment', 'first-fragment', 'last-fragment'),
            }[name]
            return R.choice(('', '=', '!', '!=')) + '+'.join(R.sample(names, R.choice((1, 1, 2))))
        value = {
            'protocol': lambda: R.choice(('tcp', 'udp', 'icmp', '47', '0x32', 'sctp')),
            'next-header': lambda: R.choice(('tcp', 'udp', '58')),
            'port': lambda: R.choice(('80', '443', 'http', 'ssh', str(R.randrange(65536)))),
            'destination-port': lambda: str(R.randrange(65536)),
            'source-port': lambda: R.choice(('domain', str(R.randrange(65536)))),
            'icmp-type': lambda: R.choice(('echo-request', 'redirect', str(R.randrange(256)))),
            'icmp-code': lambda: R.choice(('host-unreachable', str(R.randrange(256)))),
            'packet-length': lambda: str(R.randrange(65536)),
            'dscp': lambda: str(R.randrange(64)),
            'traffic-class': lambda: str(R.randrange(256)),
            'flow-label': lambda: str(R.randrange(1 << 20)),
        }[name]
        return R.choice(('', '=', '>', '>=', '<', '<=', '!=')) + value()

    joined = ['&'.join(one() for _ in range(R.choice((1, 1, 2)))) for _ in range(R.choice((1, 1, 2, 3)))]
    return name + ' ' + (joined[0] if len(joined) == 1 and R.random() < 0.5 else '[ ' + ' '.join(joined) + ' ]')


def flow_words(six):
    words = []
    if R.random() < 0.8:
        offset = f'/{R.randrange(16)}' if six and R.random() < 0.5 else ''
        network = net(six)
        if int(network.split('/')[1]) <= 16:
            offset = ''
        words.append(('source ' if R.random() < 0.5 else 'destination ') + network + offset)
    kinds = ['port', 'destination-port', 'source-port', 'icmp-type', 'icmp-code', 'packet-length', 'tcp-flags', 'fragment']
    kinds += ['next-header', 'traffic-class', 'flow-label'] if six else ['protocol', 'dscp']
    # without a prefix, a flow is one of IPv4
    if not words:
        kinds = [kind for kind in kinds if kind not in ('next-header', 'traffic-class', 'flow-label')]
    for kind in R.sample(kinds, R.randrange(0 if words else 1, 4)):
        words.append(test_words(kind, kind in ('tcp-flags', 'fragment')))
    return words


def then_words():
    return R.choice(
        (
            'accept',
            'discard',
            f'rate-limit {number(32)}',
            f'rate-limit {number(16)} packets',
            f'redirect {R.randrange(65536)}:{number(32)}',
            f'redirect {R.randrange(65536, 1 << 32)}:{number(16)}',
            f'redirect {ip()}',
            f'copy {ip()}',
            'redirect-to-nexthop',
            f'redirect-to-nexthop-ietf {ip()}',
            f'redirect-to-nexthop-ietf {ip(True)}',
            f'mark {R.randrange(64)}',
            'action ' + R.choice(('sample', 'terminal', 'sample-terminal')),
        )
    )


def interface_set():
    return ':'.join(
        (
            R.choice(('transitive', 'non-transitive')),
            R.choice(('input', 'output', 'input-output')),
            str(number(32)),
            str(R.randrange(8192)),
        )
    )


def community_words():
    return R.choice(
        (
            f'target:{R.randrange(65536)}:{number(32)}',
            f'target:{ip()}:{number(16)}',
            f'target:{R.randrange(65536, 1 << 32)}:{number(16)}',
            f'{R.randrange(65536)}:{number(32)}',
            f'origin:{R.randrange(65536)}:{number(32)}',
            f'origin:{ip()}:{number(16)}',
            f'target4:{number(32)}:{number(16)}',
            f'redirect:{R.randrange(65536)}:{number(32)}',
            f'l2info:{number(8)}:{number(8)}:{number(16)}:{number(16)}',
            f'bandwidth:{R.randrange(65536)}:{number(32)}',
            f'mup:{number(16)}:{number(32)}',
            '0x' + extended_community().hex(),
            'redirect-to-nexthop',
        )
    )


def prefix_sid_words():
    if R.random() < 0.5:
        ranges = ', '.join(f'( {number(24)},{number(24)} )' for _ in range(R.randrange(3)))
        return 'bgp-prefix-sid', f'[ {number(32)}{", [ " + ranges + " ]" if ranges else ""} ]'
    structure = ' [' + ','.join(str(number(8)) for _ in range(6)) + ']' if R.random() < 0.5 else ''
    behavior = R.choice((f' 0x{number(16):x}', f' {number(16)}')) + structure if R.random() < 0.7 else ''
    return 'bgp-prefix-sid-srv6', f'( {R.choice(("l3-service", "l2-service"))} {ip(True)}{behavior} )'


def routes():
    """(kind, family, NLRI words, other words, the configuration that says it)"""
    for six in (False, True):
        version = 'ipv6' if six else 'ipv4'
        for _ in range(COUNT):
            words = flow_words(six)
            actions = then_words()
            scope = f'interface-set [ {interface_set()} {interface_set()} ]' if R.random() < 0.3 else ''
            match = '; '.join(words)
            conf = f'flow {{ route r {{ match {{ {match}; }} {"scope { " + scope + "; }" if scope else ""} then {{ {actions}; }} }} }}'
            yield 'flow', version + ' flow', ' '.join(words), (scope + ' ' + actions).strip(), conf
        for _ in range(COUNT):
            pick = R.choice(('isd', 'dsd', 't1st', 't2st'))
            bits = R.randrange(1, 33)
            words = {
                'isd': f'mup-isd {net(six)} rd {rd_words()}',
                'dsd': f'mup-dsd {ip(six)} rd {rd_words()}',
                't1st': f'mup-t1st {net(six)} rd {rd_words()} teid {number(32)} qfi {number(8)} endpoint {ip(six)}'
                + (f' source {ip(six)}' if R.random() < 0.5 else ''),
                't2st': f'mup-t2st {ip(six)} rd {rd_words()} teid {R.randrange(1 << bits)}/{bits}',
            }[pick]
            yield 'nlri', version + ' mup', words, '', f'announce {{ {version} {{ mup {words} next-hop 192.0.2.1; }} }}'
        for _ in range(COUNT):
            pick = R.choice(('source-ad source', 'source-join source', 'shared-join rp'))
            words = f'{pick} {ip(six)} group {ip(six)} rd {rd_words()}'
            words += '' if pick.startswith('source-ad') else f' source-as {number(32)}'
            yield 'nlri', version + ' mcast-vpn', words, '', f'announce {{ {version} {{ mcast-vpn {words} next-hop 192.0.2.1; }} }}'
        for _ in range(COUNT):
            count = R.choice((1, 1, 2))
            stack = [str(number(20)) for _ in range(count)]
            stack = f'label [ {" ".join(stack)} ]' if count > 1 or R.random() < 0.5 else f'label {stack[0]}'
            network = net(six)
            hop = '192.0.2.1' if not six else '2001:db8::1'
            if R.random() < 0.5:
                yield 'labelled', version + ' nlri-mpls', network, stack, f'static {{ route {network} next-hop {hop} {stack}; }}'
            else:
                words = f'{stack} rd {rd_words()}'
                yield 'labelled', version + ' mpls-vpn', network, words, f'static {{ route {network} next-hop {hop} {words}; }}'
    for _ in range(COUNT):
        words = ['rd ' + rd_words(), f'endpoint {number(16)}', f'base {number(16)}', f'offset {number(16)}', f'size {number(16)}']
        R.shuffle(words)
        words = ' '.join(words)
        yield 'nlri', 'l2vpn vpls', words, '', f'l2vpn {{ vpls {words} next-hop 192.0.2.1; }}'
    for _ in range(2 * COUNT):
        words = ' '.join(community_words() for _ in range(R.randrange(1, 4)))
        conf = f'static {{ route 192.0.2.0/24 next-hop 192.0.2.1 extended-community [ {words} ]; }}'
        yield 'attribute', 'extended-community', f'[ {words} ]', '', conf
    for _ in range(COUNT):
        name, words = prefix_sid_words()
        yield 'attribute', name, words, '', f'static {{ route 192.0.2.0/24 next-hop 192.0.2.1 {name} {words}; }}'


NEIGHBOR = 'neighbor 127.0.0.1 {{ router-id 1.2.3.4; local-address 127.0.0.1; local-as 65533; peer-as 65533; {} }}'


def show_words(conf):
    configuration = Configuration([NEIGHBOR.format(conf)], text=True)
    try:
        if not configuration.reload():
            return None
        (neighbor,) = configuration.neighbors.values()
        change = neighbor.changes[0]
        hop = change.nlri.nexthop if hasattr(change.nlri, 'nexthop') else None
        attributes = {}
        for code, attribute in change.attributes.items():
            if code in (16, 25, 40):
                attributes[str(code)] = {
                    'octets': attribute.pack(None)[3:].hex() if len(attribute.pack(None)) < 259 else attribute.pack(None)[4:].hex(),
                    'text': str(attribute),
                }
        return {
            'octets': change.nlri.pack().hex(),
            'text': str(change.nlri),
            'json': change.nlri.json(),
            'next-hop': str(hop) if hop and str(hop) not in ('no-nexthop', 'None') else None,
            'attributes': attributes,
        }
    except Exception:
        return None


def session(configuration):
    """(neighbor, what its session has negotiated)"""
    if not configuration.reload():
        raise ValueError(str(configuration.error))
    (neighbor,) = configuration.neighbors.values()
    negotiated = _negotiated(neighbor)
    return neighbor, negotiated[0] if isinstance(negotiated, tuple) else negotiated


def attribute_octets(flag, code, value):
    return u8(flag | 0x10) + u8(code) + u16(len(value)) + value


NEXT_HOPS = {
    'ipv4 mpls-vpn': 12,
    'ipv6 mpls-vpn': 24,
    'ipv4 flow': 0,
    'ipv6 flow': 0,
    'ipv4 mup': 16,
    'ipv6 mup': 4,
    'bgp-ls bgp-ls-vpn': 12,
}


def update(name):
    """A whole UPDATE with routes of a family and random attributes."""
    afi, safi = FAMILIES[name]
    routes = b''.join(nlri(name) for _ in range(1 if 'vpls' in name else R.choice((1, 1, 2))))
    attributes = [
        (0x40, 1, u8(R.randrange(3))),
        (0x40, 2, R.choice((b'', b'\x02\x01' + octets(4), b'\x02\x02' + octets(8), b'\x01\x01\x00\x00\x00\x05'))),
        (0x40, 5, octets(4)),
    ]
    others = [
        (0x40, 3, octets(4)),
        (0x80, 4, octets(4)),
        (0x40, 6, b''),
        (0xC0, 7, octets(8)),
        (0xC0, 8, octets(8)),
        (0x80, 9, octets(4)),
        (0x80, 10, octets(8)),
        (0xC0, 23, bytes.fromhex('000f00080c06000000000064')),
        (0xC0, 32, octets(12)),
        (0xC0, 35, octets(4)),
        (0xC0, 99, octets(3)),
    ] + [(flag, code, make()) for code, (flag, make) in ATTRIBUTES.items()]
    attributes += [other for other in others if R.random() < 0.2]
    if R.random() < 0.25:
        attributes.append((0x80, 15, u16(afi) + u8(safi) + routes))
    else:
        size = NEXT_HOPS.get(name, 16 if name.startswith('ipv6') else 4)
        hop = bytes(8) + octets(size - 8) if size in (12, 24) else octets(size)
        attributes.append((0x80, 14, u16(afi) + u8(safi) + u8(size) + hop + u8(0) + routes))
    packed = b''.join(attribute_octets(*attribute) for attribute in attributes)
    body = u16(0) + u16(len(packed)) + packed
    return b'\xff' * 16 + u16(19 + len(body)) + u8(2) + body


def show_update(data, negotiated):
    try:
        message = Update.unpack_message(data[19:], Direction.IN, negotiated)
        return Response.JSON(json_version)._update(message)['message'].rstrip()
    except Exception:
        return None


def command(conf):
    """The API command that says what the configuration says."""
    for pattern, words in (
        (r'announce \{ (\w+) \{ (.*); \} \}', r'announce \1 \2'),
        (r'(?:static|l2vpn) \{ (.*); \}', r'announce \1'),
        (r'flow \{ route r (\{.*\}) \}', r'announce flow route \1'),
    ):
        if re.fullmatch(pattern, conf):
            return re.sub(pattern, words, conf)
    raise ValueError(conf)


def sent(conf):
    try:
        neighbor, negotiated = session(Configuration([NEIGHBOR.format(conf)], text=True))
        change = neighbor.changes[0]
        change.nlri.action = Action.ANNOUNCE
        return b''.join(Update([change.nlri], change.attributes).messages(negotiated)).hex()
    except Exception:
        return None


def write(name, rows):
    with open(os.path.join(OUT, name), 'w') as out:
        for row in rows:
            out.write(json.dumps(row) + '\n')


def main():
    rows = []
    for name in FAMILIES:
        for at in range(COUNT * 2):
            data = nlri(name)
            if at >= COUNT:
                data = changed(data)
            path = R.random() < 0.25
            data = octets(4) + data if path else data
            rows.append({'family': name, 'path': path, 'octets': data.hex(), 'shown': show_nlri(name, data, path)})
    write('nlri.jsonl', rows)
    rows = []
    for code, (flag, make) in ATTRIBUTES.items():
        for at in range(COUNT * (6 if code == 29 else 2)):
            data = make()
            if at % 3 == 2:
                data = changed(data)
            rows.append({'code': code, 'octets': data.hex(), 'shown': show_attribute(code, flag, data)})
    write('attributes.jsonl', rows)
    rows = []
    for kind, family, words, others, conf in routes():
        rows.append({'kind': kind, 'family': family, 'words': words, 'others': others, 'shown': show_words(conf)})
    write('words.jsonl', rows)
    _, negotiated = session(Configuration([NEIGHBOR.format('')], text=True))
    rows = []
    for name in FAMILIES:
        for _ in range(COUNT // 2):
            data = update(name)
            rows.append({'family': name, 'octets': data.hex(), 'shown': show_update(data, negotiated)})
    write('updates.jsonl', rows)
    write('lines.jsonl', ({'line': command(conf), 'sent': sent(conf)} for *_, conf in routes()))


main()
