//! A script of `scripts.txt`, played on the simulator.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use lockstep::net::abort::Abort;
use lockstep::net::clock::Clock;
use lockstep::net::timer::sleep;
use lockstep::net::{Listener, Network, SocketOptions, Stream};
use lockstep::sim::{
    Link, Paths, Readiness, Settings, SimConnection, SimListener, SimNetwork, World,
};

const PORT: u16 = 1790;

/// What one call observed; `None` where it still waited when the script ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    pub call: String,
    /// What it gave, and when, in seconds since the script began.
    pub outcome: Option<(String, f64)>,
}

/// The scripts of a file, by name, in order.
pub fn scripts(text: &'static str) -> Vec<(&'static str, Vec<&'static str>)> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(name) = line.strip_prefix("script ") {
            found.push((name, Vec::new()));
        } else if !line.is_empty() {
            found.last_mut().unwrap().1.push(line);
        }
    }
    found
}

/// What was observed of each script, as `qa/tcp/play.py` prints it.
pub fn observations(text: &str) -> BTreeMap<String, Vec<Observation>> {
    let mut found: BTreeMap<String, Vec<Observation>> = BTreeMap::new();
    let mut name = String::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(script) = line.strip_prefix("script ") {
            name = script.to_owned();
            found.entry(name.clone()).or_default();
        } else if let Some((call, outcome)) = line.trim().split_once(": ") {
            let outcome = outcome.split_once(" at ");
            let outcome = outcome.map(|(what, at)| (what.to_owned(), at.parse().unwrap()));
            let call = call.to_owned();
            let observations = found.get_mut(&name).unwrap();
            observations.push(Observation { call, outcome });
        }
    }
    found
}

fn address(end: &str) -> IpAddr {
    if end.starts_with("client") {
        "10.9.0.1"
    } else {
        "10.9.0.2"
    }
    .parse()
    .unwrap()
}

