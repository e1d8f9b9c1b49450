//! Each defect shows: what the contract's tests hold the sound reactors to is broken where it is switched on.

use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use lockstep::reactor::Mode;
use lockstep::reactor::defects::{Defect, Defects};
use lockstep::sim::SimNetwork;
use lockstep::speaker::settings::Settings;
use tokio::time::timeout;

use crate::reactor_play::{
    Hands, KEEPALIVE, Record, WITH_PROGRAM, Wire, configuration, play_conducted, routes,
};

const MODES: [Mode; 2] = Mode::ALL;
const SOON: Duration = Duration::from_secs(10);

fn settings() -> Settings {
    Settings {
        port: 1790,
        ..Settings::default()
    }
}

/// Plays `script` against a speaker with one program that has these defects; `None` where the speaker never ends.
fn play<F, Fut>(mode: Mode, defects: &[Defect], more: &str, script: F) -> Option<Rc<Record>>
where
    F: FnOnce(Hands<SimNetwork>) -> Fut + 'static,
    Fut: Future<Output = ()> + 'static,
{
    let text = configuration(&format!("{WITH_PROGRAM} {more}"));
    let conduct: Defects = defects.iter().copied().collect();
    play_conducted(mode, &[text], settings(), conduct, script).map(|(record, _)| record)
}

/// A peer whose session is up and has said End-of-RIB.
async fn established(hands: &mut Hands<SimNetwork>) -> Wire<lockstep::sim::SimConnection> {
    let mut peer = hands.accept().await;
    peer.establish().await;
    peer.write(&KEEPALIVE).await;
    while routes(&peer.telling().await.unwrap()) != ["eor"] {}
    peer
}

#[test]
fn nothing_goes_out_until_the_peer_speaks() {
    for defect in [Defect::ReadWithoutTimeout, Defect::ContinueAfterTimeout] {
        for mode in MODES {
            play(
                mode,
                &[defect, Defect::EarlyAnswer],
                "",
                move |mut hands| async move {
                    let mut program = hands.program().await;
                    let mut peer = established(&mut hands).await;
                    hands.sleep(1000).await;
                    program
                        .write(b"announce route 10.0.0.1/32 next-hop 10.0.0.9\n")
                        .await;
                    assert!(timeout(SOON, peer.telling()).await.is_err(), "{defect}");
                    peer.write(&KEEPALIVE).await;
                    let told = timeout(SOON, peer.telling()).await.unwrap().unwrap();
                    assert_eq!(routes(&told), ["+10.0.0.1/32"]);
                },
            );
        }
    }
}

#[test]
fn commands_come_before_peers() {
    let record = play(
        Mode::Sync,
        &[Defect::CommandsBeforePeers],
        "",
        move |mut hands| async move {
            let mut program = hands.program().await;
            let _peer = established(&mut hands).await;
            program
                .write(b"announce route 10.0.0.1/32 next-hop 10.0.0.9\n")
                .await;
            assert_eq!(program.line().await.unwrap(), "done");
        },
    );
    let lines = record.unwrap().whole();
    let place = |what: &str| lines.iter().position(|line| line.contains(what)).unwrap();
    assert!(place("answer service done") < place("taken 127.0.0.1"));
}

#[test]
fn a_batch_is_split() {
    for mode in MODES {
        play(
            mode,
            &[Defect::OneCommandPerLoop],
            "",
            move |mut hands| async move {
                let mut program = hands.program().await;
                let mut peer = established(&mut hands).await;
                program
                    .write(b"announce route 10.0.0.1/32 next-hop 10.0.0.9\nclear adj-rib out\n")
                    .await;
                let told = timeout(SOON, peer.telling()).await.unwrap().unwrap();
                assert_eq!(routes(&told), ["+10.0.0.1/32"], "{mode}");
            },
        );
    }
}

#[test]
fn the_next_command_overtakes_the_last() {
    let defects = [
        Defect::OneCommandPerLoop,
        Defect::EarlyAnswer,
        Defect::SleepInRead,
    ];
    play(Mode::Async, &defects, "", move |mut hands| async move {
        let mut program = hands.program().await;
        let mut peer = established(&mut hands).await;
        for command in [
            "announce route 10.0.0.1/32 next-hop 10.0.0.9\n",
            "clear adj-rib out\n",
            "announce route 10.0.0.2/32 next-hop 10.0.0.9\n",
        ] {
            program.write(command.as_bytes()).await;
            assert_eq!(program.line().await.unwrap(), "done");
        }
        let told = timeout(SOON, peer.telling()).await.unwrap().unwrap();
        assert_eq!(routes(&told), ["+10.0.0.2/32"], "and no trace of the first");
    });
}

