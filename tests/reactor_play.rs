//! A stage for both reactors: a speaker with a configuration, a peer and programs that a test plays by hand, in
//! virtual time or on the kernel's loopback, and a record of everything observed.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use lockstep::config;
use lockstep::net::clock::Clock;
use lockstep::net::programs::{Program, Programs};
use lockstep::net::{Listener, Network, SocketOptions, Stream};
use lockstep::os::kernel::KernelNetwork;
use lockstep::reactor::control::{self, Control, ControlSender};
use lockstep::reactor::defects::{DefectSet, NoDefects};
use lockstep::reactor::observer::{Observer, SpeakerEvent};
use lockstep::reactor::{Mode, Outcome, Rotation, Speaker, run_with_defects};
use lockstep::sim::{self, Pipe, World, pipe};
use lockstep::speaker::settings::Settings;
use tokio::sync::Notify;

/// Everything that was observed, in order.
#[derive(Default)]
pub struct Record(RefCell<Vec<(Duration, String)>>);

impl Observer for Record {
    fn observe(&self, at: Duration, event: &SpeakerEvent<'_>) {
        self.0.borrow_mut().push((at, event.to_string()));
    }
}

impl Record {
    /// The events whose text begins with `start`.
    pub fn of(&self, start: &str) -> Vec<String> {
        let lines = self.0.borrow();
        let wanted = lines.iter().filter(|(_, line)| line.starts_with(start));
        wanted.map(|(_, line)| line.clone()).collect()
    }

    /// When the events whose text begins with `start` happened.
    pub fn times(&self, start: &str) -> Vec<Duration> {
        let lines = self.0.borrow();
        let wanted = lines.iter().filter(|(_, line)| line.starts_with(start));
        wanted.map(|(at, _)| *at).collect()
    }

    /// All of it, times included.
    pub fn whole(&self) -> Vec<String> {
        let lines = self.0.borrow();
        lines
            .iter()
            .map(|(at, line)| format!("{at:?} {line}"))
            .collect()
    }
}

/// Programs whose other end a test holds.
#[derive(Clone, Default)]
pub struct RunResult(Rc<Stalls>);

#[derive(Default)]
struct Stalls {
    started: RefCell<VecDeque<(String, Pipe)>>,
    news: Notify,
}

impl Programs for RunResult {
    type Pipe = Pipe;

    fn start(&mut self, program: &Program) -> io::Result<Pipe> {
        if program.command.iter().any(|word| word.ends_with("missing")) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let (ours, theirs) = pipe(sim::PIPE_CAPACITY);
        self.0
            .started
            .borrow_mut()
            .push_back((program.name.clone(), ours));
        self.0.news.notify_one();
        Ok(theirs)
    }
}

/// What a test has in its hands.
pub struct Hands<N: Network> {
    pub listener: N::Listener,
    pub network: N,
    pub speaker: SocketAddr,
    pub clock: Clock,
    pub control: ControlSender,
    pub record: Rc<Record>,
    programs: RunResult,
}

impl<N: Network> Hands<N> {
    /// The next connection that the speaker makes.
    pub async fn accept(&mut self) -> Wire<N::Connection> {
        let listener = &mut self.listener;
        let stream = poll_fn(|context| listener.poll_accept(context))
            .await
            .unwrap();
        Wire::new(stream)
    }

    /// A connection to the speaker.
    pub async fn connect(&self) -> Wire<N::Connection> {
        let options = SocketOptions::default();
        Wire::new(self.network.connect(self.speaker, &options).await.unwrap())
    }

    /// The next program that is started.
    pub async fn program(&self) -> Wire<Pipe> {
        loop {
            if let Some((_, pipe)) = self.programs.0.started.borrow_mut().pop_front() {
                return Wire::new(pipe);
            }
            self.programs.0.news.notified().await;
        }
    }

