//! Unix sockets, and descriptors sent along.

use guests::{ALL, call, close, fork, pipe, poll, read, result, show, text, wait, write};

fn pair(kind: i32) -> [i32; 2] {
    let mut ends = [0; 2];
    assert_eq!(
        unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) },
        0
    );
    ends
}

fn address(path: &[u8]) -> (libc::sockaddr_un, u32) {
    let mut name: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    name.sun_family = libc::AF_UNIX as u16;
    for (at, octet) in path.iter().enumerate() {
        name.sun_path[at] = *octet as libc::c_char;
    }
    (name, 2 + path.len() as u32)
}

fn bind(socket: i32, path: &[u8]) -> Result<i64, String> {
    let (name, length) = address(path);
    result(unsafe { libc::bind(socket, (&raw const name).cast(), length) } as i64)
}

fn connect(socket: i32, path: &[u8]) -> Result<i64, String> {
    let (name, length) = address(path);
    result(unsafe { libc::connect(socket, (&raw const name).cast(), length) } as i64)
}

/// Sends text with descriptors.
fn send(socket: i32, octets: &[u8], descriptors: &[i32]) -> Result<i64, String> {
    let mut vector = libc::iovec {
        iov_base: octets.as_ptr() as *mut _,
        iov_len: octets.len(),
    };
    let mut control = [0_u64; 16];
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_iov = &mut vector;
    header.msg_iovlen = 1;
    if !descriptors.is_empty() {
        let size = 4 * descriptors.len() as u32;
        header.msg_control = control.as_mut_ptr().cast();
        header.msg_controllen = unsafe { libc::CMSG_SPACE(size) } as usize;
        unsafe {
            let first = libc::CMSG_FIRSTHDR(&header);
            (*first).cmsg_level = libc::SOL_SOCKET;
            (*first).cmsg_type = libc::SCM_RIGHTS;
            (*first).cmsg_len = libc::CMSG_LEN(size) as usize;
            std::ptr::copy_nonoverlapping(
                descriptors.as_ptr(),
                libc::CMSG_DATA(first).cast(),
                descriptors.len(),
            );
        }
    }
    result(unsafe { libc::sendmsg(socket, &header, libc::MSG_NOSIGNAL) } as i64)
}

/// Receives text and descriptors.
fn receive(socket: i32, room: usize) -> (Result<String, String>, Vec<i32>, i32) {
    let mut octets = [0_u8; 512];
    let mut vector = libc::iovec {
        iov_base: octets.as_mut_ptr().cast(),
        iov_len: room,
    };
    let mut control = [0_u64; 16];
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_iov = &mut vector;
    header.msg_iovlen = 1;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = 128;
    let count = result(unsafe { libc::recvmsg(socket, &mut header, 0) } as i64);
    let mut descriptors = vec![];
    unsafe {
        let first = libc::CMSG_FIRSTHDR(&header);
        if count.is_ok() && !first.is_null() && (*first).cmsg_type == libc::SCM_RIGHTS {
            let number = ((*first).cmsg_len - 16) / 4;
            for at in 0..number {
                descriptors.push(*libc::CMSG_DATA(first).cast::<i32>().add(at));
            }
        }
    }
    let text = count.map(|count| String::from_utf8_lossy(&octets[..count as usize]).into_owned());
    (text, descriptors, header.msg_flags)
}

