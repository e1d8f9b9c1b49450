//! Pipes, descriptors, eventfd.

use guests::{ALL, call, close, pipe, poll, read, show, text, write};

fn main() {
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    let [reader, writer] = pipe(0);
    show("empty reader", poll(reader, ALL, 0));
    show("empty writer", poll(writer, ALL, 0));
    show("write", write(writer, b"hello"));
    show("full reader", poll(reader, ALL, 0));
    let mut waiting = 0;
    call!(
        "FIONREAD",
        libc::ioctl(reader, libc::FIONREAD, &mut waiting)
    );
    show("waiting", waiting);
    show("part", read(reader, 2));
    show("rest", text(reader));
    show(
        "flags",
        unsafe { libc::fcntl(writer, libc::F_GETFL) } & libc::O_ACCMODE,
    );
    unsafe { libc::fcntl(reader, libc::F_SETFL, libc::O_NONBLOCK) };
    show(
        "nonblocking",
        unsafe { libc::fcntl(reader, libc::F_GETFL) } & libc::O_NONBLOCK != 0,
    );
    show("read nothing", text(reader));
    show("wrong end", write(reader, b"x"));
    show("other wrong end", text(writer));

    let copy = unsafe { libc::dup(writer) };
    close(writer);
    show("one writer left", poll(reader, ALL, 0));
    show("write to copy", write(copy, b"copy"));
    close(copy);
    show("closed, unread", poll(reader, ALL, 0));
    show("read", text(reader));
    show("closed", poll(reader, ALL, 0));
    show("end", text(reader));
    close(reader);
    show("closed descriptor", text(reader));
    show("poll of it", poll(reader, ALL, 0));

    let [reader, writer] = pipe(libc::O_NONBLOCK | libc::O_CLOEXEC);
    show("close on exec", unsafe {
        libc::fcntl(reader, libc::F_GETFD)
    });
    let big = vec![7; 100_000];
    show("fill", write(writer, &big));
    show("full", write(writer, &big));
    show("full writer", poll(writer, ALL, 0));
    show("drain a little", read(reader, 100).map(|it| it.len()));
    show("still too little", poll(writer, ALL, 0));
    show("too much to be one", write(writer, &[0; 200]));
    show("drain", read(reader, 60_000).map(|it| it.len()));
    show("room", poll(writer, ALL, 0));
    close(reader);
    show("nobody reads", write(writer, b"x"));
    show("nobody reads", poll(writer, ALL, 0));

    let counter = call!("eventfd", libc::eventfd(3, libc::EFD_NONBLOCK));
    show("counter", poll(counter, ALL, 0));
    show("take", read(counter, 8));
    show("take again", read(counter, 8));
    show("short", read(counter, 4));
    show("add", write(counter, &5_u64.to_ne_bytes()));
    show("add", write(counter, &6_u64.to_ne_bytes()));
    show("sum", read(counter, 8));
    show("too much", write(counter, &u64::MAX.to_ne_bytes()));
    show("nearly", write(counter, &(u64::MAX - 1).to_ne_bytes()));
    show("overflow", write(counter, &1_u64.to_ne_bytes()));
    show("full counter", poll(counter, ALL, 0));
    let semaphore = unsafe { libc::eventfd(2, libc::EFD_SEMAPHORE | libc::EFD_NONBLOCK) };
    show("one", read(semaphore, 8));
    show("one", read(semaphore, 8));
    show("none", read(semaphore, 8));

    // Numbers are the lowest free ones.
    let [first, second] = pipe(0);
    close(first);
    let again = unsafe { libc::dup(second) };
    show("lowest", again == first);
    let high = unsafe { libc::fcntl(second, libc::F_DUPFD_CLOEXEC, 100) };
    show(
        "at least 100",
        (high, unsafe { libc::fcntl(high, libc::F_GETFD) }),
    );
    show("dup2", unsafe { libc::dup2(second, 55) });
    show("same", unsafe { libc::dup2(55, 55) });
    call!("dup3 of the same", libc::dup3(55, 55, 0));
    call!("dup2 of none", libc::dup2(77, 78));
    call!(
        "close range",
        libc::syscall(libc::SYS_close_range, 50, 200, 0)
    );
    show("gone", write(55, b"x"));
    call!("close twice", libc::close(55));
}
