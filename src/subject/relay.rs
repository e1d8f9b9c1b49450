//! API programs of an external speaker: what it starts is a relay to a program of ours.
//!
//! The relay (`program_relay.py`) connects to a unix socket in the directory of the configuration, says the name of the
//! program in a line, and passes octets on in both directions.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

use crate::net::Stream;
use crate::net::programs::{Program, Programs};

/// The relay, in Python.
pub(super) const RELAY: &str = include_str!("program_relay.py");
/// The file name of the socket.
pub(super) const SOCKET: &str = "programs.socket";
/// The most octets that are passed on at once: a pipe's capacity on Linux (pipe(7)).
const CHUNK: usize = 65_536;

/// Starts a program of `programs` for each relay that connects; ends with the name of a program that cannot be started.
pub(super) async fn serve<P: Programs>(
    listener: &UnixListener,
    mut programs: P,
    directory: &Path,
) -> String {
    let mut relays = JoinSet::new();
    loop {
        let Ok((mut stream, _)) = listener.accept().await else {
            continue;
        };
        let Some(name) = name(&mut stream).await else {
            continue;
        };
        let program = Program {
            command: vec!["./program".into(), name.clone()],
            name,
            directory: directory.to_owned(),
        };
        match programs.start(&program) {
            Ok(pipe) => {
                relays.spawn_local(pass(Relay(stream), pipe));
            }
            Err(error) => return error.to_string(),
        }
    }
}

async fn name(stream: &mut UnixStream) -> Option<String> {
    let mut name = Vec::new();
    loop {
        match stream.read_u8().await.ok()? {
            b'\n' => return Some(String::from_utf8_lossy(&name).into_owned()),
            octet => name.push(octet),
        }
    }
}

/// Passes octets on between the relay and the program until either has ended.
async fn pass(mut relay: Relay, mut pipe: impl Stream) {
    let (mut to_program, mut to_speaker) = (Half::default(), Half::default());
    std::future::poll_fn(|context| {
        // Each half alone: a program that does not read must not hold back what it writes.
        let one = to_program.poll(&mut relay, &mut pipe, context);
        let other = to_speaker.poll(&mut pipe, &mut relay, context);
        if one.is_ready() || other.is_ready() {
            return Poll::Ready(());
        }
        Poll::Pending
    })
    .await;
}

/// What was read on one side and not yet written on the other.
#[derive(Default)]
struct Half {
    held: Vec<u8>,
}

impl Half {
    /// Moves what can be moved; ready when there is no more to move.
    fn poll(
        &mut self,
        from: &mut impl Stream,
        to: &mut impl Stream,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        loop {
            while !self.held.is_empty() {
                match ready!(to.poll_write(context, &self.held)) {
                    Ok(count) => drop(self.held.drain(..count)),
                    Err(_) => return Poll::Ready(()),
                }
            }
            self.held.resize(CHUNK, 0);
            let read = from.poll_read(context, &mut self.held);
            let count = match &read {
                Poll::Ready(Ok(count)) => *count,
                Poll::Ready(Err(_)) | Poll::Pending => 0,
            };
            self.held.truncate(count);
            match read {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(_) => return Poll::Ready(()),
            }
        }
    }
}

struct Relay(UnixStream);

impl Stream for Relay {
    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(&mut self.0).poll_read(context, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
