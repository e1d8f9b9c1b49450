//! Real programs as guests: see src/guest.

#[path = "guest/peer.rs"]
mod peer;
#[path = "guest/support.rs"]
mod support;

use std::path::Path;
use std::time::Duration;

use lockstep::guest::network::Alone;
use lockstep::guest::{Host, Settings, Stream};

use support::program;

#[test]
#[ignore = "by hand: GUEST='command arguments' SECONDS=400"]
fn by_hand() {
    let line = std::env::var("GUEST").expect("GUEST");
    let mut words = line.split_whitespace();
    let program = program("hand", Path::new(words.next().expect("a command"))).arguments(words);
    let settings = Settings {
        keep_calls: std::env::var("CALLS").is_ok(),
        ..Settings::default()
    };
    let seconds = std::env::var("SECONDS").ok().and_then(|it| it.parse().ok());
    let mut host = Host::new(&settings, Box::new(Alone));
    host.start(&program).expect("it starts");
    let result = host.run_alone(Duration::from_secs(seconds.unwrap_or(10)));
    for call in host.calls() {
        println!("{call}");
    }
    println!("{}", host.printed(Stream::Output));
    println!("{}", host.printed(Stream::Error));
    for refusal in host.refusals() {
        println!("{refusal}");
    }
    println!("{:#?}", host.waits());
    println!("{result:?} at {:?}, {} stops", host.now(), host.stops());
    println!("{:x?}", host.trace());
}

#[test]
#[ignore = "by hand: GUEST='command arguments' SECONDS=400, with a peer"]
fn by_hand_in_a_world() {
    let line = std::env::var("GUEST").expect("GUEST");
    let seconds = std::env::var("SECONDS").ok().and_then(|it| it.parse().ok());
    let mut hashes = vec![];
    for _ in 0..2 {
        let programs: Vec<_> = line
            .split(';')
            .enumerate()
            .map(|(number, line)| {
                let mut words = line.split_whitespace();
                let path = Path::new(words.next().expect("a command"));
                let name = format!("hand/{number}");
                let at = Duration::from_secs(5 * number as u64);
                (at, program(&name, path).arguments(words))
            })
            .collect();
        let settings = Settings {
            keep_calls: std::env::var("CALLS").is_ok(),
            ..Settings::default()
        };
        let ran = support::run(&programs, seconds.unwrap_or(10), &settings);
        if hashes.is_empty() {
            println!("{}", ran.calls.join("\n"));
            println!("{}\n{}", ran.output, ran.error);
            println!("{:#?} {:#?} {:?}", ran.refusals, ran.waits, ran.failure);
        }
        println!("{} stops {}", ran.stops, ran.hash);
        hashes.push(ran.hash);
    }
    assert_eq!(hashes[0], hashes[1]);
}
