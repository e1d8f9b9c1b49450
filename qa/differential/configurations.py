"""Random configurations: neighbors with their options, and routes of every section with every keyword that 5.0.15 knows."""

from chance import R, ip, net, number, rd_words
from words import community_words, flow_words, interface_set, prefix_sid_words, then_words


def asn():
    return str(R.choice((0, 1, 65535, 65536, 4294967295, R.randrange(1, 65536), R.randrange(65536, 1 << 32))))


def community():
    names = ('no-export', 'no-advertise', 'no-export-subconfed', 'nopeer', 'no-peer', 'blackhole', 'no_export')
    return R.choice((f'{number(16)}:{number(16)}', f'0x{number(16):x}', str(number(16)), R.choice(names)))


def some(make, least=1, most=4):
    """One bare, or several between brackets, rarely none."""
    if R.random() < 0.3:
        return make()
    many = least if R.random() < 0.05 else R.randrange(1, most)
    return '[ ' + ' '.join(make() for _ in range(many)) + ' ]'


def as_path():
    def segment():
        numbers = ' '.join(asn() for _ in range(R.randrange(1, 5)))
        # a confederation's segments begin with `{`, which a statement cannot have
        return R.choice((f'[ {numbers} ]', f'[ {numbers} ]', f'( {numbers} )'))

    return R.choice(('[ ]', segment(), segment(), f'{segment()} {segment()}'))


def generic():
    code = R.choice((0x04, 0x08, 0x19, 0x20, 0x63, 0xFE, R.randrange(41, 256)))
    flag = R.choice((0xC0, 0x80, 0xE0, 0x00, 0x40, 0xD0))
    value = ''.join(f'{R.randrange(256):02x}' for _ in range(R.choice((0, 1, 4, 12, 300))))
    return f'attribute [ 0x{code:02x} 0x{flag:02x} 0x{value} ]'


ATTRIBUTES = {
    'origin': lambda: 'origin ' + R.choice(('igp', 'egp', 'incomplete', 'IGP', 'EGP')),
    'med': lambda: f'med {number(32)}',
    'as-path': lambda: 'as-path ' + as_path(),
    'local-preference': lambda: f'local-preference {number(32)}',
    'atomic-aggregate': lambda: 'atomic-aggregate',
    'aggregator': lambda: 'aggregator ' + R.choice(('( {}:{} )', '({}:{})', '{}:{}', '( {}:{})')).format(asn(), ip()),
    'originator-id': lambda: f'originator-id {ip()}',
    'cluster-list': lambda: 'cluster-list ' + some(ip),
    'community': lambda: 'community ' + some(community),
    'large-community': lambda: 'large-community ' + some(lambda: f'{number(32)}:{number(32)}:{number(32)}'),
    'extended-community': lambda: 'extended-community ' + some(community_words, 0),
    'aigp': lambda: 'aigp ' + R.choice((str(number(32)), f'0x{number(64):x}')),
    'attribute': generic,
    'name': lambda: 'name customer-1',
    'watchdog': lambda: 'watchdog dog',
    'withdraw': lambda: 'withdraw',
}


def attributes(without=()):
    names = [name for name in ATTRIBUTES if name not in without]
    return [ATTRIBUTES[name]() for name in R.sample(names, min(len(names), R.choice((0, 0, 1, 1, 2, 3, 6))))]


def next_hop(six):
    # `self` is of the session's family, here IPv4
    return 'next-hop ' + R.choice((ip(six), ip(six), ip(six) if six else 'self', ip(not six) if R.random() < 0.3 else ip(six)))


def path():
    return 'path-information ' + R.choice((str(number(32)), ip()))


def label():
    return 'label ' + some(lambda: str(number(20)))


def shuffled(words, separator=' '):
    R.shuffle(words)
    return separator.join(words)


def static():
    six = R.random() < 0.4
    words = [next_hop(six)] + attributes()
    if R.random() < 0.3:
        words.append(path())
    kind = R.random()
    if kind < 0.3:
        words.append(label())
    if kind < 0.15:
        words.append(R.choice(('rd ', 'route-distinguisher ')) + rd_words())
    if R.random() < 0.1:
        words.append(' '.join(prefix_sid_words()))
    prefix = net(six)
    # a split in a block loses labels and route distinguisher
    if R.random() < 0.1 and kind >= 0.3:
        words.append('split /' + str(min(int(prefix.split('/')[1]) + R.randrange(3), 128 if six else 32)))
    # a block with labels alone makes a route of unicast, with the labels in its prefix
    if R.random() < 0.3 and (kind < 0.15 or kind >= 0.3):
        return f'static {{ route {prefix} {{ {shuffled(words, "; ")}; }} }}'
    return f'static {{ route {prefix} {shuffled(words)}; }}'


