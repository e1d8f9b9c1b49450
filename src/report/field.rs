//! The name of the field in which an octet of a message stands.

use crate::bgp::attribute::WireContext;
use crate::bgp::dissect::{self, Node};

/// The field of `message` that holds octet `at`, from the outside in, with the section of its RFC.
#[must_use]
pub fn at(context: &WireContext, message: &[u8], at: usize) -> String {
    let tree = dissect::message(context, message);
    let mut names: Vec<&str> = Vec::new();
    let mut node = &tree;
    // Of fields with the same range, the last is the innermost.
    while let Some(inner) = holding(node, at) {
        names.push(&inner.name);
        node = inner;
    }
    match (names.is_empty(), node.source) {
        (true, _) => "after the end".into(),
        (_, "") => names.join(" › "),
        (_, source) => format!("{} ({source})", names.join(" › ")),
    }
}

fn holding(node: &Node, at: usize) -> Option<&Node> {
    node.children
        .iter()
        .rev()
        .find(|child| child.range.contains(&at))
}

#[cfg(test)]
mod tests {
    use super::at;
    use crate::bgp::attribute::WireContext;

    #[test]
    fn a_field_is_named_from_the_outside_in() {
        let mut message = vec![0xff; 16];
        message.extend([0, 30, 2, 0, 0, 0, 7, 0x40, 3, 4, 10, 0, 0, 1]);
        let named = |octet| at(&WireContext::default(), &message, octet);
        assert_eq!(
            named(29),
            "Path Attributes › NEXT_HOP › Attribute Value (RFC 4271 5.1.3)"
        );
        assert_eq!(named(17), "Header › Length (RFC 4271 4.1)");
        assert_eq!(named(30), "after the end");
    }
}
