"""What a reload of the real ExaBGP does to each neighbor: every statement by itself, then random pairs of configurations."""

import itertools

import exabgp.reactor.loop as loop
import reference  # noqa: F401  silences the log
from chance import R
from configurations import neighbor
from exabgp.configuration.configuration import Configuration
from exabgp.rib import RIB

PROCESSES = 'process one { run /bin/cat; encoder text; } process two { run /bin/cat; encoder json; } '
NEIGHBOR = 'neighbor 127.0.0.1 {{ {} }}'
PLAIN = {
    'router-id': '1.2.3.4',
    'local-address': '127.0.0.1',
    'local-as': '65000',
    'peer-as': '65001',
}

# A statement or a section: each of its values is exchanged for each other one; `None` is nothing said.
STATEMENTS = {
    'router-id': ('1.2.3.4', '1.2.3.5', None),
    'local-address': ('127.0.0.1', '127.0.0.2', 'auto'),
    'local-as': ('65000', '65002', 'auto'),
    'peer-as': ('65001', '65003', 'auto'),
    'description': (None, 'one', '"another one"'),
    'host-name': (None, 'one', 'two'),
    'domain-name': (None, 'one', 'two'),
    'hold-time': (None, '180', '30', '0'),
    'rate-limit': (None, '10', '20', 'disable'),
    'source-interface': (None, 'lo', 'eth0'),
    'passive': (None, '', 'true', 'false'),
    'listen': (None, '0', '1790', '1791'),
    'connect': (None, '0', '1790', '1791'),
    'outgoing-ttl': (None, '1', '255', 'disable'),
    'incoming-ttl': (None, '1', '255', 'disable'),
    'md5-password': (None, 'secret', 'other'),
    'md5-base64': (None, 'true', 'false'),
    'md5-ip': (None, '127.0.0.1', '127.0.0.2'),
    'group-updates': (None, 'true', 'false'),
    'auto-flush': (None, 'true', 'false'),
    'adj-rib-in': (None, 'true', 'false'),
    'adj-rib-out': (None, 'true', 'false'),
    'manual-eor': (None, 'true', 'false'),
}
SECTIONS = {
    'family': (None, 'ipv4 unicast;', 'ipv4 unicast; ipv6 unicast;', 'ipv6 unicast; ipv4 unicast;'),
    'add-path': (None, 'ipv4 unicast;', 'ipv6 unicast;'),
    'nexthop': (None, 'ipv4 unicast ipv6;', 'ipv4 multicast ipv6;'),
    'static': (None, 'route 10.0.0.0/24 next-hop 1.1.1.1;', 'route 10.0.1.0/24 next-hop 1.1.1.1;'),
    'announce': (None, 'ipv4 { unicast 10.0.0.0/24 next-hop 1.1.1.1; }'),
    'flow': (None, 'route a { match { port =80; } then { discard; } }'),
    'l2vpn': (None, 'vpls site { rd 1:1; endpoint 1; base 1; offset 1; size 1; next-hop 1.1.1.1; }'),
    'operational': (None, 'adm afi ipv4 safi unicast advisory one;', 'asm afi ipv4 safi unicast advisory two;'),
    'api': (
        None,
        'processes [ one ];',
        'processes [ one two ];',
        'processes [ one ]; neighbor-changes;',
        'processes [ one ]; receive { parsed; update; }',
        'processes [ one ]; send { packets; open; }',
        'processes-match [ ^t ];',
    ),
    'capability': (None,)
    + tuple(
        f'{name} {value};'
        for name in ('asn4', 'extended-message', 'multi-session', 'operational', 'route-refresh', 'nexthop', 'aigp', 'software-version')
        for value in ('enable', 'disable')
    )
    + tuple(f'add-path {value};' for value in ('disable', 'send', 'receive', 'send/receive'))
    + tuple(f'graceful-restart {value};' for value in ('', '0', '120', '180', 'disable')),
}


def configuration(words, section=''):
    statements = ' '.join(f'{name} {value};' for name, value in words.items() if value is not None)
    return PROCESSES + NEIGHBOR.format(f'{statements} {section}')


def table():
    """(what changes, before, after)"""
    for name, values in STATEMENTS.items():
        for before, after in itertools.permutations(values, 2):
            yield name, configuration({**PLAIN, name: before}), configuration({**PLAIN, name: after})
    for name, bodies in SECTIONS.items():
        # add-path and nexthop mean something where the capability is there
        beside = 'capability { add-path send; nexthop enable; operational enable; }' if name != 'capability' else ''
        for before, after in itertools.permutations(bodies, 2):
            if name == 'capability' and before and after and before.split(' ')[0] != after.split(' ')[0]:
                continue
            texts = [configuration(PLAIN, f'{beside} {name} {{ {body} }}' if body is not None else beside) for body in (before, after)]
            yield name, *texts


class Peer:
    """Notes what the reactor asks of a peer."""

    done = []

    def __init__(self, neighbor, reactor):
        self.neighbor = neighbor
        self.note('add')

    def note(self, what):
        Peer.done.append(f'{what} {self.neighbor.name()}')

    def remove(self):
        self.note('remove')

    def reestablish(self, neighbor=None):
        self.note('reestablish')

    def reconfigure(self, neighbor=None):
        self.note('update')


class Listener:
    def listen_on(self, *_):
        return True

    def close_unwanted(self, _):
        pass


def reload(before, after):
    """What is done about each neighbor, or `None` where ExaBGP refuses one of the two."""
    RIB._cache.clear()
    loop.Peer = Peer
    Peer.done = []
    try:
        reactor = loop.Reactor(Configuration([before, after], text=True))
        reactor.listener = Listener()
        if not reactor.reload():
            return None
        Peer.done = []
        return sorted(Peer.done) if reactor.reload() else None
    except Exception:
        return None


def changed(text):
    """The same neighbor with a statement or a section more, less, or elsewhere."""
    name = R.choice(list(STATEMENTS) + list(SECTIONS))
    value = R.choice((STATEMENTS | SECTIONS)[name])
    if value is None:
        return text
    words = f'{name} {value};' if name in STATEMENTS else f'{name} {{ {value} }}'
    at = text.rindex('}')
    return f'{text[:at]} {words} {text[at:]}'


def drawn(count):
    for _ in range(count):
        before = neighbor(2) + ' ' + neighbor(3)
        yield 'drawn', PROCESSES + before, PROCESSES + (changed(before) if R.random() < 0.9 else neighbor(2))


def reloads(count):
    for name, before, after in itertools.chain(table(), drawn(count)):
        yield {'changes': name, 'before': before, 'after': after, 'does': reload(before, after)}
