"""Random dialogues of an API program: a configuration, whether its sessions are established, and commands."""

import ipaddress

from chance import FAMILIES, R, ip, net
from configurations import announce, attributes, flow, next_hop, operational, spoiled, static, vpls

NEIGHBOR = (
    'neighbor 127.0.0.{at} {{ router-id 1.2.3.{at}; local-address 127.0.0.1; local-as {local}; peer-as {peer}; {options} '
    'capability {{ {capability} }} api {{ processes [ program ]; }} {routes} }}'
)
SHOWN = ('', ' summary', ' extensive', ' configuration', ' json', ' summary json', ' extensive json')


def configuration(established):
    neighbors = []
    for at in range(2, 2 + R.randrange(1, 4)):
        local = R.choice((1, 65000, 70000))
        capability = R.choice(('', 'route-refresh enable;', 'operational enable;', 'add-path send/receive;', 'asn4 enable; aigp enable;'))
        options = R.choice(('', 'group-updates false;', 'host-name router; description "one of them";', 'hold-time 30;', 'adj-rib-out true;'))
        neighbors.append(
            NEIGHBOR.format(
                at=at,
                local=local,
                peer=R.choice((local, 2)),
                options=options,
                capability=capability,
                # what is withdrawn of the first batch is another matter, see speaker::parity
                routes=static().replace(' withdraw', '').replace(' watchdog dog', '') if established or R.random() < 0.5 else '',
            )
        )
    return 'process program { run /bin/cat; encoder text; } ' + ' '.join(neighbors)


def selector():
    one = R.choice(('127.0.0.2', '127.0.0.2', '127.0.0.3', '*', '127.0.0.9'))
    terms = R.choice(('', '', ' local-as 1', ' peer-as 2', ' router-id 1.2.3.2', ' local-ip 127.0.0.1', ' family-allowed in-open'))
    return R.choice(('', '', f'neighbor {one}{terms} ', f'neighbor {one}{terms}, neighbor 127.0.0.3{terms} '))


def body(conf):
    """What is between the outermost braces."""
    return conf[conf.index('{') + 1 : conf.rindex('}')].strip()


def route_words():
    """The words after `announce` or `withdraw` of a route of any kind."""
    kind = R.randrange(6)
    while True:
        if kind in (0, 1):
            words = 'route ' + body(static()).removeprefix('route ')
        elif kind == 2:
            six = R.random() < 0.3
            # all the prefixes get the family of the last
            networks = (net(six) for _ in iter(int, 1))
            plain = (network for network in networks if not ipaddress.ip_network(network).network_address.is_multicast)
            prefixes = ' '.join(next(plain) for _ in range(R.randrange(1, 4)))
            words = f'attributes {next_hop(six)} {" ".join(attributes())} nlri {prefixes}'
        elif kind == 3:
            inner = announce()
            words = f'{"ipv6" if "ipv6 {" in inner else "ipv4"} {body(body(inner))}'
        elif kind == 4:
            words = 'flow ' + body(flow())
        else:
            words = body(vpls())
        # `withdraw watchdog` and its like are looked for anywhere in a line
        words = ' '.join(words.replace(' withdraw', '').split())
        if kind == 4 or '{' not in words:
            return words.removesuffix(';').strip()


def simple():
    family = R.choice(list(FAMILIES))
    return R.choice(
        (
            'show adj-rib out' + R.choice(('', ' extensive', ' json', ' inet', ' flow', ' l2vpn', ' 127.0.0.2', ' 127.0.0.2 extensive', ' inet extensive')),
            'show adj-rib in' + R.choice(('', ' extensive', ' json')),
            f'announce eor{R.choice(("", " " + family))}',
            f'announce route-refresh {R.choice((family, family, "ipv4"))}',
            # quotes are part of the text, a space ends it
            'announce operational ' + body(operational()).removesuffix(';').replace('"text ', 'text-').replace('"', ''),
            'announce watchdog dog',
            'withdraw watchdog dog',
            'flush adj-rib out',
            'clear adj-rib out',
            'clear adj-rib in',
            'clear adj-rib',
            'version',
            'help',
            '# a comment',
            'crash',
            'reload',
            'restart',
            'shutdown',
            'disable-ack',
            'enable-ack',
            'silence-ack',
            f'teardown {R.choice((2, 4, 6, "x"))}',
            f'route {ip()}',
            'announce',
        )
    )


def dialogues(count):
    for _ in range(count):
        established = R.random() < 0.6
        lines, last = [], ''
        for _ in range(R.randrange(1, 7)):
            pick = R.random()
            if pick < 0.5:
                words = last if last and R.random() < 0.3 else route_words()
                last = words
                lines.append(selector() + R.choice(('announce ', 'announce ', 'withdraw ' if established else 'announce ')) + words)
            elif pick < 0.9 or established:
                words = simple()
                # an operational message has its third word looked for in the whole line, and `show` takes no selectors
                lines.append(words if 'operational' in words or words.startswith('show') else selector() + words)
            else:
                lines.append('show neighbor' + R.choice(('', ' 127.0.0.2', ' 127.0.0.9')) + R.choice(SHOWN))
        if R.random() < 0.3:
            lines.append(selector() + ' '.join(spoiled('announce ' + route_words()).split()))
        yield configuration(established), established, lines
