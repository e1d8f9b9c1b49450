//! What `help` answers: ExaBGP's lines, with the commands that only this speaker has.

/// Commands that may be preceded by a selector.
const OF_NEIGHBORS: &[&str] = &[
    "announce attribute",
    "announce attributes",
    "announce eor",
    "announce flow",
    "announce ipv4",
    "announce ipv6",
    "announce l2vpn",
    "announce operational",
    "announce route",
    "announce route-refresh",
    "announce vpls",
    "announce watchdog",
    "clear adj-rib",
    "crash",
    "flush adj-rib out",
    "teardown",
    "withdraw attribute",
    "withdraw attributes",
    "withdraw flow",
    "withdraw ipv4",
    "withdraw ipv6",
    "withdraw l2vpn",
    "withdraw route",
    "withdraw vpls",
    "withdraw watchdog",
];

/// Commands of the speaker as a whole. The first sorts before those above, the others after.
const OF_SPEAKER: &[&str] = &[
    "# ",
    "create neighbor ",
    "delete neighbor ",
    "disable-ack ",
    "enable-ack ",
    "help ",
    "ping ",
    "reload ",
    "reset ",
    "restart ",
    "show adj-rib in [ extensive ] ",
    "show adj-rib out [ extensive ] ",
    "show neighbor [ summary | extensive | configuration ] ",
    "shutdown ",
    "silence-ack ",
    "status ",
    "version ",
];

/// The lines, without the answer that follows them.
#[must_use]
pub fn lines() -> Vec<String> {
    let mut lines: Vec<String> = [
        "",
        "available API commands are listed here:",
        "=======================================",
        "",
        "filter can be: [local-ip <ip>][local-as <asn>][peer-as <asn>][router-id <router-id>]",
        "",
        "command are:",
        "------------",
        "",
    ]
    .map(str::to_owned)
    .to_vec();
    let mut commands: Vec<String> = OF_NEIGHBORS
        .iter()
        .map(|command| format!("[neighbor <ip> [filters]] {command}"))
        .chain(OF_SPEAKER.iter().map(|command| (*command).to_owned()))
        .collect();
    commands.sort_unstable();
    lines.append(&mut commands);
    lines.push(String::new());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_understood() {
        let commands = lines();
        assert!(commands.contains(&"[neighbor <ip> [filters]] flush adj-rib out".to_owned()));
        for command in OF_SPEAKER {
            let command = command.split(" [").next().unwrap_or_default().trim();
            let known = match crate::api::parse(command) {
                Ok(_) => true,
                Err(mistake) => !mistake.message.contains("is not known"),
            };
            assert!(known, "{command}");
        }
    }
}
