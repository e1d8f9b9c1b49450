//! TCP on a path that misbehaves: what Linux did, as `qa/tcp/measure.py` recorded it, and what the simulator does.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use lockstep::net::abort::Abort;
use lockstep::net::clock::Clock;
use lockstep::net::timer::{sleep, timeout};
use lockstep::net::{Listener, Network, SocketOptions, Stream};
use lockstep::sim::{Link, Paths, Settings, SimConnection, SimNetwork, World};

/// How far the simulator may be from the kernel: its timers round to its own ticks, which begin at any time.
const TOLERANCE: f64 = 0.08;
/// And its processes take their time.
const SLACK: f64 = 0.1;

const RECORDED: &str = include_str!("linux.txt");

/// Numbers, and the error in which it ended, of each case on the kernel.
fn recorded() -> BTreeMap<&'static str, (Vec<f64>, Option<&'static str>)> {
    let lines = RECORDED.lines().filter(|line| !line.starts_with('#'));
    let case = |line: &'static str| {
        let (name, rest) = line.split_once(' ').unwrap();
        let numbers = rest.split(' ').filter_map(|word| word.parse().ok());
        let error = rest.split(' ').find(|word| word.starts_with('E'));
        (name, (numbers.collect(), error))
    };
    lines.map(case).collect()
}

/// Compares what the simulator gave with the kernel's record; `before` has passed before the time that is told.
#[track_caller]
fn agree(name: &str, before: f64, found: &[f64]) {
    let (kernel, _) = &recorded()[name];
    assert_eq!(
        kernel.len(),
        found.len(),
        "{name}: kernel {kernel:?}, simulator {found:?}"
    );
    for (one, other) in kernel.iter().zip(found) {
        let allowed = (before + one) * TOLERANCE + SLACK;
        assert!(
            (one - other).abs() <= allowed,
            "{name}: kernel {kernel:?}, simulator {found:?}"
        );
    }
}

fn here() -> IpAddr {
    "10.9.0.1".parse().unwrap()
}

fn there() -> IpAddr {
    "10.9.0.2".parse().unwrap()
}

/// What a case has to work with.
struct Case {
    paths: Paths,
    clock: Clock,
    client: SimNetwork,
    server: SimNetwork,
}

impl Case {
    fn cut(&self) {
        self.paths.cut(here(), there());
        self.paths.cut(there(), here());
    }

    fn mend(&self) {
        self.paths.restore(here(), there());
        self.paths.restore(there(), here());
    }

    fn at() -> SocketAddr {
        SocketAddr::new(there(), 1790)
    }

    async fn open(&self) -> (SimConnection, SimConnection) {
        let mut listener = self.server.listen(Self::at()).unwrap();
        let options = SocketOptions::default();
        let (client, server) = tokio::join!(
            self.client.connect(Self::at(), &options),
            poll_fn(|context| listener.poll_accept(context)),
        );
        (client.unwrap(), server.unwrap())
    }
}

fn play<F: Future<Output = T> + 'static, T: 'static>(
    settings: Settings,
    case: impl FnOnce(Rc<Case>) -> F,
) -> T {
    let link = Link {
        latency: Duration::from_micros(50),
        ..Link::default()
    };
    let world = World::new(Settings { link, ..settings }).unwrap();
    let (one, other) = (world.host(&[here()]), world.host(&[there()]));
    let given = Rc::new(Case {
        paths: world.paths(),
        clock: world.clock(),
        client: one.network(),
        server: other.network(),
    });
    world.run(Duration::from_secs(10_000), case(given)).unwrap()
}

async fn write(stream: &mut SimConnection, bytes: &[u8]) {
    let wrote = poll_fn(|context| stream.poll_write(context, bytes)).await;
    assert_eq!(wrote.unwrap(), bytes.len());
}

async fn read(stream: &mut SimConnection) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; 1_000];
    let count = poll_fn(|context| stream.poll_read(context, &mut buffer)).await?;
    buffer.truncate(count);
    Ok(buffer)
}

