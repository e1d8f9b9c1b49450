//! The same socket scripts on the kernel's loopback and in the simulation: both ends must observe the same.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use lockstep::net::abort::Abort;
use lockstep::net::kernel::KernelNetwork;
use lockstep::net::turmoil::{TurmoilNetwork, TurmoilWorld};
use lockstep::reactor::network::{Connection, Listener, Network, SocketOptions, Stream};
use lockstep::sim::{Settings, World};
use tokio::time::{sleep, timeout};

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Client,
    Server,
}
use End::{Client, Server};

/// One call on one end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    /// Writes so many octets.
    Write(usize),
    /// Writes until the window is closed.
    Fill,
    /// One read into a buffer of so many octets.
    Read(usize),
    /// Reads of so many octets until there is nothing more, for now or for ever.
    Drain(usize),
    Shutdown,
    Close,
    Abort,
}
use Call::{Drain, Fill, Read, Shutdown, Write};

/// Long enough for the kernel's loopback to carry everything.
const SETTLE: Duration = Duration::from_millis(10);

struct Ends<C> {
    client: Option<C>,
    server: Option<C>,
    /// The next octet each writes, and the next the other must read.
    written: [u8; 2],
    read: [u8; 2],
    filled: [usize; 2],
    drained: [usize; 2],
}

/// Connects over `network`, plays `script`, and tells what each call gave.
async fn play<N>(network: N, at: SocketAddr, script: Vec<(End, Call)>) -> Vec<String>
where
    N: Network,
    N::Connection: Abort,
{
    let mut listener = network.listen(at).unwrap();
    let to = listener.local_address();
    let options = SocketOptions::default();
    // Together: turmoil answers a SYN only when it is accepted.
    let (client, server) = tokio::join!(
        network.connect(to, &options),
        poll_fn(|context| listener.poll_accept(context)),
    );
    let (client, server) = (client.unwrap(), server.unwrap());
    let mut ends = Ends {
        client: Some(client),
        server: Some(server),
        written: [0; 2],
        read: [0; 2],
        filled: [0; 2],
        drained: [0; 2],
    };
    let mut story = Vec::new();
    for (end, call) in script {
        let outcome = ends.call(end, call).await;
        story.push(format!("{end:?} {call:?}: {outcome}"));
        sleep(SETTLE).await;
    }
    for (from, to) in [(0, 1), (1, 0)] {
        if ends.filled[from] > 0 && ends.drained[to] > 0 {
            let whole = ends.filled[from] == ends.drained[to];
            story.push(format!("all that filled {from} was drained: {whole}"));
        }
    }
    story
}

impl<C: Stream + Abort> Ends<C> {
    async fn call(&mut self, end: End, call: Call) -> String {
        let slot = match end {
            Client => &mut self.client,
            Server => &mut self.server,
        };
        let index = end as usize;
        match call {
            Call::Close => {
                *slot = None;
                return "closed".into();
            }
            Call::Abort => {
                slot.take().unwrap().abort();
                return "aborted".into();
            }
            _ => {}
        }
        let stream = slot.as_mut().unwrap();
        match call {
            Write(count) => {
                let mut next = self.written[index];
                let bytes = run_of(&mut next, count);
                let wrote = within(poll_fn(|context| stream.poll_write(context, &bytes))).await;
                if let Ok(wrote) = wrote {
                    self.written[index] = self.written[index].wrapping_add(wrote as u8);
                }
                told(wrote)
            }
            Fill => loop {
                let mut next = self.written[index];
                let bytes = run_of(&mut next, 10_000);
                match within(poll_fn(|context| stream.poll_write(context, &bytes))).await {
                    Ok(wrote) => {
                        self.filled[index] += wrote;
                        self.written[index] = self.written[index].wrapping_add(wrote as u8);
                    }
                    Err(error) => break error,
                }
            },
            Read(size) => {
                let mut buffer = vec![0; size];
                let read = within(poll_fn(|context| stream.poll_read(context, &mut buffer))).await;
                if let Ok(count) = read {
                    self.check(index, &buffer[..count]);
                }
                told(read)
            }
            Drain(size) => {
                let mut total = 0;
                let mut buffer = vec![0; size];
                loop {
                    let read =
                        within(poll_fn(|context| stream.poll_read(context, &mut buffer))).await;
                    let end = match read {
                        Ok(0) => "end of file".into(),
                        Ok(count) => {
                            total += count;
                            let expected = run_of(&mut self.read[index], count);
                            assert_eq!(buffer[..count], expected, "bytes in order");
                            continue;
                        }
                        Err(error) => error,
                    };
                    self.drained[index] += total;
                    // How much fits into the buffers is the kernel's own affair.
                    let filled = self.filled[1 - index] > 0;
                    break match (filled, total) {
                        (true, _) => format!("drained, {end}"),
                        (false, total) => format!("{total}, {end}"),
                    };
                }
            }
            Shutdown => told(within(poll_fn(|context| stream.poll_shutdown(context))).await),
            Call::Close | Call::Abort => unreachable!("done above"),
        }
    }