def announce():
    six = R.random() < 0.4
    # of mpls-vpn it makes routes of the family unicast, of flow-vpn routes without a route distinguisher
    safi = R.choice(('unicast', 'unicast', 'multicast', 'nlri-mpls', 'mcast-vpn', 'mup', 'flow'))
    version = 'ipv6' if six else 'ipv4'
    if safi == 'flow':
        words = flow_words(six) + [then_words()] * (R.random() < 0.8)
        if R.random() < 0.2:
            words.append(f'interface-set [ {interface_set()} ]')
        words += attributes(set(ATTRIBUTES) - {'community', 'large-community', 'extended-community'})
        return f'announce {{ {version} {{ {safi} {" ".join(words)}; }} }}'
    words = [next_hop(six)]
    if safi == 'mup':
        words += [ATTRIBUTES['extended-community']()] * (R.random() < 0.5)
        if R.random() < 0.4:
            words.append('bgp-prefix-sid-srv6 ' + srv6())
    else:
        words += attributes()
    if safi == 'mcast-vpn':
        first = R.choice(('source-ad source', 'source-join source', 'shared-join rp'))
        first = f'{first} {ip(six)} group {ip(six)} rd {rd_words()}' + ('' if 'ad' in first else f' source-as {number(32)}')
    elif safi == 'mup':
        first = R.choice(
            (
                f'mup-isd {net(six)} rd {rd_words()}',
                f'mup-dsd {ip(six)} rd {rd_words()}',
                f'mup-t1st {net(six)} rd {rd_words()} teid {number(32)} qfi {number(8)} endpoint {ip(six)}',
                f'mup-t2st {ip(six)} rd {rd_words()} teid {number(16)}/{R.choice((16, 32))}',
            )
        )
    else:
        first = net(six)
    if safi in ('unicast', 'nlri-mpls') and R.random() < 0.3:
        words.append(path())
    if safi == 'nlri-mpls':
        words.append(label())
    return f'announce {{ {version} {{ {safi} {first} {shuffled(words)}; }} }}'


def srv6():
    while True:
        name, words = prefix_sid_words()
        if name.endswith('srv6'):
            return words


def flow():
    six = R.random() < 0.4
    match = '; '.join(flow_words(six))
    then = '; '.join(
        [then_words() for _ in range(R.choice((0, 1, 1, 2)))]
        + attributes(set(ATTRIBUTES) - {'community', 'large-community', 'extended-community'})
    )
    scope = f'scope {{ interface-set {R.choice(("[ {} ]", "{}")).format(interface_set())}; }}' if R.random() < 0.2 else ''
    extra = R.choice(('', '', f'rd {rd_words()};', f'route-distinguisher {rd_words()};', f'next-hop {ip(six)};'))
    if R.random() < 0.2:
        return f'flow {{ route {match.replace(";", "")} {then_words()}; }}'
    return f'flow {{ route r {{ {extra} match {{ {match}; }} {scope} then {{ {then + ";" if then else ""} }} }} }}'


def vpls():
    words = ['rd ' + rd_words()]
    words += [f'{name} {number(16)}' for name in ('endpoint', 'base', 'offset', 'size')]
    words += [f'next-hop {ip()}'] + attributes(('large-community', 'aigp'))
    form = R.choice(('l2vpn {{ vpls {}; }}', 'l2vpn {{ vpls site {{ {}; }} }}', 'announce {{ l2vpn {{ vpls {}; }} }}'))
    return form.format(shuffled(words, '; ' if 'site' in form else ' '))


def operational():
    family = R.choice(('afi ipv4 safi unicast', 'afi ipv6 safi unicast', 'afi ipv4 safi mpls-vpn'))
    kind = R.choice(('asm', 'adm', 'rpcq', 'rpcp', 'apcq', 'apcp', 'lpcq', 'lpcp'))
    if kind in ('asm', 'adm'):
        return f'operational {{ {kind} {family} advisory "text {number(16)}"; }}'
    counter = f' counter {number(32)}' if kind.endswith('p') else ''
    return f'operational {{ {kind} {family} sequence {number(32)}{counter}; }}'


FAMILIES = ['unicast', 'multicast', 'nlri-mpls', 'mpls-vpn', 'mcast-vpn', 'mup', 'flow', 'flow-vpn']
FAMILIES = [f'{version} {safi}' for version in ('ipv4', 'ipv6') for safi in FAMILIES if (version, safi) != ('ipv6', 'multicast')]
FAMILIES += ['l2vpn vpls', 'l2vpn evpn', 'bgp-ls bgp-ls', 'bgp-ls bgp-ls-vpn']


def switch():
    return R.choice(('enable', 'disable', 'true', 'false', 'enabled', 'disabled'))


