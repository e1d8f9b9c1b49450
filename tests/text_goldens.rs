//! What every golden says, in words: a snapshot of each, so that a change of the decoder reads as a change of meaning.

use std::fmt::Write as _;
use std::path::Path;

use lockstep::bgp::dissect::{self, Node};
use lockstep::capture::{Canonical, StreamDirection, StreamId};
use lockstep::compare::agreed;
use lockstep::report::summary::summary;
use lockstep::scenario::golden::manifest::Manifest;

#[test]
fn goldens_say_what_they_said() {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let manifest = Manifest::load(&captures).unwrap();
    assert_eq!(manifest.captures.len(), 80);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots/goldens");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for entry in &manifest.captures {
            let bytes = manifest.read(&captures, &entry.scenario).unwrap();
            let golden = Canonical::read(&entry.file[..], &bytes[..]).unwrap();
            insta::assert_snapshot!(entry.scenario.clone(), text(&golden));
        }
    });
}

/// The speaker's messages, connection by connection: a line for each, and under it every field that has a value.
fn text(golden: &Canonical) -> String {
    let mut text = String::new();
    for (id, stream) in &golden.streams {
        if id.direction != StreamDirection::FromClient {
            continue;
        }
        let other = StreamId {
            direction: StreamDirection::FromServer,
            ..*id
        };
        let open = |id: &StreamId| {
            let first = golden.streams.get(id)?.messages().next()?;
            (first[18] == 1).then_some(first)
        };
        let context = agreed(open(id), open(&other));
        let _ = writeln!(text, "connection {}", id.connection);
        for octets in stream.messages().filter(|octets| octets[18] != 4) {
            let _ = writeln!(text, "  {}", summary(&context, octets));
            let tree = dissect::message(&context, octets);
            for node in tree.children.iter().filter(|node| node.name != "Header") {
                fields(node, 2, &mut text);
            }
        }
    }
    text
}

fn fields(node: &Node, depth: usize, text: &mut String) {
    let said = format!("{} {}", node.name, node.value);
    let _ = writeln!(
        text,
        "{:indent$}{}",
        "",
        said.trim_end(),
        indent = depth * 2
    );
    for child in &node.children {
        fields(child, depth + 1, text);
    }
}