    pub async fn sleep(&self, milliseconds: u64) {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
}

/// A stream with what was read of it.
pub struct Wire<T> {
    pub stream: T,
    buffer: Vec<u8>,
}

pub const KEEPALIVE: [u8; 19] = [
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 19, 4,
];

impl<T: Stream> Wire<T> {
    pub fn new(stream: T) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
        }
    }

    /// Reads more; says how much came.
    pub async fn read(&mut self) -> io::Result<usize> {
        let mut piece = [0; 8192];
        let stream = &mut self.stream;
        let count = poll_fn(|context| stream.poll_read(context, &mut piece)).await?;
        self.buffer.extend_from_slice(&piece[..count]);
        Ok(count)
    }

    /// What was read and not yet looked at.
    pub fn pending(&self) -> &[u8] {
        &self.buffer
    }

    pub async fn write(&mut self, bytes: &[u8]) {
        self.try_write(bytes).await.unwrap();
    }

    /// Writes as far as it goes.
    pub async fn try_write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let stream = &mut self.stream;
            let count = poll_fn(|context| stream.poll_write(context, bytes)).await?;
            bytes = &bytes[count..];
        }
        Ok(())
    }

    /// The next whole message; `None` at the end of the stream.
    pub async fn message(&mut self) -> Option<Vec<u8>> {
        loop {
            if self.buffer.len() >= 19 {
                let length = usize::from(u16::from_be_bytes([self.buffer[16], self.buffer[17]]));
                if self.buffer.len() >= length {
                    return Some(self.buffer.drain(..length).collect());
                }
            }
            if self.read().await.ok()? == 0 {
                return None;
            }
        }
    }

    /// The next message that is no KEEPALIVE.
    pub async fn telling(&mut self) -> Option<Vec<u8>> {
        loop {
            let message = self.message().await?;
            if message[18] != 4 {
                return Some(message);
            }
        }
    }

    /// Answers the speaker's OPEN with its own, as another router, and confirms it.
    pub async fn establish(&mut self) {
        let mut open = self.message().await.unwrap();
        assert_eq!(open[18], 1);
        open[27] = open[27].wrapping_add(1);
        self.write(&open).await;
        self.write(&KEEPALIVE).await;
        assert_eq!(self.message().await.unwrap()[18], 4);
    }

    /// The next line.
    pub async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.iter().position(|&octet| octet == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return Some(String::from_utf8(line[..end].to_vec()).unwrap());
            }
            if self.read().await.ok()? == 0 {
                return None;
            }
        }
    }
}

/// The prefixes of an IPv4 UPDATE without MP attributes: `+10.0.0.1/32`, `-10.0.0.1/32`; `eor` where it has none.
pub fn routes(update: &[u8]) -> Vec<String> {
    assert_eq!(update[18], 2, "{update:?}");
    let withdrawn = usize::from(u16::from_be_bytes([update[19], update[20]]));
    let at = 21 + withdrawn;
    let attributes = usize::from(u16::from_be_bytes([update[at], update[at + 1]]));
    let mut routes = prefixes('-', &update[21..at]);
    routes.extend(prefixes('+', &update[at + 2 + attributes..]));
    if routes.is_empty() {
        routes.push("eor".to_owned());
    }
    routes
}

fn prefixes(sign: char, mut octets: &[u8]) -> Vec<String> {
    let mut prefixes = Vec::new();
    while let Some((&length, rest)) = octets.split_first() {
        let count = usize::from(length).div_ceil(8);
        let mut address = [0; 4];
        address[..count].copy_from_slice(&rest[..count]);
        prefixes.push(format!(
            "{sign}{}/{length}",
            std::net::Ipv4Addr::from(address)
        ));
        octets = &rest[count..];
    }
    prefixes
}

/// The configuration of most tests; `more` is added to the neighbor.
pub fn configuration(more: &str) -> String {
    format!(
        "process service {{ run ./service; encoder text; }}
         neighbor 127.0.0.1 {{
             local-address 127.0.0.1; router-id 1.2.3.4; local-as 1; peer-as 1; hold-time 180;
             family {{ ipv4 unicast; }}
             {more}
         }}"
    )
}

