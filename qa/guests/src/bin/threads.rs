//! Threads and futexes.

use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Barrier, Condvar, Mutex, mpsc};
use std::time::Duration;

use guests::{call, now, result, show, sleep};

fn futex(
    word: &AtomicU32,
    operation: i32,
    value: u32,
    timeout: Option<i64>,
) -> Result<i64, String> {
    let span = timeout.map(|ms| libc::timespec {
        tv_sec: ms / 1_000,
        tv_nsec: ms % 1_000 * 1_000_000,
    });
    let span = span.as_ref().map_or(std::ptr::null(), |it| it as *const _);
    result(unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, value, span, 0, 0) })
}

fn main() {
    let word = AtomicU32::new(5);
    show("other value", futex(&word, libc::FUTEX_WAIT, 4, None));
    let start = now();
    show(
        "time up",
        futex(
            &word,
            libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG,
            5,
            Some(30),
        ),
    );
    show("it took that long", (30..20_000).contains(&(now() - start)));
    show("wake nobody", futex(&word, libc::FUTEX_WAKE, 1, None));
    show(
        "misaligned",
        result(unsafe { libc::syscall(libc::SYS_futex, 1_usize, libc::FUTEX_WAKE, 1, 0, 0, 0) })
            .is_err(),
    );

    // Counting under a lock.
    let count = Arc::new(Mutex::new(0));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let count = count.clone();
            std::thread::spawn(move || {
                for _ in 0..100 {
                    *count.lock().expect("lock") += 1;
                    std::thread::yield_now();
                }
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|it| it.join().expect("joined"));
    show("count", *count.lock().expect("lock"));

    // All wait, all are woken (requeue).
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let (sender, receiver) = mpsc::channel();
    let waiting: Vec<_> = (0..5)
        .map(|number| {
            let (gate, sender) = (gate.clone(), sender.clone());
            std::thread::spawn(move || {
                let mut open = gate.0.lock().expect("lock");
                while !*open {
                    open = gate.1.wait(open).expect("wait");
                }
                sender.send(number).expect("sent");
            })
        })
        .collect();
    sleep(20);
    *gate.0.lock().expect("lock") = true;
    gate.1.notify_all();
    waiting
        .into_iter()
        .for_each(|it| it.join().expect("joined"));
    let mut all: Vec<i32> = (0..5).map(|_| receiver.recv().expect("received")).collect();
    all.sort_unstable();
    show("all woken", all);

    let (lock, condition) = (Mutex::new(()), Condvar::new());
    let (_guard, result_of_wait) = condition
        .wait_timeout(lock.lock().expect("lock"), Duration::from_millis(25))
        .expect("wait");
    show("timed out", result_of_wait.timed_out());

    let barrier = Arc::new(Barrier::new(3));
    let leaders: usize = (0..3)
        .map(|_| {
            let barrier = barrier.clone();
            std::thread::spawn(move || usize::from(barrier.wait().is_leader()))
        })
        .collect::<Vec<_>>()
        .into_iter()
        .map(|it| it.join().expect("joined"))
        .sum();
    show("leaders", leaders);

    // Bitsets: only those who asked for the bit.
    let word = Arc::new(AtomicU32::new(0));
    let (sender, receiver) = mpsc::channel();
    let threads: Vec<_> = [1_u32, 2]
        .map(|bit| {
            let (word, sender) = (word.clone(), sender.clone());
            std::thread::spawn(move || {
                let operation = libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG;
                unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, 0, 0, 0, bit) };
                sender.send(bit).expect("sent");
            })
        })
        .into();
    sleep(30);
    for bit in [2, 1] {
        let operation = libc::FUTEX_WAKE_BITSET | libc::FUTEX_PRIVATE_FLAG;
        let woken =
            unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, 10, 0, 0, bit) };
        show("woken", (woken, receiver.recv().expect("received")));
    }
    threads
        .into_iter()
        .for_each(|it| it.join().expect("joined"));

    // Who holds a robust lock and dies leaves it to the next.
    unsafe {
        let mut kind: libc::pthread_mutexattr_t = std::mem::zeroed();
        libc::pthread_mutexattr_init(&mut kind);
        libc::pthread_mutexattr_setrobust(&mut kind, libc::PTHREAD_MUTEX_ROBUST);
        let lock: &'static mut libc::pthread_mutex_t = Box::leak(Box::new(std::mem::zeroed()));
        libc::pthread_mutex_init(lock, &kind);
        let address = lock as *mut libc::pthread_mutex_t as usize;
        let waiter = std::thread::spawn(move || {
            sleep(20);
            guests::name(libc::pthread_mutex_lock(address as *mut _))
        });
        std::thread::spawn(move || {
            libc::pthread_mutex_lock(address as *mut _);
            sleep(60);
        })
        .join()
        .expect("joined");
        show("left by the dead", waiter.join().expect("joined"));
        show("consistent", libc::pthread_mutex_consistent(lock));
        show("unlock", libc::pthread_mutex_unlock(lock));
    }

    // Numbers: the first thread has its process's, the others their own.
    let own = unsafe { libc::syscall(libc::SYS_gettid) };
    show("first", own == i64::from(unsafe { libc::getpid() }));
    let other = std::thread::spawn(|| unsafe { (libc::syscall(libc::SYS_gettid), libc::getpid()) })
        .join()
        .expect("joined");
    show("other", (other.0 != own, i64::from(other.1) == own));
    call!(
        "no such thread",
        libc::syscall(libc::SYS_tgkill, libc::getpid(), 4_000_000, 0)
    );
    show("left alone", {
        let thread = std::thread::spawn(|| sleep(10));
        thread.join().is_ok()
    });
}
