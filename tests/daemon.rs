//! `lockstep speak` as a process: signals, API programs that are processes too, and how it ends.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};

use crate::reactor_play::{KEEPALIVE, routes};

/// Tells by a route which of its starts this is, and stays.
const PROGRAM: &str = "#!/bin/sh
echo start >> starts
echo \"announce route 10.0.0.$(wc -l < starts | tr -d ' ')/32 next-hop 192.0.2.9\"
while read line; do :; done
";

struct Daemon {
    process: Child,
    configuration: PathBuf,
    listener: TcpListener,
}

impl Daemon {
    /// Starts one whose neighbor is us, with `statics` in its configuration.
    fn start(name: &str, mode: &str, statics: &str) -> Self {
        let directory =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("daemon-{name}-{mode}"));
        let _ = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("program"), PROGRAM).unwrap();
        let configuration = directory.join("speaker.conf");
        write(&configuration, "sh ./program", statics);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_lockstep"))
            .args(["speak", "-d", "-p"])
            .arg(&configuration)
            .env("exabgp_tcp_port", port(&listener))
            // Where root runs the tests: the program writes beside its configuration.
            .env("exabgp_daemon_user", "root")
            .env("exabgp_reactor_asyncio", (mode == "async").to_string())
            .stdout(std::fs::File::create(directory.join("log")).unwrap())
            .spawn()
            .unwrap();
        Self {
            process,
            configuration,
            listener,
        }
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args(["-s", name, &self.process.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    fn accept(&self) -> Peer {
        let mut peer = Peer(self.listener.accept().unwrap().0);
        let mut open = peer.message();
        open[27] += 1;
        peer.0.write_all(&open).unwrap();
        peer.0.write_all(&KEEPALIVE).unwrap();
        peer
    }

    fn end(mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It has ended already where the test went well.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An empty directory of the tests.
fn directory(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("daemon-{name}"));
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

fn port(listener: &TcpListener) -> String {
    listener.local_addr().unwrap().port().to_string()
}

fn write(configuration: &Path, program: &str, statics: &str) {
    let text = format!(
        "process service {{ run {program}; encoder json; }}
         neighbor 127.0.0.1 {{
             router-id 1.2.3.4; local-address 127.0.0.1; local-as 1; peer-as 1;
             family {{ ipv4 unicast; }}
             api {{ processes [ service ]; }}
             static {{ {statics} }}
         }}"
    );
    std::fs::write(configuration, text).unwrap();
}

struct Peer(TcpStream);

impl Peer {
    fn message(&mut self) -> Vec<u8> {
        let mut message = vec![0; 19];
        self.0.read_exact(&mut message).unwrap();
        let length = usize::from(u16::from_be_bytes([message[16], message[17]]));
        message.resize(length, 0);
        self.0.read_exact(&mut message[19..]).unwrap();
        message
    }

    /// The next message that is no KEEPALIVE.
    fn telling(&mut self) -> Vec<u8> {
        loop {
            let message = self.message();
            if message[18] != 4 {
                return message;
            }
        }
    }

    /// Reads UPDATEs until all of `wanted` have come, and nothing else has.
    fn expect(&mut self, wanted: &[&str]) {
        let mut missing = wanted.to_vec();
        while !missing.is_empty() {
            for route in routes(&self.telling()) {
                let at = missing.iter().position(|wanted| *wanted == route);
                missing.remove(at.unwrap_or_else(|| panic!("{route} came, wanted {missing:?}")));
            }
        }
    }

    /// Reads nothing more but KEEPALIVEs, and the end: as ExaBGP does, the speaker goes without a NOTIFICATION.
    fn expect_end(&mut self) {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).unwrap();
        assert_eq!(rest.len() % KEEPALIVE.len(), 0, "{rest:?}");
        for message in rest.chunks(KEEPALIVE.len()) {
            assert_eq!(message, KEEPALIVE);
        }
    }
}

const MODES: [&str; 2] = ["sync", "async"];

#[test]
fn sigusr1_reloads_and_leaves_programs_and_sessions_alone() {
    for mode in MODES {
        let first =
            "route 172.16.0.0/16 next-hop 192.0.2.1; route 172.17.0.0/16 next-hop 192.0.2.1;";
        let daemon = Daemon::start("usr1", mode, first);
        let mut peer = daemon.accept();
        peer.expect(&["+172.16.0.0/16", "+172.17.0.0/16", "eor", "+10.0.0.1/32"]);
        let then =
            "route 172.17.0.0/16 next-hop 192.0.2.1; route 172.18.0.0/16 next-hop 192.0.2.1;";
        write(&daemon.configuration, "sh ./program", then);
        daemon.signal("USR1");
        peer.expect(&["-172.16.0.0/16", "+172.18.0.0/16"]);
        // A file that is no configuration is told in the log, and changes nothing.
        std::fs::write(&daemon.configuration, "neighbor {").unwrap();
        daemon.signal("USR1");
        daemon.signal("TERM");
        peer.expect_end();
        assert!(daemon.end().success());
    }
}

#[test]
fn sigusr2_reloads_and_starts_programs_anew() {
    for mode in MODES {
        let daemon = Daemon::start("usr2", mode, "");
        let mut peer = daemon.accept();
        peer.expect(&["eor", "+10.0.0.1/32"]);
        write(
            &daemon.configuration,
            "sh ./program",
            "route 172.16.0.0/16 next-hop 192.0.2.1;",
        );
        daemon.signal("USR2");
        peer.expect(&["+172.16.0.0/16", "+10.0.0.2/32"]);
        daemon.signal("TERM");
        peer.expect_end();
        assert!(daemon.end().success());
    }
}

#[test]
fn sigalrm_makes_sessions_anew() {
    for mode in MODES {
        let daemon = Daemon::start("alrm", mode, "");
        let mut peer = daemon.accept();
        peer.expect(&["eor", "+10.0.0.1/32"]);
        daemon.signal("ALRM");
        let message = loop {
            let message = peer.telling();
            if message[18] == 3 {
                break message;
            }
        };
        assert_eq!(&message[18..21], &[3, 6, 3]);
        let mut again = daemon.accept();
        again.expect(&["+10.0.0.1/32", "+10.0.0.2/32", "eor"]);
        daemon.signal("TERM");
        again.expect_end();
        assert!(daemon.end().success());
    }
}

#[test]
fn sighup_and_sigint_end_in_order() {
    for mode in MODES {
        for name in ["HUP", "INT"] {
            let daemon = Daemon::start(name, mode, "");
            let mut peer = daemon.accept();
            peer.expect(&["eor", "+10.0.0.1/32"]);
            daemon.signal(name);
            peer.expect_end();
            assert!(daemon.end().success());
        }
    }
}

#[test]
fn a_program_that_dies_is_started_again_five_times() {
    for mode in MODES {
        let daemon = Daemon::start("dies", mode, "");
        let mut peer = daemon.accept();
        peer.expect(&["eor", "+10.0.0.1/32"]);
        let program = PROGRAM.replace("while read line; do :; done\n", "");
        let place = daemon.configuration.with_file_name("program");
        std::fs::write(place, program).unwrap();
        daemon.signal("USR2");
        for start in 2..=7 {
            peer.expect(&[&format!("+10.0.0.{start}/32")]);
        }
        peer.expect_end();
        assert_eq!(daemon.end().code(), Some(1));
    }
}

#[test]
fn in_the_place_of_exabgp_with_its_environment_file() {
    let directory = directory("exabgp");
    let command = directory.join("exabgp");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_lockstep"), &command).unwrap();
    std::fs::write(directory.join("program"), PROGRAM).unwrap();
    let configuration = directory.join("speaker.conf");
    write(&configuration, "sh ./program", "");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (log, pid) = (directory.join("log"), directory.join("pid"));
    let environment = format!(
        "[exabgp.daemon]\nuser = root\npid = '{}'\n[exabgp.log]\ndestination = {}\n[exabgp.tcp]\nport = {}\n",
        pid.display(),
        log.display(),
        port(&listener)
    );
    let file = directory.join("exabgp.env");
    std::fs::write(&file, environment).unwrap();
    let process = Command::new(command)
        .arg(&configuration)
        .env("EXABGP_ENVFILE", file)
        .env_remove("exabgp_tcp_port")
        .spawn()
        .unwrap();
    let number = process.id();
    let daemon = Daemon {
        process,
        configuration,
        listener,
    };
    let mut peer = daemon.accept();
    peer.expect(&["eor", "+10.0.0.1/32"]);
    assert_eq!(
        std::fs::read_to_string(&pid).unwrap(),
        format!("{number}\n")
    );
    daemon.signal("TERM");
    peer.expect_end();
    assert!(daemon.end().success());
    assert!(!pid.exists());
    assert!(std::fs::read_to_string(log).unwrap().contains("terminate"));
}

/// What `id` answers.
fn id(arguments: &[&str]) -> u32 {
    let output = Command::new("id").args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim().parse().unwrap()
}

#[test]
fn root_is_given_up_by_the_daemon_and_its_programs() {
    let own = id(&["-u"]);
    let expected = if own == 0 { id(&["-u", "nobody"]) } else { own };
    // Where another user may look.
    let directory = std::env::temp_dir().join(format!("lockstep-daemon-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let configuration = directory.join("speaker.conf");
    let program = "sh -c 'id -u | { read user; echo announce route 10.0.$((user / 256 % 256)).$((user % 256))/32 next-hop 192.0.2.9; }; read rest'";
    write(&configuration, program, "");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let process = Command::new(env!("CARGO_BIN_EXE_lockstep"))
        .arg("server")
        .arg(&configuration)
        .env("exabgp_tcp_port", port(&listener))
        .env("exabgp_log_enable", "false")
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", process.id());
    let daemon = Daemon {
        process,
        configuration,
        listener,
    };
    let mut peer = daemon.accept();
    let route = format!("+10.0.{}.{}/32", expected / 256 % 256, expected % 256);
    peer.expect(&["eor", &route]);
    let status = std::fs::read_to_string(status).unwrap();
    let users: Vec<u32> = status
        .lines()
        .find_map(|line| line.strip_prefix("Uid:"))
        .unwrap()
        .split_whitespace()
        .map(|user| user.parse().unwrap())
        .collect();
    assert_eq!(users, [expected; 4]);
    drop(daemon);
    std::fs::remove_dir_all(directory).unwrap();
}

/// `exabgp`, installed in a directory of its own.
fn exabgp(directory: &Path) -> PathBuf {
    let command = directory.join("bin/exabgp");
    std::fs::create_dir_all(directory.join("bin")).unwrap();
    std::fs::hard_link(env!("CARGO_BIN_EXE_lockstep"), &command).unwrap();
    command
}

#[test]
fn a_client_commands_the_daemon_over_named_pipes() {
    for mode in MODES {
        let directory = directory(&format!("client-{mode}"));
        let command = exabgp(&directory);
        let name = format!("lockstep-{}-{mode}", std::process::id());
        let pipes = directory.join("run/exabgp");
        std::fs::create_dir_all(&pipes).unwrap();
        for end in ["in", "out"] {
            let made = Command::new("mkfifo")
                .arg(pipes.join(format!("{name}.{end}")))
                .status();
            assert!(made.unwrap().success());
        }
        std::fs::write(directory.join("program"), PROGRAM).unwrap();
        let configuration = directory.join("speaker.conf");
        write(&configuration, "sh ./program", "");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let process = Command::new(&command)
            .arg(&configuration)
            .env("exabgp_tcp_port", port(&listener))
            .env("exabgp_daemon_user", "root")
            .env("exabgp_api_pipename", &name)
            .env("exabgp_api_ack", "false")
            .env("exabgp_reactor_asyncio", (mode == "async").to_string())
            .env("exabgp_log_enable", "false")
            .spawn()
            .unwrap();
        let daemon = Daemon {
            process,
            configuration,
            listener,
        };
        let mut peer = daemon.accept();
        peer.expect(&["eor", "+10.0.0.1/32"]);
        let client = |words: &str| {
            let output = Command::new(&command)
                .args(["cli", "--pipename", &name])
                .args(words.split(' '))
                .output()
                .unwrap();
            let shown = String::from_utf8(output.stdout).unwrap();
            (output.status.code(), shown)
        };
        let (code, shown) = client("s n summary");
        assert_eq!(code, Some(0));
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[0], "command: show neighbor summary");
        assert!(lines[1].starts_with("Peer "), "{shown}");
        assert!(lines[2].starts_with("127.0.0.1 "), "{shown}");
        assert_eq!(
            client("announce route 10.8.0.0/24 next-hop 192.0.2.9"),
            (Some(0), String::new())
        );
        peer.expect(&["+10.8.0.0/24"]);
        assert_eq!(client("announce nothing").0, Some(1));
        daemon.signal("TERM");
        peer.expect_end();
        assert!(daemon.end().success());
    }
}

#[test]
fn the_command_line_is_that_of_exabgp() {
    let directory = directory("commands");
    let command = exabgp(&directory);
    let run = |arguments: &[&str]| {
        let output = Command::new(&command)
            .args(arguments)
            .env_clear()
            .env("exabgp_tcp_port", "1179")
            .output()
            .unwrap();
        let shown = String::from_utf8(output.stdout).unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), shown, told)
    };
    let (code, shown, _) = run(&["version"]);
    assert_eq!(code, Some(0));
    assert!(shown.starts_with("ExaBGP : 5.0.15\n"), "{shown}");
    assert_eq!(run(&["env", "-d"]).1, "\n[exabgp.tcp]\nport = 1179\n");
    assert_eq!(run(&["env", "-d", "-e"]).1, "exabgp.tcp.port=1179\n");
    let (code, shown, _) = run(&[]);
    assert_eq!(code, Some(1));
    assert!(
        shown.contains("healthcheck") && shown.contains("exabgp.api.ack"),
        "{shown}"
    );
    let (code, _, told) = run(&["healthcheck", "--cmd", "true"]);
    assert_eq!(code, Some(2));
    assert!(told.contains("pip install exabgp"), "{told}");
    for (words, shown) in [
        (
            &["server", "--help"][..],
            "exabgp server [OPTIONS] <CONFIG>",
        ),
        (
            &["validate", "--help"],
            "exabgp validate [OPTIONS] <CONFIG>",
        ),
        (&["cli", "--help"], "--pipename"),
        (&["decode", "--help"], "exabgp decode"),
        (&["--help"], "config.conf"),
    ] {
        let (code, help, _) = run(words);
        assert_eq!(code, Some(0));
        assert!(help.contains(shown), "{help}");
    }
    let configuration = directory.join("speaker.conf");
    std::fs::write(directory.join("program"), PROGRAM).unwrap();
    write(&configuration, "/bin/sh ./program", "");
    let path = configuration.to_str().unwrap();
    let validated = (Some(0), format!("\u{2713} {path}\n"), String::new());
    assert_eq!(run(&["validate", "-n", "-r", path]), validated);
    write(&configuration, "./no-such-program", "");
    let (code, _, told) = run(&["validate", path]);
    assert_eq!(code, Some(1));
    assert!(
        told.contains("there is no program `./no-such-program`"),
        "{told}"
    );
    let (code, _, told) = run(&["--env-file", "/nonexistent", path]);
    assert_eq!(code, Some(2));
    assert!(
        told.contains("there is no program `./no-such-program`"),
        "{told}"
    );
    let (code, _, told) = run(&["cli", "--pipename", "no-such-pipe", "version"]);
    assert_eq!(code, Some(2));
    assert!(told.contains("no-such-pipe.in"), "{told}");
}
