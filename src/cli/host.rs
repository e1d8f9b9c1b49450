//! This host's identity, as in ExaBGP's JSON lines.

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
