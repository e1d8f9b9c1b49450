//! How connections come about: refused, taken, on the backlog, from an address of the host.

use std::future::poll_fn;
use std::net::SocketAddr;

use lockstep::net::abort::Abort;
use lockstep::net::{Connection, Listener, Network, SocketOptions, Stream};
use lockstep::os::kernel::KernelNetwork;
use tokio::time::sleep;

use super::script::{SETTLE, on_kernel, on_sim, told, within};

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
        let kernel = on_kernel(openings(KernelNetwork::default(), loopback));
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
    let kernel = on_kernel(source(KernelNetwork::default()));
    let sim = on_sim(source);
    assert_eq!(kernel, sim);
    insta::assert_snapshot!(kernel.join("\n"), @r"
    127.0.0.1 to 127.0.0.9
    127.0.0.2 to 127.1.2.3
    ");
}
