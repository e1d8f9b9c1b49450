"""Random routes in ExaBGP's words."""

import re

from chance import R, ip, net, number, rd_words
from wire import extended_community


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


def routes(count):
    """(kind, family, NLRI words, other words, the configuration that says it)"""
    for six in (False, True):
        version = 'ipv6' if six else 'ipv4'
        for _ in range(count):
            words = flow_words(six)
            actions = then_words()
            scope = f'interface-set [ {interface_set()} {interface_set()} ]' if R.random() < 0.3 else ''
            match = '; '.join(words)
            conf = f'flow {{ route r {{ match {{ {match}; }} {"scope { " + scope + "; }" if scope else ""} then {{ {actions}; }} }} }}'
            yield 'flow', version + ' flow', ' '.join(words), (scope + ' ' + actions).strip(), conf
        for _ in range(count):
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
        for _ in range(count):
            pick = R.choice(('source-ad source', 'source-join source', 'shared-join rp'))
            words = f'{pick} {ip(six)} group {ip(six)} rd {rd_words()}'
            words += '' if pick.startswith('source-ad') else f' source-as {number(32)}'
            yield 'nlri', version + ' mcast-vpn', words, '', f'announce {{ {version} {{ mcast-vpn {words} next-hop 192.0.2.1; }} }}'
        for _ in range(count):
            depth = R.choice((1, 1, 2))
            stack = [str(number(20)) for _ in range(depth)]
            stack = f'label [ {" ".join(stack)} ]' if depth > 1 or R.random() < 0.5 else f'label {stack[0]}'
            network = net(six)
            hop = '192.0.2.1' if not six else '2001:db8::1'
            if R.random() < 0.5:
                yield 'labelled', version + ' nlri-mpls', network, stack, f'static {{ route {network} next-hop {hop} {stack}; }}'
            else:
                words = f'{stack} rd {rd_words()}'
                yield 'labelled', version + ' mpls-vpn', network, words, f'static {{ route {network} next-hop {hop} {words}; }}'
    for _ in range(count):
        words = ['rd ' + rd_words(), f'endpoint {number(16)}', f'base {number(16)}', f'offset {number(16)}', f'size {number(16)}']
        R.shuffle(words)
        words = ' '.join(words)
        yield 'nlri', 'l2vpn vpls', words, '', f'l2vpn {{ vpls {words} next-hop 192.0.2.1; }}'
    for _ in range(2 * count):
        words = ' '.join(community_words() for _ in range(R.randrange(1, 4)))
        conf = f'static {{ route 192.0.2.0/24 next-hop 192.0.2.1 extended-community [ {words} ]; }}'
        yield 'attribute', 'extended-community', f'[ {words} ]', '', conf
    for _ in range(count):
        name, words = prefix_sid_words()
        yield 'attribute', name, words, '', f'static {{ route 192.0.2.0/24 next-hop 192.0.2.1 {name} {words}; }}'


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
