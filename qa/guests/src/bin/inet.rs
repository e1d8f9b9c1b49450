//! TCP over the loopback.

use guests::{ALL, call, close, name, poll, read, result, show, text, write};

fn address(family: i32, port: u16) -> (libc::sockaddr_storage, u32) {
    let mut storage: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
    if family == libc::AF_INET {
        let one = unsafe { &mut *(&raw mut storage).cast::<libc::sockaddr_in>() };
        one.sin_family = family as u16;
        one.sin_port = port.to_be();
        one.sin_addr.s_addr = u32::from_ne_bytes([127, 0, 0, 1]);
        return (storage, 16);
    }
    let one = unsafe { &mut *(&raw mut storage).cast::<libc::sockaddr_in6>() };
    one.sin6_family = family as u16;
    one.sin6_port = port.to_be();
    one.sin6_addr.s6_addr[15] = 1;
    (storage, 28)
}

fn socket(family: i32, flags: i32) -> i32 {
    unsafe { libc::socket(family, libc::SOCK_STREAM | flags, 0) }
}

fn connect(socket: i32, family: i32, port: u16) -> Result<i64, String> {
    let (to, length) = address(family, port);
    result(unsafe { libc::connect(socket, (&raw const to).cast(), length) } as i64)
}

fn option(socket: i32, level: i32, option: i32) -> i32 {
    let (mut value, mut length) = (0_i32, 4_u32);
    unsafe { libc::getsockopt(socket, level, option, (&raw mut value).cast(), &mut length) };
    value
}

fn error(socket: i32) -> String {
    name(option(socket, libc::SOL_SOCKET, libc::SO_ERROR))
}

/// Listens at a port; where.
fn listen(family: i32, port: u16) -> (i32, Result<i64, String>) {
    let listener = socket(family, 0);
    let on = 1_i32;
    unsafe {
        libc::setsockopt(
            listener,
            libc::SOL_SOCKET,
            libc::SO_REUSEADDR,
            (&raw const on).cast(),
            4,
        )
    };
    let (at, length) = address(family, port);
    let bound = result(unsafe { libc::bind(listener, (&raw const at).cast(), length) } as i64);
    unsafe { libc::listen(listener, 8) };
    (listener, bound)
}

fn accept(listener: i32) -> i32 {
    unsafe { libc::accept(listener, std::ptr::null_mut(), std::ptr::null_mut()) }
}

/// A connected pair.
fn pair(family: i32, port: u16, listener: i32) -> (i32, i32) {
    let client = socket(family, 0);
    connect(client, family, port).expect("connected");
    (client, accept(listener))
}

const PORT: u16 = 17_917;

