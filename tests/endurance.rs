//! What a daemon outlives: peers that refuse, itself as a peer, a log that takes nothing, few descriptors, a flood of
//! connections; and configurations that are no files.

#![allow(
    clippy::disallowed_methods,
    reason = "a daemon runs in real time, and how often it connects is counted in it"
)]

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::reactor_play::KEEPALIVE;

const MODES: [&str; 2] = ["sync", "async"];

/// A NOTIFICATION 6/0.
const CEASE: [u8; 21] = {
    let mut message = [0xff; 21];
    (message[16], message[17], message[18]) = (0, 21, 3);
    (message[19], message[20]) = (6, 0);
    message
};

/// An empty directory of the tests.
fn directory(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("endurance-{name}"));
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

fn neighbor(address: &str, more: &str) -> String {
    format!(
        "neighbor {address} {{ router-id 1.2.3.4; local-address 127.0.0.1; local-as 1; peer-as 1;\n\
         family {{ ipv4 unicast; }} {more} }}\n"
    )
}

/// A daemon that is killed when the test is over.
struct Daemon(Child);

impl Daemon {
    fn command(mode: &str, port: u16) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lockstep"));
        command
            .args(["speak", "--mode", mode])
            .env("exabgp_tcp_port", port.to_string())
            .env("exabgp_tcp_bind", "")
            .env("exabgp_api_cli", "false")
            .env("exabgp_daemon_user", "root");
        command
    }

    fn is_running(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.0.id()))
            .unwrap()
            .count()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Answers the OPEN of whoever connected with its own, one higher, and a KEEPALIVE.
fn answer(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut open = vec![0; 19];
    stream.read_exact(&mut open)?;
    open.resize(usize::from(u16::from_be_bytes([open[16], open[17]])), 0);
    stream.read_exact(&mut open[19..])?;
    open[27] += 1;
    stream.write_all(&open)?;
    stream.write_all(&KEEPALIVE)
}

/// How many times `pattern` stands in the file.
fn count(path: &Path, pattern: &str) -> usize {
    std::fs::read_to_string(path)
        .unwrap()
        .matches(pattern)
        .count()
}

#[test]
fn a_peer_that_refuses_every_session_is_not_connected_to_in_a_loop() {
    for mode in MODES {
        let directory = directory(&format!("refused-{mode}"));
        let configuration = directory.join("speaker.conf");
        std::fs::write(&configuration, neighbor("127.0.0.1", "")).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let log = directory.join("log");
        let _daemon = Daemon(
            Daemon::command(mode, listener.local_addr().unwrap().port())
                .arg(&configuration)
                .stdout(File::create(&log).unwrap())
                .spawn()
                .unwrap(),
        );
        let refuse = |listener: &TcpListener| {
            let (mut stream, _) = listener.accept().unwrap();
            answer(&mut stream).unwrap();
            stream.write_all(&CEASE).unwrap();
            // The end of the speaker's half comes once it has read it.
            let _ = stream.read_to_end(&mut Vec::new());
        };
        // The first retry is prompt; then a second passes, and more each time.
        refuse(&listener);
        refuse(&listener);
        let start = Instant::now();
        refuse(&listener);
        refuse(&listener);
        let passed = start.elapsed();
        assert!(passed > Duration::from_millis(2_500), "{mode}: {passed:?}");
        assert_eq!(count(&log, "no session lasts"), 1, "{mode}");
    }
}

#[test]
fn a_speaker_that_is_its_own_neighbor_does_not_connect_in_a_loop() {
    for mode in MODES {
        let directory = directory(&format!("itself-{mode}"));
        let configuration = directory.join("speaker.conf");
        std::fs::write(&configuration, neighbor("127.0.0.1", "")).unwrap();
        // Free a moment ago.
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let log = directory.join("log");
        let mut daemon = Daemon(
            Daemon::command(mode, port)
                .arg(&configuration)
                .env("exabgp_tcp_bind", "127.0.0.1")
                .stdout(File::create(&log).unwrap())
                .spawn()
                .unwrap(),
        );
        std::thread::sleep(Duration::from_secs(3));
        assert!(daemon.is_running());
        let attempts = count(&log, " connecting ");
        assert!((2..=4).contains(&attempts), "{mode}: {attempts} attempts");
    }
}

#[test]
fn a_log_that_takes_nothing_ends_no_daemon() {
    for mode in MODES {
        let directory = directory(&format!("log-{mode}"));
        let configuration = directory.join("speaker.conf");
        std::fs::write(&configuration, neighbor("127.0.0.1", "")).unwrap();
        let full = || File::options().write(true).open("/dev/full").unwrap();
        let closed = || {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            OwnedFd::from(writer)
        };
        let outputs: [(Stdio, Stdio); 2] = [
            (full().into(), full().into()),
            (closed().into(), closed().into()),
        ];
        for (output, errors) in outputs {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let mut daemon = Daemon(
                Daemon::command(mode, listener.local_addr().unwrap().port())
                    .arg("-d")
                    .arg(&configuration)
                    .stdout(output)
                    .stderr(errors)
                    .spawn()
                    .unwrap(),
            );
            let (mut stream, _) = listener.accept().unwrap();
            answer(&mut stream).unwrap();
            let mut keepalive = [0; 19];
            stream.read_exact(&mut keepalive).unwrap();
            assert_eq!(keepalive, KEEPALIVE[..], "{mode}");
            assert!(daemon.is_running(), "{mode}");
        }
    }
}

