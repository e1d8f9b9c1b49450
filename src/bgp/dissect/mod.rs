//! Octets explained: a tree of named spans that covers every octet, whatever is wrong with them.
//!
//! Start at [`message`]. Each file of a family or attribute may say more of its own octets (`dissect` in
//! [`super::nlri::NlriFamily`] and [`super::attribute::PathAttribute`]); what it does not say is one span with its text.

mod attribute;
mod capability;
mod message;
mod node;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::error::DecodeError;
use super::hex;
use super::text::plain;
use super::wire::Reader;
pub use message::message;
pub use node::Node;

pub(in crate::bgp) use attribute::segments;

/// Walks octets and makes a [`Node`] of each field; a field that is cut short takes what is left and ends the walk.
#[derive(Debug)]
pub struct Dissector<'a> {
    reader: Reader<'a>,
    id: String,
    source: &'static str,
    nodes: Vec<Node>,
    keys: BTreeMap<String, u32>,
}

impl<'a> Dissector<'a> {
    /// A walk of what `reader` holds, under the dotted id `id`; `source` is the RFC and section of its fields.
    #[must_use]
    pub const fn new(reader: Reader<'a>, id: String, source: &'static str) -> Self {
        Self {
            reader,
            id,
            source,
            nodes: Vec::new(),
            keys: BTreeMap::new(),
        }
    }

    /// Sets the RFC and section of the fields that follow.
    pub const fn source(&mut self, source: &'static str) {
        self.source = source;
    }

