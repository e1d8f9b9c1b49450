//! Tries to reach out of the simulation: files, sockets, calls. Each attempt must fail, or stay within.

use std::fs;

use guests::{call, result, show};

fn main() {
    let outside = std::env::args()
        .nth(1)
        .expect("a file outside, which must stay as it is");
    // Where the absolute path is the guest's own to write, it is over the file, not in it.
    show("write", fs::write(&outside, b"defaced").is_ok());
    show("own view", fs::read_to_string(&outside).ok());
    fs::remove_file(&outside).ok();
    std::os::unix::fs::symlink(&outside, "link").ok();
    show("through a link", fs::write("link", b"defaced").is_err());
    show(
        "truncate through a link",
        fs::OpenOptions::new()
            .write(true)
            .truncate(true)
            .open("link")
            .is_err(),
    );
    let up = format!("../../../../../../../../../../..{outside}");
    show("by dots", fs::write(&up, b"defaced").is_err());
    show("unlink by dots", fs::remove_file(&up).is_err());
    show("hard link", fs::hard_link(&up, "hard").is_err());
    show("rename over it", {
        fs::write("mine", b"defaced").ok();
        fs::rename("mine", &up).is_err()
    });
    show(
        "by its process",
        fs::write(format!("/proc/self/root{outside}"), b"defaced").is_err(),
    );
    let root = unsafe { libc::open(c"/".as_ptr(), libc::O_RDONLY | libc::O_DIRECTORY) };
    let path = std::ffi::CString::new(outside.trim_start_matches('/')).expect("a path");
    call!(
        "relative to a directory",
        libc::openat(root, path.as_ptr(), libc::O_WRONLY | libc::O_TRUNC)
    );
    call!("unlink relative", libc::unlinkat(root, path.as_ptr(), 0));
    call!("chroot", libc::chroot(c"/".as_ptr()));
    call!(
        "device",
        libc::mknod(c"device".as_ptr(), libc::S_IFBLK | 0o600, 0x800)
    );
    call!(
        "mount",
        libc::mount(
            c"none".as_ptr(),
            c"/tmp".as_ptr(),
            c"tmpfs".as_ptr(),
            0,
            std::ptr::null()
        )
    );
    call!("name spaces", libc::unshare(libc::CLONE_NEWNET));
    call!("trace", libc::ptrace(libc::PTRACE_ATTACH, 1, 0, 0));
    call!("io_uring", libc::syscall(libc::SYS_io_uring_setup, 8, 0));
    call!("bpf", libc::syscall(libc::SYS_bpf, 0, 0, 0));
    call!(
        "raw",
        libc::socket(libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_ICMP)
    );
    call!("packet", libc::socket(libc::AF_PACKET, libc::SOCK_RAW, 0));
    call!("udp", libc::socket(libc::AF_INET, libc::SOCK_DGRAM, 0));
    call!("kill the first", libc::kill(1, libc::SIGKILL));
    call!("kill all", libc::kill(-1, 0));
    // 127.0.0.1 is this host's own: what listens on the machine is not there.
    let port: u16 = std::env::args()
        .nth(2)
        .and_then(|it| it.parse().ok())
        .expect("a port that is open on the machine");
    let mut to: libc::sockaddr_in = unsafe { std::mem::zeroed() };
    to.sin_family = libc::AF_INET as u16;
    to.sin_port = port.to_be();
    to.sin_addr.s_addr = u32::from_ne_bytes([127, 0, 0, 1]);
    let socket = unsafe { libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0) };
    show(
        "connect out",
        result(unsafe { libc::connect(socket, (&raw const to).cast(), 16) } as i64),
    );
}