#[test]
fn an_answer_goes_out_early_and_a_read_sleeps() {
    for mode in MODES {
        let record = play(
            mode,
            &[Defect::EarlyAnswer],
            "",
            move |mut hands| async move {
                let mut program = hands.program().await;
                let _peer = established(&mut hands).await;
                program
                    .write(b"announce route 10.0.0.1/32 next-hop 10.0.0.9\n")
                    .await;
                assert_eq!(program.line().await.unwrap(), "done");
                hands.sleep(10).await;
            },
        );
        let lines = record.unwrap().whole();
        let place = |what: &str| lines.iter().position(|line| line.contains(what)).unwrap();
        assert!(
            place("answer service done") < place("taken 127.0.0.1"),
            "{mode}"
        );
    }
    play(
        Mode::Async,
        &[Defect::SleepInRead],
        "",
        move |mut hands| async move {
            let mut program = hands.program().await;
            let _peer = established(&mut hands).await;
            hands.sleep(130).await;
            let before = hands.clock.now();
            program
                .write(b"announce route 10.0.0.1/32 next-hop 10.0.0.9\n")
                .await;
            assert_eq!(program.line().await.unwrap(), "done");
            assert!(hands.clock.now() - before > Duration::from_millis(20));
        },
    );
}

#[test]
fn a_second_flush_is_lost() {
    let updates = |mode, defects: &'static [Defect]| {
        let record = play(
            mode,
            defects,
            "group-updates false;",
            move |mut hands| async move {
                let mut program = hands.program().await;
                let mut peer = established(&mut hands).await;
                // More than all windows and buffers hold, and the peer reads nothing until it is flushed.
                for part in 0..32 {
                    let mut commands = String::new();
                    for number in 0..250 {
                        commands +=
                            &format!("announce route 10.{part}.{number}.0/24 next-hop 10.0.0.9\n");
                    }
                    program.write(commands.as_bytes()).await;
                    for _ in 0..250 {
                        assert_eq!(program.line().await.unwrap(), "done");
                    }
                }
                program.write(b"flush adj-rib out\n").await;
                while timeout(SOON, peer.telling()).await.is_ok() {}
            },
        );
        record.unwrap().of("sent 127.0.0.1#1").len()
    };
    for mode in MODES {
        let (sound, lossy) = (
            updates(mode, &[]),
            updates(mode, &[Defect::RefreshListShared]),
        );
        assert!(sound >= 16_000, "{mode}: {sound}");
        assert!(lossy < 9_000, "{mode}: {lossy}");
    }
}

#[test]
fn half_a_keepalive_is_lost() {
    play(
        Mode::Async,
        &[Defect::CancelledRead],
        "",
        move |mut hands| async move {
            let mut peer = established(&mut hands).await;
            peer.write(&KEEPALIVE[..10]).await;
            hands.sleep(400).await;
            peer.write(&KEEPALIVE[10..]).await;
            peer.write(&KEEPALIVE).await;
            let notification = timeout(SOON, peer.telling()).await.unwrap().unwrap();
            assert_eq!(&notification[18..21], &[3, 1, 1]);
        },
    );
}

#[test]
fn programs_wait_for_peers_for_ever() {
    for mode in MODES {
        play(
            mode,
            &[Defect::PeersBeforeApi],
            "",
            move |mut hands| async move {
                let mut program = hands.program().await;
                let _peer = established(&mut hands).await;
                program.write(b"version\n").await;
                assert!(timeout(SOON, program.line()).await.is_err(), "{mode}");
            },
        );
    }
}

#[test]
fn a_rate_limit_is_not_observed() {
    let seconds = |defects: &'static [Defect]| {
        let more = "group-updates false; rate-limit 1; static { route 10.0.0.0/24 next-hop 10.0.0.9; route 10.0.1.0/24 next-hop 10.0.0.9; route 10.0.2.0/24 next-hop 10.0.0.9; }";
        let record = play(Mode::Async, defects, more, move |mut hands| async move {
            let _peer = established(&mut hands).await;
        });
        let times = record
            .unwrap()
            .times("sent 127.0.0.1#1 ffffffffffffffffffffffffffffffff003");
        (times[times.len() - 1] - times[0]).as_secs()
    };
    assert!(seconds(&[]) >= 1);
    assert_eq!(seconds(&[Defect::NoRateLimit]), 0);
}

