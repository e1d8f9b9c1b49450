//! Faults trigger where their plan says, and report it; the trace tells the same story twice.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use lockstep::net::abort::Abort;
use lockstep::net::clock::Clock;
use lockstep::net::{Listener, Network, SocketOptions, Stream};
use lockstep::os::kernel::KernelNetwork;
use lockstep::sim::{
    Action, ConnectionName, Direction, Fault, Faults, Keep, Link, Moment, Opener, Record, Seed,
    Settings, SimNetwork, Trace, TraceHash, World, instrument,
};
use tokio::time::sleep;

const SECOND: Duration = Duration::from_secs(1);

fn name(opener: Opener, attempt: u32) -> ConnectionName {
    ConnectionName::new("127.0.0.1".parse().unwrap(), opener, attempt)
}

/// A fault of the first connection that we open.
fn fault(direction: Direction, moment: Moment, action: Action) -> Fault {
    Fault {
        connection: name(Opener::Us, 1),
        direction,
        moment,
        action,
    }
}

async fn write_all(stream: &mut impl Stream, bytes: &[u8]) -> io::Result<()> {
    let mut wrote = 0;
    while wrote < bytes.len() {
        wrote += poll_fn(|context| stream.poll_write(context, &bytes[wrote..])).await?;
    }
    Ok(())
}

async fn read_some(stream: &mut impl Stream, most: usize) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; most];
    let count = poll_fn(|context| stream.poll_read(context, &mut buffer)).await?;
    buffer.truncate(count);
    Ok(buffer)
}

/// Reads to the end; says how it ended.
async fn read_all(stream: &mut impl Stream) -> (Vec<u8>, Option<io::ErrorKind>) {
    let mut all = Vec::new();
    loop {
        match read_some(stream, 1_000).await {
            Ok(bytes) if bytes.is_empty() => return (all, None),
            Ok(bytes) => all.extend(bytes),
            Err(error) => return (all, Some(error.kind())),
        }
    }
}

/// What both ends saw of a client that writes ten octets and reads the peer's ten.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    client_wrote: Result<(), io::ErrorKind>,
    client_read: (Vec<u8>, Option<io::ErrorKind>),
    server_read: (Vec<u8>, Option<io::ErrorKind>),
}

/// A client under `faults` and a bare server exchange ten octets each way, and close.
async fn exchange<N>(network: N, clock: Clock, faults: Faults) -> Seen
where
    N: Network,
    N::Connection: Abort,
{
    let trace = Trace::new(clock, Keep::Hash);
    let faulty = instrument(network.clone(), "client", &trace, &faults).unwrap();
    let at = "127.0.0.1:0".parse().unwrap();
    let mut listener = network.listen(at).unwrap();
    let to = listener.local_address();
    let server = async move {
        let mut server = poll_fn(|context| listener.poll_accept(context))
            .await
            .unwrap();
        let wrote = write_all(&mut server, b"0123456789").await;
        let (read, end) = read_all(&mut server).await;
        // A reset is reported once, to whichever call comes first.
        let end = end.or(wrote.err().map(|error| error.kind()));
        (server, (read, end))
    };
    let client = async {
        let mut client = faulty.connect(to, &SocketOptions::default()).await.unwrap();
        let wrote = write_all(&mut client, b"abcdefghij").await;
        let mut got = (Vec::new(), None);
        while got.0.len() < 10 && got.1.is_none() {
            match read_some(&mut client, 100).await {
                Ok(bytes) if bytes.is_empty() => break,
                Ok(bytes) => got.0.extend(bytes),
                Err(error) => got.1 = Some(error.kind()),
            }
        }
        drop(client);
        (wrote.map_err(|error| error.kind()), got)
    };
    let ((_, server_read), (client_wrote, client_read)) = tokio::join!(server, client);
    Seen {
        client_wrote,
        client_read,
        server_read,
    }
}

fn on_sim<F: Future + 'static>(run: impl FnOnce(SimNetwork, Clock) -> F) -> (F::Output, Duration)
where
    F::Output: 'static,
{
    let world = World::new(Settings::default()).unwrap();
    let host = world.host(&[]);
    let future = run(host.network(), world.clock());
    let output = world.run(10_000 * SECOND, future).unwrap();
    (output, world.now())
}