    fn check(&mut self, index: usize, bytes: &[u8]) {
        let expected = run_of(&mut self.read[index], bytes.len());
        assert_eq!(bytes, expected, "bytes in order");
    }
}

/// The octets that follow `next`: they count up, so loss and disorder show.
fn run_of(next: &mut u8, count: usize) -> Vec<u8> {
    let first = *next;
    *next = first.wrapping_add(count as u8);
    (0..count)
        .map(|index| first.wrapping_add(index as u8))
        .collect()
}

fn told<T: std::fmt::Debug>(outcome: Result<T, String>) -> String {
    match outcome {
        Ok(value) => format!("{value:?}"),
        Err(error) => error,
    }
}

async fn within<T>(call: impl Future<Output = io::Result<T>>) -> Result<T, String> {
    match timeout(2 * SETTLE, call).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(format!("{:?}", error.kind())),
        Err(_) => Err("waits".into()),
    }
}

fn on_kernel<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn on_sim<F: Future + 'static>(future: impl FnOnce(lockstep::sim::SimNetwork) -> F) -> F::Output
where
    F::Output: 'static,
{
    let world = World::new(Settings::default()).unwrap();
    let host = world.host(&[]);
    let future = future(host.network());
    world.run(Duration::from_secs(3600), future).unwrap()
}

fn on_turmoil<F: Future + 'static>(future: impl FnOnce(TurmoilNetwork) -> F) -> F::Output
where
    F::Output: 'static,
{
    let world = TurmoilWorld::new(1, Duration::from_millis(1), Duration::from_secs(60));
    let future = future(world.network("both"));
    world.run("both", future).unwrap()
}

/// Plays `script` on the kernel and on turmoil, within turmoil's limits.
fn second_opinion(script: &[(End, Call)]) {
    for at in ["127.0.0.1:0", "[::1]:0"] {
        let at: SocketAddr = at.parse().unwrap();
        let kernel = on_kernel(play(KernelNetwork, at, script.to_vec()));
        let turmoil = on_turmoil(|network| play(network, at, script.to_vec()));
        assert_eq!(kernel, turmoil);
    }
}

/// Plays `script` on both and gives the one story that both must tell.
fn conform(script: &[(End, Call)]) -> String {
    let mut stories = Vec::new();
    for at in ["127.0.0.1:0", "[::1]:0"] {
        let at: SocketAddr = at.parse().unwrap();
        stories.push(on_kernel(play(KernelNetwork, at, script.to_vec())));
        stories.push(on_sim(|network| play(network, at, script.to_vec())));
    }
    assert_eq!(stories[0], stories[1], "kernel and simulation over IPv4");
    assert_eq!(stories[2], stories[3], "kernel and simulation over IPv6");
    assert_eq!(stories[0], stories[2], "IPv4 and IPv6");
    stories.swap_remove(0).join("\n")
}

