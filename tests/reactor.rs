//! The contract of both reactors, point by point, in virtual time.

use std::time::Duration;

use lockstep::net::Stream;
use lockstep::reactor::control::Control;
use lockstep::reactor::{Mode, Outcome};
use lockstep::speaker::settings::Settings;

use crate::reactor_play::{KEEPALIVE, WITH_PROGRAM, configuration, play, routes};

const MODES: [Mode; 2] = Mode::ALL;

fn settings() -> Settings {
    Settings {
        port: 1790,
        ..Settings::default()
    }
}

fn with_program() -> Vec<String> {
    vec![configuration(WITH_PROGRAM)]
}

#[test]
fn a_session_comes_up_and_tells_its_routes() {
    for mode in MODES {
        let text = configuration("static { route 10.0.0.0/24 next-hop 192.0.2.1; }");
        let (record, outcome) = play(mode, &[text], settings(), |mut hands| async move {
            let mut peer = hands.accept().await;
            peer.establish().await;
            assert_eq!(routes(&peer.telling().await.unwrap()), ["+10.0.0.0/24"]);
            assert_eq!(routes(&peer.telling().await.unwrap()), ["eor"]);
        });
        assert_eq!(outcome, Outcome::Terminated);
        assert_eq!(
            record.of("state 127.0.0.1#1 OPENCONFIRM ESTABLISHED").len(),
            1,
            "{mode}"
        );
    }
}

#[test]
fn a_keepalive_cut_in_two_is_one() {
    for mode in MODES {
        let (record, _) = play(
            mode,
            &[configuration("")],
            settings(),
            |mut hands| async move {
                let mut peer = hands.accept().await;
                peer.establish().await;
                for pause in [20, 400] {
                    peer.write(&KEEPALIVE[..10]).await;
                    hands.sleep(pause).await;
                    peer.write(&KEEPALIVE[10..]).await;
                    hands.sleep(pause).await;
                }
                assert_eq!(hands.record.of("received 127.0.0.1#1").len(), 4);
            },
        );
        assert!(record.of("malformed").is_empty(), "{mode}");
    }
}

#[test]
fn what_one_write_announces_and_clears_is_never_seen() {
    for mode in MODES {
        let (_, _) = play(mode, &with_program(), settings(), |mut hands| async move {
            let mut peer = hands.accept().await;
            let mut program = hands.program().await;
            peer.establish().await;
            assert_eq!(routes(&peer.telling().await.unwrap()), ["eor"]);
            program
                .write(b"announce route 10.0.0.0/32 next-hop 10.0.0.9\nclear adj-rib out\n")
                .await;
            assert_eq!(program.line().await.unwrap(), "done");
            assert_eq!(program.line().await.unwrap(), "done");
            program
                .write(b"announce route 10.0.0.1/32 next-hop 10.0.0.9\n")
                .await;
            assert_eq!(program.line().await.unwrap(), "done");
            assert_eq!(routes(&peer.telling().await.unwrap()), ["+10.0.0.1/32"]);
        });
    }
}

#[test]
fn an_answer_means_that_the_next_command_cannot_overtake() {
    for mode in MODES {
        play(mode, &with_program(), settings(), |mut hands| async move {
            let mut peer = hands.accept().await;
            let mut program = hands.program().await;
            peer.establish().await;
            assert_eq!(routes(&peer.telling().await.unwrap()), ["eor"]);
            for command in [
                "announce route 10.0.0.1/32 next-hop 10.0.0.9\n",
                "clear adj-rib out\n",
                "announce route 10.0.0.2/32 next-hop 10.0.0.9\n",
                "flush adj-rib out\n",
                "clear adj-rib out\n",
            ] {
                program.write(command.as_bytes()).await;
                assert_eq!(program.line().await.unwrap(), "done", "{command}");
            }
            let mut told = Vec::new();
            for _ in 0..5 {
                told.extend(routes(&peer.telling().await.unwrap()));
            }
            assert_eq!(
                told,
                [
                    "+10.0.0.1/32",
                    "-10.0.0.1/32",
                    "+10.0.0.2/32",
                    "+10.0.0.2/32",
                    "-10.0.0.2/32"
                ]
            );
        });
    }
}

