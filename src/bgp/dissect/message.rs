//! Messages: the header, and the fields of each type.

use super::{Dissector, Node, attribute, capability};
use crate::bgp::attribute::WireContext;
use crate::bgp::family::Family;
use crate::bgp::iana::{Afi, MessageType, Safi};
use crate::bgp::message::notification::{Notification, NotificationCode, subcode_name};
use crate::bgp::message::operational::OperationalType;
use crate::bgp::message::{Header, RefreshSubtype};
use crate::bgp::wire::Reader;

/// Explains one message, its header included. Never fails: what cannot be understood is shown in hexadecimal, with why.
#[must_use]
pub fn message(context: &WireContext, bytes: &[u8]) -> Node {
    let kind = bytes.get(Header::SIZE - 1).copied().map(MessageType);
    let (id, name) = kind.map_or(("message", "message".to_owned()), title);
    let mut dissector = Dissector::new(Reader::new(bytes), id.to_owned(), "RFC 4271 4.1");
    dissector.group("header", "Header", Header::SIZE, "", header);
    match kind {
        Some(MessageType::OPEN) => open(&mut dissector),
        Some(MessageType::UPDATE) => update(context, &mut dissector),
        Some(MessageType::NOTIFICATION) => notification(&mut dissector),
        Some(MessageType::ROUTE_REFRESH) => route_refresh(&mut dissector),
        Some(MessageType::OPERATIONAL) => operational(&mut dissector),
        _ => dissector.rest("body", "Body"),
    }
    dissector.finish();
    Node {
        id: id.to_owned(),
        name,
        source: "",
        range: 0..bytes.len(),
        value: String::new(),
        children: dissector.nodes,
    }
}

fn title(kind: MessageType) -> (&'static str, String) {
    let (id, name) = match kind {
        MessageType::OPEN => ("open", "OPEN"),
        MessageType::UPDATE => ("update", "UPDATE"),
        MessageType::NOTIFICATION => ("notification", "NOTIFICATION"),
        MessageType::KEEPALIVE => ("keepalive", "KEEPALIVE"),
        MessageType::ROUTE_REFRESH => ("route-refresh", "ROUTE-REFRESH"),
        MessageType::OPERATIONAL => ("operational", "OPERATIONAL"),
        MessageType(code) => return ("unknown", format!("message of type {code}")),
    };
    (id, name.to_owned())
}

fn header(fields: &mut Dissector<'_>) {
    fields.field("marker", "Marker", 16, |bytes| {
        let right = bytes.iter().all(|byte| *byte == 0xff);
        if right { "all ones" } else { "not all ones" }.to_owned()
    });
    fields.u16("length", "Length");
    fields.u8_as("type", "Type", |kind| {
        format!("{kind} ({})", title(MessageType(kind)).1)
    });
}

fn open(fields: &mut Dissector<'_>) {
    fields.source("RFC 4271 4.2");
    fields.u8("version", "Version");
    fields.u16("my-as", "My Autonomous System");
    fields.u16_as("hold-time", "Hold Time", |seconds| format!("{seconds} s"));
    fields.ipv4("identifier", "BGP Identifier");
    let Some(length) = fields.u8("parameters-length", "Opt Parm Len") else {
        return;
    };
    let extended = length == 255 && fields.peek().first() == Some(&255);
    if !extended {
        return parameters(fields, usize::from(length), false);
    }
    fields.source("RFC 9072 2");
    fields.u8("extended-type", "Non-Ext OP Type");
    if let Some(length) = fields.u16("extended-length", "Extended Opt. Parm. Length") {
        parameters(fields, usize::from(length), true);
    }
}

fn parameters(fields: &mut Dissector<'_>, length: usize, extended: bool) {
    fields.group("parameters", "Optional Parameters", length, "", |fields| {
        let mut position = 0;
        while !fields.is_empty() {
            let octets = fields.peek();
            let (header, value) = match (octets, extended) {
                ([_, length, ..], false) => (2, usize::from(*length)),
                ([_, high, low, ..], true) => (3, usize::from(u16::from_be_bytes([*high, *low]))),
                _ => return,
            };
            let key = position.to_string();
            fields.group(&key, "Optional Parameter", header + value, "", |fields| {
                let kind = fields.u8_as("type", "Parm. Type", |kind| match kind {
                    2 => "2 (Capabilities)".to_owned(),
                    _ => kind.to_string(),
                });
                if extended {
                    fields.u16("length", "Parm. Length");
                } else {
                    fields.u8("length", "Parm. Length");
                }
                if kind == Some(2) {
                    capability::capabilities(fields);
                } else {
                    fields.rest("value", "Parm. Value");
                }
            });
            position += 1;
        }
    });
}

