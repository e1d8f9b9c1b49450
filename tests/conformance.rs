//! The same socket scripts on the kernel's loopback and in the simulation: both ends must observe the same.

mod openings;
mod path;
mod player;
mod script;
mod turmoil;

use std::net::SocketAddr;
use std::time::Duration;

use lockstep::os::kernel::KernelNetwork;
use lockstep::sim::{Endless, Settings, World};

use script::Call::{Drain, Fill, Read, Shutdown, Write};
use script::End::{self, Client, Server};
use script::{Call, on_kernel, on_sim, play};

/// Plays `script` on both and gives the one story that both must tell.
fn conform(script: &[(End, Call)]) -> String {
    let mut stories = Vec::new();
    for at in ["127.0.0.1:0", "[::1]:0"] {
        let at: SocketAddr = at.parse().unwrap();
        stories.push(on_kernel(play(
            KernelNetwork::default(),
            at,
            script.to_vec(),
        )));
        stories.push(on_sim(|network| play(network, at, script.to_vec())));
    }
    assert_eq!(stories[0], stories[1], "kernel and simulation over IPv4");
    assert_eq!(stories[2], stories[3], "kernel and simulation over IPv6");
    assert_eq!(stories[0], stories[2], "IPv4 and IPv6");
    stories.swap_remove(0).join("\n")
}