#[test]
fn close_with_unread_input_resets() {
    insta::assert_snapshot!(conform(&[
        (Client, Write(10)),
        (Server, Write(5)),
        (Server, Call::Close),
        (Client, Read(100)),
        (Client, Read(100)),
        (Client, Read(100)),
        (Client, Write(1)),
        (Client, Shutdown),
    ]), @r"
    Client Write(10): 10
    Server Write(5): 5
    Server Close: closed
    Client Read(100): 5
    Client Read(100): ConnectionReset
    Client Read(100): 0
    Client Write(1): BrokenPipe
    Client Shutdown: ()
    ");
}

#[test]
fn reset_after_data_leaves_the_data_readable() {
    insta::assert_snapshot!(conform(&[
        (Server, Write(8)),
        (Server, Call::Abort),
        (Client, Read(3)),
        (Client, Read(100)),
        (Client, Read(100)),
        (Client, Read(100)),
        (Client, Write(4)),
    ]), @r"
    Server Write(8): 8
    Server Abort: aborted
    Client Read(3): 3
    Client Read(100): 5
    Client Read(100): ConnectionReset
    Client Read(100): 0
    Client Write(4): BrokenPipe
    ");
}

#[test]
fn a_write_reports_the_reset_when_it_comes_first() {
    insta::assert_snapshot!(conform(&[
        (Server, Write(8)),
        (Server, Call::Abort),
        (Client, Write(4)),
        (Client, Write(4)),
        (Client, Read(100)),
        (Client, Read(100)),
    ]), @r"
    Server Write(8): 8
    Server Abort: aborted
    Client Write(4): ConnectionReset
    Client Write(4): BrokenPipe
    Client Read(100): 8
    Client Read(100): 0
    ");
}

#[test]
fn half_close_both_ways() {
    insta::assert_snapshot!(conform(&[
        (Client, Write(4)),
        (Client, Shutdown),
        (Client, Write(1)),
        (Server, Read(100)),
        (Server, Read(100)),
        (Server, Write(6)),
        (Client, Read(100)),
        (Server, Shutdown),
        (Client, Read(100)),
        (Server, Read(100)),
        (Client, Shutdown),
        (Server, Shutdown),
        (Server, Write(1)),
    ]), @r"
    Client Write(4): 4
    Client Shutdown: ()
    Client Write(1): BrokenPipe
    Server Read(100): 4
    Server Read(100): 0
    Server Write(6): 6
    Client Read(100): 6
    Server Shutdown: ()
    Client Read(100): 0
    Server Read(100): 0
    Client Shutdown: ()
    Server Shutdown: ()
    Server Write(1): BrokenPipe
    ");
}

#[test]
fn a_full_window_reopens_when_drained() {
    insta::assert_snapshot!(conform(&[
        (Client, Fill),
        (Client, Write(1)),
        (Server, Drain(4096)),
        (Client, Write(1)),
        (Client, Shutdown),
        (Server, Read(10)),
        (Server, Read(10)),
    ]), @r"
    Client Fill: waits
    Client Write(1): waits
    Server Drain(4096): drained, waits
    Client Write(1): 1
    Client Shutdown: ()
    Server Read(10): 1
    Server Read(10): 0
    all that filled 0 was drained: true
    ");
}

#[test]
fn a_full_window_is_delivered_after_a_close() {
    insta::assert_snapshot!(conform(&[
        (Client, Fill),
        (Client, Call::Close),
        (Server, Drain(1000)),
    ]), @r"
    Client Fill: waits
    Client Close: closed
    Server Drain(1000): drained, end of file
    all that filled 0 was drained: true
    ");
}

#[test]
fn a_reset_discards_what_the_window_held_back() {
    insta::assert_snapshot!(conform(&[
        (Client, Fill),
        (Server, Write(3)),
        (Client, Call::Close),
        (Server, Write(3)),
    ]), @r"
    Client Fill: waits
    Server Write(3): 3
    Client Close: closed
    Server Write(3): ConnectionReset
    ");
}

#[test]
fn short_reads_lose_nothing() {
    insta::assert_snapshot!(conform(&[
        (Client, Write(5)),
        (Client, Write(5)),
        (Server, Read(3)),
        (Server, Read(3)),
        (Server, Read(3)),
        (Server, Read(3)),
        (Server, Read(3)),
        (Client, Write(30_000)),
        (Server, Drain(7)),
    ]), @r"
    Client Write(5): 5
    Client Write(5): 5
    Server Read(3): 3
    Server Read(3): 3
    Server Read(3): 3
    Server Read(3): 1
    Server Read(3): waits
    Client Write(30000): 30000
    Server Drain(7): 30000, waits
    ");
}

#[test]
fn a_write_after_the_peer_closed_breaks_the_pipe() {
    insta::assert_snapshot!(conform(&[
        (Server, Call::Close),
        (Client, Write(3)),
        (Client, Write(3)),
        (Client, Write(3)),
        (Client, Read(3)),
        (Client, Shutdown),
    ]), @r"
    Server Close: closed
    Client Write(3): 3
    Client Write(3): BrokenPipe
    Client Write(3): BrokenPipe
    Client Read(3): 0
    Client Shutdown: ()
    ");
}

#[test]
fn data_in_flight_to_a_closed_socket_resets() {
    insta::assert_snapshot!(conform(&[
        (Server, Write(9)),
        (Server, Call::Close),
        (Client, Write(3)),
        (Client, Read(4)),
        (Client, Read(100)),
        (Client, Read(100)),
        (Client, Write(3)),
    ]), @r"
    Server Write(9): 9
    Server Close: closed
    Client Write(3): 3
    Client Read(4): 4
    Client Read(100): 5
    Client Read(100): 0
    Client Write(3): BrokenPipe
    ");
}

#[test]
fn a_half_closed_end_is_reset() {
    insta::assert_snapshot!(conform(&[
        (Client, Shutdown),
        (Server, Read(9)),
        (Server, Call::Abort),
        (Client, Read(9)),
        (Client, Read(9)),
        (Client, Write(9)),
        (Client, Shutdown),
    ]), @r"
    Client Shutdown: ()
    Server Read(9): 0
    Server Abort: aborted
    Client Read(9): ConnectionReset
    Client Read(9): 0
    Client Write(9): BrokenPipe
    Client Shutdown: ()
    ");
}

#[test]
fn a_reset_after_fin_still_reads_as_end_of_file() {
    insta::assert_snapshot!(conform(&[
        (Client, Write(2)),
        (Server, Shutdown),
        (Client, Shutdown),
        (Server, Call::Close),
        (Client, Write(1)),
        (Client, Read(9)),
        (Client, Read(9)),
    ]), @r"
    Client Write(2): 2
    Server Shutdown: ()
    Client Shutdown: ()
    Server Close: closed
    Client Write(1): BrokenPipe
    Client Read(9): 0
    Client Read(9): 0
    ");
}

#[test]
fn both_close_at_once() {
    insta::assert_snapshot!(conform(&[
        (Client, Write(2)),
        (Server, Write(2)),
        (Client, Shutdown),
        (Server, Shutdown),
        (Client, Read(9)),
        (Server, Read(9)),
        (Client, Read(9)),
        (Server, Read(9)),
        (Client, Call::Close),
        (Server, Write(1)),
        (Server, Read(1)),
    ]), @r"
    Client Write(2): 2
    Server Write(2): 2
    Client Shutdown: ()
    Server Shutdown: ()
    Client Read(9): 2
    Server Read(9): 2
    Client Read(9): 0
    Server Read(9): 0
    Client Close: closed
    Server Write(1): BrokenPipe
    Server Read(1): 0
    ");
}

/// What cannot be told as a script between two open ends.
async fn openings<N>(network: N, loopback: &'static str) -> Vec<String>
where
    N: Network,
    N::Connection: Abort,
{
    let mut story = Vec::new();
    let address = |port| SocketAddr::new(loopback.parse().unwrap(), port);
    let options = SocketOptions::default();

    let gone = network.listen(address(0)).unwrap();
    let nobody = gone.local_address();
    drop(gone);
    let refused = within(network.connect(nobody, &options)).await;
    story.push(format!(
        "nobody listens: {}",
        refused.err().unwrap_or_default()
    ));

    let listener = network.listen(address(0)).unwrap();
    let taken = network.listen(listener.local_address()).err().unwrap();
    story.push(format!("listen twice: {:?}", taken.kind()));
    let foreign = network
        .listen("203.0.113.1:0".parse().unwrap())
        .err()
        .unwrap();
    story.push(format!("listen elsewhere: {:?}", foreign.kind()));
    let from_elsewhere = SocketOptions {
        source: Some("203.0.113.1".parse().unwrap()),
        ..options.clone()
    };
    let to = listener.local_address();
    if to.is_ipv4() {
        let failed = within(network.connect(to, &from_elsewhere)).await;
        story.push(format!(
            "connect from elsewhere: {}",
            failed.err().unwrap_or_default()
        ));
    }

    let mut client = network.connect(to, &options).await.unwrap();
    drop(listener);
    sleep(SETTLE).await;
    let mut buffer = [0; 4];
    let read = within(poll_fn(|context| client.poll_read(context, &mut buffer))).await;
    story.push(format!("listener closed on the backlog: {}", told(read)));

    let mut listener = network.listen(address(0)).unwrap();
    let to = listener.local_address();
    let client = network.connect(to, &options).await.unwrap();
    drop(client);
    sleep(SETTLE).await;
    let mut server = poll_fn(|context| listener.poll_accept(context))
        .await
        .unwrap();
    let read = within(poll_fn(|context| server.poll_read(context, &mut buffer))).await;
    story.push(format!("accepted after the close: {}", told(read)));

    let client = network.connect(to, &options).await.unwrap();
    sleep(SETTLE).await;
    client.abort();
    sleep(SETTLE).await;
    let mut server = poll_fn(|context| listener.poll_accept(context))
        .await
        .unwrap();
    let read = within(poll_fn(|context| server.poll_read(context, &mut buffer))).await;
    story.push(format!("accepted after the reset: {}", told(read)));
    story
}

#[test]
fn openings_conform() {
    for loopback in ["127.0.0.1", "::1"] {
        let kernel = on_kernel(openings(KernelNetwork, loopback));
        let sim = on_sim(|network| openings(network, loopback));
        assert_eq!(kernel, sim);
        if loopback == "127.0.0.1" {
            insta::assert_snapshot!(kernel.join("\n"), @r"
    nobody listens: ConnectionRefused
    listen twice: AddrInUse
    listen elsewhere: AddrNotAvailable
    connect from elsewhere: AddrNotAvailable
    listener closed on the backlog: ConnectionReset
    accepted after the close: 0
    accepted after the reset: ConnectionReset
    ");
        }
    }
}

#[test]
fn every_loopback_address_is_the_hosts_own() {
    async fn source<N: Network>(network: N) -> Vec<String> {
        let mut story = Vec::new();
        for (listen, source) in [("127.0.0.9", None), ("127.1.2.3", Some("127.0.0.2"))] {
            let mut listener = network
                .listen(SocketAddr::new(listen.parse().unwrap(), 0))
                .unwrap();
            let options = SocketOptions {
                source: source.map(|source| source.parse().unwrap()),
                ..SocketOptions::default()
            };
            let client = network
                .connect(listener.local_address(), &options)
                .await
                .unwrap();
            let server = poll_fn(|context| listener.poll_accept(context))
                .await
                .unwrap();
            assert_eq!(client.local_address(), server.peer_address());
            story.push(format!(
                "{} to {}",
                client.local_address().ip(),
                server.local_address().ip()
            ));
        }
        story
    }
    let kernel = on_kernel(source(KernelNetwork));
    let sim = on_sim(source);
    assert_eq!(kernel, sim);
    insta::assert_snapshot!(kernel.join("\n"), @r"
    127.0.0.1 to 127.0.0.9
    127.0.0.2 to 127.1.2.3
    ");
}

#[test]
fn turmoil_agrees_on_half_closes() {
    second_opinion(&[
        (Client, Write(4)),
        (Client, Shutdown),
        (Client, Write(1)),
        (Server, Read(100)),
        (Server, Read(100)),
        (Server, Write(6)),
        (Client, Read(100)),
        (Server, Shutdown),
        (Client, Read(100)),
        (Client, Shutdown),
    ]);
}

#[test]
fn turmoil_agrees_on_short_reads() {
    second_opinion(&[
        (Client, Write(10)),
        (Server, Read(3)),
        (Server, Read(4)),
        (Server, Read(4)),
        (Server, Read(4)),
        (Client, Write(30_000)),
        (Server, Drain(7)),
        (Client, Call::Close),
        (Server, Read(1)),
    ]);
}

#[test]
fn turmoil_agrees_on_a_close_with_unread_input() {
    second_opinion(&[
        (Client, Write(10)),
        (Server, Call::Close),
        (Client, Read(100)),
        (Client, Read(100)),
        (Client, Write(1)),
    ]);
}

#[test]
fn turmoil_agrees_on_addresses() {
    async fn both<N: Network>(network: N) -> Vec<String> {
        let mut story = Vec::new();
        let nobody = "127.0.0.1:1".parse().unwrap();
        let refused = within(network.connect(nobody, &SocketOptions::default())).await;
        story.push(refused.err().unwrap_or_default());
        let mut one = network.listen("127.0.0.1:40179".parse().unwrap()).unwrap();
        let mut two = network.listen("127.0.0.2:40179".parse().unwrap()).unwrap();
        let taken = network.listen(one.local_address());
        story.push(format!("{:?}", taken.err().map(|error| error.kind())));
        for listener in [&mut two, &mut one] {
            let options = SocketOptions {
                source: Some("127.0.0.3".parse().unwrap()),
                ..SocketOptions::default()
            };
            let (client, server) = tokio::join!(
                network.connect(listener.local_address(), &options),
                poll_fn(|context| listener.poll_accept(context)),
            );
            let (client, server) = (client.unwrap(), server.unwrap());
            assert_eq!(client.local_address(), server.peer_address());
            assert_eq!(client.peer_address(), server.local_address());
            story.push(format!(
                "{} {}",
                client.local_address().ip(),
                client.peer_address()
            ));
        }
        story
    }
    let kernel = on_kernel(both(KernelNetwork));
    assert_eq!(kernel, on_turmoil(both));
    assert_eq!(kernel, on_sim(both));
}

#[test]
fn turmoil_carries_between_two_parties() {
    let mut world = TurmoilWorld::new(1, Duration::from_millis(1), Duration::from_secs(60));
    let at: SocketAddr = "127.0.0.1:179".parse().unwrap();
    let (server, client) = (world.network("server"), world.network("client"));
    world.party("server", async move {
        let mut listener = server.listen(at).unwrap();
        let mut stream = poll_fn(|context| listener.poll_accept(context))
            .await
            .unwrap();
        let mut buffer = [0; 10];
        let read = poll_fn(|context| stream.poll_read(context, &mut buffer))
            .await
            .unwrap();
        poll_fn(|context| stream.poll_write(context, &buffer[..read]))
            .await
            .unwrap();
        sleep(Duration::from_secs(1)).await;
    });
    let echoed = world.run("client", async move {
        sleep(SETTLE).await;
        let mut stream = client.connect(at, &SocketOptions::default()).await.unwrap();
        poll_fn(|context| stream.poll_write(context, b"echo"))
            .await
            .unwrap();
        let mut buffer = [0; 10];
        let read = poll_fn(|context| stream.poll_read(context, &mut buffer))
            .await
            .unwrap();
        buffer[..read].to_vec()
    });
    assert_eq!(echoed.unwrap(), b"echo");
}

#[test]
fn a_run_that_waits_for_ever_ends_with_its_limit() {
    let limit = Duration::from_secs(3600);
    let world = World::new(Settings::default()).unwrap();
    let stuck = world.run(limit, std::future::pending::<()>());
    assert_eq!(stuck.unwrap_err().limit, limit);
    assert_eq!(world.now(), limit);
}
