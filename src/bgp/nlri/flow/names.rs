//! Names that people write for the numbers in flow components, from their IANA registries.

use std::fmt::Write as _;

/// A registry of names: (number, name), the first of a number is the one that is printed.
pub(super) type Names = &'static [(u64, &'static str)];

/// Protocol Numbers.
pub(super) const PROTOCOL: Names = &[
    (1, "icmp"),
    (2, "igmp"),
    (6, "tcp"),
    (8, "egp"),
    (17, "udp"),
    (46, "rsvp"),
    (47, "gre"),
    (50, "esp"),
    (51, "ah"),
    (89, "ospf"),
    (94, "ipip"),
    (103, "pim"),
    (132, "sctp"),
];

/// ICMP Type Numbers.
pub(super) const ICMP_TYPE: Names = &[
    (0, "echo-reply"),
    (3, "unreachable"),
    (5, "redirect"),
    (8, "echo-request"),
    (9, "router-advertisement"),
    (10, "router-solicit"),
    (11, "time-exceeded"),
    (12, "parameter-problem"),
    (13, "timestamp"),
    (14, "timestamp-reply"),
    (40, "photuris"),
    (41, "experimental-mobility"),
    (42, "extended-echo-request"),
    (43, "extended-echo-reply"),
    (253, "experimental-one"),
    (254, "experimental-two"),
];

/// ICMP codes of types 3, 5, 11 and 12. They are read but never printed, since a code means something else with each type.
pub(super) const ICMP_CODE: Names = &[
    (0, "network-unreachable"),
    (1, "host-unreachable"),
    (2, "protocol-unreachable"),
    (3, "port-unreachable"),
    (4, "fragmentation-needed"),
    (5, "source-route-failed"),
    (6, "destination-network-unknown"),
    (7, "destination-host-unknown"),
    (8, "source-host-isolated"),
    (9, "destination-network-prohibited"),
    (10, "destination-host-prohibited"),
    (11, "network-unreachable-for-tos"),
    (12, "host-unreachable-for-tos"),
    (13, "communication-prohibited-by-filtering"),
    (14, "host-precedence-violation"),
    (15, "precedence-cutoff-in-effect"),
    (0, "redirect-for-network"),
    (1, "redirect-for-host"),
    (2, "redirect-for-tos-and-net"),
    (3, "redirect-for-tos-and-host"),
    (0, "ttl-eq-zero-during-transit"),
    (1, "ttl-eq-zero-during-reassembly"),
    (1, "required-option-missing"),
    (2, "ip-header-bad"),
];

/// TCP header flags.
pub(super) const TCP_FLAGS: Names = &[
    (0x01, "fin"),
    (0x02, "syn"),
    (0x04, "rst"),
    (0x08, "push"),
    (0x10, "ack"),
    (0x20, "urg"),
    (0x40, "ece"),
    (0x80, "cwr"),
    (0x100, "ns"),
    (0x20, "urgent"),
];

/// Fragment bits (RFC 8955 section 4.2.2.12).
pub(super) const FRAGMENT: Names = &[
    (0x01, "dont-fragment"),
    (0x02, "is-fragment"),
    (0x04, "first-fragment"),
    (0x08, "last-fragment"),
];

/// Service Name and Transport Protocol Port Number Registry: a line for each port, in order.
const PORTS: &str = include_str!("ports.txt");

fn ports() -> impl DoubleEndedIterator<Item = (u64, &'static str)> {
    PORTS.lines().filter_map(|line| {
        let (number, name) = line.split_once(' ')?;
        Some((number.parse().ok()?, name))
    })
}

/// The name of a port.
pub(super) fn port_name(number: u64) -> Option<&'static str> {
    ports().find(|port| port.0 == number).map(|port| port.1)
}

fn port_number(name: &str) -> Option<u64> {
    // Of several ports with one name (echo is 4 and 7), ExaBGP takes the last.
    ports().rfind(|port| port.1 == name).map(|port| port.0)
}

/// The name of `number` in `names`.
pub(super) fn name(names: Names, number: u64) -> Option<&'static str> {
    names
        .iter()
        .find(|known| known.0 == number)
        .map(|known| known.1)
}

/// Where names are looked up.
#[derive(Clone, Copy)]
pub(super) enum Registry {
    /// One of the tables above.
    Table(Names),
    /// Port numbers, which have names such as `http`.
    Ports,
    /// Numbers have no names.
    Decimal,
}

/// Reads names and numbers joined by `+`, as ExaBGP does: `syn+ack`, `0x12`, `80`.
pub(super) fn value(registry: Registry, text: &str) -> Option<u64> {
    if matches!(registry, Registry::Decimal) {
        return decimal(text);
    }
    text.split('+').try_fold(0_u64, |sum, part| {
        let number = match decimal(part) {
            Some(number) => number,
            None => match part.strip_prefix("0x").or_else(|| part.strip_prefix("0X")) {
                Some(digits) => u64::from_str_radix(digits, 16).ok()?,
                None => {
                    let name = part.to_ascii_lowercase().replace('_', "-");
                    match registry {
                        Registry::Table(names) => names.iter().find(|known| known.1 == name)?.0,
                        _ => port_number(&name)?,
                    }
                }
            },
        };
        sum.checked_add(number)
    })
}

fn decimal(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// Appends the names of the bits of `value` joined by `+`; bits without a name give `unknown WHAT type N`.
pub(super) fn bits(names: Names, what: &str, value: u64, out: &mut String) {
    let mut left = value;
    let mut first = true;
    let mut part = |out: &mut String, text: &str| {
        if !std::mem::take(&mut first) {
            out.push('+');
        }
        out.push_str(text);
    };
    for &(bit, name) in names {
        if left & bit != 0 {
            part(out, name);
            left -= bit;
        }
    }
    if left != 0 {
        part(out, "unknown ");
        let _ = write!(out, "{what} type {value}");
    }
}
