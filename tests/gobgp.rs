//! The daemon against an independent speaker that knows the families which no crate here does: a session with GoBGP,
//! judged by what GoBGP says of our routes, and by what our API says of those that GoBGP was told to send.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lockstep::reactor::Mode;

/// As GoBGP's command names those that it shows.
const FAMILIES: [&str; 12] = [
    "ipv4",
    "ipv6",
    "ipv4-mpls",
    "ipv6-mpls",
    "vpnv4",
    "vpnv6",
    "ipv4-flowspec",
    "ipv6-flowspec",
    "ipv4-l3vpn-flowspec",
    "ipv6-l3vpn-flowspec",
    "ipv4-mup",
    "ipv6-mup",
];

/// What it shows, and how, varies with its version; this is Debian 12's.
const VERSION: &str = "gobgp version 3.10";

const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/gobgp");

/// Ends its process when the test does.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn file(name: &str) -> String {
    std::fs::read_to_string(Path::new(FILES).join(name)).unwrap()
}

struct Gobgp {
    directory: PathBuf,
    api: u16,
    _process: Process,
}

impl Gobgp {
    fn start(directory: &Path, port: u16, api: u16) -> Self {
        let configuration = file("gobgpd.toml").replace("PORT", &port.to_string());
        std::fs::write(directory.join("gobgpd.toml"), configuration).unwrap();
        let process = Command::new("gobgpd")
            .args(["-f", "gobgpd.toml", "--pprof-disable", "--api-hosts"])
            .arg(format!("127.0.0.1:{api}"))
            .current_dir(directory)
            .stdout(std::fs::File::create(directory.join("gobgpd.log")).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            directory: directory.to_path_buf(),
            api,
            _process: Process(process),
        }
    }

    fn ask<'a>(&self, question: impl IntoIterator<Item = &'a str>) -> String {
        let answer = Command::new("gobgp")
            .args(["-p", &self.api.to_string()])
            .args(question)
            .output()
            .unwrap();
        let answer = [answer.stdout, answer.stderr].concat();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Its table of what we sent, family by family, without the ages of the routes.
    fn heard(&self) -> String {
        let mut told = String::new();
        for family in FAMILIES {
            let answer = self.ask(["neighbor", "127.0.0.1", "adj-in", "-a", family]);
            let mut rows: Vec<String> = answer
                .lines()
                .skip(1)
                .map(|row| {
                    let words = row.split_whitespace().skip(1);
                    let words = words.filter(|word| !is_age(word));
                    words.collect::<Vec<_>>().join(" ")
                })
                .collect();
            rows.sort_unstable();
            told += &format!("{family}\n");
            rows.iter().for_each(|row| told += &format!("  {row}\n"));
        }
        told
    }

    async fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        for _ in 0..200 {
            if holds() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let log = |name| std::fs::read_to_string(self.directory.join(name)).unwrap_or_default();
        panic!("{what}\n{}\n{}", log("gobgpd.log"), log("daemon.log"));
    }
}

/// `00:00:07`.
fn is_age(word: &str) -> bool {
    word.len() == 8
        && word
            .split(':')
            .all(|part| part.len() == 2 && part.parse::<u8>().is_ok())
}

fn daemon(directory: &Path, port: u16, mode: Mode) -> Process {
    use std::os::unix::fs::PermissionsExt;

    std::fs::write(directory.join("speaker.conf"), file("speaker.conf")).unwrap();
    let program = directory.join("heard");
    let script = "#!/bin/sh\nwhile read -r line; do printf '%s\\n' \"$line\" >>heard.json; done\n";
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(
        &program,
        <std::fs::Permissions as PermissionsExt>::from_mode(0o755),
    )
    .unwrap();
    // The program writes into a directory of whoever runs the test.
    let user = Command::new("id").arg("-un").output().unwrap().stdout;
    let process = Command::new(env!("CARGO_BIN_EXE_lockstep"))
        .args(["speak", "-d", "speaker.conf", "--mode", &mode.to_string()])
        .env("exabgp_tcp_port", port.to_string())
        .env(
            "exabgp_daemon_user",
            String::from_utf8(user).unwrap().trim(),
        )
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(directory.join("daemon.log")).unwrap())
        .spawn()
        .unwrap();
    Process(process)
}

/// What the API's program was told of each UPDATE, sorted.
fn told(directory: &Path) -> Vec<String> {
    let lines = std::fs::read_to_string(directory.join("heard.json")).unwrap_or_default();
    let mut updates: Vec<String> = lines
        .lines()
        .filter_map(|line| Some(line.split_once(r#""update": "#)?.1.to_owned()))
        .collect();
    updates.sort_unstable();
    updates
}

async fn against_gobgp(mode: Mode) {
    let version = Command::new("gobgp").arg("--version").output();
    if !version.is_ok_and(|told| String::from_utf8_lossy(&told.stdout).contains(VERSION)) {
        crate::skipped::skip(format!(
            "{VERSION} is not installed (gobgpd, gobgp); .ci/run installs it"
        ));
        return;
    }
    let directory =
        std::env::temp_dir().join(format!("lockstep-gobgp-{mode}-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let port = 19_000
        + u16::try_from(std::process::id() % 500).unwrap() * 4
        + u16::from(mode == Mode::Async) * 2;
    let gobgp = Gobgp::start(&directory, port, port + 1);
    gobgp
        .until("GoBGP does not start", || {
            gobgp.ask(["neighbor"]).contains("127.0.0.1")
        })
        .await;
    let _speaker = daemon(&directory, port, mode);
    gobgp
        .until("not all routes have come", || {
            let rows = |told: &str| told.lines().filter(|row| row.starts_with(' ')).count();
            rows(&gobgp.heard()) == 17
        })
        .await;
    insta::assert_snapshot!("gobgp_has_of_ours", gobgp.heard());

    let routes = file("routes");
    for route in routes.lines() {
        // A space that belongs to its word stands after a backslash.
        let words = route.replace("\\ ", "\u{a0}");
        let words: Vec<String> = words
            .split(' ')
            .map(|word| word.replace('\u{a0}', " "))
            .collect();
        let words = ["global", "rib", "add"]
            .into_iter()
            .chain(words.iter().map(String::as_str));
        assert_eq!(gobgp.ask(words), "", "{route}");
    }
    gobgp
        .until("not all UPDATEs have come", || {
            told(&directory).len() >= routes.lines().count()
        })
        .await;
    insta::assert_snapshot!("ours_have_of_gobgp", told(&directory).join("\n"));
    std::fs::remove_dir_all(&directory).unwrap();
}

#[tokio::test]
async fn gobgp_and_the_polled_reactor_understand_each_other() {
    against_gobgp(Mode::Sync).await;
}

#[tokio::test]
async fn gobgp_and_the_reactor_of_tasks_understand_each_other() {
    against_gobgp(Mode::Async).await;
}