fn update(context: &WireContext, fields: &mut Dissector<'_>) {
    fields.source("RFC 4271 4.3");
    let add_path = context.add_path.contains(Family::IPV4_UNICAST);
    let Some(length) = fields.u16("withdrawn-length", "Withdrawn Routes Length") else {
        return;
    };
    if length > 0 {
        let length = usize::from(length);
        fields.group("withdrawn", "Withdrawn Routes", length, "", |fields| {
            attribute::nlri(Family::IPV4_UNICAST, add_path, fields);
        });
    }
    let Some(length) = fields.u16("attributes-length", "Total Path Attribute Length") else {
        return;
    };
    if length > 0 {
        let length = usize::from(length);
        fields.group("attributes", "Path Attributes", length, "", |fields| {
            attribute::attributes(context, fields);
        });
    }
    if !fields.is_empty() {
        let length = fields.remaining();
        let name = "Network Layer Reachability Information";
        fields.group("nlri", name, length, "", |fields| {
            attribute::nlri(Family::IPV4_UNICAST, add_path, fields);
        });
    }
}

fn notification(fields: &mut Dissector<'_>) {
    fields.source("RFC 4271 4.5");
    let Some(code) = fields.u8_as("code", "Error code", |code| {
        format!("{code} ({})", NotificationCode(code))
    }) else {
        return;
    };
    let code = NotificationCode(code);
    let Some(subcode) = fields.u8_as("subcode", "Error subcode", |subcode| {
        let name = subcode_name(code, subcode).unwrap_or("unknown");
        format!("{subcode} ({name})")
    }) else {
        return;
    };
    let data = fields.peek();
    let notification = Notification::new(code, subcode, data.to_vec());
    if let Some(text) = notification.communication() {
        fields.source("RFC 9003 2");
        fields.u8("communication-length", "Shutdown Communication Length");
        let length = usize::from(data[0]);
        fields.field("communication", "Shutdown Communication", length, |_| {
            text.into_owned()
        });
    }
    fields.rest("data", "Data");
}

fn route_refresh(fields: &mut Dissector<'_>) {
    fields.source("RFC 2918 3");
    afi(fields);
    fields.source("RFC 7313 3.2");
    fields.u8_as("subtype", "Message Subtype", |subtype| {
        format!("{subtype} ({})", RefreshSubtype(subtype))
    });
    fields.source("RFC 2918 3");
    safi(fields);
    fields.source("RFC 5291 4");
    fields.rest("orf", "ORF entries");
}

fn operational(fields: &mut Dissector<'_>) {
    fields.source("draft-ietf-idr-operational-message");
    let kind = fields.u16_as("type", "Type", |kind| {
        format!("{kind} ({})", OperationalType(kind))
    });
    fields.u16("length", "Length");
    let Some(kind) = kind.map(OperationalType) else {
        return;
    };
    let (query, counter) = match kind {
        OperationalType::ADM | OperationalType::ASM => (false, false),
        OperationalType::RPCQ | OperationalType::APCQ | OperationalType::LPCQ => (true, false),
        OperationalType::RPCP | OperationalType::APCP | OperationalType::LPCP => (true, true),
        _ => return fields.rest("value", "Value"),
    };
    afi(fields);
    safi(fields);
    if !query {
        let length = fields.remaining();
        fields.field("text", "Advisory", length, |bytes| {
            String::from_utf8_lossy(bytes).into_owned()
        });
        return;
    }
    fields.ipv4("router-id", "Router ID");
    fields.u32("sequence", "Sequence");
    if counter {
        fields.u32("counter", "Counter");
    }
}

/// An AFI field.
pub(super) fn afi(fields: &mut Dissector<'_>) -> Option<Afi> {
    fields
        .u16_as("afi", "Address Family Identifier", |afi| {
            format!("{afi} ({})", Afi(afi))
        })
        .map(Afi)
}

/// A SAFI field.
pub(super) fn safi(fields: &mut Dissector<'_>) -> Option<Safi> {
    let name = "Subsequent Address Family Identifier";
    fields
        .u8_as("safi", name, |safi| format!("{safi} ({})", Safi(safi)))
        .map(Safi)
}