#[test]
fn what_was_written_in_an_outage_arrives_as_late_as_on_linux() {
    for (name, seconds) in [
        ("outage-5", 5),
        ("outage-20", 20),
        ("outage-30", 30),
        ("outage-60", 60),
    ] {
        let late = play(Settings::default(), move |case| async move {
            let (mut client, mut server) = case.open().await;
            write(&mut client, b"hello").await;
            read(&mut server).await.unwrap();
            sleep(Duration::from_millis(500)).await;
            case.cut();
            write(&mut client, b"late").await;
            sleep(Duration::from_secs(seconds)).await;
            case.mend();
            let mended = case.clock.now();
            assert_eq!(read(&mut server).await.unwrap(), b"late");
            (case.clock.now() - mended).as_secs_f64()
        });
        agree(name, seconds as f64, &[late]);
    }
}

#[test]
fn a_connect_that_nobody_answers_fails_as_late_as_on_linux() {
    let failed = play(Settings::default(), |case| async move {
        let _listener = case.server.listen(Case::at()).unwrap();
        case.cut();
        let failed = case
            .client
            .connect(Case::at(), &SocketOptions::default())
            .await;
        assert_eq!(failed.err().unwrap().kind(), io::ErrorKind::TimedOut);
        case.clock.now().as_secs_f64()
    });
    let (kernel, _) = &recorded()["syns"];
    let end = kernel.last().unwrap();
    assert!(
        (failed - end).abs() < 2.0,
        "kernel {end}, simulator {failed}"
    );
    // Each SYN is the first to pass where the path is mended shortly before it.
    for at in kernel[1..kernel.len() - 1].iter().copied() {
        let connected = play(Settings::default(), move |case| async move {
            let _listener = case.server.listen(Case::at()).unwrap();
            case.cut();
            let options = SocketOptions::default();
            let connecting = case.client.connect(Case::at(), &options);
            let mend = async {
                sleep(Duration::from_secs_f64(at * (1.0 - TOLERANCE))).await;
                case.mend();
            };
            let (connected, ()) = tokio::join!(connecting, mend);
            connected.unwrap();
            case.clock.now().as_secs_f64()
        });
        let allowed = at * TOLERANCE / 2.0 + SLACK;
        assert!(
            (connected - at).abs() <= allowed,
            "kernel {at}, simulator {connected}"
        );
    }
}

