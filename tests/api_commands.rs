//! Commands against the routes that ExaBGP 5.0.15 made of the same: `data/api-commands.txt`.

use lockstep::api::{self, Action};

const RECORDED: &str = include_str!("data/api-commands.txt");

/// The routes that `line` announces or withdraws, as ExaBGP shows them; `error` where it is refused.
fn routes(line: &str) -> Vec<String> {
    let routes = match api::parse(line).map(|command| command.action) {
        Ok(Action::Announce(routes) | Action::Withdraw(routes)) => routes,
        Ok(other) => panic!("{line}: {other:?}"),
        Err(_) => return vec!["error".to_owned()],
    };
    routes
        .iter()
        .map(|configured| {
            let route = &configured.route;
            format!(
                "{} {}{}",
                route.nlri.family,
                route.nlri.extensive(route.next_hop.address()),
                route.attributes.text()
            )
        })
        .collect()
}

#[test]
fn every_recorded_command_makes_the_routes_that_the_reference_makes() {
    let mut differences = Vec::new();
    let mut commands = 0;
    let mut lines = RECORDED
        .lines()
        .filter(|line| !line.starts_with('#'))
        .peekable();
    while let Some(command) = lines.next().and_then(|line| line.strip_prefix("> ")) {
        let mut theirs = Vec::new();
        while let Some(route) = lines.next_if(|line| !line.starts_with("> ")) {
            theirs.push(route.to_owned());
        }
        let ours = routes(command);
        if ours != theirs {
            differences.push(format!(
                "{command}\n  ours:   {ours:?}\n  theirs: {theirs:?}"
            ));
        }
        commands += 1;
    }
    assert!(commands > 80, "{commands}");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