fn on_kernel<F: Future>(run: impl FnOnce(KernelNetwork, Clock) -> F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async { run(KernelNetwork::default(), Clock::start()).await })
}

#[test]
fn a_reset_strikes_at_every_byte_sent() {
    for byte in 0..10 {
        let plan = [fault(Direction::Sent, Moment::Byte(byte), Action::Reset)];
        for kernel in [false, true] {
            let faults = Faults::new(&plan);
            let shared = faults.clone();
            let seen = if kernel {
                on_kernel(|network, clock| exchange(network, clock, shared))
            } else {
                on_sim(|network, clock| exchange(network, clock, shared)).0
            };
            assert_eq!(seen.client_wrote, Err(io::ErrorKind::ConnectionReset));
            let (read, end) = seen.server_read;
            assert_eq!(read, b"abcdefghij"[..byte as usize], "kernel: {kernel}");
            assert_eq!(end, Some(io::ErrorKind::ConnectionReset));
            assert!(faults.report()[0].at.is_some());
        }
    }
}

#[test]
fn a_reset_strikes_at_every_byte_received() {
    for byte in 0..10 {
        let plan = [fault(
            Direction::Received,
            Moment::Byte(byte),
            Action::Reset,
        )];
        for kernel in [false, true] {
            let shared = Faults::new(&plan);
            let seen = if kernel {
                on_kernel(|network, clock| exchange(network, clock, shared))
            } else {
                on_sim(|network, clock| exchange(network, clock, shared)).0
            };
            let (read, _) = seen.client_read;
            assert_eq!(read, b"0123456789"[..byte as usize], "kernel: {kernel}");
            assert_eq!(seen.server_read.1, Some(io::ErrorKind::ConnectionReset));
        }
    }
}

#[test]
fn a_split_moves_one_octet_at_a_time_and_loses_none() {
    let plan = [
        fault(Direction::Sent, Moment::Opening, Action::Split(1)),
        fault(Direction::Received, Moment::Byte(3), Action::Split(1)),
    ];
    let (seen, _) = on_sim(|network, clock| exchange(network, clock, Faults::new(&plan)));
    assert_eq!(seen.client_read, (b"0123456789".to_vec(), None));
    assert_eq!(seen.server_read, (b"abcdefghij".to_vec(), None));
}

#[test]
fn time_passes_as_the_fault_says() {
    let cases = [
        (
            Direction::Sent,
            Moment::Byte(4),
            Action::Stall(Some(5 * SECOND)),
            5_000,
        ),
        (
            Direction::Received,
            Moment::Byte(4),
            Action::Stall(Some(5 * SECOND)),
            5_000,
        ),
        (Direction::Sent, Moment::Opening, Action::Slow(2), 4_500),
        (Direction::Received, Moment::Opening, Action::Slow(2), 4_500),
        (
            Direction::Received,
            Moment::Opening,
            Action::Delay(3 * SECOND),
            3_000,
        ),
        (
            Direction::Received,
            Moment::Opening,
            Action::Coalesce(100, 7 * SECOND),
            7_000,
        ),
        (
            Direction::Sent,
            Moment::Opening,
            Action::Coalesce(5, 7 * SECOND),
            0,
        ),
        (
            Direction::Sent,
            Moment::Byte(3),
            Action::Silence(Some(9 * SECOND)),
            9_000,
        ),
        (
            Direction::Received,
            Moment::Time(2 * SECOND),
            Action::Reset,
            0,
        ),
    ];
    for (direction, moment, action, millis) in cases {
        let plan = [fault(direction, moment, action)];
        let faults = Faults::new(&plan);
        let shared = faults.clone();
        let (seen, took) = on_sim(|network, clock| exchange(network, clock, shared));
        assert_eq!(seen.client_read.0, b"0123456789", "{action}");
        assert_eq!(seen.server_read, (b"abcdefghij".to_vec(), None), "{action}");
        let least = Duration::from_millis(millis);
        // After silence, TCP tries again in its own time.
        let late = match action {
            Action::Silence(_) => 9 * SECOND,
            _ => Duration::from_millis(20),
        };
        let range = least..least + late;
        assert!(range.contains(&took), "{} took {took:?}", plan[0]);
        // A time that the run did not reach is no time to strike.
        let triggered = faults.report()[0].at.is_some();
        assert_eq!(triggered, action != Action::Reset, "{}", plan[0]);
    }
}

