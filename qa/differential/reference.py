"""What the real ExaBGP makes of octets and words."""

import ipaddress
import json

from exabgp.environment import getenv
from exabgp.logger import log

log.silence()
log.init(getenv())

from exabgp.bgp.message import Action  # noqa: E402
from exabgp.bgp.message import Notification, Open  # noqa: E402
from exabgp.bgp.message.direction import Direction  # noqa: E402
from exabgp.bgp.message.open import ASN, RouterID, Version  # noqa: E402
from exabgp.bgp.message.open.capability import Capabilities, Capability, Negotiated  # noqa: E402
from exabgp.bgp.message.open.capability.asn4 import ASN4  # noqa: E402
from exabgp.bgp.message.update import Update  # noqa: E402,F401  registers every attribute
from exabgp.bgp.message.update.attribute import Attribute  # noqa: E402
from exabgp.bgp.message.update.nlri import NLRI  # noqa: E402
from exabgp.configuration.check import _negotiated  # noqa: E402
from exabgp.configuration.configuration import Configuration  # noqa: E402
from exabgp.protocol.family import AFI, SAFI  # noqa: E402
from exabgp.reactor.api.response import Response  # noqa: E402
from exabgp.rib import RIB  # noqa: E402
from exabgp.version import json as json_version  # noqa: E402

from chance import FAMILIES  # noqa: E402

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


def offline():
    """A neighbor with every family, and what its session negotiates."""
    return session(Configuration([NEIGHBOR.format('')], text=True))


def session(configuration):
    """(neighbor, what its session has negotiated)"""
    if not configuration.reload():
        raise ValueError(str(configuration.error))
    (neighbor,) = configuration.neighbors.values()
    negotiated = _negotiated(neighbor)
    return neighbor, negotiated[0] if isinstance(negotiated, tuple) else negotiated


def show_nlri(name, data, path):
    afi, safi = FAMILIES[name]
    try:
        route, left = NLRI.unpack_nlri(AFI.create(afi), SAFI.create(safi), data, Action.ANNOUNCE, path)
        if route is None:
            return None
        return {'text': str(route), 'json': route.json(), 'left': len(left)}
    except Exception:
        return None


def show_attribute(code, flag, data):
    try:
        attribute = Attribute.unpack(code, flag, data, Direction.IN, None)
        shown = {'text': str(attribute)}
        shown['json'] = attribute.json() if code != 22 else json.dumps(str(attribute))
        return shown
    except Exception:
        return None


def show_update(data, negotiated):
    try:
        message = Update.unpack_message(data[19:], Direction.IN, negotiated)
        return Response.JSON(json_version)._update(message)['message'].rstrip()
    except Exception:
        return None


def sent(conf):
    try:
        neighbor, negotiated = session(Configuration([NEIGHBOR.format(conf)], text=True))
        change = neighbor.changes[0]
        change.nlri.action = Action.ANNOUNCE
        return b''.join(Update([change.nlri], change.attributes).messages(negotiated)).hex()
    except Exception:
        return None


def mirrored(message, peer_as):
    """`message`, an OPEN, as the other side sends it."""
    received = Open.unpack_message(message[19:])
    received.router_id = RouterID(str(ipaddress.ip_address(str(received.router_id)) + 1))
    if peer_as > 65535 and Capability.CODE.FOUR_BYTES_ASN not in received.capabilities:
        raise ValueError('the peer cannot say who it is')
    received.asn = ASN(peer_as)
    if Capability.CODE.FOUR_BYTES_ASN in received.capabilities:
        received.capabilities[Capability.CODE.FOUR_BYTES_ASN] = ASN4(peer_as)
    return received


def told(neighbor):
    """What a neighbor is told as its session begins: our OPEN, OPERATIONAL messages, the routes."""
    local_as, peer_as = neighbor['local-as'], neighbor['peer-as']
    capabilities = Capabilities().new(neighbor, True, local_as=local_as)
    sent = Open(Version(4), ASN(local_as), neighbor['hold-time'], neighbor['router-id'], capabilities)
    message = sent.message()
    negotiated = Negotiated(neighbor)
    negotiated.sent(sent)
    negotiated.received(mirrored(message, peer_as))
    rib = neighbor.rib.outgoing
    rib.replace_restart([], neighbor.changes)
    operational = list(neighbor.messages)
    for family in neighbor.asm:
        operational.insert(0, neighbor.asm[family])
    return {
        'open': message.hex(),
        'operational': [one.message(negotiated).hex() for one in operational] if negotiated.operational else [],
        'routes': [one.hex() for update in rib.updates(neighbor['group-updates']) for one in update.messages(negotiated, False)],
    }


def answer(text):
    """What each neighbor of a configuration is told, or `None` where ExaBGP refuses it."""
    RIB._cache.clear()
    configuration = Configuration([text], text=True)
    try:
        if not configuration.reload():
            return None
        return [told(neighbor) for neighbor in configuration.neighbors.values()]
    except Exception as error:
        return {'error': f'{type(error).__name__}: {error}'}


def show_message(data, neighbor):
    """The JSON of an OPEN or a NOTIFICATION, from the kind of message on."""
    encoder = Response.JSON(json_version)
    try:
        if data[18] == 1:
            line = encoder.open(neighbor, 'in', Open.unpack_message(data[19:]), None, '', '')
        else:
            line = encoder.notification(neighbor, 'in', Notification.unpack_message(data[19:], Direction.IN, None), None, '', '')
    except Exception:
        return None
    try:
        json.loads(line)
    except ValueError:
        return None
    return line[line.index('"direction"') :]