/// How long until a connection gives up that has written into an outage, and how it says so.
fn given_up(retries2: u32, says_so: bool) -> (f64, io::ErrorKind) {
    let mut settings = Settings::default();
    settings.tcp.retries2 = retries2;
    play(settings, move |case| async move {
        let (mut client, mut server) = case.open().await;
        if says_so {
            case.paths.make_unreachable(here(), there());
        } else {
            case.cut();
        }
        let begun = case.clock.now();
        write(&mut client, b"lost").await;
        let error = read(&mut client).await.unwrap_err();
        let took = (case.clock.now() - begun).as_secs_f64();
        // Reported once; then there is nothing more to read, and nobody to write to.
        assert_eq!(read(&mut client).await.unwrap(), b"");
        let wrote = client.try_write(b"x").unwrap_err();
        assert_eq!(wrote.kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(
            client.try_shutdown().unwrap_err().kind(),
            io::ErrorKind::NotConnected
        );
        // The other end has heard nothing.
        assert!(
            timeout(Duration::from_secs(900), read(&mut server))
                .await
                .is_err()
        );
        (took, error.kind())
    })
}

#[test]
fn a_connection_that_nobody_acknowledges_ends_as_on_linux() {
    for (name, retries2, says_so, kind) in [
        ("retries-3", 3, false, io::ErrorKind::TimedOut),
        ("retries-5", 5, false, io::ErrorKind::TimedOut),
        ("unreachable-3", 3, true, io::ErrorKind::HostUnreachable),
    ] {
        let (took, found) = given_up(retries2, says_so);
        assert_eq!(found, kind, "{name}");
        agree(name, 0.0, &[took]);
    }
}

#[test]
fn a_lost_segment_is_sent_again_as_soon_as_on_linux() {
    for (name, following) in [("lost-then-0", 0), ("lost-then-1", 1), ("lost-then-3", 3)] {
        let took = play(Settings::default(), move |case| async move {
            let (mut client, mut server) = case.open().await;
            write(&mut client, b"hello").await;
            read(&mut server).await.unwrap();
            sleep(Duration::from_millis(500)).await;
            client.lose(true, 1);
            let begun = case.clock.now();
            write(&mut client, b"lost").await;
            for _ in 0..following {
                write(&mut client, b"follows").await;
            }
            assert!(read(&mut server).await.unwrap().starts_with(b"lost"));
            (case.clock.now() - begun).as_secs_f64()
        });
        agree(name, 0.0, &[took]);
    }
}

#[test]
fn a_lost_reset_is_learned_of_at_the_next_write() {
    play(Settings::default(), |case| async move {
        let (client, mut server) = case.open().await;
        let mut client = client;
        client.lose(true, 1);
        client.abort();
        assert!(
            timeout(Duration::from_secs(600), read(&mut server))
                .await
                .is_err()
        );
        write(&mut server, b"anybody?").await;
        let error = read(&mut server).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_socket_is_writable_when_a_third_of_its_buffer_is_free() {
    play(Settings::default(), |case| async move {
        let (mut client, mut server) = case.open().await;
        while client.try_write(&[0; 10_000]).is_ok() {
            sleep(Duration::from_millis(10)).await;
        }
        assert!(!client.readiness().writable);
        // An octet of room takes an octet, and yet is no reason to wake a writer.
        let mut taken = 0;
        let mut buffer = vec![0; 4_000];
        while !client.readiness().writable {
            taken += server.try_read(&mut buffer).unwrap_or(0);
            sleep(Duration::from_millis(300)).await;
            assert!(taken < 131_072);
        }
        assert!(taken > 20_000, "{taken}");
    });
}

#[test]
fn a_lost_window_update_is_made_good_by_a_probe() {
    let took = play(Settings::default(), |case| async move {
        let (mut client, mut server) = case.open().await;
        while client.try_write(&[0; 10_000]).is_ok() {
            sleep(Duration::from_millis(10)).await;
        }
        sleep(Duration::from_secs(5)).await;
        case.paths.cut(there(), here());
        let mut buffer = vec![0; 65_536];
        while server.try_read(&mut buffer).is_ok() {}
        let opened = case.clock.now();
        sleep(Duration::from_millis(100)).await;
        case.paths.restore(there(), here());
        while !client.readiness().writable {
            sleep(Duration::from_millis(10)).await;
        }
        (case.clock.now() - opened).as_secs_f64()
    });
    // Probes go out after 0.2, 0.4, 0.9, 1.8, 3.7, 7.2 s of closed window: the fifth is the first to be answered.
    assert!((0.1..=4.0).contains(&took), "{took}");
}

#[test]
fn a_backlog_of_n_admits_one_more() {
    let settings = Settings {
        backlog: 1,
        ..Settings::default()
    };
    play(settings, |case| async move {
        let listener = case.server.listen(Case::at()).unwrap();
        let options = SocketOptions::default();
        let connect = || case.client.connect(Case::at(), &options);
        let second = Duration::from_secs(1);
        let _first = timeout(second, connect()).await.unwrap().unwrap();
        let _next = timeout(second, connect()).await.unwrap().unwrap();
        assert!(timeout(3 * second, connect()).await.is_err());
        drop(listener);
    });
}

#[test]
fn keepalive_and_user_timeout_end_a_silent_connection() {
    let mut settings = Settings::default();
    settings.tcp.keepalive = 1;
    settings.tcp.keepalive_time = 10;
    settings.tcp.keepalive_intvl = 5;
    settings.tcp.keepalive_probes = 3;
    let idle = play(settings, |case| async move {
        let (mut client, _server) = case.open().await;
        sleep(Duration::from_secs(60)).await;
        case.cut();
        let begun = case.clock.now();
        let error = read(&mut client).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        (case.clock.now() - begun).as_secs_f64()
    });
    // The next of the probes that go out every 10 s, and three times 5 s after it.
    assert!((15.0..=27.0).contains(&idle), "{idle}");
    let mut settings = Settings::default();
    settings.tcp.user_timeout = 20_000;
    let busy = play(settings, |case| async move {
        let (mut client, _server) = case.open().await;
        case.cut();
        write(&mut client, b"lost").await;
        let error = read(&mut client).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        case.clock.now().as_secs_f64()
    });
    assert!((20.0..=22.0).contains(&busy), "{busy}");
}

#[test]
fn timers_are_exact_to_the_nanosecond() {
    play(Settings::default(), |case| async move {
        for nanos in [1, 999, 150_001, 1_000_001, 2_345_678_901] {
            let begun = case.clock.now();
            sleep(Duration::from_nanos(nanos)).await;
            assert_eq!(case.clock.now() - begun, Duration::from_nanos(nanos));
        }
    });
}