#[test]
fn a_close_ends_both_ways_and_a_half_close_one() {
    let plan = [fault(
        Direction::Received,
        Moment::Byte(4),
        Action::HalfClose,
    )];
    let (seen, _) = on_sim(|network, clock| exchange(network, clock, Faults::new(&plan)));
    assert_eq!(seen.client_read, (b"0123".to_vec(), None));
    assert_eq!(seen.server_read, (b"abcdefghij".to_vec(), None));

    let plan = [fault(Direction::Sent, Moment::Byte(4), Action::HalfClose)];
    let (seen, _) = on_sim(|network, clock| exchange(network, clock, Faults::new(&plan)));
    assert_eq!(seen.client_wrote, Err(io::ErrorKind::BrokenPipe));
    assert_eq!(seen.client_read, (b"0123456789".to_vec(), None));
    assert_eq!(seen.server_read, (b"abcd".to_vec(), None));

    let plan = [fault(Direction::Sent, Moment::Byte(4), Action::Close)];
    let (seen, _) = on_sim(|network, clock| exchange(network, clock, Faults::new(&plan)));
    assert_eq!(seen.client_read, (Vec::new(), None));
    assert_eq!(seen.server_read, (b"abcd".to_vec(), None));
}

#[test]
fn nobody_hears_of_a_silent_connection() {
    let ((client, server), took) = on_sim(|network, clock| async move {
        let plan = [fault(
            Direction::Sent,
            Moment::Byte(2),
            Action::Silence(None),
        )];
        let trace = Trace::new(clock, Keep::Hash);
        let faulty = instrument(network.clone(), "client", &trace, &Faults::new(&plan)).unwrap();
        let mut listener = network.listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let to = listener.local_address();
        let mut client = faulty.connect(to, &SocketOptions::default()).await.unwrap();
        let mut server = poll_fn(|context| listener.poll_accept(context))
            .await
            .unwrap();
        write_all(&mut client, b"abcd").await.unwrap();
        let read = read_all(&mut client).await;
        drop(client);
        let heard = read_some(&mut server, 10).await.unwrap();
        let more = tokio::time::timeout(100 * SECOND, read_some(&mut server, 10)).await;
        (read, (heard, more.is_err()))
    });
    assert_eq!(client, (Vec::new(), Some(io::ErrorKind::TimedOut)));
    assert_eq!(server, (b"ab".to_vec(), true));
    assert!(
        (924 + 100..1_060 + 100).contains(&took.as_secs()),
        "{took:?}"
    );
}

#[test]
fn attempts_are_refused_and_ignored_by_number() {
    let (seen, took) = on_sim(|network, clock| async move {
        let opening = |opener, attempt, action| Fault {
            connection: name(opener, attempt),
            direction: Direction::Sent,
            moment: Moment::Opening,
            action,
        };
        let faults = Faults::new(&[
            opening(Opener::Us, 1, Action::Refuse),
            opening(Opener::Us, 3, Action::Ignore),
            opening(Opener::Us, 9, Action::Refuse),
        ]);
        let trace = Trace::new(clock, Keep::Hash);
        let faulty = instrument(network.clone(), "client", &trace, &faults).unwrap();
        let listener = network.listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let mut seen = Vec::new();
        for _ in 0..4 {
            let to = listener.local_address();
            let connected = faulty.connect(to, &SocketOptions::default()).await;
            seen.push(connected.err().map(|error| error.kind()));
        }
        let triggered: Vec<bool> = faults.report().iter().map(|it| it.at.is_some()).collect();
        (seen, triggered)
    });
    let refused = Some(io::ErrorKind::ConnectionRefused);
    let (attempts, triggered) = seen;
    assert_eq!(
        attempts,
        [refused, None, Some(io::ErrorKind::TimedOut), None]
    );
    assert_eq!(triggered, [true, true, false]);
    assert_eq!(took.as_secs(), 135);
}

