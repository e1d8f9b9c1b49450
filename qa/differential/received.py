"""ROUTE-REFRESH and OPERATIONAL messages that a peer sends, well-formed and not, and what the reactor makes of each."""

import json

from exabgp.bgp.message import Message, Notify, Operational
from exabgp.bgp.message.direction import Direction
from exabgp.reactor.api.response import Response
from exabgp.version import json as json_version

from chance import FAMILIES, R, octets, u8, u16, u32
from events import framed, operational, route_refresh
from wire import text

LEAST = 19


def refresh():
    """One of any subtype, family and length."""
    afi, safi = FAMILIES[R.choice(list(FAMILIES))]
    body = u16(afi) + u8(R.choice((0, 1, 2, 3, 255))) + u8(safi)
    return framed(5, R.choice((body, body, body, body[: R.randrange(4)], body + octets(R.randrange(1, 9)))))


def query():
    """An OPERATIONAL message of any type, whose length and octets may be fewer or more than its type has."""
    afi, safi = FAMILIES[R.choice(list(FAMILIES))]
    kind = R.choice((*range(1, 9), *range(1, 9), 0, 9, 13, 0xFFFE, 0xFFFF))
    value = u16(afi) + u8(safi)
    value += text() if kind < 3 else octets(4) + R.choice((u32(0), octets(4))) + (octets(4) if kind % 2 == 0 else b'')
    value = R.choice((value, value, value[: R.randrange(len(value) + 1)], value + octets(R.randrange(1, 9))))
    length = R.choice((len(value), len(value), len(value), max(0, len(value) - 1), len(value) + 1, R.randrange(65536)))
    body = u16(kind) + u16(length) + value
    return framed(6, body[: R.randrange(5)] if R.random() < 0.1 else body)


def shown(data, neighbor, negotiated):
    """The JSON, from its type on, or the code and subcode of the NOTIFICATION; `None` where the reactor has neither."""
    kind = data[18]
    if not Message.Length.get(kind, lambda length: length >= LEAST)(len(data)):
        return {'notification': [1, 2]}
    try:
        message = Message.unpack(kind, data[LEAST:], Direction.IN, negotiated)
    except Notify as notify:
        return {'notification': [notify.code, notify.subcode]}
    if message is None:
        return None
    encoder = Response.JSON(json_version)
    if isinstance(message, Operational):
        line = encoder.operational(neighbor, 'receive', message.category, message, None, b'', b'')
    else:
        line = encoder.refresh(neighbor, 'receive', message, None, b'', b'')
    json.loads(line)
    return {'json': line[line.index('"type"') :]}


def received(count, neighbor, negotiated):
    for _ in range(count):
        data = R.choice((route_refresh, refresh, operational, query, query))()
        yield {'octets': data.hex(), 'shown': shown(data, neighbor, negotiated)}