fn main() {
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    let [one, other] = pair(libc::SOCK_STREAM);
    show("fresh", poll(one, ALL, 0));
    show("write", write(one, b"abc"));
    show("write", write(one, b"def"));
    let mut peeked = [0; 16];
    call!(
        "peek",
        libc::recv(other, peeked.as_mut_ptr().cast(), 16, libc::MSG_PEEK)
    );
    show("peeked", &peeked[..6]);
    show("joined", text(other));
    call!(
        "nothing",
        libc::recv(other, peeked.as_mut_ptr().cast(), 16, libc::MSG_DONTWAIT)
    );
    call!("half", libc::shutdown(one, libc::SHUT_WR));
    show("half closed", poll(other, ALL, 0));
    show("own end", poll(one, ALL, 0));
    show("end", text(other));
    show("other way", write(other, b"back"));
    show("read back", text(one));
    show("write after shutdown", write(one, b"x"));
    call!("other half", libc::shutdown(other, libc::SHUT_WR));
    show("both halves", poll(one, ALL, 0));
    close(other);
    show("closed", poll(one, ALL, 0));
    close(one);

    let [one, other] = pair(libc::SOCK_STREAM);
    show("unread", write(one, b"unread"));
    close(other);
    show("reset", text(one));
    show("after", text(one));
    show("write to nobody", write(one, b"x"));
    close(one);

    for kind in [libc::SOCK_DGRAM, libc::SOCK_SEQPACKET] {
        let [one, other] = pair(kind);
        show("message", write(one, b"first"));
        show("message", write(one, b"second"));
        show("cut", read(other, 3));
        show("whole", text(other));
        show("empty message", write(one, b""));
        show("is there", poll(other, ALL, 0));
        show("empty", read(other, 8));
        write(one, b"truncated").ok();
        let (got, _, flags) = receive(other, 4);
        show("truncated", (got, flags & libc::MSG_TRUNC != 0));
        close(one);
        if kind == libc::SOCK_SEQPACKET {
            show("peer closed", poll(other, ALL, 0));
            show("end", text(other));
        }
        show("write to it", write(other, b"x").is_err());
        close(other);
    }

    // A pipe handed to another process.
    let [mine, theirs] = pair(libc::SOCK_STREAM);
    let child = fork(|| {
        let (text_received, descriptors, _) = receive(theirs, 64);
        if text_received.as_deref() != Ok("take this") || descriptors.len() != 2 {
            return 1;
        }
        let sent = write(descriptors[1], b"through the pipe");
        close(descriptors[0]);
        close(descriptors[1]);
        i32::from(sent.is_err())
    });
    close(theirs);
    let ends = pipe(0);
    show("send", send(mine, b"take this", &ends));
    close(ends[1]);
    show("from the child", text(ends[0]));
    show("child", wait(child));
    show("all writers gone", text(ends[0]));
    close(mine);

    // Descriptors divide a stream; what is never received is closed.
    let [one, other] = pair(libc::SOCK_STREAM);
    let ends = pipe(0);
    show("plain", send(one, b"plain", &[]));
    show("with", send(one, b"with", &[ends[1]]));
    show("behind", send(one, b"behind", &[]));
    close(ends[1]);
    let (got, descriptors, _) = receive(other, 512);
    show("first", (got, descriptors.len()));
    show("writer in flight", poll(ends[0], ALL, 0));
    close(other);
    close(one);
    show("writer gone", poll(ends[0], ALL, 0));
    show("bad descriptor", send(ends[0], b"x", &[999]));

    // Names.
    let path = b"names.sock\0";
    let listener = unsafe { libc::socket(libc::AF_UNIX, libc::SOCK_STREAM, 0) };
    let client = unsafe { libc::socket(libc::AF_UNIX, libc::SOCK_STREAM, 0) };
    show("nobody", connect(client, path));
    show("bind", bind(listener, path));
    show("not listening", connect(client, path));
    show("bind again", bind(listener, path));
    let second = unsafe { libc::socket(libc::AF_UNIX, libc::SOCK_STREAM, 0) };
    show("in use", bind(second, path));
    call!("listen", libc::listen(listener, 5));
    let datagram = unsafe { libc::socket(libc::AF_UNIX, libc::SOCK_DGRAM, 0) };
    show("other type", connect(datagram, path));
    show("connect", connect(client, path));
    show("connect again", connect(client, path));
    show("backlog", poll(listener, ALL, 0));
    show("write before accept", write(client, b"early"));
    let accepted = unsafe {
        libc::accept4(
            listener,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            libc::SOCK_NONBLOCK,
        )
    };
    show(
        "accepted nonblocking",
        unsafe { libc::fcntl(accepted, libc::F_GETFL) } & libc::O_NONBLOCK != 0,
    );
    show("early", text(accepted));
    show("nothing more", text(accepted));
    let mut who: libc::ucred = unsafe { std::mem::zeroed() };
    let mut length = std::mem::size_of::<libc::ucred>() as u32;
    call!(
        "peer",
        libc::getsockopt(
            accepted,
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut who).cast(),
            &mut length
        )
    );
    show("it is us", who.pid == unsafe { libc::getpid() });
    let mut name: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    let mut length = 110;
    call!(
        "name",
        libc::getpeername(client, (&raw mut name).cast(), &mut length)
    );
    show("length", length);
    show("exists", std::path::Path::new("names.sock").exists());
    call!("unlink", libc::unlink(path.as_ptr().cast()));
    show("no file", connect(second, path));
    show("accept nothing", {
        unsafe { libc::fcntl(listener, libc::F_SETFL, libc::O_NONBLOCK) };
        result(unsafe { libc::accept(listener, std::ptr::null_mut(), std::ptr::null_mut()) } as i64)
    });

    // Datagrams by name, and a name that is no file.
    let server = unsafe { libc::socket(libc::AF_UNIX, libc::SOCK_DGRAM, 0) };
    show("abstract", bind(server, b"\0guests"));
    show("connect", connect(datagram, b"\0guests"));
    show("send", write(datagram, b"hello"));
    show("received", text(server));
    close(server);
    show("gone", write(datagram, b"hello"));
    show("not connected", text(second));
}