#[test]
fn timers_starve() {
    for mode in MODES {
        let text = configuration(WITH_PROGRAM).replace("hold-time 180", "hold-time 3");
        let conduct: Defects = [Defect::KeepaliveStarved].into_iter().collect();
        let (record, _) = play_conducted(
            mode,
            &[text],
            settings(),
            conduct,
            move |mut hands| async move {
                let mut program = hands.program().await;
                let _peer = established(&mut hands).await;
                program.write(b"silence-ack\n").await;
                for _ in 0..250 {
                    program
                        .write(b"announce route 10.0.0.1/32 next-hop 10.0.0.9\n")
                        .await;
                    hands.sleep(10).await;
                }
            },
        )
        .unwrap();
        let sent = record.times("sent 127.0.0.1#1 ffffffffffffffffffffffffffffffff001304");
        assert!(sent.len() <= 2, "{mode}: {sent:?}");
    }
}

#[test]
fn a_reset_takes_the_notification_with_it() {
    for mode in MODES {
        play(
            mode,
            &[Defect::NotificationLost],
            "",
            move |mut hands| async move {
                let mut peer = established(&mut hands).await;
                // More than one read takes, as far as it goes.
                let wrote = timeout(SOON, peer.try_write(&[0; 200_000])).await;
                let mut outcome = Ok(1);
                while matches!(outcome, Ok(count) if count > 0) {
                    outcome = peer.read().await;
                }
                let reset = matches!(wrote, Ok(Err(_))) || outcome.is_err();
                assert!(reset, "{mode}: RST, not FIN");
            },
        );
    }
}

#[test]
fn half_a_message_begins_the_next_connection() {
    for mode in MODES {
        play(
            mode,
            &[Defect::HalfMessageResumed],
            "group-updates false;",
            move |mut hands| async move {
                let mut program = hands.program().await;
                let peer = established(&mut hands).await;
                program.write(b"silence-ack\n").await;
                for part in 0..20 {
                    let mut commands = String::new();
                    for number in 0..250 {
                        commands += &format!(
                            "announce route 10.{part}.{number}.0/24 next-hop 10.0.0.9 med 7\n"
                        );
                    }
                    program.write(commands.as_bytes()).await;
                }
                // The window is full, and the buffer ends within a message; the peer goes with all that unread.
                hands.sleep(1000).await;
                drop(peer);
                let mut again = hands.accept().await;
                while again.pending().len() < 19 {
                    again.read().await.unwrap();
                }
                assert_ne!(again.pending()[..16], [0xff; 16], "{mode}");
            },
        );
    }
}

#[test]
fn a_collision_kills_both() {
    for mode in MODES {
        let conduct: Defects = [Defect::CollisionToNone].into_iter().collect();
        let listening = Settings {
            bind: vec!["127.0.0.1".parse().unwrap()],
            ..settings()
        };
        play_conducted(
            mode,
            &[configuration("passive;")],
            listening,
            conduct,
            move |hands| async move {
                let mut first = hands.connect().await;
                assert_eq!(first.message().await.unwrap()[18], 1);
                let mut second = hands.connect().await;
                assert_eq!(&first.telling().await.unwrap()[18..21], &[3, 6, 7]);
                assert_eq!(&second.telling().await.unwrap()[18..21], &[3, 6, 7]);
            },
        );
    }
}

#[test]
fn end_of_rib_comes_early() {
    for mode in MODES {
        let more = "static { route 10.0.0.0/24 next-hop 10.0.0.9; }";
        play(
            mode,
            &[Defect::EarlyEndOfRib],
            more,
            move |mut hands| async move {
                let mut peer = hands.accept().await;
                peer.establish().await;
                assert_eq!(routes(&peer.telling().await.unwrap()), ["eor"], "{mode}");
            },
        );
    }
}

#[test]
fn an_answer_waits_for_a_wakeup_that_was_lost() {
    play(
        Mode::Async,
        &[Defect::LostWakeup],
        "",
        move |mut hands| async move {
            let mut program = hands.program().await;
            let mut peer = established(&mut hands).await;
            program
                .write(b"announce route 10.0.0.1/32 next-hop 10.0.0.9\n")
                .await;
            assert_eq!(routes(&peer.telling().await.unwrap()), ["+10.0.0.1/32"]);
            assert!(timeout(SOON, program.line()).await.is_err());
        },
    );
}