#[test]
fn a_configuration_may_come_through_a_pipe_and_is_then_read_once() {
    for mode in MODES {
        let directory = directory(&format!("pipe-{mode}"));
        let log = directory.join("log");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut daemon = Daemon(
            Daemon::command(mode, listener.local_addr().unwrap().port())
                .arg("/dev/stdin")
                .stdin(Stdio::piped())
                .stdout(File::create(&log).unwrap())
                .spawn()
                .unwrap(),
        );
        let text = neighbor("127.0.0.1", "");
        let mut input = daemon.0.stdin.take().unwrap();
        input.write_all(text.as_bytes()).unwrap();
        drop(input);
        let (mut stream, _) = listener.accept().unwrap();
        answer(&mut stream).unwrap();
        let reload = Command::new("kill")
            .args(["-s", "USR1", &daemon.0.id().to_string()])
            .status();
        assert!(reload.unwrap().success());
        let refused = "is no regular file and was read already: what runs stays as it is";
        while count(&log, refused) == 0 {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(daemon.is_running(), "{mode}");
    }
}

#[test]
fn with_few_descriptors_what_is_up_stays_up_and_the_cause_is_named() {
    for mode in MODES {
        let directory = directory(&format!("descriptors-{mode}"));
        let configuration = directory.join("speaker.conf");
        let neighbors: String = (1..=40)
            .map(|host| neighbor(&format!("127.0.1.{host}"), ""))
            .collect();
        std::fs::write(&configuration, neighbors).unwrap();
        let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let listener = TcpListener::bind(any).unwrap();
        let log = directory.join("log");
        let mut command = Daemon::command(mode, listener.local_addr().unwrap().port());
        command.arg(&configuration);
        let words: Vec<String> = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        let mut limited = Command::new("sh");
        limited
            .args(["-c", "ulimit -n 24; exec \"$@\"", "sh"])
            .args(words)
            .stdout(File::create(&log).unwrap());
        for (name, value) in command.get_envs() {
            limited.env(name, value.unwrap());
        }
        let mut daemon = Daemon(limited.spawn().unwrap());
        let mut sessions: Vec<TcpStream> = (0..8)
            .map(|_| {
                let (mut stream, _) = listener.accept().unwrap();
                answer(&mut stream).unwrap();
                stream
            })
            .collect();
        while count(&log, "Too many open files") == 0 {
            assert!(daemon.is_running(), "{mode}");
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_secs(2));
        for stream in &mut sessions {
            let mut keepalive = [0; 19];
            stream.read_exact(&mut keepalive).unwrap();
            assert_eq!(keepalive, KEEPALIVE[..], "{mode}");
        }
        assert_eq!(count(&log, "Too many open files"), 1, "{mode}");
    }
}

#[test]
fn a_flood_of_connections_keeps_few_descriptors() {
    for mode in MODES {
        let directory = directory(&format!("flood-{mode}"));
        let configuration = directory.join("speaker.conf");
        std::fs::write(&configuration, neighbor("127.0.0.1", "passive;")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut daemon = Daemon(
            Daemon::command(mode, port)
                .arg(&configuration)
                .env("exabgp_tcp_bind", "127.0.0.1")
                .stdout(File::create(directory.join("log")).unwrap())
                .spawn()
                .unwrap(),
        );
        let to = ("127.0.0.1", port);
        let first = loop {
            match TcpStream::connect(to) {
                Ok(stream) => break stream,
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        let mut connections = vec![first];
        let mut most = 0;
        for number in 0..400 {
            connections.extend(TcpStream::connect(to));
            if number % 20 == 0 {
                most = most.max(daemon.descriptors());
            }
        }
        std::thread::sleep(Duration::from_millis(500));
        most = most.max(daemon.descriptors());
        assert!(daemon.is_running());
        assert!(connections.len() > 100, "{}", connections.len());
        assert!(most < 64, "{mode}: {most} descriptors");
    }
}

/// The most memory that a process has had, in KiB (proc(5) `VmHWM`).
fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_program_that_floods_show_and_reads_nothing_takes_little_memory() {
    for mode in MODES {
        let directory = directory(&format!("show-{mode}"));
        let configuration = directory.join("speaker.conf");
        let text = format!(
            "process flood {{ run yes show adj-rib out extensive; encoder text; }}\n{}",
            neighbor(
                "127.0.0.1",
                "passive; api { processes [ flood ]; }\n\
                 static { route 10.0.0.0/13 next-hop 192.0.2.1 split /24; }"
            )
        );
        std::fs::write(&configuration, text).unwrap();
        let mut daemon = Daemon(
            Daemon::command(mode, 179)
                .arg(&configuration)
                .stdout(File::create(directory.join("log")).unwrap())
                .spawn()
                .unwrap(),
        );
        std::thread::sleep(Duration::from_secs(4));
        assert!(daemon.is_running());
        let peak = peak(daemon.0.id());
        assert!(peak < 64 * 1024, "{mode}: {peak} KiB");
    }
}