#[test]
fn five_commands_have_five_answers_in_order() {
    for mode in MODES {
        play(mode, &with_program(), settings(), |mut hands| async move {
            let mut program = hands.program().await;
            let mut peer = hands.accept().await;
            peer.establish().await;
            program
                .write(b"announce route 10.0.0.1/32 next-hop 10.0.0.9\nnonsense\nversion\nneighbor 9.9.9.9 announce route 10.0.0.2/32 next-hop 10.0.0.9\n# a comment\n")
                .await;
            for expected in ["done", "error", "exabgp 5.0.15", "done", "error", "done"] {
                assert_eq!(program.line().await.unwrap(), expected);
            }
        });
    }
}

#[test]
fn acknowledgements_are_switched_off_and_on() {
    for mode in MODES {
        play(mode, &with_program(), settings(), |hands| async move {
            let mut program = hands.program().await;
            program
                .write(b"disable-ack\nversion\nnonsense\nenable-ack\nsilence-ack\nenable-ack\n")
                .await;
            for expected in ["done", "exabgp 5.0.15", "done", "done"] {
                assert_eq!(program.line().await.unwrap(), expected);
            }
        });
    }
}

#[test]
fn a_peer_that_does_not_read_holds_back_no_answer() {
    for mode in MODES {
        play(mode, &with_program(), settings(), |mut hands| async move {
            let mut program = hands.program().await;
            let mut peer = hands.accept().await;
            peer.establish().await;
            // More than all windows and buffers hold, in several batches, and the peer reads none of it.
            let mut number = 0_u32;
            for _ in 0..40 {
                let mut commands = String::new();
                for _ in 0..200 {
                    number += 1;
                    let address = std::net::Ipv4Addr::from(0x0a00_0000 + number);
                    commands +=
                        &format!("announce route {address}/32 next-hop 10.0.0.9 med {number}\n");
                }
                program.write(commands.as_bytes()).await;
                for _ in 0..200 {
                    assert_eq!(program.line().await.unwrap(), "done");
                }
            }
            assert!(hands.clock.now() < Duration::from_secs(5));
            let mut told = 0;
            while told < number as usize {
                told += routes(&peer.telling().await.unwrap())
                    .iter()
                    .filter(|it| *it != "eor")
                    .count();
            }
        });
    }
}

#[test]
fn a_flood_of_commands_starves_no_keepalive() {
    for mode in MODES {
        let text = configuration(WITH_PROGRAM).replace("hold-time 180", "hold-time 3");
        let (record, _) = play(mode, &[text], settings(), |mut hands| async move {
            let mut program = hands.program().await;
            let mut peer = hands.accept().await;
            peer.establish().await;
            program.write(b"silence-ack\n").await;
            let end = hands.clock.now() + Duration::from_secs(20);
            let mut number = 0_u32;
            let mut alive = hands.clock.now();
            while hands.clock.now() < end {
                number += 1;
                let command =
                    format!("announce route 10.0.0.1/32 next-hop 10.0.0.9 med {number}\n");
                program.write(command.as_bytes()).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
                if hands.clock.now() - alive >= Duration::from_millis(500) {
                    alive = hands.clock.now();
                    peer.write(&KEEPALIVE).await;
                }
                // Reads whatever there is, so that the flood goes on.
                let _ = tokio::time::timeout(Duration::ZERO, peer.read()).await;
            }
        });
        let keepalive = "sent 127.0.0.1#1 ffffffffffffffffffffffffffffffff001304";
        let times = record.times(keepalive);
        assert!(times.len() >= 20, "{mode}: {}", times.len());
        for pair in times[1..].windows(2) {
            let gap = pair[1] - pair[0];
            assert!(gap <= Duration::from_millis(1010), "{mode}: {gap:?}");
        }
        assert!(
            record
                .of("closed")
                .iter()
                .all(|line| !line.contains("notification sent")),
            "{mode}"
        );
    }
}

