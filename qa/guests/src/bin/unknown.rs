//! Makes a call that nothing is known of.

fn main() {
    unsafe { libc::syscall(libc::SYS_remap_file_pages, 1, 2, 3, 4, 5) };
    println!("it went on");
}
