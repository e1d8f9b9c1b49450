//! A message as a field tree, offsets and octets beside it.

use std::fmt::Write as _;
use std::ops::Range;

use super::style::style;

use crate::bgp::dissect::Node;
use crate::bgp::hex;

/// Octets in a row.
const ROW: usize = 8;

/// The tree of `octets`: offset, octets, field, value, RFC. Fields whose octets lie in one of `marked` are marked.
#[must_use]
pub fn tree(
    node: &Node,
    octets: &[u8],
    marked: &[Range<usize>],
    indent: &str,
    colours: bool,
) -> String {
    let mut out = String::new();
    write(node, octets, marked, indent, 0, colours, &mut out);
    out
}

fn write(
    node: &Node,
    octets: &[u8],
    marked: &[Range<usize>],
    indent: &str,
    depth: usize,
    colours: bool,
    out: &mut String,
) {
    let within = |range: &Range<usize>| {
        node.range.start >= range.start && node.range.end <= range.end && !node.range.is_empty()
    };
    let is_leaf = node.children.is_empty();
    let is_marked = depth > 0 && marked.iter().any(within);
    let sign = if is_marked { '!' } else { ' ' };
    let shown: &[u8] = if is_leaf {
        octets.get(node.range.clone()).unwrap_or_default()
    } else {
        &[]
    };
    let mut rows = shown.chunks(ROW);
    let mut text = format!("{}{}", "  ".repeat(depth), node.name);
    if !node.value.is_empty() {
        let _ = write!(text, "  {}", node.value);
    }
    if is_marked {
        text = style(text).red().bold().force_styling(colours).to_string();
    }
    if is_leaf && !node.source.is_empty() {
        let source = style(format!("[{}]", node.source))
            .dim()
            .force_styling(colours);
        let _ = write!(text, "  {source}");
    }
    let first = parted(rows.next().unwrap_or_default());
    let _ = writeln!(
        out,
        "{indent}{sign}{:>5}  {first:<width$}  {text}",
        node.range.start,
        width = ROW * 3 - 1
    );
    for row in rows {
        let _ = writeln!(out, "{indent}        {}", parted(row));
    }
    for child in &node.children {
        write(child, octets, marked, indent, depth + 1, colours, out);
    }
}

fn parted(octets: &[u8]) -> String {
    let texts: Vec<String> = octets.chunks(1).map(hex::text).collect();
    texts.join(" ")
}
