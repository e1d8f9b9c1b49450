//! Signals: interruption, restart, masks, timers.

use std::sync::atomic::{AtomicI32, Ordering};

use guests::{call, close, fork, now, pipe, show, sleep, text, wait, write};

static COUNT: AtomicI32 = AtomicI32::new(0);
static LAST: AtomicI32 = AtomicI32::new(0);

extern "C" fn handler(signal: i32) {
    COUNT.fetch_add(1, Ordering::SeqCst);
    LAST.store(signal, Ordering::SeqCst);
}

fn handle(signal: i32, flags: i32) {
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as *const () as usize;
        action.sa_flags = flags;
        libc::sigaction(signal, &action, std::ptr::null_mut());
    }
}

fn taken() -> (i32, i32) {
    (
        COUNT.swap(0, Ordering::SeqCst),
        LAST.swap(0, Ordering::SeqCst),
    )
}

fn set(signals: &[i32]) -> libc::sigset_t {
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        signals.iter().for_each(|it| {
            libc::sigaddset(&mut set, *it);
        });
        set
    }
}

/// A child that signals us after a while.
fn later(signal: i32, milliseconds: i64) -> i32 {
    let parent = unsafe { libc::getpid() };
    fork(|| {
        sleep(milliseconds);
        unsafe { libc::kill(parent, signal) };
        0
    })
}

fn main() {
    handle(libc::SIGUSR1, 0);
    call!("raise", libc::raise(libc::SIGUSR1));
    show("handled", taken());
    call!("kill oneself", libc::kill(libc::getpid(), libc::SIGUSR1));
    show("handled", taken());

    let [reader, writer] = pipe(0);
    let child = later(libc::SIGUSR1, 50);
    show("interrupted read", text(reader));
    show("handled", taken());
    show("child", wait(child));

    handle(libc::SIGUSR1, libc::SA_RESTART);
    let parent = unsafe { libc::getpid() };
    let child = fork(|| {
        sleep(40);
        unsafe { libc::kill(parent, libc::SIGUSR1) };
        sleep(40);
        write(writer, b"after").ok();
        0
    });
    show("restarted read", text(reader));
    show("handled", taken());
    show("child", wait(child));

    let child = later(libc::SIGUSR1, 40);
    let mut one = libc::pollfd {
        fd: reader,
        events: libc::POLLIN,
        revents: 0,
    };
    call!("poll is not restarted", libc::poll(&mut one, 1, 10_000));
    show("handled", taken());
    show("child", wait(child));

    let child = later(libc::SIGUSR1, 40);
    let span = libc::timespec {
        tv_sec: 100,
        tv_nsec: 0,
    };
    let mut left = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    call!("sleep", libc::nanosleep(&span, &mut left));
    show("left", (90..100).contains(&left.tv_sec));
    show("handled", taken());
    show("child", wait(child));

    // Blocked signals wait.
    let blocked = set(&[libc::SIGUSR1]);
    let nothing = set(&[]);
    unsafe { libc::sigprocmask(libc::SIG_BLOCK, &blocked, std::ptr::null_mut()) };
    call!("raise blocked", libc::raise(libc::SIGUSR1));
    show("not yet", taken());
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, &nothing, std::ptr::null_mut()) };
    show("now", taken());

    unsafe { libc::sigprocmask(libc::SIG_BLOCK, &blocked, std::ptr::null_mut()) };
    let child = later(libc::SIGUSR1, 40);
    call!("suspend", libc::sigsuspend(&nothing));
    show("handled", taken());
    show("child", wait(child));

    // ppoll lets through what is blocked elsewhere: pending before, and arriving during it.
    call!("raise blocked", libc::raise(libc::SIGUSR1));
    call!(
        "ppoll, pending",
        libc::ppoll(&mut one, 1, std::ptr::null(), &nothing)
    );
    show("handled", taken());
    let child = later(libc::SIGUSR1, 40);
    call!(
        "ppoll",
        libc::ppoll(&mut one, 1, std::ptr::null(), &nothing)
    );
    show("handled", taken());
    show("child", wait(child));
    call!("raise blocked", libc::raise(libc::SIGUSR1));
    show("blocked again", taken());
    let brief = libc::timespec {
        tv_sec: 0,
        tv_nsec: 20_000_000,
    };
    call!(
        "ppoll with it blocked",
        libc::ppoll(&mut one, 1, &brief, &blocked)
    );
    show("still blocked", taken());
    call!(
        "wait for it",
        libc::sigtimedwait(&blocked, std::ptr::null_mut(), &brief)
    );
    call!(
        "nothing more",
        libc::sigtimedwait(&blocked, std::ptr::null_mut(), &brief)
    );
    let child = later(libc::SIGUSR1, 40);
    let mut signal = 0;
    call!("sigwait", libc::sigwait(&blocked, &mut signal));
    show("signal", signal == libc::SIGUSR1);
    show("child", wait(child));
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, &nothing, std::ptr::null_mut()) };
    show("none handled", taken());

    // Timers.
    handle(libc::SIGALRM, 0);
    let start = now();
    unsafe { libc::alarm(1) };
    call!("pause", libc::pause());
    show(
        "alarm",
        (taken(), (1_000..20_000).contains(&(now() - start))),
    );
    let timer = libc::itimerval {
        it_interval: libc::timeval {
            tv_sec: 0,
            tv_usec: 20_000,
        },
        it_value: libc::timeval {
            tv_sec: 0,
            tv_usec: 20_000,
        },
    };
    unsafe { libc::setitimer(libc::ITIMER_REAL, &timer, std::ptr::null_mut()) };
    for _ in 0..3 {
        unsafe { libc::pause() };
    }
    let off: libc::itimerval = unsafe { std::mem::zeroed() };
    unsafe { libc::setitimer(libc::ITIMER_REAL, &off, std::ptr::null_mut()) };
    show("ticks", taken());

    // Children.
    handle(libc::SIGCHLD, 0);
    let child = fork(|| {
        sleep(30);
        4
    });
    call!("pause", libc::pause());
    show("child signal", taken());
    show("child", wait(child));
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
    let child = fork(|| 0);
    sleep(60);
    show("no zombie", wait(child));
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };

    // On a stack of its own.
    let mut stack = vec![0_u8; 65_536];
    let alternate = libc::stack_t {
        ss_sp: stack.as_mut_ptr().cast(),
        ss_flags: 0,
        ss_size: 65_536,
    };
    call!("stack", libc::sigaltstack(&alternate, std::ptr::null_mut()));
    handle(libc::SIGUSR2, libc::SA_ONSTACK);
    call!("raise", libc::raise(libc::SIGUSR2));
    show("handled", taken());
    let off = libc::stack_t {
        ss_sp: std::ptr::null_mut(),
        ss_flags: libc::SS_DISABLE,
        ss_size: 0,
    };
    unsafe { libc::sigaltstack(&off, std::ptr::null_mut()) };

    // Nobody reads.
    close(reader);
    let child = fork(|| {
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        write(writer, b"x").ok();
        0
    });
    show("broken pipe", wait(child));
    handle(libc::SIGPIPE, 0);
    show("caught", write(writer, b"x"));
    show("handled", taken());
    call!("bad signal", libc::kill(libc::getpid(), 99));
}
