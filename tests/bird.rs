//! The daemon against an independent speaker: a session with BIRD 2, judged by BIRD's own table.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lockstep::reactor::Mode;

const BIRD: &str = "/usr/sbin/bird";

/// Ends its process when the test does.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Bird {
    directory: PathBuf,
    _process: Process,
}

impl Bird {
    fn start(directory: &Path, port: u16) -> Self {
        let configuration = format!(
            "log stderr all;
             router id 10.0.0.1;
             protocol device {{ }}
             protocol bgp speaker {{
                 local 127.0.0.1 port {port} as 65001;
                 neighbor 127.0.0.2 as 65000;
                 multihop; passive on; hold time 90;
                 ipv4 {{ import all; export none; }};
                 ipv6 {{ import all; export none; }};
             }}"
        );
        std::fs::write(directory.join("bird.conf"), configuration).unwrap();
        let process = Command::new(BIRD)
            .args(["-f", "-c", "bird.conf", "-s", "bird.ctl", "-P", "bird.pid"])
            .current_dir(directory)
            .stderr(std::fs::File::create(directory.join("bird.log")).unwrap())
            .spawn()
            .unwrap();
        Self {
            directory: directory.to_path_buf(),
            _process: Process(process),
        }
    }

    fn ask(&self, question: &str) -> String {
        let answer = Command::new("birdc")
            .args(["-s", "bird.ctl"])
            .args(question.split(' '))
            .current_dir(&self.directory)
            .output()
            .unwrap();
        String::from_utf8_lossy(&answer.stdout).into_owned()
    }

    /// Asks until `holds` of the answer.
    async fn until(&self, question: &str, holds: impl Fn(&str) -> bool) {
        for _ in 0..200 {
            if holds(&self.ask(question)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let log = std::fs::read_to_string(self.directory.join("bird.log")).unwrap_or_default();
        let daemon = std::fs::read_to_string(self.directory.join("daemon.log")).unwrap_or_default();
        panic!("{}\n{log}\n{daemon}", self.ask(question));
    }
}

fn daemon(directory: &Path, port: u16, mode: Mode) -> Process {
    let configuration = "process commands { run ./commands; encoder text; }
         neighbor 127.0.0.1 {
             local-address 127.0.0.2; router-id 10.0.0.2; local-as 65000; peer-as 65001;
             family { ipv4 unicast; ipv6 unicast; }
             static { route 198.51.100.0/24 next-hop 127.0.0.2 med 7; }
             api { processes [ commands ]; }
         }";
    std::fs::write(directory.join("speaker.conf"), configuration).unwrap();
    std::fs::write(
        directory.join("commands"),
        "#!/bin/sh\nexec cat commands.pipe\n",
    )
    .unwrap();
    let prepare = "chmod +x commands && mkfifo commands.pipe";
    let made = Command::new("sh")
        .args(["-c", prepare])
        .current_dir(directory)
        .status()
        .unwrap();
    assert!(made.success());
    let log = std::fs::File::create(directory.join("daemon.log")).unwrap();
    let process = Command::new(env!("CARGO_BIN_EXE_lockstep"))
        .args(["speak", "-d", "speaker.conf", "--mode", &mode.to_string()])
        .env("exabgp_tcp_port", port.to_string())
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(log)
        .spawn()
        .unwrap();
    Process(process)
}

async fn against_bird(mode: Mode) {
    if !Path::new(BIRD).exists() {
        crate::skipped::skip(format!(
            "BIRD 2 is not installed ({BIRD}); .ci/run installs it"
        ));
        return;
    }
    let directory =
        std::env::temp_dir().join(format!("lockstep-bird-{mode}-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let port = 17_900
        + u16::try_from(std::process::id() % 500).unwrap() * 2
        + u16::from(mode == Mode::Async);
    let bird = Bird::start(&directory, port);
    bird.until("show status", |answer| answer.contains("up and running"))
        .await;
    let mut speaker = daemon(&directory, port, mode);
    bird.until("show protocols", |answer| answer.contains("Established"))
        .await;
    bird.until("show route 198.51.100.0/24 all", |answer| {
        answer.contains("BGP.as_path: 65000") && answer.contains("BGP.med: 7")
    })
    .await;

    let mut commands = std::fs::OpenOptions::new()
        .write(true)
        .open(directory.join("commands.pipe"))
        .unwrap();
    let mut announcements = String::new();
    for number in 0..200 {
        let _ = writeln!(
            announcements,
            "announce route 10.{number}.0.0/16 next-hop 127.0.0.2 community [ 65000:{number} ]"
        );
    }
    announcements += "announce ipv6 unicast 2001:db8:1::/48 next-hop 2001:db8::2\n";
    announcements += "announce route 2001:db8:2::/48 next-hop 2001:db8::2\n";
    commands.write_all(announcements.as_bytes()).unwrap();
    bird.until("show route count", |answer| {
        answer.contains("201 of 201 routes for 201 networks in table master4")
    })
    .await;
    bird.until("show route count", |answer| {
        answer.contains("2 of 2 routes for 2 networks in table master6")
    })
    .await;
    bird.until("show route 10.42.0.0/16 all", |answer| {
        answer.contains("BGP.community: (65000,42)")
    })
    .await;
    bird.until("show route 2001:db8:1::/48 all", |answer| {
        answer.contains("BGP.next_hop: 2001:db8::2")
    })
    .await;

    let withdrawals = "withdraw route 10.42.0.0/16 next-hop 127.0.0.2\nwithdraw ipv6 unicast 2001:db8:1::/48 next-hop 2001:db8::2\n";
    commands.write_all(withdrawals.as_bytes()).unwrap();
    bird.until("show route count", |answer| {
        answer.contains("200 of 200 routes for 200 networks in table master4")
            && answer.contains("1 of 1 routes for 1 networks in table master6")
    })
    .await;
    assert!(!bird.ask("show route 10.42.0.0/16").contains("10.42.0.0/16"));

    let id = rustix::process::Pid::from_child(&speaker.0);
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    bird.until("show route count", |answer| {
        answer.contains("0 of 0 routes for 0 networks in table master4")
    })
    .await;
    assert!(speaker.0.wait().unwrap().success());
    std::fs::remove_dir_all(&directory).unwrap();
}

#[tokio::test]
async fn bird_has_what_the_polled_reactor_announces() {
    against_bird(Mode::Sync).await;
}

#[tokio::test]
async fn bird_has_what_the_reactor_of_tasks_announces() {
    against_bird(Mode::Async).await;
}
