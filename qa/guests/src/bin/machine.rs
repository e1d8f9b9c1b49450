//! What of the machine a guest can see: it is the same on every run, and everywhere.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use guests::show;

/// The time stamp counter.
fn counter() -> u64 {
    unsafe { std::arch::x86_64::_rdtsc() }
}

fn main() {
    let mut name: libc::utsname = unsafe { std::mem::zeroed() };
    unsafe { libc::uname(&mut name) };
    let text = |field: &[libc::c_char]| {
        field
            .iter()
            .take_while(|it| **it != 0)
            .map(|it| *it as u8 as char)
            .collect::<String>()
    };
    show("host", text(&name.nodename));
    show("process", (std::process::id(), unsafe { libc::getppid() }));
    show("user", unsafe {
        (libc::getuid(), libc::geteuid(), libc::getgid())
    });
    show(
        "processors",
        std::thread::available_parallelism().map(usize::from).ok(),
    );
    let mut octets = [0; 8];
    unsafe { libc::getrandom(octets.as_mut_ptr().cast(), 8, 0) };
    show("random", octets);
    show("hash", RandomState::new().hash_one(1));
    let start = unsafe { libc::getauxval(libc::AT_RANDOM) } as *const [u8; 16];
    show("at start", unsafe { start.read() });
    show("counter", (counter(), counter()));
    show("date", unsafe { libc::time(std::ptr::null_mut()) });
    show("environment", std::env::vars().collect::<BTreeMap<_, _>>());
    show("online", unsafe {
        libc::sysconf(libc::_SC_NPROCESSORS_ONLN)
    });
}
