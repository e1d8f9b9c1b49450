//! Two hosts and a partition: TCP sends again what was lost, and the clock does not wait for it.
//!
//! ```text
//! cargo run --example partition
//! ```

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use lockstep::net::clock::Clock;
use lockstep::net::io::AsyncStream;
use lockstep::net::timer::sleep_until;
use lockstep::net::{Network, SocketOptions, accept};
use lockstep::sim::{Link, Paths, Settings, World};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::task::spawn_local;

const SECOND: Duration = Duration::from_secs(1);

fn main() -> Result<(), Box<dyn Error>> {
    let first = report()?;
    for (line, at) in &first {
        println!("{:>10.6} s  {line}", at.as_secs_f64());
    }
    // Sent at 3 s, in the partition from 2 s to 12 s: it arrives once TCP has sent it again after that.
    let held = first.iter().find(|(line, _)| line == "tick 3");
    let held = held.ok_or("tick 3 never arrives")?.1;
    assert!(held > SECOND * 12, "{held:?}");
    assert_eq!(first, report()?, "the same on every run");
    Ok(())
}

/// What arrives at the second host, and when.
fn report() -> Result<Vec<(String, Duration)>, Box<dyn Error>> {
    let world = World::new(Settings::default())?;
    let (edge, core): (IpAddr, IpAddr) = ("10.0.0.1".parse()?, "10.0.0.2".parse()?);
    let (sender, receiver) = (world.host(&[edge]).network(), world.host(&[core]).network());
    let paths = world.paths();
    let link = Link {
        latency: Duration::from_millis(5),
        ..Link::default()
    };
    paths.set(edge, core, link);
    paths.set(core, edge, link);
    let clock = world.clock();
    let at = SocketAddr::new(core, 179);
    let mut listener = receiver.listen(at)?;
    let arrived = world.run(SECOND * 600, async move {
        spawn_local(partition(paths, [edge, core], clock));
        spawn_local(async move {
            let connection = sender.connect(at, &SocketOptions::default()).await?;
            let mut stream = AsyncStream::new(connection);
            for tick in 1..=5 {
                sleep_until(clock.at(SECOND * tick)).await;
                stream
                    .write_all(format!("tick {tick}\n").as_bytes())
                    .await?;
            }
            stream.shutdown().await
        });
        let stream = AsyncStream::new(accept(&mut listener).await?);
        let mut lines = BufReader::new(stream).lines();
        let mut arrived = Vec::new();
        while let Some(line) = lines.next_line().await? {
            arrived.push((line, clock.now()));
        }
        std::io::Result::Ok(arrived)
    })??;
    Ok(arrived)
}

/// Neither host hears of the other from 2 s to 12 s.
async fn partition(paths: Paths, [one, other]: [IpAddr; 2], clock: Clock) {
    sleep_until(clock.at(SECOND * 2)).await;
    paths.cut(one, other);
    paths.cut(other, one);
    sleep_until(clock.at(SECOND * 12)).await;
    paths.restore(one, other);
    paths.restore(other, one);
}