/// Plays `steps` in a world of their own.
pub fn play(steps: &[&'static str]) -> Vec<Observation> {
    let mut settings = Settings {
        link: Link {
            latency: Duration::from_micros(50),
            ..Link::default()
        },
        ..Settings::default()
    };
    for step in steps {
        match step.split(' ').collect::<Vec<_>>().as_slice() {
            ["set", "send_buffer", octets] => settings.send_buffer = octets.parse().unwrap(),
            ["set", "receive_buffer", octets] => settings.receive_buffer = octets.parse().unwrap(),
            ["set", name, value] => {
                let value = value.parse().unwrap();
                let (least, most) = settings.tcp.bounds(name).unwrap();
                assert!((least..=most).contains(&value), "{step}");
                *settings.tcp.setting(name).unwrap() = value;
            }
            ["listen", backlog] => settings.backlog = backlog.parse().unwrap(),
            _ => {}
        }
    }
    let world = World::new(settings).unwrap();
    let hosts = ["client", "server"].map(|end| world.host(&[address(end)]).network());
    let stage = Rc::new(Stage {
        paths: world.paths(),
        clock: world.clock(),
        hosts,
        listener: RefCell::default(),
        ends: RefCell::default(),
        story: RefCell::default(),
    });
    let played = stage.clone();
    let steps = steps.to_vec();
    let run = async move { played.play(&steps).await };
    world.run(Duration::from_secs(10_000), run).unwrap();
    stage.story.take()
}

struct Stage {
    paths: Paths,
    clock: Clock,
    /// Of the client and of the server.
    hosts: [SimNetwork; 2],
    listener: RefCell<Option<SimListener>>,
    ends: RefCell<BTreeMap<String, SimConnection>>,
    story: RefCell<Vec<Observation>>,
}

impl Stage {
    async fn play(self: &Rc<Self>, steps: &[&'static str]) {
        for step in steps {
            let mut words: Vec<&str> = step.split_whitespace().collect();
            let background = words.last() == Some(&"&");
            if background {
                words.pop();
            }
            if words[0].starts_with("client") || words[0].starts_with("server") {
                let number = self.story.borrow().len();
                self.story.borrow_mut().push(Observation {
                    call: words.join(" "),
                    outcome: None,
                });
                let stage = self.clone();
                let observed = async move { stage.observe(number, &words).await };
                if background {
                    tokio::task::spawn_local(observed);
                    tokio::task::yield_now().await;
                } else {
                    observed.await;
                }
            } else {
                self.step(&words).await;
            }
        }
    }

    async fn observe(&self, number: usize, words: &[&str]) {
        let given = self.call(words[0], words[1], &words[2..]).await;
        let outcome = given.unwrap_or_else(|error| name_of(error.kind()).to_owned());
        let at = self.clock.now().as_secs_f64();
        self.story.borrow_mut()[number].outcome = Some((outcome, at));
    }

    /// A step of the path.
    async fn step(&self, words: &[&str]) {
        let ends = match &words[1..] {
            [] => &["client", "server"],
            ends => ends,
        };
        let paths = ends.iter().map(|end| {
            let other = if *end == "client" { "server" } else { "client" };
            (address(end), address(other))
        });
        match (words[0], &words[1..]) {
            ("set", _) => {}
            ("latency", [seconds]) => {
                let link = Link {
                    latency: Duration::from_secs_f64(seconds.parse().unwrap()),
                    ..Link::default()
                };
                let (one, other) = (address("client"), address("server"));
                self.paths.set(one, other, link);
                self.paths.set(other, one, link);
            }
            ("wait", [seconds]) => sleep(Duration::from_secs_f64(seconds.parse().unwrap())).await,
            ("cut", _) => paths.for_each(|(from, to)| self.paths.cut(from, to)),
            ("unreachable", _) => {
                paths.for_each(|(from, to)| self.paths.make_unreachable(from, to));
            }
            ("mend", _) => paths.for_each(|(from, to)| self.paths.restore(from, to)),
            ("lose", [end, nth]) => {
                let mut ends = self.ends.borrow_mut();
                let end = ends.get_mut(*end).unwrap();
                end.lose(true, nth.parse().unwrap());
            }
            ("listen", _) => self.listen(),
            ("unlisten", _) => *self.listener.borrow_mut() = None,
            ("open", _) => {
                self.listen();
                self.call("client", "connect", &[]).await.unwrap();
                self.call("server", "accept", &[]).await.unwrap();
            }
            _ => panic!("{words:?}"),
        }
    }

    fn listen(&self) {
        let at = SocketAddr::new(address("server"), PORT);
        let listener = self.hosts[1].listen(at).unwrap();
        *self.listener.borrow_mut() = Some(listener);
    }

    /// A call of an end, and what it gives.
    async fn call(&self, end: &str, call: &str, words: &[&str]) -> io::Result<String> {
        match (call, words) {
            ("connect", words) => self.connect(end, words).await,
            ("accept", _) => {
                let accepted = poll_fn(|context| {
                    let mut listener = self.listener.borrow_mut();
                    listener.as_mut().unwrap().poll_accept(context)
                });
                let accepted = accepted.await?;
                self.ends.borrow_mut().insert(end.to_owned(), accepted);
                Ok("accepted".into())
            }
            ("read", _) => Ok(self.read(end, 65_536).await?.to_string()),
            ("receive", [octets]) => {
                let mut wanted: usize = octets.parse().unwrap();
                while wanted > 0 {
                    match self.read(end, wanted).await? {
                        0 => return Ok("end of file".into()),
                        count => wanted -= count,
                    }
                }
                Ok((*octets).to_owned())
            }
            ("fill", _) => {
                let end_of_it = self.clock.now() + Duration::from_secs(3);
                while self.clock.now() < end_of_it {
                    if self.with(end, |it| it.try_write(&[0; 10_000])).is_err() {
                        sleep(Duration::from_millis(10)).await;
                    }
                }
                Ok("full".into())
            }
            ("drain", _) => {
                let mut buffer = vec![0; 65_536];
                while self
                    .with(end, |it| it.try_read(&mut buffer))
                    .is_ok_and(|count| count > 0)
                {}
                Ok("drained".into())
            }
            ("writable", _) => loop {
                let known = self.with(end, |it| it.readiness());
                if known.writable {
                    return Ok("writable".into());
                }
                poll_fn(|context| self.with(end, |it| it.poll_readiness(context, known))).await;
            },
            ("room", [other]) => {
                let full = self.with(end, |it| it.queued());
                let mut buffer = [0; 4_096];
                while !self.with(end, |it| it.readiness().writable) {
                    let _ = self.with(other, |it| it.try_read(&mut buffer));
                    sleep(Duration::from_millis(1)).await;
                }
                let left = self.with(end, |it| it.queued());
                Ok(format!("{}/4", (full - left) * 4 / full))
            }
            ("close", _) => {
                self.ends.borrow_mut().remove(end);
                Ok("done".into())
            }
            ("abort", _) => {
                let end = self.ends.borrow_mut().remove(end).unwrap();
                end.abort();
                Ok("done".into())
            }
            (call, words) => match self.ends.borrow_mut().get_mut(end) {
                Some(end) => at_once(end, call, words),
                None => Ok("not open".into()),
            },
        }
    }

    async fn connect(&self, end: &str, words: &[&str]) -> io::Result<String> {
        let given = |name| {
            let at = words.iter().position(|word| *word == name)?;
            words[at + 1].parse::<u16>().ok()
        };
        let options = SocketOptions {
            source_port: given("from"),
            ..SocketOptions::default()
        };
        let (host, to) = if end.starts_with("client") {
            (&self.hosts[0], "server")
        } else {
            (&self.hosts[1], "client")
        };
        let to = SocketAddr::new(address(to), given("to").unwrap_or(PORT));
        let connected = host.connect(to, &options).await?;
        self.ends.borrow_mut().insert(end.to_owned(), connected);
        Ok("connected".into())
    }

    async fn read(&self, end: &str, most: usize) -> io::Result<usize> {
        let mut buffer = vec![0; most];
        poll_fn(|context| self.with(end, |it| it.poll_read(context, &mut buffer))).await
    }

    fn with<T>(&self, end: &str, call: impl FnOnce(&mut SimConnection) -> T) -> T {
        call(self.ends.borrow_mut().get_mut(end).unwrap())
    }
}

/// A call that does not wait.
fn at_once(end: &mut SimConnection, call: &str, words: &[&str]) -> io::Result<String> {
    match (call, words) {
        ("write", [octets]) => {
            let octets = vec![0; octets.parse().unwrap()];
            Ok(end.try_write(&octets)?.to_string())
        }
        ("shutdown", _) => end.try_shutdown().map(|()| "done".to_owned()),
        ("ready", _) => Ok(flags(end.readiness())),
        ("error", _) => Ok(end.take_error().map_or("none", name_of).to_owned()),
        _ => panic!("{call} {words:?}"),
    }
}

fn flags(readiness: Readiness) -> String {
    let bits = [
        (readiness.readable, "IN"),
        (readiness.writable, "OUT"),
        (readiness.peer_closed, "RDHUP"),
        (readiness.hung_up, "HUP"),
        (readiness.error, "ERR"),
    ];
    let set: Vec<&str> = bits.iter().filter(|bit| bit.0).map(|bit| bit.1).collect();
    match set.as_slice() {
        [] => "nothing".into(),
        set => set.join("+"),
    }
}

fn name_of(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::ConnectionReset => "ECONNRESET",
        io::ErrorKind::BrokenPipe => "EPIPE",
        io::ErrorKind::TimedOut => "ETIMEDOUT",
        io::ErrorKind::HostUnreachable => "EHOSTUNREACH",
        io::ErrorKind::ConnectionRefused => "ECONNREFUSED",
        io::ErrorKind::AddrNotAvailable => "EADDRNOTAVAIL",
        io::ErrorKind::AddrInUse => "EADDRINUSE",
        io::ErrorKind::NotConnected => "ENOTCONN",
        io::ErrorKind::WouldBlock => "EAGAIN",
        other => panic!("{other:?}"),
    }
}