#[test]
fn a_notification_arrives_although_input_is_left_unread() {
    for mode in MODES {
        play(
            mode,
            &[configuration("")],
            settings(),
            |mut hands| async move {
                let mut peer = hands.accept().await;
                peer.establish().await;
                let _eor = peer.telling().await.unwrap();
                // A header without a marker, and then more than one read takes.
                peer.write(&[0; 40_000]).await;
                let notification = peer.telling().await.unwrap();
                assert_eq!(&notification[18..21], &[3, 1, 1]);
                assert_eq!(peer.read().await.unwrap(), 0, "FIN, not RST");
            },
        );
    }
}

#[test]
fn a_teardown_says_so_and_the_session_comes_back_with_its_routes() {
    for mode in MODES {
        let attempts = Settings {
            attempts: 2,
            ..settings()
        };
        let (record, outcome) = play(mode, &with_program(), attempts, |mut hands| async move {
            let mut program = hands.program().await;
            let mut peer = hands.accept().await;
            peer.establish().await;
            program
                .write(b"announce route 10.0.0.1/32 next-hop 10.0.0.9\n")
                .await;
            assert_eq!(program.line().await.unwrap(), "done");
            let mut told = routes(&peer.telling().await.unwrap());
            told.extend(routes(&peer.telling().await.unwrap()));
            told.sort();
            assert_eq!(told, ["+10.0.0.1/32", "eor"]);
            program.write(b"neighbor 127.0.0.1 teardown 4\n").await;
            assert_eq!(program.line().await.unwrap(), "done");
            let notification = peer.telling().await.unwrap();
            assert_eq!(&notification[18..21], &[3, 6, 4]);
            assert_eq!(&notification[22..], b"Administrative Reset");
            drop(peer);
            let mut peer = hands.accept().await;
            peer.establish().await;
            assert_eq!(routes(&peer.telling().await.unwrap()), ["+10.0.0.1/32"]);
            assert_eq!(routes(&peer.telling().await.unwrap()), ["eor"]);
            drop(peer);
            // The second attempt was the last.
            while program.line().await.is_some() {}
        });
        assert_eq!(outcome, Outcome::PeersEnded, "{mode}");
        assert_eq!(record.of("peer-ended"), ["peer-ended 127.0.0.1"]);
    }
}

#[test]
fn refused_connections_are_tried_again_ever_more_slowly() {
    for mode in MODES {
        let attempts = Settings {
            attempts: 5,
            ..settings()
        };
        let (record, outcome) = play(mode, &[configuration("")], attempts, |hands| async move {
            let lockstep_is_alone = hands.listener;
            drop(lockstep_is_alone);
            tokio::time::sleep(Duration::from_secs(60)).await;
        });
        let seconds: Vec<u64> = record
            .times("connecting")
            .iter()
            .map(Duration::as_secs)
            .collect();
        assert_eq!(seconds, [0, 0, 1, 3, 6], "{mode}");
        assert_eq!(outcome, Outcome::PeersEnded);
    }
}

#[test]
fn a_reload_changes_routes_and_keeps_the_session() {
    for mode in MODES {
        let with = |routes: &str| configuration(&format!("{WITH_PROGRAM} static {{ {routes} }}"));
        let texts = [
            with("route 10.0.0.0/24 next-hop 192.0.2.1; route 10.0.1.0/24 next-hop 192.0.2.1;"),
            with("route 10.0.1.0/24 next-hop 192.0.2.1; route 10.0.2.0/24 next-hop 192.0.2.1;"),
        ];
        let (record, _) = play(mode, &texts, settings(), |mut hands| async move {
            let mut program = hands.program().await;
            let mut peer = hands.accept().await;
            peer.establish().await;
            while routes(&peer.telling().await.unwrap()) != ["eor"] {}
            program
                .write(b"announce route 10.9.0.0/24 next-hop 192.0.2.1\n")
                .await;
            assert_eq!(program.line().await.unwrap(), "done");
            assert_eq!(routes(&peer.telling().await.unwrap()), ["+10.9.0.0/24"]);
            hands.control.send(Control::Reload);
            let mut told = routes(&peer.telling().await.unwrap());
            if told.len() < 2 {
                told.extend(routes(&peer.telling().await.unwrap()));
            }
            told.sort();
            assert_eq!(told, ["+10.0.2.0/24", "-10.0.0.0/24"]);
        });
        assert_eq!(record.of("connected").len(), 1, "{mode}");
        assert_eq!(record.of("reloaded").len(), 1, "{mode}");
    }
}

