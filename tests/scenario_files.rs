//! Every scenario in the tree parses; mistakes in one are shown where they are.

use std::path::Path;

use lockstep::scenario::format::directory;
use lockstep::scenario::format::parse;
use miette::{GraphicalReportHandler, GraphicalTheme};

#[test]
fn every_scenario_parses() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut count = 0;
    for scenario in directory::select(&root, &[]).unwrap_or_else(|error| panic!("{error:?}")) {
        let path = root.join(&scenario.name);
        for config in scenario.speakers.iter().flat_map(|it| &it.config) {
            assert!(path.join(config).is_file(), "{}: {config:?}", scenario.name);
        }
        count += 1;
    }
    assert!(count >= 72, "{count} scenarios");
}

/// How the mistake in the scenario `text` is shown.
pub fn rendered(text: &str) -> String {
    let error = parse::parse(Path::new("scenarios/sample"), text).unwrap_err();
    let error =
        lockstep::scenario::format::error::ScenarioError::from_text("sample/scenario", text, error);
    let mut out = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .render_report(&mut out, &error)
        .unwrap();
    out
}

#[test]
fn a_mistake_is_shown_where_it_is() {
    insta::assert_snapshot!(rendered(
        "about x\npeer 127.0.0.1\n  expect announce 10.0.0.0/40\n"
    ));
    insta::assert_snapshot!(rendered(
        "about x\nprocess a\n  write announce\n  anwser done\n"
    ));
    insta::assert_snapshot!(rendered("about x\nprocess a\n  sleep 3 seconds\n"));
    insta::assert_snapshot!(rendered("about x\n"));
}
