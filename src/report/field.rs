//! The name of the field in which an octet of a message stands.

use crate::bgp::attribute::WireContext;
use crate::bgp::dissect;

/// The field of `message` that holds octet `at`, with the section of its RFC.
#[must_use]
pub fn at(context: &WireContext, message: &[u8], at: usize) -> String {
    let tree = dissect::message(context, message);
    match tree.at(at) {
        Some(node) if node.source.is_empty() => node.name.clone(),
        Some(node) => format!("{} ({})", node.name, node.source),
        None => "after the end".into(),
    }
}
