//! turmoil beside the kernel, within turmoil's limits.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::time::Duration;

use lockstep::net::{Connection, Listener, Network, SocketOptions, Stream};
use lockstep::os::kernel::KernelNetwork;
use lockstep::sim::turmoil::TurmoilWorld;
use tokio::time::sleep;

use super::script::Call::{Drain, Read, Shutdown, Write};
use super::script::End::{self, Client, Server};
use super::script::{Call, SETTLE, on_kernel, on_sim, on_turmoil, play, within};

/// Plays `script` on the kernel and on turmoil, within turmoil's limits.
fn second_opinion(script: &[(End, Call)]) {
    for at in ["127.0.0.1:0", "[::1]:0"] {
        let at: SocketAddr = at.parse().unwrap();
        let kernel = on_kernel(play(KernelNetwork::default(), at, script.to_vec()));
        let turmoil = on_turmoil(|network| play(network, at, script.to_vec()));
        assert_eq!(kernel, turmoil);
    }
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
    let kernel = on_kernel(both(KernelNetwork::default()));
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
