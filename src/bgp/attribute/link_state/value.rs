//! Values as ExaBGP shows them: in JSON as Python's `json.dumps` writes them, in text as Python's `repr` does.

use std::fmt::Write as _;

use crate::bgp::error::DecodeError;
use crate::bgp::json;
use crate::bgp::wire::Reader;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    Number(u64),
    Float(f64),
    Text(String),
    /// Octets that JSON shows as text.
    Octets(Vec<u8>),
    List(Vec<Item>),
    Map(Vec<(String, Item)>),
}

impl Item {
    pub(super) fn text(text: impl ToString) -> Self {
        Self::Text(text.to_string())
    }

    pub(super) fn number(number: impl Into<u64>) -> Self {
        Self::Number(number.into())
    }

    pub(super) fn map<const N: usize>(members: [(&str, Self); N]) -> Self {
        Self::Map(
            members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        )
    }

    pub(super) fn json(&self, out: &mut String) {
        match self {
            Self::Number(number) => {
                let _ = write!(out, "{number}");
            }
            // JSON has no word for what is not a number; Python writes one all the same.
            Self::Float(float) if !float.is_finite() => out.push_str("null"),
            Self::Float(float) => out.push_str(&python_float(*float)),
            Self::Text(text) => json::string(text, out),
            Self::Octets(octets) => json::string(&String::from_utf8_lossy(octets), out),
            Self::List(items) => sequence(items, out, Self::json),
            Self::Map(members) => mapping(members, out, json::string, Self::json),
        }
    }

    /// As inside a list or a map.
    fn repr(&self, out: &mut String) {
        match self {
            Self::Number(number) => {
                let _ = write!(out, "{number}");
            }
            Self::Float(float) => out.push_str(&python_float(*float)),
            Self::Text(text) => quoted(text, out),
            Self::Octets(octets) => {
                let double = octets.contains(&b'\'') && !octets.contains(&b'"');
                let quote = if double { '"' } else { '\'' };
                let _ = write!(out, "b{quote}");
                for octet in octets {
                    let _ = match octet {
                        // Only the quotation mark around them is escaped.
                        b'"' => write!(out, "\""),
                        b'\'' if double => write!(out, "'"),
                        octet => write!(out, "{}", octet.escape_ascii()),
                    };
                }
                out.push(quote);
            }
            Self::List(items) => sequence(items, out, Self::repr),
            Self::Map(members) => mapping(members, out, quoted, Self::repr),
        }
    }

    /// As on its own: text without quotation marks.
    pub(super) fn plain(&self) -> String {
        let mut out = String::new();
        match self {
            Self::Text(text) => out.push_str(text),
            other => other.repr(&mut out),
        }
        out
    }
}

fn quoted(text: &str, out: &mut String) {
    let _ = write!(out, "'{text}'");
}

fn sequence(items: &[Item], out: &mut String, write: impl Fn(&Item, &mut String)) {
    out.push('[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        write(item, out);
    }
    out.push(']');
}

fn mapping(
    members: &[(String, Item)],
    out: &mut String,
    name: impl Fn(&str, &mut String),
    write: impl Fn(&Item, &mut String),
) {
    out.push('{');
    for (at, (key, item)) in members.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        name(key, out);
        out.push_str(": ");
        write(item, out);
    }
    out.push('}');
}

/// A float as Python writes it: the fewest digits that tell it apart, plain from 10^-4 up to 10^16.
fn python_float(float: f64) -> String {
    if float.is_nan() {
        return "nan".to_owned();
    }
    let plain = float == 0.0 || (1e-4..1e16).contains(&float.abs());
    if !float.is_finite() || plain {
        return format!("{float:?}");
    }
    let scientific = format!("{float:e}");
    match scientific.split_once('e') {
        Some((digits, exponent)) => match exponent.strip_prefix('-') {
            Some(exponent) => format!("{digits}e-{exponent:0>2}"),
            None => format!("{digits}e+{exponent:0>2}"),
        },
        None => scientific,
    }
}

/// What ExaBGP shows of one TLV.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// The members of the JSON object; the first is the one that several TLVs share.
    members: Vec<(String, Item)>,
    /// Several TLVs with this member make one list.
    merges: bool,
    /// What stands before and between the values in text.
    text: Text,
}

