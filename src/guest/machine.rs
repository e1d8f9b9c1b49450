//! Files of the machine that differ from one to the next, as a guest reads them: one processor, no load, one name.

use std::fs;
use std::io;
use std::path::Path;

use super::files::OVERLAY;
use super::identity::Identity;

/// Path and contents; the host's name is added to these.
const FILES: &[(&str, &str)] = &[
    ("sys/devices/system/cpu/online", "0\n"),
    ("sys/devices/system/cpu/possible", "0\n"),
    ("sys/devices/system/cpu/present", "0\n"),
    (
        "proc/cpuinfo",
        "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: one processor\ncpu MHz\t\t: 1000.000\n\n",
    ),
    (
        "proc/stat",
        "cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\nbtime 1699999000\n",
    ),
    ("proc/loadavg", "0.00 0.00 0.00 1/1 1\n"),
    ("proc/uptime", "1000.00 1000.00\n"),
    (
        "proc/meminfo",
        "MemTotal:        1048576 kB\nMemFree:          524288 kB\nMemAvailable:     524288 kB\n",
    ),
    ("proc/version", "Linux version 6.1.0\n"),
    (
        "proc/sys/kernel/random/boot_id",
        "00000000-0000-4000-8000-000000000001\n",
    ),
    (
        "proc/sys/kernel/random/uuid",
        "00000000-0000-4000-8000-000000000002\n",
    ),
    ("proc/sys/kernel/pid_max", "32768\n"),
    ("etc/machine-id", "00000000000000000000000000000001\n"),
];

/// Puts them over the machine's own, for guests of `directory`.
pub(super) fn write(directory: &Path, identity: &Identity) -> io::Result<()> {
    let root = directory.join(OVERLAY);
    let name = format!("{}\n", identity.host_name);
    let names = [
        ("etc/hostname", name.as_str()),
        ("proc/sys/kernel/hostname", &name),
    ];
    for (path, contents) in FILES.iter().chain(&names) {
        let path = root.join(path);
        if path.exists() {
            continue;
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, contents)?;
    }
    Ok(())
}
