//! Capabilities.

use super::Dissector;
use super::message::{afi, safi};
use crate::bgp::capability::add_path::SendReceive;
use crate::bgp::capability::role::RoleValue;
use crate::bgp::capability::title;

/// The capabilities of one optional parameter.
pub(super) fn capabilities(fields: &mut Dissector<'_>) {
    while let [code, length, ..] = *fields.peek() {
        let name = title(code);
        let length = usize::from(length) + 2;
        fields.group(&name, "Capability", length, name.as_str(), |fields| {
            fields.source("RFC 5492 4");
            fields.u8("code", "Capability Code");
            fields.u8("length", "Capability Length");
            fields.source(source(code));
            value(code, fields);
            fields.rest("value", "Capability Value");
        });
    }
}

fn value(code: u8, fields: &mut Dissector<'_>) {
    match code {
        0x01 => {
            afi(fields);
            fields.u8("reserved", "Reserved");
            safi(fields);
        }
        0x05 => entries(fields, 6, |fields| {
            afi(fields);
            fields.u8("reserved", "Reserved");
            safi(fields);
            let name = "Nexthop AFI";
            fields.u16_as("next-hop-afi", name, |afi| {
                crate::bgp::iana::Afi(afi).to_string()
            });
        }),
        0x09 => {
            fields.u8_as("role", "Role", |role| {
                format!("{role} ({})", RoleValue(role))
            });
        }
        0x40 => {
            fields.u16_as("restart", "Restart Flags, Restart Time", |restart| {
                format!("0x{:x}, {} s", restart >> 12, restart & 0x0fff)
            });
            entries(fields, 4, |fields| {
                afi(fields);
                safi(fields);
                fields.u8_as("flags", "Flags for Address Family", |flags| {
                    format!("0x{flags:02x}")
                });
            });
        }
        0x41 => {
            fields.u32("as", "AS number");
        }
        0x45 => entries(fields, 4, |fields| {
            afi(fields);
            safi(fields);
            fields.u8_as("send-receive", "Send/Receive", |way| {
                format!("{way} ({})", SendReceive(way))
            });
        }),
        0x47 => entries(fields, 7, |fields| {
            afi(fields);
            safi(fields);
            fields.u8_as("flags", "Flags for Address Family", |flags| {
                format!("0x{flags:02x}")
            });
            fields.u24("stale-time", "Long-lived Stale Time");
        }),
        0x49 => {
            text(fields, "host", "Hostname");
            text(fields, "domain", "Domain Name");
        }
        0x4b => text(fields, "version", "Software Version"),
        0x4c => entries(fields, 5, |fields| {
            afi(fields);
            safi(fields);
            fields.u16("limit", "Paths Limit");
        }),
        _ => {}
    }
}

fn entries(fields: &mut Dissector<'_>, length: usize, walk: impl Fn(&mut Dissector<'_>)) {
    let mut position = 0;
    while fields.remaining() >= length {
        fields.group(&position.to_string(), "Entry", length, "", &walk);
        position += 1;
    }
}

fn text(fields: &mut Dissector<'_>, key: &str, name: &str) {
    if fields.is_empty() {
        return;
    }
    let length_name = format!("{name} Length");
    if let Some(length) = fields.u8(&format!("{key}-length"), &length_name) {
        fields.field(key, name, usize::from(length), |bytes| {
            String::from_utf8_lossy(bytes).into_owned()
        });
    }
}

const fn source(code: u8) -> &'static str {
    match code {
        0x01 => "RFC 4760 8",
        0x02 => "RFC 2918 2",
        0x03 => "RFC 5291 5",
        0x05 => "RFC 8950 4",
        0x06 => "RFC 8654 3",
        0x09 => "RFC 9234 4.1",
        0x40 => "RFC 4724 3",
        0x41 => "RFC 6793 3",
        0x44 => "draft-ietf-idr-bgp-multisession 4",
        0x45 => "RFC 7911 4",
        0x46 => "RFC 7313 3.1",
        0x47 => "RFC 9494 3.1",
        0x49 => "draft-walton-bgp-hostname-capability",
        0x4b => "draft-abraitis-bgp-version-capability",
        0x4c => "draft-abraitis-idr-addpath-paths-limit",
        0x4d => "draft-ietf-idr-linklocal-capability",
        _ => "",
    }
}