/// The End-of-RIB of IPv4 unicast.
const END_OF_RIB: [u8; 23] = [
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 23, 2, 0, 0,
    0, 0,
];

#[test]
fn a_reload_that_changes_what_programs_hear_keeps_the_session() {
    for mode in MODES {
        let with = |neighbor: &str, program: &str, api: &str| {
            configuration(&format!(
                "{neighbor} api {{ processes [ service ]; {api} }}"
            ))
            .replace("encoder text", &format!("encoder {program}"))
        };
        let texts = [
            with("", "text", ""),
            with(
                "description \"other\"; manual-eor true;",
                "json",
                "neighbor-changes; receive { parsed; update; }",
            ),
        ];
        let (record, _) = play(mode, &texts, settings(), |mut hands| async move {
            let mut program = hands.program().await;
            let mut peer = hands.accept().await;
            peer.establish().await;
            assert_eq!(routes(&peer.telling().await.unwrap()), ["eor"]);
            hands.control.send(Control::Reload);
            hands.sleep(1).await;
            peer.write(&END_OF_RIB).await;
            // It was started as a program that reads text, and is told in text until it is started anew.
            let line = program.line().await.unwrap();
            assert!(line.contains("receive update start"), "{line}");
        });
        assert_eq!(record.of("connected").len(), 1, "{mode}");
    }
}

#[test]
fn what_ends_a_program_is_answered_before() {
    for mode in MODES {
        let texts = [configuration(WITH_PROGRAM)];
        play(mode, &texts, settings(), |hands| async move {
            for command in ["restart", "shutdown"] {
                let mut program = hands.program().await;
                program.write(format!("{command}\n").as_bytes()).await;
                assert_eq!(
                    program.line().await.unwrap(),
                    format!("{command} in progress")
                );
                assert_eq!(program.line().await.unwrap(), "done");
            }
        });
    }
}

#[test]
fn programs_are_told_of_each_session_before_they_are_told_that_the_speaker_ends() {
    for mode in MODES {
        let texts = [configuration(
            "api { processes [ service ]; neighbor-changes; }",
        )];
        play(mode, &texts, settings(), move |mut hands| async move {
            let mut program = hands.program().await;
            let mut peer = hands.accept().await;
            peer.establish().await;
            hands.control.send(Control::Terminate);
            let mut told = Vec::new();
            while let Some(line) = program.line().await {
                if line.contains("down") || line.contains("shutdown") {
                    told.push(line);
                }
            }
            assert_eq!(told.len(), 2, "{mode}: {told:?}");
            assert!(
                told[0].ends_with("down - stop, message [shutting down]"),
                "{}",
                told[0]
            );
            assert!(told[1].starts_with("shutdown "), "{}", told[1]);
        });
    }
}

#[test]
fn a_reload_that_changes_a_neighbor_makes_its_session_anew() {
    for mode in MODES {
        let texts = [configuration(""), configuration("hold-time 30;")];
        let (_, _) = play(mode, &texts, settings(), |mut hands| async move {
            let mut peer = hands.accept().await;
            peer.establish().await;
            assert_eq!(routes(&peer.telling().await.unwrap()), ["eor"]);
            hands.control.send(Control::Reload);
            assert_eq!(&peer.telling().await.unwrap()[18..21], &[3, 6, 3]);
            drop(peer);
            hands.accept().await.establish().await;
        });
    }
}

#[test]
fn a_program_that_dies_is_started_again_until_it_dies_too_often() {
    for mode in MODES {
        let (record, outcome) = play(mode, &with_program(), settings(), |hands| async move {
            for _ in 0..6 {
                drop(hands.program().await);
            }
            hands.sleep(1000).await;
        });
        assert_eq!(
            outcome,
            Outcome::ProgramKeptDying("service".to_owned()),
            "{mode}"
        );
        assert_eq!(record.of("program-started").len(), 6);
    }
}

