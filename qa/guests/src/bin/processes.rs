//! fork, exec, wait, groups.

use std::process::Command;

use guests::{call, close, fork, pipe, result, show, sleep, text, wait, write};

fn main() {
    if std::env::args().nth(1).is_some_and(|it| it == "child") {
        show("executed", std::env::var("WORD"));
        std::process::exit(7);
    }
    call!("no children", libc::wait(std::ptr::null_mut()));
    let child = fork(|| 3);
    show("exit status", wait(child));
    show("reaped", wait(child));
    let child = fork(|| {
        sleep(10_000);
        0
    });
    call!(
        "still running",
        libc::waitpid(child, std::ptr::null_mut(), libc::WNOHANG)
    );
    call!("kill", libc::kill(child, libc::SIGTERM));
    show("killed", wait(child));
    call!("gone", libc::kill(child, 0));

    let child = fork(|| unsafe {
        libc::abort();
    });
    show("aborted", wait(child));
    // With threads that wait, of which each has to be waited for before their leader.
    let child = fork(|| unsafe {
        for _ in 0..3 {
            std::thread::spawn(|| sleep(10_000));
        }
        sleep(20);
        libc::abort();
    });
    show("aborted with threads", wait(child));
    let child = fork(|| unsafe { std::ptr::null::<i32>().read_volatile() });
    show("bad memory", wait(child));

    // Memory and offsets are the child's own; descriptors are shared.
    let [reader, writer] = pipe(0);
    let mut value = 1;
    let child = fork(|| {
        value = 2;
        write(writer, b"from the child").ok();
        0
    });
    show("pipe", text(reader));
    show("ended", wait(child));
    show("own memory", value);
    close(writer);
    show("no writer", text(reader));

    // Any child, in the order in which they end.
    let slow = fork(|| {
        sleep(120);
        1
    });
    let fast = fork(|| {
        sleep(30);
        2
    });
    let mut status = 0;
    let first = unsafe { libc::waitpid(-1, &mut status, 0) };
    show("first", (first == fast, libc::WEXITSTATUS(status)));
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    call!(
        "waitid",
        libc::waitid(libc::P_PID, slow as u32, &mut info, libc::WEXITED)
    );
    show(
        "second",
        (
            info.si_code == libc::CLD_EXITED,
            unsafe { info.si_status() },
            unsafe { info.si_pid() } == slow,
        ),
    );

    // A grandchild whose parent is gone.
    let [reader, writer] = pipe(0);
    let child = fork(|| {
        fork(|| {
            sleep(40);
            let parent = unsafe { libc::getppid() };
            write(writer, if parent == 1 { b"orphan" } else { b"child!" }).ok();
            0
        });
        0
    });
    close(writer);
    show("parent ended", wait(child));
    show(
        "grandchild",
        text(reader).is_ok_and(|it| it == "orphan" || it == "child!"),
    );
    show("end", text(reader));

    let own = std::env::current_exe().expect("own path");
    let output = Command::new(&own)
        .arg("child")
        .env("WORD", "spoken")
        .output()
        .expect("it runs");
    show("status", output.status.code());
    show(
        "output",
        String::from_utf8_lossy(&output.stdout).into_owned(),
    );
    show(
        "not found",
        Command::new("/nowhere/program").status().is_err(),
    );
    show(
        "shell",
        Command::new("/bin/sh")
            .args(["-c", "echo one | cat; exit 5"])
            .output()
            .map(|it| (it.status.code(), it.stdout))
            .ok(),
    );

    // Close on exec.
    let [reader, writer] = pipe(0);
    unsafe { libc::fcntl(writer, libc::F_SETFD, libc::FD_CLOEXEC) };
    let child = fork(|| {
        let words = [
            c"/bin/sh".as_ptr(),
            c"-c".as_ptr(),
            c"sleep 0.05".as_ptr(),
            std::ptr::null(),
        ];
        unsafe { libc::execv(words[0], words.as_ptr()) }
    });
    close(writer);
    show("closed by exec", text(reader));
    show("shell", wait(child));

    // Groups.
    let child = fork(|| {
        sleep(10_000);
        0
    });
    call!("group", libc::setpgid(child, child));
    show("its own", unsafe { libc::getpgid(child) } == child);
    call!("kill the group", libc::kill(-child, libc::SIGKILL));
    show("killed", wait(child));
    show("result", result(0));
}
