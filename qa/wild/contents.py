"""What the UPDATEs of a capture say, as tshark and as `lockstep decode` have it: prefixes, AS numbers of AS_PATHs, next hops."""
import collections
import ipaddress
import json
import subprocess

SECONDS = 120
AS4_PATH = "17"
# Families whose NLRI are prefixes for which tshark has fields.
PREFIXED = ("ipv4 unicast", "ipv4 multicast", "ipv4 nlri-mpls", "ipv4 mpls-vpn", "ipv6 unicast", "ipv6 multicast")
PREFIXES = [
    "bgp.nlri_prefix",
    "bgp.withdrawn_prefix",
    "bgp.mp_reach_nlri_ipv4_prefix",
    "bgp.mp_unreach_nlri_ipv4_prefix",
    "bgp.mp_nlri_tnl_id",
    "bgp.mp_reach_nlri_ipv6_prefix",
    "bgp.mp_unreach_nlri_ipv6_prefix",
]
NUMBERS = [
    "bgp.update.path_attribute.as_path_segment.as2",
    "bgp.update.path_attribute.as_path_segment.as4",
]
HOPS = ["bgp.update.path_attribute.next_hop", "bgp.update.path_attribute.mp_reach_nlri.next_hop"]
CODES = "bgp.update.path_attribute.type_code"


def known(fields):
    """Those of `fields` that this tshark has."""
    done = subprocess.run(["tshark", "-G", "fields"], capture_output=True, text=True)
    names = {line.split("\t")[2] for line in done.stdout.splitlines() if line.startswith("F\t")}
    return [field for field in fields if field in names]


FIELDS = {}


def fields():
    if not FIELDS:
        for name, list_of in (("prefixes", PREFIXES), ("numbers", NUMBERS), ("hops", HOPS)):
            FIELDS[name] = known(list_of)
    return FIELDS


def address(text):
    """An address as both write it."""
    try:
        return str(ipaddress.ip_address(text.split("/")[0]))
    except ValueError:
        return None


def hops(text):
    """The global address in the octets of a next hop of MP_REACH_NLRI, its distinguisher left out."""
    if ":" in text or "." in text:
        return [address(text)]
    octets = bytes.fromhex(text[2:]) if len(text) % 2 == 0 else b""
    # tshark gives the field with its length octet in front.
    if octets and octets[0] == len(octets) - 1:
        octets = octets[1:]
    if len(octets) in (12, 24, 48):
        octets = octets[8:]
    if len(octets) == 40:
        octets = octets[:16]
    size = 16 if len(octets) >= 16 else 4
    return [str(ipaddress.ip_address(octets[:size]))] if len(octets) >= size else []


def theirs(path, decode_as):
    """Three multisets; None for the AS numbers where AS4_PATH makes them ambiguous."""
    asked = fields()
    command = ["tshark", "-n", "-r", path, *decode_as, "-Y", "bgp.type == 2", "-T", "fields", "-e", CODES]
    for group in ("prefixes", "numbers", "hops"):
        for field in asked[group]:
            command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    prefixes, numbers, next_hops = (collections.Counter() for _ in range(3))
    merged = False
    for line in done.stdout.splitlines():
        cells = line.split("\t")
        merged |= AS4_PATH in cells[0].split(",")
        at = 1
        for group, counter in (("prefixes", prefixes), ("numbers", numbers), ("hops", next_hops)):
            for _ in asked[group]:
                cell = cells[at] if at < len(cells) else ""
                at += 1
                for value in filter(None, cell.split(",")):
                    if group == "prefixes":
                        counter[address(value)] += 1
                    elif group == "numbers":
                        counter[int(value)] += 1
                    else:
                        counter.update(hops(value))
    return prefixes, None if merged else numbers, next_hops


def ours(path, lockstep):
    """The same of `lockstep decode`; None where some message does not decode."""
    done = subprocess.run([lockstep, "decode", path], capture_output=True, text=True, timeout=SECONDS)
    if "could not be decoded" in done.stderr:
        return None
    prefixes, numbers, next_hops = (collections.Counter() for _ in range(3))
    other = False
    for line in done.stdout.splitlines():
        message = json.loads(line).get("neighbor", {}).get("message", {})
        update = message.get("update", {}) if isinstance(message, dict) else {}
        for segment in update.get("attribute", {}).get("as-path", {}).values():
            numbers.update(segment["value"])
        for family, by_hop in update.get("announce", {}).items():
            is_prefixed = family in PREFIXED
            other |= not is_prefixed
            for hop, routes in by_hop.items():
                # A link-local address stands beside the global one.
                if address(hop) and is_prefixed and not address(hop).startswith("fe80:"):
                    next_hops[address(hop)] += 1
                if is_prefixed:
                    prefixes.update(address(route["nlri"]) for route in routes)
        for family, routes in update.get("withdraw", {}).items():
            other |= family not in PREFIXED
            if family in PREFIXED:
                prefixes.update(address(route["nlri"]) for route in routes)
    return prefixes, numbers, next_hops, other


def differences(path, lockstep, decode_as):
    """In what of the three they differ; None where they cannot be compared."""
    right = ours(path, lockstep)
    if right is None:
        return None
    left = theirs(path, decode_as)
    found = []
    missing = set(left[0]) - set(right[0])
    if set(right[0]) - set(left[0]) or missing and not right[3]:
        found.append(f"NLRI ({sample(left[0], right[0])})")
    if left[1] is not None and left[1] != right[1]:
        found.append(f"AS_PATH ({sample(left[1], right[1])})")
    # An UPDATE without routes has a next hop that lockstep does not tell of.
    if not set(right[2]) <= set(left[2]):
        found.append(f"next hops ({sample(left[2], right[2])})")
    return found


def sample(left, right):
    missing = list((left - right).keys())[:3]
    extra = list((right - left).keys())[:3]
    return f"tshark alone {missing}, lockstep alone {extra}"
