//! One harness for every fuzz target: a name says what the octets are, and what decodes has to be reproduced.
//!
//! Names: `message_TYPE`, `attribute_CODE`, `capability_CODE`, `family_AFI_SAFI`, the parsers by their words, and `all`,
//! whose first two octets choose one of the others.
//! The first octet of the others says how the session writes: 1 four-octet AS numbers, 2 path identifiers, 4 extended messages.
//! Of `pcap` it chooses the magic number, of `pcapng` the byte order.

mod captures;
mod texts;
mod wire;

use lockstep::bgp::attribute::{WireContext, rules};
use lockstep::bgp::capability;
use lockstep::bgp::family::{Families, Family};
use lockstep::bgp::iana::{Afi, Safi};
use lockstep::bgp::nlri::KNOWN_FAMILIES;

pub use wire::{framed, message};

/// What is not of one message, attribute, capability or family.
const PARSERS: &[&str] = &[
    "stream",
    "capture",
    "pcap",
    "pcapng",
    "packets",
    "configuration",
    "environment",
    "command",
    "scenario",
    "plan",
    "manifest",
];

/// Every target but `all`. Of attributes, capabilities and families there is also one that nobody knows.
pub fn targets() -> Vec<String> {
    let messages = (1..=6u8).chain([255]).map(|kind| format!("message_{kind}"));
    let attributes = (0..=255u8)
        .filter(|code| rules(*code).is_some())
        .chain([153])
        .map(|code| format!("attribute_{code}"));
    let capabilities = (0..=255u8)
        .filter(|code| capability::is_known(*code))
        .chain([254])
        .map(|code| format!("capability_{code}"));
    let families = KNOWN_FAMILIES
        .iter()
        .copied()
        .chain([Family::new(Afi(99), Safi(99))])
        .map(|family| format!("family_{}_{}", family.afi.0, family.safi.0));
    messages
        .chain(attributes)
        .chain(capabilities)
        .chain(families)
        .chain(PARSERS.iter().map(|name| (*name).to_owned()))
        .collect()
}

/// Hands `data` to the target of that name; panics where something is wrong.
pub fn run(target: &str, data: &[u8]) {
    let Some((&first, octets)) = data.split_first() else {
        return;
    };
    let context = WireContext {
        four_octet_as: first & 1 != 0,
        add_path: if first & 2 == 0 {
            Families::new()
        } else {
            KNOWN_FAMILIES.iter().copied().collect()
        },
        extended_message: first & 4 != 0,
        bgpsec: false,
    };
    let text = || String::from_utf8_lossy(octets);
    let mut parts = target.split('_');
    let kind = parts.next().unwrap_or_default();
    let codes: Vec<u16> = parts.filter_map(|part| part.parse().ok()).collect();
    match (kind, codes.as_slice()) {
        ("all", []) => {
            let targets = targets();
            let Some((&second, rest)) = octets.split_first() else {
                return;
            };
            let chosen = usize::from(u16::from_be_bytes([first, second])) % targets.len();
            run(&targets[chosen], rest);
        }
        ("message", [kind]) => message(&context, &framed(*kind as u8, octets)),
        ("attribute", [code]) => wire::attribute(&context, *code as u8, octets),
        ("capability", [code]) => wire::capability(*code as u8, octets),
        ("family", [afi, safi]) => {
            wire::family(&context, Family::new(Afi(*afi), Safi(*safi as u8)), octets);
        }
        ("stream", []) => wire::stream(&context, octets),
        ("capture", []) => captures::file(octets),
        ("pcap", []) => captures::pcap(first, octets),
        ("pcapng", []) => captures::pcapng(first, octets),
        ("packets", []) => captures::packets(octets),
        ("configuration", []) => texts::configuration(&text()),
        ("environment", []) => texts::environment(&text()),
        ("command", []) => texts::commands(&context, &text()),
        ("scenario", []) => texts::scenario(&text()),
        ("plan", []) => texts::plan(&text()),
        ("manifest", []) => texts::manifest(&text()),
        _ => panic!("there is no fuzz target {target}"),
    }
}