    /// Octets left.
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.reader.remaining()
    }

    /// Whether nothing is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.reader.is_empty()
    }

    /// What is left, without walking on.
    #[must_use]
    pub const fn peek(&self) -> &'a [u8] {
        self.reader.peek()
    }

    /// A reader of what is left, to decode it beside the walk.
    #[must_use]
    pub const fn reader(&self) -> Reader<'a> {
        self.reader
    }

    /// A field of `length` octets, of which `show` makes the text. `key` is its part of the dotted id, `name` its name in the RFC.
    /// `None` where it is cut short: the octets that there are have become a node.
    pub fn field(
        &mut self,
        key: &str,
        name: &str,
        length: usize,
        show: impl FnOnce(&[u8]) -> String,
    ) -> Option<&'a [u8]> {
        let offset = self.reader.offset();
        if length > self.reader.remaining() {
            let rest = self.reader.rest();
            let value = format!("cut short: {length} octet(s) needed, {} there", rest.len());
            self.leaf(key, name, offset..offset + rest.len(), value);
            return None;
        }
        let bytes = self.reader.bytes(length).ok()?;
        self.leaf(key, name, offset..offset + length, show(bytes));
        Some(bytes)
    }

    fn leaf(&mut self, key: &str, name: &str, range: std::ops::Range<usize>, value: String) {
        let id = self.child_id(key);
        let node = Node {
            id,
            name: name.to_owned(),
            source: self.source,
            range,
            value: one_line(value),
            children: Vec::new(),
        };
        self.nodes.push(node);
    }

    /// The dotted id of a child; a key that comes again gets a number. Keys with a position in them are distinct already.
    fn child_id(&mut self, key: &str) -> String {
        let id = format!("{}.{key}", self.id);
        if key.starts_with(|first: char| first.is_ascii_digit()) || key.contains('.') {
            return id;
        }
        let count = self.keys.entry(key.to_owned()).or_insert(0u32);
        *count += 1;
        if *count == 1 {
            id
        } else {
            format!("{id}-{count}")
        }
    }

    /// A field that has fields of its own, `length` octets in all (or what there is, if that is less). What `walk` leaves is shown in hexadecimal.
    pub fn group(
        &mut self,
        key: &str,
        name: &str,
        length: usize,
        value: impl Into<String>,
        walk: impl FnOnce(&mut Dissector<'a>),
    ) {
        let offset = self.reader.offset();
        let there = length.min(self.reader.remaining());
        let Ok(inside) = self.reader.sub(there) else {
            return;
        };
        let mut value = value.into();
        if there < length {
            value = format!("cut short: {length} octet(s) needed, {there} there");
        }
        let id = self.child_id(key);
        let mut dissector = Dissector::new(inside, id.clone(), self.source);
        walk(&mut dissector);
        dissector.finish();
        self.nodes.push(Node {
            id,
            name: name.to_owned(),
            source: dissector.source,
            range: offset..offset + there,
            value: one_line(value),
            children: dissector.nodes,
        });
    }

    /// What is left, in hexadecimal, as one field; nothing if nothing is.
    pub fn rest(&mut self, key: &str, name: &str) {
        let length = self.remaining();
        if length > 0 {
            self.field(key, name, length, hexadecimal);
        }
    }

    /// An octet, shown as a number.
    pub fn u8(&mut self, key: &str, name: &str) -> Option<u8> {
        self.u8_as(key, name, |value| value.to_string())
    }

    /// An octet, of which `show` makes the text.
    pub fn u8_as(&mut self, key: &str, name: &str, show: impl FnOnce(u8) -> String) -> Option<u8> {
        let bytes = self.field(key, name, 1, |bytes| show(bytes[0]))?;
        Some(bytes[0])
    }

    /// Two octets, shown as a number.
    pub fn u16(&mut self, key: &str, name: &str) -> Option<u16> {
        self.u16_as(key, name, |value| value.to_string())
    }

    /// Two octets, of which `show` makes the text.
    pub fn u16_as(
        &mut self,
        key: &str,
        name: &str,
        show: impl FnOnce(u16) -> String,
    ) -> Option<u16> {
        let value = |bytes: &[u8]| u16::from_be_bytes([bytes[0], bytes[1]]);
        let bytes = self.field(key, name, 2, |bytes| show(value(bytes)))?;
        Some(value(bytes))
    }

    /// Three octets, shown as a number.
    pub fn u24(&mut self, key: &str, name: &str) -> Option<u32> {
        let value = |bytes: &[u8]| u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]);
        let bytes = self.field(key, name, 3, |bytes| value(bytes).to_string())?;
        Some(value(bytes))
    }

    /// Four octets, shown as a number.
    pub fn u32(&mut self, key: &str, name: &str) -> Option<u32> {
        self.u32_as(key, name, |value| value.to_string())
    }

    /// Four octets, of which `show` makes the text.
    pub fn u32_as(
        &mut self,
        key: &str,
        name: &str,
        show: impl FnOnce(u32) -> String,
    ) -> Option<u32> {
        let value = |bytes: &[u8]| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let bytes = self.field(key, name, 4, |bytes| show(value(bytes)))?;
        Some(value(bytes))
    }

    /// Eight octets, shown as a number.
    pub fn u64(&mut self, key: &str, name: &str) -> Option<u64> {
        let value = |bytes: &[u8]| {
            bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
        };
        let bytes = self.field(key, name, 8, |bytes| value(bytes).to_string())?;
        Some(value(bytes))
    }

    /// An IPv4 address.
    pub fn ipv4(&mut self, key: &str, name: &str) -> Option<Ipv4Addr> {
        self.u32_as(key, name, |value| Ipv4Addr::from(value).to_string())
            .map(Ipv4Addr::from)
    }

    /// An IPv6 address.
    pub fn ipv6(&mut self, key: &str, name: &str) -> Option<Ipv6Addr> {
        let value = |bytes: &[u8]| {
            let mut octets = [0; 16];
            octets.copy_from_slice(bytes);
            Ipv6Addr::from(octets)
        };
        let bytes = self.field(key, name, 16, |bytes| value(bytes).to_string())?;
        Some(value(bytes))
    }

    /// What `decode` takes from here, as one field with the text of `show`; all that is left in hexadecimal where it cannot be decoded.
    pub fn decoded<T>(
        &mut self,
        key: &str,
        name: &str,
        decode: impl FnOnce(&mut Reader<'a>) -> Result<T, DecodeError>,
        show: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        let mut reader = self.reader;
        match decode(&mut reader) {
            Ok(value) if reader.remaining() < self.remaining() || self.is_empty() => {
                let length = self.remaining() - reader.remaining();
                self.field(key, name, length, |_| show(&value));
                Some(value)
            }
            Ok(_) => {
                self.rest(key, name);
                None
            }
            Err(error) => {
                let length = self.remaining();
                self.field(key, name, length, |bytes| {
                    format!("{} ({error})", hexadecimal(bytes))
                });
                None
            }
        }
    }

    /// The rest as "undissected" octets, and the nodes.
    fn finish(&mut self) {
        self.rest("undissected", "Undissected");
    }
}

/// Octets as `0x0a00`; the empty string for none.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return String::new();
    }
    format!("0x{}", hex::lower(bytes))
}

/// What a peer sent, as a line of a table can show it.
fn one_line(value: String) -> String {
    match plain(&value) {
        Cow::Borrowed(_) => value,
        Cow::Owned(plain) => plain,
    }
}

#[cfg(test)]
mod tests;