#[derive(Debug, Clone)]
enum Text {
    /// A name, then the first member's value.
    Named(&'static str),
    /// Some other form, that does not change when TLVs are joined.
    Fixed(String),
    /// A form for each value of the list, a line each.
    Lines(Vec<String>),
}

impl Shown {
    /// `NAME: VALUE` in text.
    pub(super) fn named(name: &'static str, key: &str, value: Item) -> Self {
        Self {
            members: vec![(key.to_owned(), value)],
            merges: false,
            text: Text::Named(name),
        }
    }

    /// Several members, and a text of its own.
    pub(super) fn members<const N: usize>(text: String, members: [(&str, Item); N]) -> Self {
        Self {
            members: members
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
            merges: false,
            text: Text::Fixed(text),
        }
    }

    /// A list that further TLVs lengthen.
    pub(super) fn merged(key: impl Into<String>, values: Vec<Item>, text: Option<String>) -> Self {
        Self {
            members: vec![(key.into(), Item::List(values))],
            merges: true,
            text: text.map_or(Text::Named(""), Text::Fixed),
        }
    }

    /// A list that further TLVs lengthen, with a name in text.
    pub(super) fn merged_named(name: &'static str, key: &str, values: Vec<Item>) -> Self {
        Self {
            text: Text::Named(name),
            ..Self::merged(key, values, None)
        }
    }

    /// A list that further TLVs lengthen, with a line of text for each value.
    pub(super) fn merged_lines(key: &str, value: Item, line: String) -> Self {
        Self {
            text: Text::Lines(vec![line]),
            ..Self::merged(key, vec![value], None)
        }
    }

    pub(super) fn joins(&self, other: &Self) -> bool {
        self.merges && other.merges && self.members[0].0 == other.members[0].0
    }

    pub(super) fn join(&mut self, other: Self) {
        for ((_, held), (_, more)) in self.members.iter_mut().zip(other.members) {
            if let (Item::List(held), Item::List(more)) = (held, more) {
                held.extend(more);
            }
        }
        if let (Text::Lines(held), Text::Lines(more)) = (&mut self.text, other.text) {
            held.extend(more);
        }
    }

    pub(super) fn text(&self) -> String {
        match &self.text {
            Text::Named(name) => format!("{name}: {}", self.members[0].1.plain()),
            Text::Fixed(text) => text.clone(),
            Text::Lines(lines) => lines.join("\n"),
        }
    }

    pub(super) fn json(&self) -> String {
        let mut out = String::new();
        for (at, (key, value)) in self.members.iter().enumerate() {
            if at > 0 {
                out.push_str(", ");
            }
            let _ = write!(out, "\"{key}\": ");
            // Lists of SRv6 SIDs have spaces inside their brackets.
            match (&self.text, value) {
                (Text::Lines(_), Item::List(items)) if key.starts_with("srv6-") => {
                    out.push_str("[ ");
                    for (at, item) in items.iter().enumerate() {
                        if at > 0 {
                            out.push_str(", ");
                        }
                        item.json(&mut out);
                    }
                    out.push_str(" ]");
                }
                _ => value.json(&mut out),
            }
        }
        out
    }
}

/// Names of the bits of an octet, from the highest.
pub(super) type Bits = [&'static str; 8];
/// A reserved bit: shown once, always 0.
pub(super) const RESERVED: &str = "RSV";

/// The bits of `octet`.
pub(super) fn bits(names: Bits, octet: u8) -> Item {
    let mut members: Vec<(String, Item)> = Vec::new();
    for (at, name) in names.into_iter().enumerate() {
        if name == RESERVED {
            if members.iter().all(|(held, _)| held != RESERVED) {
                members.push((RESERVED.to_owned(), Item::Number(0)));
            }
            continue;
        }
        let bit = octet >> (7 - at) & 1;
        members.push((name.to_owned(), Item::number(bit)));
    }
    Item::Map(members)
}

/// A TLV that is an octet of flags.
pub(super) fn flags(
    name: &'static str,
    key: &str,
    names: Bits,
    reader: &mut Reader<'_>,
) -> Result<Shown, DecodeError> {
    let octet = reader.u8()?;
    Ok(Shown::named(name, key, bits(names, octet)))
}

/// An address of 4 or 16 octets that is all of the value.
pub(super) fn address(mut reader: Reader<'_>) -> Result<Item, DecodeError> {
    use crate::bgp::nlri::qualifier::address;
    let address = match reader.remaining() {
        4 => address(reader.array::<4>()?.into()).to_string(),
        16 => address(reader.array::<16>()?.into()).to_string(),
        _ => {
            return Err(reader.error(crate::bgp::error::DecodeErrorKind::Length, 4));
        }
    };
    Ok(Item::Text(address))
}