#[test]
fn a_program_that_must_not_be_started_again_is_not() {
    for mode in MODES {
        let text =
            configuration(WITH_PROGRAM).replace("encoder text;", "encoder text; respawn false;");
        let (record, outcome) = play(mode, &[text], settings(), |mut hands| async move {
            drop(hands.program().await);
            hands.accept().await.establish().await;
            hands.sleep(1000).await;
        });
        assert_eq!(outcome, Outcome::Terminated, "{mode}");
        assert_eq!(record.of("program-started").len(), 1);
    }
}

#[test]
fn programs_are_told_that_the_speaker_ends() {
    for mode in MODES {
        play(mode, &with_program(), settings(), |hands| async move {
            let mut program = hands.program().await;
            program.write(b"shutdown\n").await;
            assert_eq!(program.line().await.unwrap(), "shutdown in progress");
            assert_eq!(program.line().await.unwrap(), "done");
            assert_eq!(program.line().await.unwrap(), "shutdown 1 1");
            // ExaBGP ends that line twice.
            assert_eq!(program.line().await.unwrap(), "");
            assert_eq!(program.line().await, None);
        });
    }
}

#[test]
fn strangers_are_turned_away() {
    for mode in MODES {
        let text = configuration("passive;").replace("neighbor 127.0.0.1 ", "neighbor 127.0.0.9 ");
        let listening = Settings {
            bind: vec!["127.0.0.1".parse().unwrap()],
            ..settings()
        };
        let (record, _) = play(mode, &[text], listening, |hands| async move {
            let mut stranger = hands.connect().await;
            let notification = stranger.telling().await.unwrap();
            assert_eq!(&notification[18..21], &[3, 6, 3]);
            assert_eq!(stranger.read().await.unwrap(), 0);
        });
        assert_eq!(record.of("rejected").len(), 1, "{mode}");
    }
}

#[test]
fn of_two_connections_with_one_neighbor_one_lives() {
    for mode in MODES {
        let text = configuration("passive;");
        let listening = Settings {
            bind: vec!["127.0.0.1".parse().unwrap()],
            ..settings()
        };
        let (record, _) = play(mode, &[text], listening, |hands| async move {
            // Neither has sent OPEN: the later one lives.
            let mut first = hands.connect().await;
            assert_eq!(first.message().await.unwrap()[18], 1);
            let mut second = hands.connect().await;
            assert_eq!(&first.telling().await.unwrap()[18..21], &[3, 6, 7]);
            second.establish().await;
            hands.sleep(10).await;
            // A session that is up survives any other.
            let mut third = hands.connect().await;
            assert_eq!(&third.telling().await.unwrap()[18..21], &[3, 6, 7]);
            assert_eq!(routes(&second.telling().await.unwrap()), ["eor"]);
        });
        assert_eq!(record.of("collision").len(), 2, "{mode}");
        assert_eq!(
            record.of("state 127.0.0.1<2 OPENCONFIRM ESTABLISHED").len(),
            1
        );
    }
}

#[test]
fn a_half_closed_session_ends_and_is_made_again() {
    for mode in MODES {
        let (record, _) = play(
            mode,
            &[configuration("")],
            settings(),
            |mut hands| async move {
                let mut peer = hands.accept().await;
                peer.establish().await;
                std::future::poll_fn(|context| peer.stream.poll_shutdown(context))
                    .await
                    .unwrap();
                hands.accept().await.establish().await;
                hands.sleep(10).await;
            },
        );
        assert_eq!(
            record
                .of("closed 127.0.0.1#1 the TCP connection was closed")
                .len(),
            1,
            "{mode}"
        );
        assert_eq!(
            record.of("state 127.0.0.1#2 OPENCONFIRM ESTABLISHED").len(),
            1,
            "{mode}"
        );
    }
}

#[test]
fn the_same_run_is_observed_the_same() {
    let once = |mode| {
        let (record, _) = play(mode, &with_program(), settings(), |mut hands| async move {
            let mut program = hands.program().await;
            for _ in 0..2 {
                let mut peer = hands.accept().await;
                peer.establish().await;
                program
                    .write(b"announce route 10.0.0.1/32 next-hop 10.0.0.9\nflush adj-rib out\n")
                    .await;
                hands.sleep(70_000).await;
            }
        });
        record.whole()
    };
    for mode in MODES {
        let first = once(mode);
        assert!(first.len() > 20);
        assert_eq!(first, once(mode), "{mode}");
    }
}
