//! Files in the directory where it starts, and above the machine's.

use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};

use guests::{call, result, show};

fn kind<T: std::fmt::Debug>(result: std::io::Result<T>) -> Result<T, std::io::ErrorKind> {
    result.map_err(|error| error.kind())
}

fn main() {
    show("write", kind(fs::write("one", b"first line\n")));
    show(
        "append",
        kind(
            fs::OpenOptions::new()
                .append(true)
                .open("one")
                .and_then(|mut it| it.write_all(b"second\n")),
        ),
    );
    show("read", kind(fs::read_to_string("one")));
    show("length", kind(fs::metadata("one").map(|it| it.len())));
    show("directory", kind(fs::create_dir("sub")));
    show("again", kind(fs::create_dir("sub")));
    show("rename", kind(fs::rename("one", "sub/two")));
    show("gone", kind(fs::read("one")));
    let mut file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open("sub/two")
        .expect("it is there");
    show("seek", kind(file.seek(SeekFrom::Start(6))));
    let mut rest = String::new();
    show("rest", (kind(file.read_to_string(&mut rest)), rest));
    show("truncate", kind(file.set_len(5)));
    show("read", kind(fs::read_to_string("sub/two")));
    show("link", kind(std::os::unix::fs::symlink("two", "sub/link")));
    show("through the link", kind(fs::read_to_string("sub/link")));
    show("not empty", kind(fs::remove_dir("sub")));
    let mut names: Vec<_> = fs::read_dir("sub")
        .expect("listed")
        .map(|it| it.expect("entry").file_name())
        .collect();
    names.sort();
    show("names", names);
    show("no such file", kind(fs::read("/nowhere/at/all")));
    show(
        "a file of the machine",
        kind(fs::read_to_string("/etc/passwd").map(|it| it.starts_with("root:"))),
    );

    // Two opens of a path outside see each other.
    let outside = "/tmp/guests-test/deep";
    fs::create_dir_all(outside).expect("made");
    let path = format!("{outside}/file");
    show("write", kind(fs::write(&path, b"outside")));
    show("read", kind(fs::read_to_string(&path)));
    show("exists", fs::metadata(&path).is_ok_and(|it| it.is_file()));
    show("remove", kind(fs::remove_file(&path)));
    show("gone", kind(fs::metadata(&path)));
    fs::remove_dir_all("/tmp/guests-test").expect("removed");

    let mut random = [0; 16];
    show(
        "random",
        kind(fs::File::open("/dev/urandom").and_then(|mut it| it.read_exact(&mut random))),
    );
    show("not zeros", random != [0; 16]);
    show("getrandom", unsafe {
        libc::getrandom(random.as_mut_ptr().cast(), 16, 0)
    });
    show("null", kind(fs::write("/dev/null", b"x")));
    let lock = fs::File::create("lock").expect("made");
    use std::os::fd::AsRawFd;
    call!("lock", libc::flock(lock.as_raw_fd(), libc::LOCK_EX));
    let own = fs::read_to_string("/proc/self/comm");
    show("own name", kind(own));
    let number = std::process::id();
    show(
        "by number",
        kind(fs::read_to_string(format!("/proc/{number}/comm"))),
    );
    show("terminal", result(unsafe { libc::isatty(0) } as i64));
}
