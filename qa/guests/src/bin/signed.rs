//! TCP MD5 signatures (RFC 2385): segments with another key, or none, are dropped.

use guests::{poll, result, show, text, write};

const PORT: u16 = 17_990;

/// `struct tcp_md5sig`.
#[repr(C)]
struct Signature {
    address: libc::sockaddr_storage,
    flags: u8,
    prefix: u8,
    length: u16,
    interface: i32,
    key: [u8; 80],
}

fn address(port: u16) -> libc::sockaddr_storage {
    let mut storage: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
    let one = unsafe { &mut *(&raw mut storage).cast::<libc::sockaddr_in>() };
    one.sin_family = libc::AF_INET as u16;
    one.sin_port = port.to_be();
    one.sin_addr.s_addr = u32::from_ne_bytes([127, 0, 0, 1]);
    storage
}

fn sign(socket: i32, key: &[u8]) -> Result<i64, String> {
    let mut all = Signature {
        address: address(0),
        flags: 0,
        prefix: 0,
        length: key.len() as u16,
        interface: 0,
        key: [0; 80],
    };
    all.key[..key.len()].copy_from_slice(key);
    let size = std::mem::size_of::<Signature>() as u32;
    result(unsafe {
        libc::setsockopt(
            socket,
            libc::IPPROTO_TCP,
            libc::TCP_MD5SIG,
            (&raw const all).cast(),
            size,
        )
    } as i64)
}

fn connect(key: &[u8]) -> i32 {
    let socket = unsafe { libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_NONBLOCK, 0) };
    if !key.is_empty() {
        show("key", sign(socket, key));
    }
    let to = address(PORT);
    show(
        "connect",
        result(unsafe { libc::connect(socket, (&raw const to).cast(), 16) } as i64),
    );
    show("open", poll(socket, libc::POLLOUT, 1_500));
    socket
}

fn main() {
    let listener = unsafe { libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0) };
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
    let at = address(PORT);
    show(
        "bind",
        result(unsafe { libc::bind(listener, (&raw const at).cast(), 16) } as i64),
    );
    unsafe { libc::listen(listener, 8) };
    show("no key to take away", sign(listener, b""));
    show("key", sign(listener, b"secret"));
    let other = connect(b"other");
    let none = connect(b"");
    let right = connect(b"secret");
    show("waiting", poll(listener, libc::POLLIN, 1_000));
    let server = unsafe { libc::accept(listener, std::ptr::null_mut(), std::ptr::null_mut()) };
    show("send", write(right, b"signed"));
    show("received", text(server));
    show("only one", poll(listener, libc::POLLIN, 0));
    [other, none, right, server]
        .iter()
        .for_each(|it| guests::close(*it));
}
