//! A BGP peer as bytes, at the other end of the simulated network: it listens, opens, announces and keeps alive.

use std::cell::Cell;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use lockstep::net::{Connection, Listener, Network, Stream};
use lockstep::sim::SimNetwork;

/// One BGP message.
fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0xff; 16];
    bytes.extend((19 + body.len() as u16).to_be_bytes());
    bytes.push(kind);
    bytes.extend(body);
    bytes
}

fn digits(text: &str) -> Vec<u8> {
    let nibbles: Vec<u8> = text
        .chars()
        .filter_map(|digit| digit.to_digit(16).map(|it| it as u8))
        .collect();
    nibbles
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

/// Accepts connections at `at` for ever; each is a session of AS 65002 that announces three prefixes. Those that were
/// established are counted.
pub async fn listen(network: SimNetwork, at: SocketAddr, sessions: Rc<Cell<u32>>) {
    let mut listener = network.listen(at).expect("the address is free");
    while let Ok(mut connection) = poll_fn(|context| listener.poll_accept(context)).await {
        assert_eq!(connection.local_address(), at);
        let sessions = sessions.clone();
        tokio::task::spawn_local(async move {
            let _ = session(&mut connection, &sessions).await;
        });
    }
}

async fn session<C: Connection>(connection: &mut C, sessions: &Cell<u32>) -> std::io::Result<()> {
    let mut received = vec![];
    let (mut opened, mut up) = (false, false);
    let mut keepalive = Box::pin(tokio::time::sleep(Duration::from_secs(1_000_000)));
    loop {
        let mut buffer = [0; 4_096];
        let read = poll_fn(|context| {
            use std::future::Future;
            use std::task::Poll;
            if Pin::new(&mut keepalive).as_mut().poll(context).is_ready() {
                return Poll::Ready(None);
            }
            connection.poll_read(context, &mut buffer).map(Some)
        })
        .await;
        let Some(read) = read else {
            keepalive = Box::pin(tokio::time::sleep(Duration::from_secs(30)));
            write(connection, &message(4, &[])).await?;
            continue;
        };
        let count = read?;
        if count == 0 {
            return Ok(());
        }
        received.extend(&buffer[..count]);
        while received.len() >= 19 {
            let length = usize::from(u16::from_be_bytes([received[16], received[17]]));
            if received.len() < length {
                break;
            }
            let one: Vec<u8> = received.drain(..length).collect();
            match one[18] {
                1 if !opened => {
                    opened = true;
                    let open = "04fdea005a0a0000091002 0e0104000100010200 41040000fdea";
                    write(connection, &message(1, &digits(open))).await?;
                    write(connection, &message(4, &[])).await?;
                }
                4 if !up => {
                    up = true;
                    sessions.set(sessions.get() + 1);
                    let update = "00000014400101004002060201 0000fdea4003040a000009 18c63301 18c63302 18c63303";
                    write(connection, &message(2, &digits(update))).await?;
                    write(connection, &message(2, &[0; 4])).await?;
                    keepalive = Box::pin(tokio::time::sleep(Duration::from_secs(30)));
                }
                _ => {}
            }
        }
    }
}

async fn write<C: Stream>(connection: &mut C, bytes: &[u8]) -> std::io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let count = poll_fn(|context| connection.poll_write(context, rest)).await?;
        rest = &rest[count..];
    }
    Ok(())
}
