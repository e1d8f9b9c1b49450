//! EVPN (RFC 7432 section 7, RFC 9136 section 3, RFC 9251 section 9).
//!
//! ```text
//!  +-----------------------------------+
//!  |    Route type (1 octet)           |
//!  +-----------------------------------+
//!  |     Length (1 octet)              |
//!  +-----------------------------------+
//!  | Route type specific (variable)    |
//!  +-----------------------------------+
//! ```
//!
//! ExaBGP reads types 1 to 5; the others are octets to it, in text and JSON.

mod route;

use std::fmt::Write as _;

use super::qualifier::{Labels, address};
use super::{Around, NlriFamily, parse_octets};
use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::bgp::family::Family;
use crate::bgp::hex;
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Prefix as LengthPrefix, Reader, Writer, length_prefixed};
pub use route::{Membership, Route};

/// An EVPN route: its octets, so that unknown types go on unchanged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Evpn {
    /// The route type.
    pub kind: u8,
    /// What follows the length.
    pub value: Vec<u8>,
}

impl Evpn {
    /// What the octets say; `None` for a type that no RFC read here has.
    ///
    /// # Errors
    /// Where the octets are not of their type's form.
    pub fn route(&self) -> Result<Option<Route>, DecodeError> {
        Route::decode(self.kind, Reader::new(&self.value))
    }

    /// The route as ExaBGP reads it.
    fn shown(&self) -> Option<Route> {
        let read = (1..=5).contains(&self.kind);
        self.route().ok().flatten().filter(|_| read)
    }
}

impl NlriFamily for Evpn {
    fn decode(_: Family, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let kind = reader.u8()?;
        let length = usize::from(reader.u8()?);
        let value = reader.sub(length)?;
        match Route::decode(kind, value) {
            Ok(_) => {}
            // What ExaBGP keeps as octets need not be of its type's form.
            Err(_) if !(1..=5).contains(&kind) => {}
            Err(mut error) => {
                if error.kind == DecodeErrorKind::Truncated {
                    error.kind = DecodeErrorKind::Length;
                }
                return Err(error);
            }
        }
        Ok(Self {
            kind,
            value: value.peek().to_vec(),
        })
    }

    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        out.push(self.kind);
        length_prefixed(out, "EVPN route length", LengthPrefix::U8, |out| {
            out.extend_from_slice(&self.value);
            Ok(())
        })
    }

    /// ExaBGP has no words for EVPN routes: this reads their octets in hexadecimal.
    fn parse(family: Family, words: &mut Words<'_>) -> Result<Self, TextError> {
        parse_octets(family, words)
    }
    fn dissect(_: Family, fields: &mut Dissector<'_>) {
        let name = |kind: u8| match kind {
            1 => "Ethernet Auto-Discovery route",
            2 => "MAC/IP Advertisement route",
            3 => "Inclusive Multicast Ethernet Tag route",
            4 => "Ethernet Segment route",
            5 => "IP Prefix route",
            6 => "Selective Multicast Ethernet Tag route",
            7 => "Multicast Membership Report Synch route",
            8 => "Multicast Leave Synch route",
            _ => "unknown",
        };
        let walk = |fields: &mut Dissector<'_>| {
            let kind = fields.u8_as("type", "Route Type", |kind| {
                format!("{kind} ({})", name(kind))
            })?;
            let length = fields.u8("length", "Length")?;
            fields.group("route", name(kind), usize::from(length), "", |fields| {
                route::fields(kind, fields);
            });
            Some(())
        };
        walk(fields);
    }

    fn text(&self, _: &Around, out: &mut String) {
        let Some(route) = self.shown() else {
            let _ = write!(out, "evpn:unknown:0x{}", hex::lower(&self.value));
            return;
        };
        let label = |labels: &Labels| {
            let mut text = String::new();
            labels.raw_text(&mut text);
            text
        };
        let _ = match &route {
            Route::EthernetAutoDiscovery {
                rd,
                esi,
                tag,
                labels,
            } => {
                write!(
                    out,
                    "evpn:ethernetad::{rd}:{esi}:{}:{}",
                    tag.0,
                    label(labels)
                )
            }
            Route::MacIp {
                rd,
                esi,
                tag,
                mac,
                ip,
                labels,
            } => {
                let ip = ip.map_or_else(String::new, |ip| address(ip).to_string());
                let label = label(labels);
                write!(
                    out,
                    "evpn:macadv::{rd}:{esi}:{}:{mac}/48:{ip}:{label}",
                    tag.0
                )
            }
            Route::InclusiveMulticast {
                rd,
                tag,
                originator,
            } => {
                write!(
                    out,
                    "evpn:multicast::{rd}:{}:{}",
                    tag.0,
                    address(*originator)
                )
            }
            Route::EthernetSegment {
                rd,
                esi,
                originator,
            } => {
                write!(out, "evpn:segment::{rd}:{esi}:{}", address(*originator))
            }
            Route::IpPrefix {
                rd,
                esi,
                tag,
                prefix,
                gateway,
                labels,
            } => {
                let (prefix, gateway) = (prefix.to_string(), address(*gateway));
                let label = label(labels);
                write!(
                    out,
                    "evpn:prfxadv::{rd}:{esi}:{}:{prefix}:{gateway}:{label}",
                    tag.0
                )
            }
            Route::Multicast(_) => Ok(()),
        };
    }

    fn json(&self, _: &Around, out: &mut String) {
        let mut raw = Vec::new();
        // The value came from a field of one octet, or is refused when it is sent.
        let _ = self.encode(&mut raw);
        let raw = hex::upper(&raw);
        let kind = self.kind;
        let Some(route) = self.shown() else {
            let _ = write!(
                out,
                "{{ \"code\": {kind}, \"parsed\": false, \"raw\": \"{raw}\" }}"
            );
            return;
        };
        let name = match kind {
            1 => "Ethernet Auto-Discovery",
            2 => "MAC/IP advertisement",
            3 => "Inclusive Multicast Ethernet Tag",
            4 => "Ethernet Segment",
            _ => "IP Prefix Advertisement",
        };
        let _ = write!(
            out,
            "{{ \"code\": {kind}, \"parsed\": true, \"raw\": \"{raw}\", \"name\": \"{name}\", \"rd\": \"{}\"",
            route.rd()
        );
        if let Some(esi) = route.segment() {
            let _ = write!(out, ", \"esi\": \"{esi}\"");
        }
        if let Some(tag) = route.tag() {
            let _ = write!(out, ", \"ethernet-tag\": {}", tag.0);
        }
        if let Route::MacIp { mac, .. } = &route {
            let _ = write!(out, ", \"mac\": \"{mac}\"");
        }
        if let Some(labels) = route.labels().filter(|labels| !labels.is_empty()) {
            out.push_str(", ");
            labels.json(true, out);
        }
        match &route {
            Route::MacIp { ip: Some(ip), .. }
            | Route::InclusiveMulticast { originator: ip, .. }
            | Route::EthernetSegment { originator: ip, .. } => {
                let _ = write!(out, ", \"ip\": \"{}\"", address(*ip));
            }
            Route::IpPrefix {
                prefix, gateway, ..
            } => {
                let _ = write!(
                    out,
                    ", \"ip\": \"{}\", \"iplen\": {}, \"gateway\": \"{}\"",
                    address(prefix.address),
                    prefix.length,
                    address(*gateway)
                );
            }
            _ => {}
        }
        out.push_str(" }");
    }
}

#[cfg(test)]
mod tests;