#[test]
fn what_a_network_cannot_do_is_refused_in_words() {
    let plan = [fault(
        Direction::Sent,
        Moment::Opening,
        Action::Delay(SECOND),
    )];
    on_sim(|network, clock| async move {
        let trace = Trace::new(clock, Keep::Hash);
        let refused = instrument(network, "client", &trace, &Faults::new(&plan)).err();
        insta::assert_snapshot!(
            refused.unwrap(),
            @"unsupported fault `127.0.0.1#1 sent opening: delay 1s`: `delay` applies to received data; use `latency` to delay both directions"
        );
    });
}

/// A run with jitter, faults, two clients and a good many segments.
fn busy(seed: u64) -> (TraceHash, Vec<Record>) {
    let link = Link {
        latency: Duration::from_millis(3),
        jitter: Duration::from_millis(20),
        bandwidth: Some(100_000),
        loss: 0,
    };
    let settings = Settings {
        seed: Seed(seed),
        link,
        ..Settings::default()
    };
    let world = World::new(settings).unwrap();
    let host = world.host(&["10.0.0.1".parse().unwrap()]);
    let other = world.host(&["10.0.0.2".parse().unwrap()]);
    let trace = Trace::new(world.clock(), Keep::All);
    let plan = [Fault {
        connection: ConnectionName::new("10.0.0.2".parse().unwrap(), Opener::Us, 2),
        direction: Direction::Received,
        moment: Moment::Byte(20_000),
        action: Action::Reset,
    }];
    let network = instrument(host.network(), "client", &trace, &Faults::new(&plan)).unwrap();
    let server = other.network();
    world
        .run(1_000 * SECOND, async move {
            let at: SocketAddr = "10.0.0.2:179".parse().unwrap();
            let mut listener = server.listen(at).unwrap();
            tokio::task::spawn_local(async move {
                loop {
                    let accepted = poll_fn(|context| listener.poll_accept(context)).await;
                    let mut stream = accepted.unwrap();
                    tokio::task::spawn_local(async move {
                        while let Ok(bytes) = read_some(&mut stream, 700).await {
                            if bytes.is_empty() || write_all(&mut stream, &bytes).await.is_err() {
                                return;
                            }
                        }
                    });
                }
            });
            let mut clients = Vec::new();
            for _ in 0..2 {
                let network = network.clone();
                clients.push(tokio::task::spawn_local(async move {
                    let mut stream = network
                        .connect(at, &SocketOptions::default())
                        .await
                        .unwrap();
                    let sent = vec![7; 30_000];
                    write_all(&mut stream, &sent).await.unwrap();
                    let mut got = 0;
                    while got < sent.len() {
                        match read_some(&mut stream, 900).await {
                            Ok(bytes) => got += bytes.len(),
                            Err(_) => break,
                        }
                    }
                    got
                }));
            }
            let mut got = Vec::new();
            for client in clients {
                got.push(client.await.unwrap());
            }
            assert_eq!(got, [30_000, 20_000]);
            sleep(SECOND).await;
        })
        .unwrap();
    (trace.hash(), trace.take_records())
}

#[test]
fn the_same_seed_is_the_same_run() {
    let (hash, records) = busy(1);
    let (again, records_again) = busy(1);
    assert_eq!(records, records_again);
    assert_eq!(hash, again);
    let (other, _) = busy(2);
    assert_ne!(hash, other, "jitter draws on the seed");
}

#[test]
fn the_hash_is_the_same_in_debug_and_release_and_on_every_machine() {
    let (hash, records) = busy(1);
    insta::assert_snapshot!(hash, @"d74096571125d786");
    let told: Vec<String> = records
        .iter()
        .map(|record| record.to_string().chars().take(60).collect())
        .filter(|line: &String| !line.contains("received") && !line.contains("sent"))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    0.000000 client 10.0.0.2#1 connecting to 10.0.0.2:179
    0.000000 client 10.0.0.2#2 connecting to 10.0.0.2:179
    0.016172 client 10.0.0.2#1 open 10.0.0.1:32768 10.0.0.2:179
    0.016623 client 10.0.0.2#2 open 10.0.0.1:32769 10.0.0.2:179
    0.302310 client 10.0.0.2#2 broken: connection reset
    0.302310 client 10.0.0.2#2 closed
    0.421299 client 10.0.0.2#1 closed
    ");
}
