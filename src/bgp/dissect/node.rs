//! A node of the tree: what some octets are.

use std::fmt::Write as _;
use std::ops::Range;

/// Some octets of a message: their name, their place, what they say, and the fields inside them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Dotted, unique in its tree: `update.attributes.origin.value`.
    pub id: String,
    /// The field's name, in its RFC's words where it has one.
    pub name: String,
    /// RFC and section: `RFC 4271 4.3`.
    pub source: &'static str,
    /// Octets of the message.
    pub range: Range<usize>,
    /// What they say; empty for a field that only holds others.
    pub value: String,
    /// The fields inside, in order; together they cover the range where there are any.
    pub children: Vec<Self>,
}

impl Node {
    /// This node and all below it, parents first.
    pub fn walk(&self) -> impl Iterator<Item = &Self> {
        let mut stack = vec![self];
        std::iter::from_fn(move || {
            let node = stack.pop()?;
            stack.extend(node.children.iter().rev());
            Some(node)
        })
    }

    /// The nodes without children, in the order of their octets.
    pub fn leaves(&self) -> impl Iterator<Item = &Self> {
        self.walk().filter(|node| node.children.is_empty())
    }

    /// The smallest node that holds the octet at `offset`.
    #[must_use]
    pub fn at(&self, offset: usize) -> Option<&Self> {
        self.range.contains(&offset).then(|| {
            self.children
                .iter()
                .find_map(|child| child.at(offset))
                .unwrap_or(self)
        })
    }

    /// The node with this dotted id.
    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<&Self> {
        self.walk().find(|node| node.id == id)
    }

    /// A table for people: offset, length, field, value, source; a line for each node, children indented.
    #[must_use]
    pub fn table(&self) -> String {
        let mut rows = Vec::new();
        self.rows(0, &mut rows);
        let width = rows
            .iter()
            .map(|(name, _)| name.chars().count())
            .max()
            .unwrap_or(0);
        let mut out = String::new();
        for (name, node) in rows {
            let (start, length) = (node.range.start, node.range.len());
            let _ = write!(
                out,
                "{start:>5} {length:>5}  {name:<width$}  {}",
                node.value
            );
            if !node.source.is_empty() {
                let gap = if node.value.is_empty() { "" } else { "  " };
                let _ = write!(out, "{gap}[{}]", node.source);
            }
            out.push('\n');
        }
        out
    }

    fn rows<'a>(&'a self, depth: usize, rows: &mut Vec<(String, &'a Self)>) {
        rows.push((format!("{}{}", "  ".repeat(depth), self.name), self));
        for child in &self.children {
            child.rows(depth + 1, rows);
        }
    }
}
