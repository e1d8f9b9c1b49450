//! A task that closes a connection in order: the rest, FIN, and then whatever the peer still sends, unread no longer.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::Duration;

use crate::net::{Connection, ConnectionName, Network, Stream};
use crate::reactor::defects::{Defect, DefectSet};
use crate::reactor::observer::SpeakerEvent;
use crate::reactor::shortage::LINGERING;

use crate::reactor::tasks::hub::Hub;

/// How long the peer may take to read the rest and to close its half.
const PATIENCE: Duration = Duration::from_secs(2);

/// Closes `stream` once it has taken `rest`.
pub(super) fn spawn<N: Network, C: DefectSet>(
    hub: &Rc<Hub<N, C>>,
    name: Option<ConnectionName>,
    stream: N::Connection,
    rest: Vec<u8>,
) {
    let peer = stream.peer_address().ip();
    let of_peer = hub.lingering_of.borrow().get(&peer).copied();
    if of_peer.is_some_and(|count| count >= LINGERING) {
        // Whoever connects over and over keeps no more of our descriptors than this: what goes at once goes.
        let mut stream = stream;
        let _ = stream.poll_write(&mut Context::from_waker(Waker::noop()), &rest);
        if let Some(connection) = &name {
            hub.observe(&SpeakerEvent::Disconnected { connection });
        }
        return hub.bell.notify_one();
    }
    *hub.lingering_of.borrow_mut().entry(peer).or_default() += 1;
    hub.lingering.set(hub.lingering.get() + 1);
    let task = Rc::clone(hub);
    hub.spawner.spawn(async move {
        let over = task.clock.at(task.now() + PATIENCE);
        // A peer that does not close is abandoned after the time limit.
        let lingers = !task.defects.has(Defect::NotificationLost);
        let _ = crate::net::timer::timeout_at(over, close(stream, rest, lingers)).await;
        if let Some(connection) = &name {
            task.observe(&SpeakerEvent::Disconnected { connection });
        }
        task.lingering.set(task.lingering.get() - 1);
        let mut of_peers = task.lingering_of.borrow_mut();
        if let Some(count) = of_peers.get_mut(&peer) {
            *count -= 1;
            if *count == 0 {
                of_peers.remove(&peer);
            }
        }
        drop(of_peers);
        task.bell.notify_one();
    });
}

async fn close(mut stream: impl Stream, rest: Vec<u8>, lingers: bool) {
    let mut written = 0;
    let mut shut = false;
    let mut buffer = [0; 4096];
    poll_fn(|context| {
        use std::task::Poll;
        loop {
            if written < rest.len() {
                match stream.poll_write(context, &rest[written..]) {
                    Poll::Ready(Ok(count)) => {
                        written += count;
                        continue;
                    }
                    Poll::Ready(Err(_)) => return Poll::Ready(()),
                    Poll::Pending => {}
                }
            } else if !shut {
                if !lingers {
                    return Poll::Ready(());
                }
                match stream.poll_shutdown(context) {
                    Poll::Ready(Ok(())) => shut = true,
                    Poll::Ready(Err(_)) => return Poll::Ready(()),
                    Poll::Pending => {}
                }
            }
            match stream.poll_read(context, &mut buffer) {
                Poll::Ready(Ok(0) | Err(_)) if shut => return Poll::Ready(()),
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(0)) | Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(_)) => {}
            }
        }
    })
    .await;
}
