//! A speaker of your own in the simulated network: faults, a finding, the smallest plan that shows it, its replay.
//!
//! ```text
//! cargo run --example own_speaker
//! ```

use std::error::Error;
use std::future::poll_fn;
use std::io;
use std::path::Path;
use std::time::Duration;

use lockstep::explore::finding::Finding;
use lockstep::explore::generate::{Class, generate};
use lockstep::explore::parse;
use lockstep::explore::trial::Trier;
use lockstep::net::clock::Clock;
use lockstep::net::io::AsyncStream;
use lockstep::net::programs::Programs;
use lockstep::net::timer::{sleep, sleep_until};
use lockstep::net::{Network, SocketOptions};
use lockstep::scenario::format::parse::parse as scenario;
use lockstep::subject::{Ended, Host, SpeakerName, Subject, Variant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The scripted peer: it mirrors OPEN, and must be told the route.
const SCENARIO: &str = "\
about  A toy speaker announces one route.
golden none
host toy  10.0.0.1
host peer 10.0.0.2
link toy peer latency 2ms
peer peer
    expect announce 192.0.2.0/24
";

/// A speaker of one route. Unless it is `sound`, it takes what one read brings for whole messages.
struct Toy {
    variant: Variant,
    sound: bool,
}

impl Toy {
    fn new(sound: bool) -> Self {
        let variant = Variant {
            speaker: SpeakerName::new("toy", None),
            mode: None,
        };
        Self { variant, sound }
    }

    /// One session, to its end.
    async fn session<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        mut stream: S,
        clock: Clock,
    ) -> io::Result<()> {
        stream.write_all(&open()).await?;
        let mut received = Vec::new();
        let mut buffer = [0; 4096];
        let (mut up, mut keepalive) = (false, clock.now() + HOLD / 3);
        loop {
            tokio::select! {
                biased;
                count = stream.read(&mut buffer) => match count? {
                    0 => return Ok(()),
                    count => received.extend_from_slice(&buffer[..count]),
                },
                () = sleep_until(clock.at(keepalive)) => {
                    stream.write_all(&message(4, &[])).await?;
                    keepalive = clock.now() + HOLD / 3;
                }
            }
            while let Some(length) = length(&received) {
                match received[18] {
                    1 => stream.write_all(&message(4, &[])).await?,
                    // The peer's first KEEPALIVE: the session is up (RFC 4271 section 8.2.2).
                    4 if !up => {
                        up = true;
                        stream.write_all(&update()).await?;
                    }
                    3 => return Ok(()),
                    _ => {}
                }
                received.drain(..length);
            }
            if !self.sound && !received.is_empty() {
                // Message Header Error, Bad Message Length (RFC 4271 section 6.1).
                stream.write_all(&message(3, &[1, 2])).await?;
                return Ok(());
            }
        }
    }
}

const HOLD: Duration = Duration::from_secs(90);

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = (19 + body.len()) as u16;
    [&[0xff; 16][..], &length.to_be_bytes(), &[kind], body].concat()
}

/// AS 65000, hold time 90 s, identifier 10.0.0.1, no capabilities.
fn open() -> Vec<u8> {
    message(1, &[4, 0xfd, 0xe8, 0, 90, 10, 0, 0, 1, 0])
}

/// 192.0.2.0/24, ORIGIN IGP, an empty AS_PATH, NEXT_HOP 10.0.0.1, LOCAL_PREF 100.
fn update() -> Vec<u8> {
    let attributes = [
        &[0x40, 1, 1, 0, 0x40, 2, 0][..],
        &[0x40, 3, 4, 10, 0, 0, 1, 0x40, 5, 4, 0, 0, 0, 100],
    ];
    let attributes = attributes.concat();
    let body = [
        &[0, 0, 0, attributes.len() as u8],
        &attributes[..],
        &[24, 192, 0, 2],
    ];
    message(2, &body.concat())
}

/// The length of the first message, once all of it is there.
fn length(received: &[u8]) -> Option<usize> {
    let length = usize::from(u16::from_be_bytes([*received.get(16)?, *received.get(17)?]));
    (received.len() >= length).then_some(length)
}

impl<N: Network> Subject<N> for Toy {
    fn variant(&self) -> &Variant {
        &self.variant
    }

    async fn live<P: Programs>(&self, mut host: Host<N, P>) -> Ended {
        let peer = "10.0.0.2:179".parse().expect("an address");
        let sessions = async {
            loop {
                let connecting = host.network.connect(peer, &SocketOptions::default());
                if let Ok(connection) = connecting.await {
                    // A session that is lost is begun again.
                    let _ = self.session(AsyncStream::new(connection), host.clock).await;
                }
                sleep(Duration::from_secs(2)).await;
            }
        };
        tokio::select! {
            biased;
            _ = poll_fn(|context| host.control.poll_recv(context)) => Ended::Orderly,
            () = sessions => Ended::Orderly,
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let scenario = scenario(Path::new("toy"), SCENARIO)?;
    let variants = [Toy::new(false).variant];
    let trier = Trier::of_subject(scenario.clone(), || Toy::new(false))?;
    let classes = [Class::Reset, Class::Latency, Class::Split, Class::Stall];
    let found = (0..1_000).find_map(|seed| {
        let plan = generate(trier.profile(), seed, &classes);
        let trials = trier.try_plan(&plan, &variants).ok()?;
        let failure = trials.into_iter().flat_map(|it| it.failures).next()?;
        Some((plan, failure))
    });
    let (plan, failure) = found.ok_or("nothing was found")?;
    println!("{}: {}\n\n{plan}", failure.oracle, failure.text);

    let finding = Finding::shrunk(&trier, &plan, &variants[0], &failure);
    let text = finding.shrunk.plan.to_string();
    println!("the smallest plan that shows it:\n\n{text}");

    let replayed = parse::parse(&text)?;
    let again = [(); 2].map(|()| trier.try_plan(&replayed, &variants));
    let [first, second] = again.map(|trials| trials.map(|mut trials| trials.remove(0)));
    let (first, second) = (first?, second?);
    assert_eq!(first.failures[0].oracle, failure.oracle);
    assert_eq!(first.hash, second.hash, "the same on every run");
    println!("replayed: {}", first.failures[0].text);

    let fixed = Trier::of_subject(scenario, || Toy::new(true))?;
    let trials = fixed.try_plan(&replayed, &variants)?;
    assert!(trials[0].failures.is_empty(), "{:?}", trials[0].failures);
    println!("the sound speaker passes the same plan");
    Ok(())
}
