//! Who we are, as the lines of ExaBGP's JSON tell.

use crate::api::Host;

/// This machine and this process; `compact` as in [`Host::compact`].
#[must_use]
pub fn host(compact: bool) -> Host {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = match name.trim() {
        "" => "localhost",
        name => name,
    };
    Host {
        name: name.to_owned(),
        pid: std::process::id(),
        ppid: std::os::unix::process::parent_id(),
        compact,
        ..Host::default()
    }
}
