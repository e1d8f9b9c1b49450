"""Messages of every kind, well-formed and not, and the lines that ExaBGP writes of them."""

import json

from exabgp.bgp.message import Action, Message, Notification, Open, Operational
from exabgp.bgp.message.direction import Direction
from exabgp.bgp.message.refresh import RouteRefresh
from exabgp.bgp.message.update import Update
from exabgp.bgp.message.update.attribute import Attribute
from exabgp.reactor.api.response import Response
from exabgp.version import json as json_version
from exabgp.version import text as text_version

from chance import FAMILIES, R, octets, u8, u16, u32
from wire import attribute_octets, message, text, update


def framed(kind, body):
    return b'\xff' * 16 + u16(19 + len(body)) + u8(kind) + body


def prefixes(most):
    return b''.join(u8(24) + octets(3) for _ in range(R.randrange(most)))


def prefixes6(most):
    return b''.join(u8(64) + octets(8) for _ in range(R.randrange(1, most)))


# What is wrong with an attribute: flags, code, value. RFC 7606 and ExaBGP make the same of each.
MALFORMED = (
    lambda: (0x40, 1, b''),
    lambda: (0x40, 2, octets(R.choice((1, 3)))),
    lambda: (0x40, 3, octets(3)),
    lambda: (0x40, 3, b''),
    lambda: (0x80, 4, octets(R.choice((0, 3, 5)))),
    lambda: (0x40, 5, b''),
    lambda: (0x40, 6, octets(1)),
    lambda: (0xC0, 7, octets(5)),
    lambda: (0xC0, 8, octets(R.choice((0, 3)))),
    lambda: (0xC0, 16, octets(R.choice((0, 7)))),
    lambda: (0xC0, 22, b''),
    lambda: (0xC0, 25, octets(R.choice((0, 19)))),
    lambda: (0xC0, 32, octets(R.choice((0, 11)))),
    lambda: (0xC0, 40, octets(2)),
    lambda: (0x40, 8, octets(4)),
    lambda: (0x80, 8, octets(4)),
)


def mixed():
    """An UPDATE with routes in several of its fields, and attributes that may be missing, doubled or malformed."""
    attributes = {
        1: (0x40, 1, u8(R.randrange(3))),
        2: (0x40, 2, R.choice((b'', b'\x02\x01' + octets(4)))),
        3: (0x40, 3, octets(4)),
        4: (0x80, 4, octets(4)),
        5: (0x40, 5, octets(4)),
        8: (0xC0, 8, octets(8)),
        14: (0x80, 14, u16(2) + u8(1) + (lambda hop: u8(len(hop)) + hop)(octets(R.choice((16, 32)))) + u8(0) + prefixes6(3)),
        15: (0x80, 15, u16(2) + u8(1) + prefixes6(3)),
        98: (0x80, 98, octets(2)),
        99: (0xC0, 99, octets(3)),
    }
    chosen = [value for code, value in attributes.items() if code < 4 or R.random() < 0.3]
    if R.random() < 0.15:
        chosen = [value for value in chosen if value[1] > 3]
    if R.random() < 0.6:
        for _ in range(R.choice((1, 1, 2))):
            wrong = R.choice(MALFORMED)()
            chosen = [value for value in chosen if value[1] != wrong[1]] + [wrong]
    if R.random() < 0.1 and chosen:
        again = R.choice(chosen)
        chosen += [again] if again[1] not in (14, 15) else []
    packed = b''.join(attribute_octets(*value) for value in chosen)
    if R.random() < 0.1:
        packed += R.choice((u8(0xC0), u8(0xC0) + u8(8), u8(0xD0) + u8(8) + u8(0), u8(0xC0) + u8(8) + u8(9) + octets(4)))
    withdrawn, announced = prefixes(3), prefixes(3)
    return framed(2, u16(len(withdrawn)) + withdrawn + u16(len(packed)) + packed + announced)


def end_of_rib():
    afi, safi = FAMILIES[R.choice(list(FAMILIES))]
    packed = R.choice((b'', attribute_octets(0x80, 15, u16(afi) + u8(safi)), attribute_octets(0x80, 98, octets(2))))
    return framed(2, u16(0) + u16(len(packed)) + packed)


def route_refresh():
    afi, safi = FAMILIES[R.choice(list(FAMILIES))]
    return framed(5, u16(afi) + u8(R.randrange(3)) + u8(safi))


def operational():
    afi, safi = FAMILIES[R.choice(list(FAMILIES))]
    kind = R.randrange(1, 9)
    value = u16(afi) + u8(safi)
    if kind < 3:
        value += R.choice((text(), text() + '"\\é\n'.encode(), octets(3)))
    else:
        value += octets(4) + R.choice((u32(0), octets(4)))
        value += octets(4) if kind % 2 == 0 else b''
    return framed(6, u16(kind) + u16(len(value)) + value)


def notification():
    """One that may carry a shutdown communication."""
    words = R.choice((b'', text(), 'a "b" é\r\n'.encode(), octets(3), b'a' * 200))
    length = R.choice((len(words), len(words), 0, len(words) + 1))
    data = R.choice((b'', u8(length) + words, u8(length) + words + octets(2)))
    return framed(3, u8(6) + u8(R.choice((2, 4, 3))) + data)


def event():
    make = R.choice((mixed, mixed, mixed, mixed, end_of_rib, route_refresh, operational, notification, message, lambda: update(R.choice(list(FAMILIES)))))
    return make()


def decoded(data, direction, negotiated):
    """(message, what its line is written by)"""
    body, kind = data[19:], data[18]
    way = Direction.OUT if direction == 'send' else Direction.IN
    if kind == 1:
        return Open.unpack_message(body, way, negotiated), 'open'
    if kind == 2:
        message = Update.unpack_message(body, way, negotiated)
        if direction == 'receive' and Attribute.CODE.INTERNAL_TREAT_AS_WITHDRAW in message.attributes:
            for nlri in message.nlris:
                nlri.action = Action.WITHDRAW
        return message, 'update'
    if kind == 3:
        if direction == 'send':
            return Notification(body[0], body[1], body[2:], False), 'notification'
        return Notification.unpack_message(body, way, negotiated), 'notification'
    if kind == 5:
        return RouteRefresh.unpack_message(body, way, negotiated), 'refresh'
    return Operational.unpack_message(body, way, negotiated), 'operational'


def lines(data, direction, neighbor, negotiated):
    """What ExaBGP writes of a message that went that way, as JSON and as text; `None` where it refuses it or writes no JSON."""
    try:
        message, name = decoded(data, direction, negotiated)
        what = [message.category] if name == 'operational' else []
        shown = [
            getattr(encoder(version), name)(neighbor, direction, *what, message, None, b'', b'')
            for encoder, version in ((Response.JSON, json_version), (Response.Text, text_version))
        ]
        json.loads(shown[0])
    except Exception:
        return None
    return {'json': shown[0][shown[0].index('"type"') :], 'text': shown[1]}


def events(count, neighbor, negotiated):
    for _ in range(count):
        data = event()
        # An OPEN of its own ExaBGP does not read from octets.
        ways = ('receive', 'in') if data[18] == 1 else ('receive', 'send', 'in')
        direction = R.choice(ways)
        yield {'octets': data.hex(), 'direction': direction, 'shown': lines(data, direction, neighbor, negotiated)}