pub const WITH_PROGRAM: &str = "api { processes [ service ]; }";

pub fn speaker(texts: &[String], settings: Settings) -> Speaker {
    let configurations = texts
        .iter()
        .map(|text| config::parse("test", text).unwrap())
        .collect();
    Speaker::new(Rotation::new(configurations, "/".into()), settings)
}

/// Plays `script` against a speaker in virtual time; gives the record and how the speaker ended.
pub fn play<F, Fut>(
    mode: Mode,
    texts: &[String],
    settings: Settings,
    script: F,
) -> (Rc<Record>, Outcome)
where
    F: FnOnce(Hands<sim::SimNetwork>) -> Fut + 'static,
    Fut: Future<Output = ()> + 'static,
{
    play_conducted(mode, texts, settings, NoDefects, script).unwrap()
}

/// The same against a speaker of that conduct, which may never end.
pub fn play_conducted<C, F, Fut>(
    mode: Mode,
    texts: &[String],
    settings: Settings,
    conduct: C,
    script: F,
) -> Option<(Rc<Record>, Outcome)>
where
    C: DefectSet,
    F: FnOnce(Hands<sim::SimNetwork>) -> Fut + 'static,
    Fut: Future<Output = ()> + 'static,
{
    let world = World::new(sim::Settings::default()).unwrap();
    let host = world.host(&["10.0.0.1".parse().unwrap()]);
    let (network, clock) = (host.network(), world.clock());
    let speaker = speaker(texts, settings.clone());
    let stage = async move {
        let port = settings.port;
        perform(mode, speaker, port, network, clock, conduct, script).await
    };
    world.run(Duration::from_secs(4000), stage).ok()
}

/// The same on the kernel's loopback.
pub fn play_for_real<F, Fut>(
    mode: Mode,
    texts: &[String],
    settings: Settings,
    script: F,
) -> (Rc<Record>, Outcome)
where
    F: FnOnce(Hands<KernelNetwork>) -> Fut + 'static,
    Fut: Future<Output = ()> + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async move {
        let reserved = KernelNetwork::default()
            .listen("127.0.0.1:0".parse().unwrap())
            .unwrap();
        let port = reserved.local_address().port();
        drop(reserved);
        let speaker = speaker(texts, Settings { port, ..settings });
        perform(
            mode,
            speaker,
            port,
            KernelNetwork::default(),
            Clock::start(),
            NoDefects,
            script,
        )
        .await
    })
}

async fn perform<N, C, F, Fut>(
    mode: Mode,
    speaker: Speaker,
    port: u16,
    network: N,
    clock: Clock,
    conduct: C,
    script: F,
) -> (Rc<Record>, Outcome)
where
    N: Network,
    C: DefectSet,
    F: FnOnce(Hands<N>) -> Fut + 'static,
    Fut: Future<Output = ()> + 'static,
{
    let at = SocketAddr::from(([127, 0, 0, 1], port));
    let listens = !speaker.settings.bind.is_empty();
    // A speaker that listens has the port itself: its peer then is nobody who could be connected to.
    let place = if listens {
        SocketAddr::from(([127, 0, 0, 1], 0))
    } else {
        at
    };
    let listener = network.listen(place).unwrap();
    let (sender, receiver) = control::channel();
    let record = Rc::new(Record::default());
    let programs = RunResult::default();
    let hands = Hands {
        listener,
        network: network.clone(),
        speaker: at,
        clock,
        control: sender.clone(),
        record: Rc::clone(&record),
        programs: programs.clone(),
    };
    let running = tokio::task::spawn_local(run_with_defects(
        mode,
        speaker,
        network,
        programs,
        clock,
        Rc::clone(&record) as Rc<dyn Observer>,
        receiver,
        conduct,
    ));
    script(hands).await;
    sender.send(Control::Terminate);
    let outcome = running.await.unwrap();
    (record, outcome)
}
