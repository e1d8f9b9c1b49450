//! epoll: levels, edges, one shot, timers.

use guests::{call, close, pipe, read, result, show, sleep, text, write};

fn add(epoll: i32, operation: i32, descriptor: i32, events: i32) -> Result<i64, String> {
    let mut event = libc::epoll_event {
        events: events as u32,
        u64: descriptor as u64,
    };
    result(unsafe { libc::epoll_ctl(epoll, operation, descriptor, &mut event) } as i64)
}

/// What is ready: bits by the order in which descriptors were added.
fn wait(epoll: i32, names: &[i32], milliseconds: i32) -> Vec<(usize, u32)> {
    let mut events = [libc::epoll_event { events: 0, u64: 0 }; 16];
    let count = unsafe { libc::epoll_wait(epoll, events.as_mut_ptr(), 16, milliseconds) };
    let mut found: Vec<(usize, u32)> = events[..count.max(0) as usize]
        .iter()
        .map(|event| {
            let descriptor = event.u64 as i32;
            (
                names.iter().position(|it| *it == descriptor).unwrap_or(99),
                event.events,
            )
        })
        .collect();
    found.sort_unstable();
    found
}

fn main() {
    let epoll = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
    let [reader, writer] = pipe(libc::O_NONBLOCK);
    let names = [reader, writer];
    show(
        "add",
        add(epoll, libc::EPOLL_CTL_ADD, reader, libc::EPOLLIN),
    );
    show(
        "add again",
        add(epoll, libc::EPOLL_CTL_ADD, reader, libc::EPOLLIN),
    );
    show(
        "modify unknown",
        add(epoll, libc::EPOLL_CTL_MOD, writer, libc::EPOLLIN),
    );
    show("delete unknown", add(epoll, libc::EPOLL_CTL_DEL, writer, 0));
    show("add closed", add(epoll, libc::EPOLL_CTL_ADD, 999, 0));
    show("nothing", wait(epoll, &names, 0));
    write(writer, b"a").ok();
    show("level", wait(epoll, &names, 0));
    show("level still", wait(epoll, &names, 0));
    text(reader).ok();
    show("drained", wait(epoll, &names, 5));

    show(
        "edge",
        add(
            epoll,
            libc::EPOLL_CTL_MOD,
            reader,
            libc::EPOLLIN | libc::EPOLLET,
        ),
    );
    write(writer, b"bc").ok();
    show("first edge", wait(epoll, &names, 0));
    show("no edge", wait(epoll, &names, 0));
    read(reader, 1).ok();
    show("no edge after part", wait(epoll, &names, 0));
    write(writer, b"d").ok();
    show("next edge", wait(epoll, &names, 0));
    text(reader).ok();
    show("drained", wait(epoll, &names, 0));
    write(writer, b"e").ok();
    show(
        "modify arms it",
        add(
            epoll,
            libc::EPOLL_CTL_MOD,
            reader,
            libc::EPOLLIN | libc::EPOLLET,
        ),
    );
    show("edge", wait(epoll, &names, 0));
    show(
        "modify again",
        add(
            epoll,
            libc::EPOLL_CTL_MOD,
            reader,
            libc::EPOLLIN | libc::EPOLLET,
        ),
    );
    show("edge again", wait(epoll, &names, 0));
    text(reader).ok();

    show(
        "one shot",
        add(
            epoll,
            libc::EPOLL_CTL_MOD,
            reader,
            libc::EPOLLIN | libc::EPOLLONESHOT,
        ),
    );
    write(writer, b"f").ok();
    show("shot", wait(epoll, &names, 0));
    write(writer, b"g").ok();
    show("spent", wait(epoll, &names, 0));
    show(
        "arm",
        add(
            epoll,
            libc::EPOLL_CTL_MOD,
            reader,
            libc::EPOLLIN | libc::EPOLLONESHOT,
        ),
    );
    show("shot", wait(epoll, &names, 0));
    text(reader).ok();

    show(
        "writer",
        add(
            epoll,
            libc::EPOLL_CTL_ADD,
            writer,
            libc::EPOLLOUT | libc::EPOLLET,
        ),
    );
    show("writable", wait(epoll, &names, 0));
    show("no edge", wait(epoll, &names, 0));
    while write(writer, &[0; 4_096]).is_ok() {}
    show("full", wait(epoll, &names, 0));
    while read(reader, 65_536).is_ok_and(|it| !it.is_empty()) {}
    show("room", wait(epoll, &names, 0));

    // An epoll within another.
    let outer = unsafe { libc::epoll_create1(0) };
    show(
        "nest",
        add(outer, libc::EPOLL_CTL_ADD, epoll, libc::EPOLLIN),
    );
    show("inner quiet", wait(outer, &[epoll], 0));
    show(
        "arm",
        add(epoll, libc::EPOLL_CTL_MOD, reader, libc::EPOLLIN),
    );
    write(writer, b"h").ok();
    show("inner ready", wait(outer, &[epoll], 0));

    // A closed descriptor leaves; a copy keeps it there.
    let copy = unsafe { libc::dup(reader) };
    close(reader);
    show("copy keeps it", wait(epoll, &names, 0).len());
    close(copy);
    show("gone", wait(epoll, &names, 0));

    let timer = call!(
        "timer",
        libc::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_NONBLOCK)
    );
    show("idle", read(timer, 8));
    let span = |first: i64, interval: i64| libc::itimerspec {
        it_interval: libc::timespec {
            tv_sec: 0,
            tv_nsec: interval * 1_000_000,
        },
        it_value: libc::timespec {
            tv_sec: 0,
            tv_nsec: first * 1_000_000,
        },
    };
    let set = span(20, 0);
    call!(
        "set",
        libc::timerfd_settime(timer, 0, &set, std::ptr::null_mut())
    );
    show(
        "watch",
        add(outer, libc::EPOLL_CTL_ADD, timer, libc::EPOLLIN),
    );
    show("forget", add(outer, libc::EPOLL_CTL_DEL, epoll, 0));
    show("before", wait(outer, &[timer], 0));
    show("expired", wait(outer, &[timer], 5_000));
    show("once", read(timer, 8));
    show("read", read(timer, 8));
    let set = span(10, 10);
    call!(
        "again",
        libc::timerfd_settime(timer, 0, &set, std::ptr::null_mut())
    );
    sleep(105);
    let count = read(timer, 8).map(|it| u64::from_ne_bytes(it.try_into().unwrap_or_default()));
    show("several", count.is_ok_and(|it| (10..100).contains(&it)));
    let off = span(0, 0);
    let mut old = span(0, 0);
    call!("off", libc::timerfd_settime(timer, 0, &off, &mut old));
    show("interval", old.it_interval.tv_nsec);
    show("quiet", wait(outer, &[timer], 30));
    let file = unsafe { libc::open(c"/etc/passwd".as_ptr(), libc::O_RDONLY) };
    show(
        "a file",
        add(outer, libc::EPOLL_CTL_ADD, file, libc::EPOLLIN),
    );
    show(
        "no room",
        result(unsafe { libc::epoll_wait(outer, std::ptr::null_mut(), 0, 0) } as i64),
    );
}
