#!/usr/bin/env python3
"""Records what the real ExaBGP's Adj-RIB-Out makes of random sequences of operations.

    python3 -m venv VENV && VENV/bin/pip install exabgp==5.0.15
    VENV/bin/python qa/differential/rib.py [SEED [COUNT [FILE]]]

writes FILE, by default tests/rib_reference.txt, which `cargo test --test main rib_reference` replays: operations, and at each `take` the
messages that ExaBGP 5.0.15 sends for them. The same seed gives the same file.

Sequences after which the reference sends what would leave its peer with wrong routes are left out: there Lockstep departs
from it (src/speaker/parity.rs, "Departures"). Each sequence runs twice, as it is and with those changes withheld; where the two
differ it is counted and not written.
"""

import os
import random
import sys

from exabgp.environment import getenv
from exabgp.logger import log

log.silence()
log.init(getenv())

from correct import Correct  # noqa: E402
from exabgp.bgp.message import Action  # noqa: E402
from exabgp.bgp.message.open.asn import ASN  # noqa: E402
from exabgp.bgp.message.update.attribute import NextHop  # noqa: E402
from exabgp.protocol.family import AFI, SAFI  # noqa: E402
from exabgp.protocol.ip import NoNextHop  # noqa: E402
from exabgp.reactor.api import API  # noqa: E402
from exabgp.rib.outgoing import OutgoingRIB  # noqa: E402

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 1
COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 60
HERE = os.path.dirname(os.path.abspath(__file__))
OUT = sys.argv[3] if len(sys.argv) > 3 else os.path.join(HERE, '..', '..', 'tests', 'rib_reference.txt')
R = random.Random(SEED)
PARSER = API(None)

FAMILIES = [
    (AFI.ipv4, SAFI.unicast),
    (AFI.ipv4, SAFI.nlri_mpls),
    (AFI.ipv4, SAFI.mpls_vpn),
    (AFI.ipv6, SAFI.unicast),
]


class AddPath:
    def __init__(self, families):
        self.families = families

    def send(self, afi, safi):
        return (afi, safi) in self.families


class Negotiated:
    """As much of ExaBGP's Negotiated as encoding needs."""

    def __init__(self, peer_as, asn4, add_path):
        self.local_as = ASN(1)
        self.peer_as = ASN(peer_as)
        self.asn4 = asn4
        self.addpath = AddPath([FAMILIES[0]] if add_path else [])
        self.families = FAMILIES
        self.msg_size = 4096
        self.aigp = False
        self.nexthop = []


def attributes():
    words = R.choice(['', '', ' med 1', ' med 2', ' local-preference 300'])
    return words + R.choice(['', '', '', ' as-path [ 1 70000 ]', ' community [ 1:2 ]'])


def route(add_path):
    prefix, hop = R.randrange(4), R.randrange(1, 3)
    path = f' path-information 0.0.0.{R.randrange(1, 3)}' if add_path and R.random() < 0.5 else ''
    return R.choice(
        [
            (f'10.{prefix}.0.0/{16 + R.randrange(2)}', f' next-hop 1.1.1.{hop}{path}'),
            (f'10.{prefix}.0.0/16', f' next-hop 1.1.1.{hop}{path}'),
            (f'10.{prefix}.0.0/16', f' next-hop 1.1.1.{hop} label {R.randrange(100, 102)}'),
            (f'10.{prefix}.0.0/16', f' rd 1:{prefix} next-hop 1.1.1.{hop} label {R.randrange(100, 102)}'),
            (f'10.{prefix}.0.0/16', f' next-hop 2001:db8::{hop}'),
            (f'2001:db8:{prefix}::/48', f' next-hop 2001:db8::{hop}'),
        ]
    )


def operation(add_path):
    kind = R.randrange(14)
    if kind == 0:
        return 'clear'
    if kind == 1:
        return 'flush ' + R.choice(['plain', 'enhanced']) + R.choice(['', ' ipv4 unicast'])
    if kind == 2:
        return R.choice(['restart', 'take', 'take'])
    if kind in (3, 4):
        return 'take'
    prefix, rest = route(add_path)
    if R.random() < 0.3:
        bare = R.random() < 0.5 and 'rd' not in rest and 'label' not in rest and 'path' not in rest
        return f'withdraw route {prefix}' + ('' if bare else rest + attributes())
    return f'announce route {prefix}{rest}{attributes()}'


def changes(line):
    action = Action.WITHDRAW if line.startswith('withdraw') else Action.ANNOUNCE
    for change in PARSER.api_route(line):
        change.nlri.action = action
        if change.nlri.nexthop is NoNextHop:
            change.nlri.nexthop = NextHop('0.0.0.0')
        yield change


def run(kind, operations, negotiated, grouped):
    """The operations and what they send; a `take` of nothing is left out."""
    rib, first, lines = kind(True, FAMILIES), True, []
    for line in operations:
        words = line.split()
        if words[0] == 'take':
            if not rib.pending():
                continue
            lines.append('take withdraws' if not first else 'take')
            if first and kind is Correct:
                rib.withhold_withdrawn()
            for update in rib.updates(grouped):
                for message in update.messages(negotiated, not first):
                    lines.append(message[16:].hex())
            first = False
            continue
        lines.append('> ' + line)
        if words[0] == 'clear':
            rib.withdraw()
        elif words[0] == 'flush':
            rib.resend(words[1] == 'enhanced', FAMILIES[0] if len(words) > 2 else None)
        elif words[0] == 'restart':
            rib.reset()
            rib.replace_restart([], [])
            first = True
        else:
            for change in changes(line):
                rib.add_to_rib(change)
    return lines


def main():
    written = left_out = 0
    with open(OUT, 'w') as out:
        out.write('# Recorded from ExaBGP 5.0.15 by qa/differential/rib.py; see there.\n')
        while written < COUNT:
            peer_as, asn4, add_path, grouped = R.choice([1, 2]), R.random() < 0.7, R.random() < 0.3, R.random() < 0.7
            operations = [operation(add_path) for _ in range(R.randrange(1, 40))] + ['take']
            negotiated = Negotiated(peer_as, asn4, add_path)
            stock = run(OutgoingRIB, operations, negotiated, grouped)
            if not any(line.startswith('take') for line in stock):
                continue
            if stock != run(Correct, operations, negotiated, grouped):
                left_out += 1
                continue
            out.write(f'session peer-as {peer_as} asn4 {int(asn4)} add-path {int(add_path)} grouped {int(grouped)}\n')
            out.write('\n'.join(stock) + '\n')
            written += 1
    print(f'{written} sequences written, {left_out} left out')


main()
