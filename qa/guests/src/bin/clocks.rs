//! Clocks, sleeping, polling for a time.

use guests::{ALL, call, now, pipe, poll, show, sleep};

fn clock(number: i32, direct: bool) -> i64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    unsafe {
        if direct {
            libc::syscall(libc::SYS_clock_gettime, number, &mut time);
        } else {
            libc::clock_gettime(number, &mut time);
        }
    }
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

fn main() {
    for number in [
        libc::CLOCK_REALTIME,
        libc::CLOCK_MONOTONIC,
        libc::CLOCK_BOOTTIME,
        libc::CLOCK_MONOTONIC_RAW,
    ] {
        let (first, second, third) = (
            clock(number, false),
            clock(number, true),
            clock(number, false),
        );
        show(
            "forward",
            (
                first <= second,
                second <= third,
                third - first < 10_000_000_000,
            ),
        );
    }
    show(
        "coarse",
        (clock(libc::CLOCK_REALTIME, false) - clock(libc::CLOCK_REALTIME_COARSE, false)).abs()
            < 10_000_000_000,
    );
    let mut day = libc::timeval {
        tv_sec: 0,
        tv_usec: 0,
    };
    unsafe { libc::gettimeofday(&mut day, std::ptr::null_mut()) };
    show(
        "same day",
        (unsafe { libc::time(std::ptr::null_mut()) } - day.tv_sec).abs() < 10,
    );
    call!(
        "no such clock",
        libc::clock_gettime(99, std::ptr::null_mut())
    );
    let bad = libc::timespec {
        tv_sec: 0,
        tv_nsec: 1_000_000_000,
    };
    call!("bad time", libc::nanosleep(&bad, std::ptr::null_mut()));

    let start = now();
    sleep(100);
    show("slept", (100..20_000).contains(&(now() - start)));
    let [reader, _writer] = pipe(0);
    let start = now();
    show("poll", poll(reader, ALL & !libc::POLLOUT, 50));
    show("waited", (50..20_000).contains(&(now() - start)));
    let start = now();
    let mut wait = libc::timeval {
        tv_sec: 0,
        tv_usec: 40_000,
    };
    call!(
        "select",
        libc::select(
            0,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            &mut wait
        )
    );
    show("waited", (40..20_000).contains(&(now() - start)));
    let until = clock(libc::CLOCK_MONOTONIC, false) + 30_000_000;
    let deadline = libc::timespec {
        tv_sec: until / 1_000_000_000,
        tv_nsec: until % 1_000_000_000,
    };
    show("absolute", unsafe {
        libc::clock_nanosleep(
            libc::CLOCK_MONOTONIC,
            libc::TIMER_ABSTIME,
            &deadline,
            std::ptr::null_mut(),
        )
    });
    show("not before", clock(libc::CLOCK_MONOTONIC, false) >= until);

    // A loop that waits for the clock to move ends.
    let end = now() + 20;
    while now() < end {}
    show("spun", now() >= end);

    // select(2) by sets.
    unsafe {
        let ends = pipe(0);
        guests::write(ends[1], b"x").ok();
        let mut sets: [libc::fd_set; 2] = std::mem::zeroed();
        libc::FD_SET(ends[0], &mut sets[0]);
        libc::FD_SET(reader, &mut sets[0]);
        libc::FD_SET(ends[1], &mut sets[1]);
        call!(
            "ready",
            libc::select(
                ends[1] + 1,
                &mut sets[0],
                &mut sets[1],
                std::ptr::null_mut(),
                std::ptr::null_mut()
            )
        );
        show(
            "which",
            (
                libc::FD_ISSET(ends[0], &sets[0]),
                libc::FD_ISSET(reader, &sets[0]),
                libc::FD_ISSET(ends[1], &sets[1]),
            ),
        );
        // A low number: above the size of the table of descriptors, which the parent's decides, the kernel looks at none.
        let mut closed: libc::fd_set = std::mem::zeroed();
        libc::FD_SET(ends[0], &mut closed);
        libc::close(ends[0]);
        call!(
            "closed",
            libc::select(
                ends[0] + 1,
                &mut closed,
                std::ptr::null_mut(),
                std::ptr::null_mut(),
                &mut wait
            )
        );
    }
}
