//! One message: each field that its dissection names, by what it holds. A field that nobody knows is scrambled.

use super::key::Key;
use crate::bgp::attribute::WireContext;
use crate::bgp::dissect::{self, Node};
use crate::bgp::iana::MessageType;

/// Octets of a header.
const HEADER: usize = 19;
/// AFI of IPv6.
const IPV6: [u8; 2] = [0, 2];
/// The NOTIFICATION code of errors in an UPDATE.
const UPDATE_ERROR: u8 = 3;

/// Fields that hold neither addresses nor AS numbers nor names, by the last part of their dotted name.
const PLAIN: &[&str] = &[
    "afi",
    "architecture",
    "base",
    "code",
    "color",
    "distinguisher",
    "ethernet-tag",
    "extended-type",
    "flags",
    "hold-time",
    "label",
    "labels",
    "limit",
    "marker",
    "metric",
    "next-hop-afi",
    "offset",
    "parameters",
    "path-identifier",
    "protocol",
    "qfi",
    "reserved",
    "restart",
    "role",
    "safi",
    "send-receive",
    "size",
    "stale-time",
    "subcode",
    "subtype",
    "teid",
    "type",
    "ve-id",
    "counter",
    "sequence",
];
/// Attributes whose value is a number or a word of the protocol.
const PLAIN_VALUES: &[&str] = &[
    "origin",
    "local-pref",
    "multi-exit-disc",
    "atomic-aggregate",
];
/// Fields that hold an address.
const ADDRESSES: &[&str] = &[
    "address",
    "endpoint",
    "gateway",
    "group",
    "identifier",
    "ip",
    "next-hop",
    "originator",
    "router-id",
    "source",
    "speaker",
];

/// Rewrites `message`, which may be cut short, in place.
pub fn rewrite(key: &Key, context: &WireContext, message: &mut [u8]) {
    let tree = dissect::message(context, message);
    let original = message.to_vec();
    let mut walk = Walk {
        key,
        context,
        original: &original,
        afi: [0, 1],
        length: 0,
        code: 0,
    };
    for leaf in tree.leaves() {
        if let Some(octets) = message.get_mut(leaf.range.clone()) {
            walk.leaf(leaf, octets);
        }
    }
}

struct Walk<'a> {
    key: &'a Key,
    context: &'a WireContext,
    original: &'a [u8],
    /// The address family that the fields are of.
    afi: [u8; 2],
    /// The last length field of one octet.
    length: u8,
    /// The last type field.
    code: u16,
}

