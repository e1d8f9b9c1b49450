"""Random NLRI, attributes and whole UPDATEs, in octets."""

import struct

from chance import FAMILIES, R, octets, size, u8, u16


def rd():
    kind = R.choice((0, 0, 1, 2, 3))
    return u16(kind) + octets(6)


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
        # of a 4-octet AS, ExaBGP 5.0.15 tells a redirection by a name that Python makes of its class
        'rtc': lambda: R.choice((u8(0), u8(96) + octets(4) + u8(R.choice((0, 1, 2))) + u8(R.choice((2, 3))) + octets(6))),
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


def family_octets():
    afi, safi = FAMILIES[R.choice(list(FAMILIES))]
    return u16(afi) + u8(0) + u8(safi)


def family_short():
    afi, safi = FAMILIES[R.choice(list(FAMILIES))]
    return u16(afi) + u8(safi)


def some(make, most=4):
    return b''.join(make() for _ in range(R.randrange(most)))


def text(most=12):
    return ''.join(R.choice('abcz.-/0159') for _ in range(R.randrange(most))).encode()


CAPABILITIES = {
    1: family_octets,
    2: lambda: b'',
    5: lambda: some(lambda: u16(R.choice((1, 2))) + u16(R.choice((1, 2, 4, 128))) + u16(R.choice((1, 2)))),
    6: lambda: b'',
    9: lambda: u8(R.randrange(6)),
    64: lambda: u16(R.randrange(65536)) + some(lambda: family_short() + u8(R.choice((0, 0x80)))),
    65: lambda: octets(4),
    68: lambda: R.choice((u8(0), u8(0) + u8(1))),
    69: lambda: some(lambda: family_short() + u8(R.randrange(1, 4))),
    70: lambda: b'',
    71: lambda: some(lambda: family_short() + u8(0x80) + octets(3)),
    73: lambda: (lambda host, domain: u8(len(host)) + host + u8(len(domain)) + domain)(text(), text()),
    75: lambda: (lambda version: u8(len(version)) + version)(text()),
    76: lambda: some(lambda: family_short() + octets(2)),
    77: lambda: b'',
    128: lambda: b'',
    131: lambda: u8(0),
    185: lambda: b'',
    240: lambda: octets(R.randrange(5)),
}


def message():
    """A whole message that is no UPDATE."""
    kind = R.choice((1, 1, 1, 3))
    if kind == 1:
        packed = b''
        for code in R.sample(list(CAPABILITIES), R.randrange(8)):
            for _ in range(R.choice((1, 1, 1, 2)) if code == 1 else 1):
                value = CAPABILITIES[code]()
                value = u8(code) + u8(len(value)) + value
                packed += u8(2) + u8(len(value)) + value
        body = u8(4) + octets(2) + u16(R.choice((0, 3, 180, 65535))) + u8(R.randrange(1, 224)) + octets(3) + u8(len(packed)) + packed
    else:
        body = u8(R.choice((1, 2, 3, 4, 5, 6, 7, 9))) + u8(R.randrange(13)) + R.choice((b'', text(), octets(R.randrange(6)), u8(4) + b'back'))
    return b'\xff' * 16 + u16(19 + len(body)) + u8(kind) + body
