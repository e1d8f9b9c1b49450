"""Random configurations in which statements stand in any order and are repeated, and two neighbors have different families."""

from chance import R
from configurations import ATTRIBUTES, FAMILIES, OPTIONS, announce, capability, flow, next_hop, static, vpls

# What several of one route mean is told by each; a raw attribute that is said twice is refused here, see `speaker::parity`.
REPEATED = [name for name in ATTRIBUTES if name not in ('attribute', 'name', 'watchdog', 'withdraw')]


def again(route):
    """`route`, of a `static` section, with some of its words once more, with other values."""
    at = route.rindex(';')
    block = route.endswith('} }')
    six = ':' in route.split()[3]
    words = [ATTRIBUTES[name]() for name in R.choices(REPEATED, k=R.choice((0, 1, 2)))]
    # beside MP_REACH_NLRI the first would stand in NEXT_HOP there, see `speaker::parity`
    plain = not six and not route.split()[3].startswith(('22', '23'))
    words += [next_hop(False)] * (R.random() < 0.5 and plain and 'label' not in route and ':' not in route.split('next-hop ')[1].split()[0])
    if 'attribute [' in route:
        return route
    if block:
        return f'{route[: at + 1]} {"".join(word + "; " for word in words)}{route[at + 1 :]}'
    return f'{route[:at]} {" ".join(words)}{route[at:]}'


def neighbor(at):
    local = R.choice(('1', '65533', '70000'))
    peer = local if R.random() < 0.6 else R.choice(('2', '65000'))
    lines = [f'router-id 1.2.3.{at}', 'local-address 127.0.0.1', f'local-as {local}', f'peer-as {peer}']
    options = [name for name in OPTIONS if name not in ('listen', 'md5-password', 'passive')]
    lines += [OPTIONS[name]() for name in R.choices(options, k=R.choice((0, 1, 4)))]
    parts = [f'{line};' for line in lines]
    parts += [again(static()) for _ in range(R.choice((0, 1, 2)))]
    parts += [R.choice((announce, flow, vpls))() for _ in range(R.choice((0, 0, 1)))]
    parts += [capability() for _ in range(R.choice((0, 1, 2)))]
    if R.random() < 0.5:
        chosen = R.sample(FAMILIES, R.randrange(1, len(FAMILIES)))
        parts.append('family { ' + ' '.join(f'{name};' for name in chosen) + ' }')
    # a block of static makes routes with a route distinguisher that stand before it routes of mpls-vpn, whatever they are
    R.shuffle(parts)
    parts.sort(key=lambda part: part.startswith(('announce', 'flow', 'l2vpn')))
    return f'neighbor 127.0.0.{at} {{ {" ".join(parts)} }}'


def varied(count):
    for _ in range(count):
        yield ' '.join(neighbor(at) for at in range(2, 2 + R.choice((1, 2, 2))))