#[test]
fn close_with_unread_input_resets() {
    insta::assert_snapshot!(conform(&[
        (Client, Write(10)),
        (Server, Write(5)),
        (Server, Call::Close),
        (Client, Read(100)),
        (Client, Read(100)),
        (Client, Read(100)),
        (Client, Write(1)),
        (Client, Shutdown),
    ]), @r"
    Client Write(10): 10
    Server Write(5): 5
    Server Close: closed
    Client Read(100): 5
    Client Read(100): ConnectionReset
    Client Read(100): 0
    Client Write(1): BrokenPipe
    Client Shutdown: ()
    ");
}

#[test]
fn reset_after_data_leaves_the_data_readable() {
    insta::assert_snapshot!(conform(&[
        (Server, Write(8)),
        (Server, Call::Abort),
        (Client, Read(3)),
        (Client, Read(100)),
        (Client, Read(100)),
        (Client, Read(100)),
        (Client, Write(4)),
    ]), @r"
    Server Write(8): 8
    Server Abort: aborted
    Client Read(3): 3
    Client Read(100): 5
    Client Read(100): ConnectionReset
    Client Read(100): 0
    Client Write(4): BrokenPipe
    ");
}

#[test]
fn a_write_reports_the_reset_when_it_comes_first() {
    insta::assert_snapshot!(conform(&[
        (Server, Write(8)),
        (Server, Call::Abort),
        (Client, Write(4)),
        (Client, Write(4)),
        (Client, Read(100)),
        (Client, Read(100)),
    ]), @r"
    Server Write(8): 8
    Server Abort: aborted
    Client Write(4): ConnectionReset
    Client Write(4): BrokenPipe
    Client Read(100): 8
    Client Read(100): 0
    ");
}

#[test]
fn half_close_both_ways() {
    insta::assert_snapshot!(conform(&[
        (Client, Write(4)),
        (Client, Shutdown),
        (Client, Write(1)),
        (Server, Read(100)),
        (Server, Read(100)),
        (Server, Write(6)),
        (Client, Read(100)),
        (Server, Shutdown),
        (Client, Read(100)),
        (Server, Read(100)),
        (Client, Shutdown),
        (Server, Shutdown),
        (Server, Write(1)),
    ]), @r"
    Client Write(4): 4
    Client Shutdown: ()
    Client Write(1): BrokenPipe
    Server Read(100): 4
    Server Read(100): 0
    Server Write(6): 6
    Client Read(100): 6
    Server Shutdown: ()
    Client Read(100): 0
    Server Read(100): 0
    Client Shutdown: ()
    Server Shutdown: ()
    Server Write(1): BrokenPipe
    ");
}

#[test]
fn a_full_window_reopens_when_drained() {
    insta::assert_snapshot!(conform(&[
        (Client, Fill),
        (Client, Write(1)),
        (Server, Drain(4096)),
        (Client, Write(1)),
        (Client, Shutdown),
        (Server, Read(10)),
        (Server, Read(10)),
    ]), @r"
    Client Fill: waits
    Client Write(1): waits
    Server Drain(4096): drained, waits
    Client Write(1): 1
    Client Shutdown: ()
    Server Read(10): 1
    Server Read(10): 0
    all that filled 0 was drained: true
    ");
}

#[test]
fn a_full_window_is_delivered_after_a_close() {
    insta::assert_snapshot!(conform(&[
        (Client, Fill),
        (Client, Call::Close),
        (Server, Drain(1000)),
    ]), @r"
    Client Fill: waits
    Client Close: closed
    Server Drain(1000): drained, end of file
    all that filled 0 was drained: true
    ");
}

#[test]
fn a_reset_discards_what_the_window_held_back() {
    insta::assert_snapshot!(conform(&[
        (Client, Fill),
        (Server, Write(3)),
        (Client, Call::Close),
        (Server, Write(3)),
    ]), @r"
    Client Fill: waits
    Server Write(3): 3
    Client Close: closed
    Server Write(3): ConnectionReset
    ");
}

#[test]
fn short_reads_lose_nothing() {
    insta::assert_snapshot!(conform(&[
        (Client, Write(5)),
        (Client, Write(5)),
        (Server, Read(3)),
        (Server, Read(3)),
        (Server, Read(3)),
        (Server, Read(3)),
        (Server, Read(3)),
        (Client, Write(30_000)),
        (Server, Drain(7)),
    ]), @r"
    Client Write(5): 5
    Client Write(5): 5
    Server Read(3): 3
    Server Read(3): 3
    Server Read(3): 3
    Server Read(3): 1
    Server Read(3): waits
    Client Write(30000): 30000
    Server Drain(7): 30000, waits
    ");
}

#[test]
fn a_write_after_the_peer_closed_breaks_the_pipe() {
    insta::assert_snapshot!(conform(&[
        (Server, Call::Close),
        (Client, Write(3)),
        (Client, Write(3)),
        (Client, Write(3)),
        (Client, Read(3)),
        (Client, Shutdown),
    ]), @r"
    Server Close: closed
    Client Write(3): 3
    Client Write(3): BrokenPipe
    Client Write(3): BrokenPipe
    Client Read(3): 0
    Client Shutdown: ()
    ");
}

#[test]
fn data_in_flight_to_a_closed_socket_resets() {
    insta::assert_snapshot!(conform(&[
        (Server, Write(9)),
        (Server, Call::Close),
        (Client, Write(3)),
        (Client, Read(4)),
        (Client, Read(100)),
        (Client, Read(100)),
        (Client, Write(3)),
    ]), @r"
    Server Write(9): 9
    Server Close: closed
    Client Write(3): 3
    Client Read(4): 4
    Client Read(100): 5
    Client Read(100): 0
    Client Write(3): BrokenPipe
    ");
}

#[test]
fn a_half_closed_end_is_reset() {
    insta::assert_snapshot!(conform(&[
        (Client, Shutdown),
        (Server, Read(9)),
        (Server, Call::Abort),
        (Client, Read(9)),
        (Client, Read(9)),
        (Client, Write(9)),
        (Client, Shutdown),
    ]), @r"
    Client Shutdown: ()
    Server Read(9): 0
    Server Abort: aborted
    Client Read(9): ConnectionReset
    Client Read(9): 0
    Client Write(9): BrokenPipe
    Client Shutdown: ()
    ");
}

#[test]
fn a_reset_after_fin_still_reads_as_end_of_file() {
    insta::assert_snapshot!(conform(&[
        (Client, Write(2)),
        (Server, Shutdown),
        (Client, Shutdown),
        (Server, Call::Close),
        (Client, Write(1)),
        (Client, Read(9)),
        (Client, Read(9)),
    ]), @r"
    Client Write(2): 2
    Server Shutdown: ()
    Client Shutdown: ()
    Server Close: closed
    Client Write(1): BrokenPipe
    Client Read(9): 0
    Client Read(9): 0
    ");
}

#[test]
fn both_close_at_once() {
    insta::assert_snapshot!(conform(&[
        (Client, Write(2)),
        (Server, Write(2)),
        (Client, Shutdown),
        (Server, Shutdown),
        (Client, Read(9)),
        (Server, Read(9)),
        (Client, Read(9)),
        (Server, Read(9)),
        (Client, Call::Close),
        (Server, Write(1)),
        (Server, Read(1)),
    ]), @r"
    Client Write(2): 2
    Server Write(2): 2
    Client Shutdown: ()
    Server Shutdown: ()
    Client Read(9): 2
    Server Read(9): 2
    Client Read(9): 0
    Server Read(9): 0
    Client Close: closed
    Server Write(1): BrokenPipe
    Server Read(1): 0
    ");
}

#[test]
fn a_run_that_waits_for_ever_ends_with_its_limit() {
    let limit = Duration::from_secs(3600);
    let world = World::new(Settings::default()).unwrap();
    let stuck = world.run(limit, std::future::pending::<()>());
    assert_eq!(stuck, Err(Endless::Time { limit }));
    assert_eq!(world.now(), limit);
}
