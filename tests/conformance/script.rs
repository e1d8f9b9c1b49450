//! A script of calls on the two ends of a connection, played over any network, and what each call gave.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use lockstep::net::abort::Abort;
use lockstep::net::{Listener, Network, SocketOptions, Stream};
use lockstep::sim::turmoil::{TurmoilNetwork, TurmoilWorld};
use lockstep::sim::{Settings, World};
use tokio::time::{sleep, timeout};

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Client,
    Server,
}

/// One call on one end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
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

/// Long enough for the kernel's loopback to carry everything.
pub const SETTLE: Duration = Duration::from_millis(10);

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
pub async fn play<N>(network: N, at: SocketAddr, script: Vec<(End, Call)>) -> Vec<String>
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
            End::Client => &mut self.client,
            End::Server => &mut self.server,
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
            Call::Write(count) => {
                let mut next = self.written[index];
                let bytes = run_of(&mut next, count);
                let wrote = within(poll_fn(|context| stream.poll_write(context, &bytes))).await;
                if let Ok(wrote) = wrote {
                    self.written[index] = self.written[index].wrapping_add(wrote as u8);
                }
                told(wrote)
            }
            Call::Fill => loop {
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
            Call::Read(size) => {
                let mut buffer = vec![0; size];
                let read = within(poll_fn(|context| stream.poll_read(context, &mut buffer))).await;
                if let Ok(count) = read {
                    self.check(index, &buffer[..count]);
                }
                told(read)
            }
            Call::Drain(size) => {
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
            Call::Shutdown => told(within(poll_fn(|context| stream.poll_shutdown(context))).await),
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

pub fn told<T: std::fmt::Debug>(outcome: Result<T, String>) -> String {
    match outcome {
        Ok(value) => format!("{value:?}"),
        Err(error) => error,
    }
}

pub async fn within<T>(call: impl Future<Output = io::Result<T>>) -> Result<T, String> {
    match timeout(2 * SETTLE, call).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(format!("{:?}", error.kind())),
        Err(_) => Err("waits".into()),
    }
}

pub fn on_kernel<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

pub fn on_sim<F: Future + 'static>(future: impl FnOnce(lockstep::sim::SimNetwork) -> F) -> F::Output
where
    F::Output: 'static,
{
    let world = World::new(Settings::default()).unwrap();
    let host = world.host(&[]);
    let future = future(host.network());
    world.run(Duration::from_secs(3600), future).unwrap()
}

pub fn on_turmoil<F: Future + 'static>(future: impl FnOnce(TurmoilNetwork) -> F) -> F::Output
where
    F::Output: 'static,
{
    let world = TurmoilWorld::new(1, Duration::from_millis(1), Duration::from_secs(60));
    let future = future(world.network("both"));
    world.run("both", future).unwrap()
}