impl Walk<'_> {
    fn leaf(&mut self, leaf: &Node, octets: &mut [u8]) {
        let mut parts = leaf.id.rsplit('.');
        let mut next = || parts.next().unwrap_or_default();
        let (last, before, first) = (plain(next()), plain(next()), plain(next()));
        let root = leaf.id.split('.').nth(1).unwrap_or_default();
        let attribute = leaf.id.split('.').nth(2).map(plain).unwrap_or_default();
        if matches!(root, "withdrawn" | "nlri") {
            self.afi = [0, 1];
        }
        match (last, &*octets) {
            ("afi", [high, low]) => self.afi = [*high, *low],
            ("type" | "code", [code]) => self.code = u16::from(*code),
            ("type" | "code", [high, low]) => self.code = u16::from_be_bytes([*high, *low]),
            (last, [length]) if last.ends_with("length") => self.length = *length,
            _ => {}
        }
        let key = self.key;
        match last {
            "version" if before != "software-version" => {}
            last if PLAIN.contains(&last) || last.ends_with("length") => {}
            "my-as" | "as" | "source-as" => key.as_number(octets),
            "value" if PLAIN_VALUES.contains(&before) => {}
            "value" if matches!(before, "next-hop" | "originator-id") => key.addresses(octets),
            "value" if matches!(before, "multi-session" | "cisco-multi-sesion") => {}
            "value" if first == "prefix-sid" => key.prefix_sid(self.code as u8, octets),
            "value" if before.starts_with("tlv") && attribute.starts_with("mp-") => {
                key.descriptor(self.code, octets);
            }
            "value" if before.starts_with("tlv") => key.link_state(self.code, octets),
            "value"
                if attribute.starts_with("bgpsec")
                    || attribute == "attribute" && self.code == 33 =>
            {
                key.secure_path(octets);
            }
            // `identifier` of a BGP-LS NLRI is eight octets of the protocol's instance.
            "identifier" if octets.len() == 8 => {}
            last if ADDRESSES.contains(&last) && before != "filter" => key.addresses(octets),
            "destination" | "source" => key.flow_prefix(octets, self.afi == IPV6),
            _ if before == "filter" && last != "rd" => {}
            "prefix" => self.prefix(before, octets),
            "rd" => key.distinguisher(octets),
            "global" => key.as_number(octets),
            "local" => key.large_part(octets),
            "community" => key.extended_community(octets),
            "target" => key.extended_community(octets),
            "tunnel" => key.addresses(octets),
            "origin" if octets.len() == 4 => key.as_number(octets),
            "sub-tlv" => key.tunnel(octets),
            "host" | "domain" | "version" | "communication" | "text" => key.text(octets),
            "data" if root == "data" => self.data(octets),
            "esi" | "mac" => {
                if let [_, rest @ ..] = octets {
                    key.scramble(rest);
                }
            }
            _ if before == "communities" => key.community(octets),
            _ if before == "cluster-list" => key.addresses(octets),
            _ if before == "as" => key.as_number(octets),
            _ => key.scramble(octets),
        }
    }

    /// A prefix behind its length, labels and route distinguisher counted in that or not.
    fn prefix(&self, before: &str, octets: &mut [u8]) {
        let is_ipv6 = match before {
            "route" if octets.len() > 4 => true,
            _ => self.afi == IPV6,
        };
        let all = 8 * octets.len();
        let length = match before {
            "route" => usize::from(self.length).min(all),
            // Octets of labels and distinguisher are whole.
            _ => all.saturating_sub(usize::from(self.length).wrapping_neg() % 8),
        };
        // Bits behind the length are none of the prefix, but may be of an address.
        let (used, behind) = (length, length.div_ceil(8));
        if octets[behind..].iter().any(|octet| *octet != 0) {
            return self.key.prefix(octets, all, is_ipv6);
        }
        self.key.prefix(octets, used, is_ipv6);
    }

    /// The data of a NOTIFICATION.
    fn data(&self, octets: &mut [u8]) {
        let [code, subcode] = [HEADER, HEADER + 1].map(|at| self.original.get(at).copied());
        match (code.unwrap_or_default(), subcode.unwrap_or_default()) {
            // Lengths, types, versions, the limit of maximum prefixes.
            (1 | 5, _) | (2, 1) if octets.len() <= 2 => {}
            (6, 1) if octets.len() == 7 => {}
            // The attribute that is wrong.
            (UPDATE_ERROR, _) => {
                let Ok(length) = u16::try_from(octets.len()) else {
                    return self.key.scramble(octets);
                };
                let mut update = vec![0xff; 16];
                update.extend((23 + length).to_be_bytes());
                update.extend([MessageType::UPDATE.0, 0, 0]);
                update.extend(length.to_be_bytes());
                update.extend_from_slice(octets);
                rewrite(self.key, self.context, &mut update);
                octets.copy_from_slice(&update[23..]);
            }
            _ if octets.iter().all(|octet| matches!(octet, b' '..=b'~')) => self.key.text(octets),
            _ => self.key.scramble(octets),
        }
    }
}

/// A part of a dotted name without the number that tells it from others.
fn plain(part: &str) -> &str {
    part.trim_end_matches(|c: char| c.is_ascii_digit())
        .trim_end_matches('-')
}
