//! Two messages, field by field.

use std::ops::Range;

use crate::bgp::attribute::WireContext;
use crate::bgp::dissect::{self, Node};

/// A field of one message: where it is and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Octets of the message.
    pub range: Range<usize>,
    /// What they say.
    pub value: String,
}

/// A field in which two messages differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldDifference {
    /// Names from the outside in, as `Path Attributes › LOCAL_PREF › Attribute Value`.
    pub name: String,
    /// Dotted id.
    pub id: String,
    /// RFC and section, as `RFC 4271 5.1.5`.
    pub source: &'static str,
    /// The left's, if it has the field.
    pub left: Option<Field>,
    /// The right's, if it has the field.
    pub right: Option<Field>,
    /// It merely counts octets, of what differs elsewhere.
    pub is_length: bool,
}

/// The fields in which two messages differ, in the order of the left, those of the right alone after them.
///
/// A field that only one has stands for all inside it.
#[must_use]
pub fn differences(contexts: &[WireContext; 2], left: &[u8], right: &[u8]) -> Vec<FieldDifference> {
    let trees = [
        dissect::message(&contexts[0], left),
        dissect::message(&contexts[1], right),
    ];
    let mut found = Vec::new();
    below("", &trees[0], &trees[1], left, right, &mut found);
    found
}

/// The difference that says most: the first that is no mere length.
#[must_use]
pub fn telling(differences: &[FieldDifference]) -> Option<&FieldDifference> {
    let telling = differences.iter().find(|one| !one.is_length);
    telling.or_else(|| differences.first())
}

fn below(
    path: &str,
    left: &Node,
    right: &Node,
    left_octets: &[u8],
    right_octets: &[u8],
    found: &mut Vec<FieldDifference>,
) {
    let before = found.len();
    let pairs = paired(left, right, left_octets, right_octets);
    for (child, other) in left.children.iter().zip(&pairs) {
        let name = joined(path, &child.name);
        let Some(other) = other.map(|at| &right.children[at]) else {
            found.push(difference(name, Some(child), None));
            continue;
        };
        if left_octets[child.range.clone()] == right_octets[other.range.clone()]
            && child.value == other.value
        {
            continue;
        }
        if child.children.is_empty() || other.children.is_empty() {
            found.push(difference(name, Some(child), Some(other)));
        } else {
            below(&name, child, other, left_octets, right_octets, found);
        }
    }
    for (at, child) in right.children.iter().enumerate() {
        if !pairs.contains(&Some(at)) {
            found.push(difference(joined(path, &child.name), None, Some(child)));
        }
    }
    // The same fields in another order.
    if found.len() == before && left_octets[left.range.clone()] != right_octets[right.range.clone()]
    {
        let mut moved = difference(
            format!(
                "{} (order)",
                if path.is_empty() { &left.name } else { path }
            ),
            Some(left),
            Some(right),
        );
        moved.left = Some(order(left));
        moved.right = Some(order(right));
        found.push(moved);
    }
}

/// Whether a field of the left may be the counterpart of one of the right.
type Alike<'a> = &'a dyn Fn(&Node, &Node) -> bool;

/// For each field of the left, which of the right is its counterpart: the one that is the same, else the one of
/// the same id, else the next of the same name.
fn paired(
    left: &Node,
    right: &Node,
    left_octets: &[u8],
    right_octets: &[u8],
) -> Vec<Option<usize>> {
    let mut pairs = vec![None; left.children.len()];
    let mut taken = vec![false; right.children.len()];
    let same = |one: &Node, other: &Node| {
        one.name == other.name
            && left_octets[one.range.clone()] == right_octets[other.range.clone()]
    };
    let alike: [Alike<'_>; 3] = [
        &same,
        &|one, other| one.id == other.id && one.value == other.value,
        &|one, other| one.name == other.name,
    ];
    for is_alike in alike {
        for (at, child) in left.children.iter().enumerate() {
            if pairs[at].is_some() {
                continue;
            }
            let mut others = right.children.iter().enumerate();
            let found = others.find(|(other, node)| !taken[*other] && is_alike(child, node));
            if let Some((other, _)) = found {
                pairs[at] = Some(other);
                taken[other] = true;
            }
        }
    }
    pairs
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path} › {name}")
    }
}

fn order(node: &Node) -> Field {
    let names: Vec<&str> = node.children.iter().map(|child| &child.name[..]).collect();
    Field {
        range: node.range.clone(),
        value: names.join(", "),
    }
}

fn difference(name: String, left: Option<&Node>, right: Option<&Node>) -> FieldDifference {
    let field = |node: &Node| Field {
        range: node.range.clone(),
        value: said(node),
    };
    let either = left.or(right);
    let id = either.map(|node| node.id.clone()).unwrap_or_default();
    FieldDifference {
        is_length: id.ends_with("length"),
        id,
        name,
        source: either.map_or("", |node| node.source),
        left: left.map(field),
        right: right.map(field),
    }
}

/// What a field says; of one that only holds others, what they say.
fn said(node: &Node) -> String {
    if !node.value.is_empty() || node.children.is_empty() {
        return node.value.clone();
    }
    let mut inside = Vec::new();
    gather(node, &mut inside);
    inside.join(" ")
}

fn gather<'n>(node: &'n Node, inside: &mut Vec<&'n str>) {
    for child in &node.children {
        // A field that holds others may have a name for what they make: a capability.
        let is_silent = child.value.is_empty() || child.children.is_empty() && is_framing(child);
        if !is_silent {
            inside.push(&child.value);
        }
        gather(child, inside);
    }
}

/// Flags, code and length of an attribute or capability say nothing of its value.
fn is_framing(leaf: &Node) -> bool {
    ["length", "flags", "code", "type"]
        .iter()
        .any(|key| leaf.id.ends_with(key))
}