def capability():
    names = ['nexthop', 'asn4', 'multi-session', 'operational', 'route-refresh', 'aigp', 'extended-message', 'software-version']
    # each session of a multisession neighbor has one family
    weights = [name for name in names if name != 'multi-session' or R.random() < 0.1]
    lines = [f'{name} {switch()};' for name in R.sample(weights, R.randrange(min(5, len(weights))))]
    if R.random() < 0.4:
        lines.append(f'add-path {R.choice(("send", "receive", "send/receive", "disable"))};')
    if R.random() < 0.2:
        lines.append(R.choice(('graceful-restart;', f'graceful-restart {R.randrange(4096)};', 'graceful-restart disable;')))
    return 'capability { ' + ' '.join(lines) + ' }'


OPTIONS = {
    'description': lambda: 'description "a neighbor; with { all }"',
    'host-name': lambda: 'host-name router-1',
    'domain-name': lambda: 'domain-name example.com',
    'hold-time': lambda: f'hold-time {R.choice((0, 3, 180, 65535))}',
    'rate-limit': lambda: f'rate-limit {R.choice((1, 100, "disable"))}',
    'group-updates': lambda: f'group-updates {switch()}',
    'auto-flush': lambda: f'auto-flush {switch()}',
    'adj-rib-in': lambda: f'adj-rib-in {switch()}',
    'adj-rib-out': lambda: f'adj-rib-out {switch()}',
    'manual-eor': lambda: f'manual-eor {switch()}',
    'passive': lambda: f'passive {switch()}',
    'listen': lambda: 'listen 1790',
    'connect': lambda: 'connect 1790',
    'outgoing-ttl': lambda: f'outgoing-ttl {R.choice((1, 255, "disable"))}',
    'incoming-ttl': lambda: f'incoming-ttl {R.choice((1, 255, "disabled"))}',
    'md5-password': lambda: R.choice(('md5-password secret', 'md5-password "two words"', 'md5-password c2VjcmV0; md5-base64 true')),
    'md5-ip': lambda: f'md5-ip {ip()}',
    'source-interface': lambda: 'source-interface eth0',
}


def neighbor(at, inherited=''):
    """The words of a neighbor, and the routes that it has."""
    local = R.choice(('1', '65533', '70000'))
    peer = local if R.random() < 0.6 else R.choice(('2', '65000', '4200000000'))
    lines = [f'router-id 1.2.3.{at}', 'local-address 127.0.0.1', f'local-as {local}', f'peer-as {peer}']
    lines += [OPTIONS[name]() for name in R.sample(list(OPTIONS), R.choice((0, 0, 1, 3)))]
    R.shuffle(lines)
    kinds = [R.choice((static, static, announce, announce, flow, vpls)) for _ in range(R.choice((0, 1, 1, 1, 2, 4)))]
    # a block of static makes routes with a route distinguisher that stand before it routes of mpls-vpn, whatever they are
    sections = [kind() for kind in sorted(kinds, key=lambda kind: kind is not static)]
    if R.random() < 0.5:
        sections.insert(0, capability())
    if R.random() < 0.3:
        chosen = FAMILIES if R.random() < 0.7 else R.sample(FAMILIES, R.randrange(1, 6))
        sections.insert(0, 'family { ' + ' '.join(f'{name};' for name in chosen) + ' }')
        if R.random() < 0.3:
            sections.append('add-path { ' + ' '.join(f'{name};' for name in R.sample(chosen, min(2, len(chosen)))) + ' }')
    if R.random() < 0.2:
        pairs = [f'ipv4 {safi} ipv6' for safi in ('unicast', 'multicast', 'nlri-mpls', 'mpls-vpn')] + ['ipv6 unicast ipv4']
        sections.append('nexthop { ' + ' '.join(f'{pair};' for pair in R.sample(pairs, R.randrange(1, 4))) + ' }')
    if R.random() < 0.1:
        sections.append(operational())
    return f'neighbor 127.0.0.{at} {{ {inherited}{"; ".join(lines)}; {" ".join(sections)} }}'


def spoiled(text):
    """`text` with a word left out, said twice, or put in the place of another."""
    words = text.split(' ')
    at = R.randrange(len(words))
    how = R.randrange(4)
    if how == 0:
        del words[at]
    elif how == 1:
        words.insert(at, words[at])
    elif how == 2:
        words[at] = R.choice(words)
    else:
        words[at] = R.choice(('', '0', '-1', '65536', '4294967296', '[', ']', '0x', ':', '/', '1.2.3', '::', 'x', ';', words[at] + '0', words[at][:-1]))
    return ' '.join(words)


def configurations(count):
    for at in range(count):
        text = neighbor(2)
        if R.random() < 0.1:
            text = f'template {{ neighbor t {{ hold-time 30; {static()} {static()} }} }} '
            text += neighbor(2, R.choice(('inherit t; ', 'inherit [ t ]; ')))
        if R.random() < 0.1:
            text += ' ' + neighbor(3)
        yield spoiled(text) if at % 4 == 3 else text
