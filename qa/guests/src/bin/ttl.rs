//! The time to live, and the least of what is accepted (RFC 5082): what comes with less is dropped.

use guests::{poll, result, show, text, write};

const PORT: u16 = 17_991;
const IPV6_MINHOPCOUNT: i32 = 73;

#[derive(Clone, Copy)]
struct Family {
    number: i32,
    level: i32,
    ttl: i32,
    least: i32,
}

const FAMILIES: [Family; 2] = [
    Family {
        number: libc::AF_INET,
        level: libc::IPPROTO_IP,
        ttl: libc::IP_TTL,
        least: libc::IP_MINTTL,
    },
    Family {
        number: libc::AF_INET6,
        level: libc::IPPROTO_IPV6,
        ttl: libc::IPV6_UNICAST_HOPS,
        least: IPV6_MINHOPCOUNT,
    },
];

/// The loopback address at `port`.
fn address(family: Family, port: u16) -> (libc::sockaddr_storage, u32) {
    let mut storage: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
    if family.number == libc::AF_INET {
        let one = unsafe { &mut *(&raw mut storage).cast::<libc::sockaddr_in>() };
        one.sin_family = libc::AF_INET as u16;
        one.sin_port = port.to_be();
        one.sin_addr.s_addr = u32::from_ne_bytes([127, 0, 0, 1]);
        return (storage, 16);
    }
    let one = unsafe { &mut *(&raw mut storage).cast::<libc::sockaddr_in6>() };
    one.sin6_family = libc::AF_INET6 as u16;
    one.sin6_port = port.to_be();
    one.sin6_addr.s6_addr[15] = 1;
    (storage, 28)
}

fn set(socket: i32, level: i32, option: i32, value: i32) {
    let value: *const i32 = &raw const value;
    let set = unsafe { libc::setsockopt(socket, level, option, value.cast(), 4) };
    show("set", result(i64::from(set)));
}

fn get(what: &str, socket: i32, level: i32, option: i32) {
    let (mut value, mut size) = (0_i32, 4_u32);
    let pointer: *mut i32 = &raw mut value;
    unsafe { libc::getsockopt(socket, level, option, pointer.cast(), &raw mut size) };
    show(what, value);
}

fn socket(family: Family, flags: i32) -> i32 {
    unsafe { libc::socket(family.number, libc::SOCK_STREAM | flags, 0) }
}

/// Connects with this TTL, and accepts nothing with a lesser one than `least`.
fn connect(family: Family, port: u16, ttl: Option<i32>, least: Option<i32>) -> i32 {
    let socket = socket(family, libc::SOCK_NONBLOCK);
    for (option, value) in [(family.ttl, ttl), (family.least, least)] {
        if let Some(value) = value {
            set(socket, family.level, option, value);
        }
    }
    let (to, size) = address(family, port);
    let connected = unsafe { libc::connect(socket, (&raw const to).cast(), size) };
    show("connect", result(i64::from(connected)));
    show("open", poll(socket, libc::POLLOUT, 300));
    socket
}

fn listen(family: Family, port: u16, least: Option<i32>) -> i32 {
    let listener = socket(family, 0);
    set(listener, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1);
    if let Some(least) = least {
        set(listener, family.level, family.least, least);
    }
    let (at, size) = address(family, port);
    let bound = unsafe { libc::bind(listener, (&raw const at).cast(), size) };
    show("bind", result(i64::from(bound)));
    unsafe { libc::listen(listener, 8) };
    listener
}

fn main() {
    for family in FAMILIES {
        let strict = listen(family, PORT, Some(255));
        let far = connect(family, PORT, None, None);
        let near = connect(family, PORT, Some(255), None);
        let server = unsafe { libc::accept(strict, std::ptr::null_mut(), std::ptr::null_mut()) };
        get("least of the accepted", server, family.level, family.least);
        get("its own", server, family.level, family.ttl);
        show("send", write(near, b"one"));
        show("received", text(server));
        set(near, family.level, family.ttl, 254);
        show("send", write(near, b"two"));
        show("dropped", poll(server, libc::POLLIN, 300));
        set(near, family.level, family.ttl, 255);
        show("sent again", poll(server, libc::POLLIN, 5_000));
        show("received", text(server));
        set(server, family.level, family.least, 0);
        set(near, family.level, family.ttl, 1);
        show("send", write(near, b"three"));
        show("accepted again", poll(server, libc::POLLIN, 5_000));
        let usual = listen(family, PORT + 1, None);
        let strict_client = connect(family, PORT + 1, None, Some(65));
        let easy_client = connect(family, PORT + 1, None, Some(64));
        for socket in [far, near, server, strict, usual, strict_client, easy_client] {
            guests::close(socket);
        }
    }
}