fn main() {
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    for (number, family) in [libc::AF_INET, libc::AF_INET6].into_iter().enumerate() {
        let port = PORT + 10 * number as u16;
        let fresh = socket(family, libc::SOCK_NONBLOCK);
        show("fresh", poll(fresh, ALL, 0));
        show("not connected", (text(fresh), write(fresh, b"x")));
        show("connect", connect(fresh, family, port + 1));
        show("refused", poll(fresh, ALL, 2_000));
        show("error", error(fresh));
        show("error once", error(fresh));
        close(fresh);
        let blocking = socket(family, 0);
        show("refused", connect(blocking, family, port + 1));
        close(blocking);

        let (listener, bound) = listen(family, port);
        show("bound", bound);
        show(
            "listening",
            option(listener, libc::SOL_SOCKET, libc::SO_ACCEPTCONN),
        );
        show("idle listener", poll(listener, ALL, 0));
        let (second, bound) = listen(family, port);
        show("in use", bound);
        close(second);
        show("connect a listener", connect(listener, family, port));

        let client = socket(family, libc::SOCK_NONBLOCK);
        show("under way", connect(client, family, port));
        show("open", poll(client, libc::POLLOUT, 2_000));
        show("error", error(client));
        show("connect once more", connect(client, family, port));
        show("and again", connect(client, family, port));
        show("waiting", poll(listener, ALL, 2_000));
        let server = accept(listener);
        let mut peer: libc::sockaddr_in6 = unsafe { std::mem::zeroed() };
        let mut length = 28;
        call!(
            "peer",
            libc::getpeername(client, (&raw mut peer).cast(), &mut length)
        );
        show(
            "length and port",
            (length, u16::from_be(peer.sin6_port) == port),
        );
        show("nothing yet", text(client));
        show("send", write(client, b"hello"));
        show("arrived", poll(server, libc::POLLIN, 2_000));
        let mut octets = [0_u8; 8];
        call!(
            "peek",
            libc::recv(server, octets.as_mut_ptr().cast(), 8, libc::MSG_PEEK)
        );
        show("read", read(server, 3));
        show("rest", text(server));
        call!("half", libc::shutdown(client, libc::SHUT_WR));
        show(
            "end comes",
            poll(server, libc::POLLIN | libc::POLLRDHUP, 2_000),
        );
        show("end", text(server));
        show("back", write(server, b"still"));
        show("comes", poll(client, libc::POLLIN, 2_000));
        show("read", text(client));
        show("write after shutdown", write(client, b"x"));
        close(server);
        show("over", poll(client, libc::POLLIN | libc::POLLRDHUP, 2_000));
        show("end", text(client));
        close(client);

        // Unread octets turn a close into a reset.
        let (client, server) = pair(family, port, listener);
        show("send", write(client, b"never read"));
        show("there", poll(server, libc::POLLIN, 2_000));
        close(server);
        show("reset", poll(client, libc::POLLIN, 2_000));
        show("read", text(client));
        show("again", text(client));
        show("write", write(client, b"x"));
        close(client);

        // So does a linger of no time.
        let (client, server) = pair(family, port, listener);
        let linger = libc::linger {
            l_onoff: 1,
            l_linger: 0,
        };
        unsafe {
            libc::setsockopt(
                client,
                libc::SOL_SOCKET,
                libc::SO_LINGER,
                (&raw const linger).cast(),
                8,
            )
        };
        close(client);
        show("reset", poll(server, libc::POLLIN, 2_000));
        show("error", error(server));
        close(server);

        // Data to a closed socket is answered by a reset.
        let (client, server) = pair(family, port, listener);
        close(server);
        show("end", text(client));
        show("first write", write(client, b"x"));
        show("gone", poll(client, 0, 2_000).contains("HUP"));
        show("second write", write(client, b"x"));
        close(client);

        // A slow reader.
        let (client, server) = pair(family, port, listener);
        unsafe { libc::fcntl(client, libc::F_SETFL, libc::O_NONBLOCK) };
        let mut sent = 0;
        while let Ok(count) = write(client, &[5; 65_536]) {
            sent += count;
            if sent > 100_000_000 {
                break;
            }
        }
        show("full", (sent > 65_536, write(client, b"x")));
        show("no room", poll(client, libc::POLLOUT, 0));
        let mut taken = 0;
        while taken < sent {
            taken += read(server, 65_536).map_or(0, |it| it.len()) as i64;
        }
        show("all", taken == sent);
        show("room", poll(client, libc::POLLOUT, 2_000));
        close(client);
        close(server);
        close(listener);
    }

    // An IPv6 listener for both.
    let (listener, _) = {
        let listener = socket(libc::AF_INET6, 0);
        let mut at: libc::sockaddr_in6 = unsafe { std::mem::zeroed() };
        at.sin6_family = libc::AF_INET6 as u16;
        at.sin6_port = (PORT + 30).to_be();
        let bound = call!("bind", libc::bind(listener, (&raw const at).cast(), 28));
        unsafe { libc::listen(listener, 8) };
        (listener, bound)
    };
    let client = socket(libc::AF_INET, 0);
    show("from IPv4", connect(client, libc::AF_INET, PORT + 30));
    let mut from: libc::sockaddr_in6 = unsafe { std::mem::zeroed() };
    let mut length = 28;
    let server = unsafe { libc::accept(listener, (&raw mut from).cast(), &mut length) };
    show("accepted", server >= 0);
    show("mapped", (length, from.sin6_addr.s6_addr));
    let elsewhere = socket(libc::AF_INET, 0);
    let mut at: libc::sockaddr_in = unsafe { std::mem::zeroed() };
    at.sin_family = libc::AF_INET as u16;
    at.sin_addr.s_addr = u32::from_ne_bytes([192, 0, 2, 77]);
    call!(
        "not ours",
        libc::bind(elsewhere, (&raw const at).cast(), 16)
    );
    show("not a socket", connect(0, libc::AF_INET, 1));
    show("not open", connect(500, libc::AF_INET, 1));
}
