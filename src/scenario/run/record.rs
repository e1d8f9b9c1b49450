//! A scenario played to an external speaker over the kernel's loopback, and its capture.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::{LocalSet, spawn_local};

use crate::capture::{Direction, Happening, Recorder, Resolution, Wire};
use crate::net::clock::Clock;
use crate::net::{Listener, Network, Stream};
use crate::os::kernel::KernelNetwork;
use crate::scenario::format::script::Scenario;
use crate::scenario::run::completion::conduct;
use crate::scenario::run::external::{External, Launcher, signal};
use crate::scenario::run::played::RunResult;
use crate::scenario::scripted::peer::{self, Shared};
use crate::scenario::scripted::program::{Program, ProgramBehaviour, ProgramInput};
use crate::scenario::scripted::progress::Progress;
use crate::scenario::scripted::transcript::{Ending, Transcript};
use crate::scenario::scripted::transcripts::Transcripts;

/// How long a scenario may take on the kernel: the reference needs seconds to start.
const LIMIT: Duration = Duration::from_secs(60);
/// Every connection of a written capture has these ports: the real ones vary from run to run.
const PORTS: (u16, u16) = (49152, 179);

/// Plays `scenario` to the speaker of `launcher`, with its files below `scratch`; gives the speaker's log too.
///
/// # Errors
/// What the operating system says of sockets, files or the executable.
pub fn play(
    scenario: &Scenario,
    launcher: &Launcher,
    scratch: &Path,
) -> io::Result<(RunResult, String)> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, on_the_kernel(scenario, launcher, scratch))
}

async fn on_the_kernel(
    scenario: &Scenario,
    launcher: &Launcher,
    scratch: &Path,
) -> io::Result<(RunResult, String)> {
    let clock = Clock::start();
    let progress = Progress::default();
    let transcripts = Transcripts::default();
    let heard = ProgramInput::default();
    let (signals, mut signalled) = unbounded_channel();
    let shared = Shared {
        // The reference is not called: it would not listen.
        dials: unbounded_channel().0,
        progress: progress.clone(),
        clock,
        transcripts: transcripts.clone(),
        signals: signals.clone(),
        signalled: Rc::default(),
        strict: true,
    };
    let mut port = 0;
    for script in &scenario.peers {
        let listener = KernelNetwork.listen(SocketAddr::new(script.address, port))?;
        port = listener.local_address().port();
        spawn_local(peer::listen(
            Rc::new(script.clone()),
            listener,
            shared.clone(),
            peer::Attempts::default(),
        ));
    }
    let (mut speaker, programs) = External::start(scenario, launcher, scratch, port)?;
    spawn_local(serve_programs(
        programs,
        Rc::new(scenario.clone()),
        progress.clone(),
        clock,
        heard.clone(),
    ));
    let id = speaker.id();
    spawn_local(async move {
        while let Some(what) = signalled.recv().await {
            id.into_iter().for_each(|id| signal(id, what));
        }
    });
    conduct(scenario, &progress, LIMIT, &signals, speaker.ended()).await;
    let log = speaker.log();
    let elapsed = clock.now();
    // Peers and programs write down their last words.
    tokio::time::sleep(Duration::from_millis(20)).await;
    let (transcripts, tables) = transcripts.take();
    let played = RunResult {
        transcripts,
        tables,
        heard: RefCell::take(&heard),
        marks: Vec::new(),
        failure: progress.failure(),
        hash: None,
        elapsed,
        over: elapsed,
    };
    Ok((played, log))
}

/// Plays the programs as their relays connect.
async fn serve_programs(
    listener: UnixListener,
    scenario: Rc<Scenario>,
    progress: Progress,
    clock: Clock,
    heard: ProgramInput,
) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let (scenario, progress, heard) = (scenario.clone(), progress.clone(), heard.clone());
        spawn_local(async move {
            let mut name = Vec::new();
            while let Ok(octet) = stream.read_u8().await {
                if octet == b'\n' {
                    break;
                }
                name.push(octet);
            }
            let name = String::from_utf8_lossy(&name).into_owned();
            match scenario.programs.iter().find(|script| script.name == name) {
                Some(script) => {
                    Program::new(
                        script.clone(),
                        Relay(stream),
                        progress,
                        clock,
                        heard,
                        ProgramBehaviour::default(),
                    )
                    .play()
                    .await;
                }
                None => progress.fail(
                    format!("the scenario has no section `process {name}`"),
                    None,
                ),
            }
        });
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

/// The pcap of `transcripts`, which began at `epoch` since 1970.
///
/// # Errors
/// Ends of different IP versions.
pub fn pcap(transcripts: &[Transcript], epoch: Duration) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut recorder = Recorder::new(&mut bytes, Resolution::Microseconds, epoch)?;
    let mut events: Vec<(Duration, Wire, Happening<'_>)> = Vec::new();
    for transcript in transcripts {
        let wire = Wire {
            client: SocketAddr::new(transcript.peer, PORTS.0),
            server: SocketAddr::new(transcript.peer, PORTS.1),
            attempt: transcript.attempt as u32,
        };
        events.push((transcript.opened, wire, Happening::Opened));
        for passed in &transcript.messages {
            let direction = if passed.from_speaker {
                Direction::FromClient
            } else {
                Direction::FromServer
            };
            events.push((passed.at, wire, Happening::Data(direction, &passed.bytes)));
        }
        if let Some((at, ending)) = transcript.ended {
            match ending {
                Ending::ByPeer => {
                    events.push((at, wire, Happening::Finished(Direction::FromServer)));
                    events.push((at, wire, Happening::Finished(Direction::FromClient)));
                }
                Ending::BySpeaker => {
                    events.push((at, wire, Happening::Finished(Direction::FromClient)));
                    events.push((at, wire, Happening::Finished(Direction::FromServer)));
                }
                Ending::Reset => events.push((at, wire, Happening::Reset(Direction::FromClient))),
            }
        }
    }
    // Stable: what happened at one instant on one connection stays in its order.
    events.sort_by_key(|(at, ..)| *at);
    for (at, wire, happening) in events {
        recorder.record(at, &wire, happening)?;
    }
    drop(recorder);
    Ok(bytes)
}
