//! The peers of a run: they listen, are served, crash and start anew, and connect to the speaker where that is asked.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::spawn_local;

use crate::net::timer::{sleep, sleep_until};
use crate::net::{Listener, Network, SocketOptions};
use crate::scenario::format::script::PeerScript;
use crate::scenario::run::error::PlayError;
use crate::scenario::scripted::peer::{self, Dial, Shared};

/// What scripted peers ask of TCP: TTL security of the speaker's is always satisfied (RFC 5082 section 3).
fn options() -> SocketOptions {
    SocketOptions {
        outgoing_ttl: Some(u8::MAX),
        ..SocketOptions::default()
    }
}

pub(super) fn listen<M: Network>(network: &M, at: SocketAddr) -> Result<M::Listener, PlayError> {
    let mut listener = network.listen(at).map_err(|error| PlayError::Io {
        what: format!("a peer at {at}"),
        error,
    })?;
    listener.restrict(&options());
    Ok(listener)
}

/// Runs a peer, and restarts it after each crash.
pub(super) async fn serve<M: Network>(
    script: Rc<PeerScript>,
    (network, at): (M, SocketAddr),
    mut listener: M::Listener,
    shared: Shared,
    mut outages: Vec<(Duration, Duration)>,
) {
    let count = peer::ConnectionCount::default();
    loop {
        let life = peer::listen(script.clone(), listener, shared.clone(), count.clone());
        let Some((crash, down)) = outages.pop() else {
            return life.await;
        };
        tokio::select! {
            biased;
            () = sleep_until(shared.clock.at(crash)) => {}
            () = life => return,
        }
        sleep(down).await;
        match listen(&network, at) {
            Ok(again) => listener = again,
            Err(error) => return shared.progress.fail(error.to_string(), None),
        }
    }
}

/// Connects to a speaker wherever a peer is to; `networks` are those of the peers.
pub(super) async fn dial<M: Network>(
    networks: Vec<(std::net::IpAddr, M)>,
    mut dialled: UnboundedReceiver<Dial>,
    shared: Shared,
) {
    while let Some(dial) = dialled.recv().await {
        let source = dial.script.address;
        let Some((_, network)) = networks.iter().find(|(peer, _)| *peer == source) else {
            continue;
        };
        let options = SocketOptions {
            source: Some(source),
            ..options()
        };
        // A speaker that does not listen, or is down, cannot have a collision.
        if let Ok(connection) = network.connect(dial.to, &options).await {
            spawn_local(peer::converse(dial, connection, shared.clone()));
        }
    }
}
