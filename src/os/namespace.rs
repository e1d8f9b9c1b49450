//! Network namespaces (network_namespaces(7)) for scenarios that declare hosts, on the kernel's network.
//!
//! This process is in one, in which the peers have their addresses; the host of the speaker is another, and a pair of
//! virtual Ethernet devices (veth(4)) joins them. The tools are those of util-linux and iproute2, `unshare`, `nsenter` and
//! `ip`: a user other than root has the namespaces within a user namespace, where the machine allows that.

use std::io::{self, Read as _};
use std::net::IpAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use super::attached::Attached;
use crate::net::link_local::hardware_address;

/// Holds the namespace that a process was started from, so that it knows that it has another.
const OUTER: &str = "LOCKSTEP_OUTER_NAMESPACE";
/// The namespace of a process (namespaces(7)).
const OWN: &str = "/proc/self/ns/net";
/// Gives the namespace its host name, says that it is there, and keeps it.
const HOLD: &str = "echo \"$0\" > /proc/sys/kernel/hostname && echo && exec sleep infinity";
/// This end of the pair.
const PEERS: &str = "peers";
/// The other end, as the speaker sees it.
const SPEAKER: &str = "eth0";

/// Whether this process has a namespace of its own, made by [`again`].
#[must_use]
pub fn is_own() -> bool {
    let outer = std::env::var(OUTER).ok();
    outer.is_some_and(|outer| own().is_ok_and(|own| own != outer))
}

fn own() -> io::Result<String> {
    Ok(std::fs::read_link(OWN)?.display().to_string())
}

/// Runs this program with the same arguments in a namespace of its own.
///
/// # Errors
/// `unshare` is not there, or the machine allows no namespaces.
pub fn again() -> io::Result<ExitStatus> {
    let is_root = rustix::process::geteuid().is_root();
    let flags: &[&str] = if is_root {
        &["--net"]
    } else {
        &["--user", "--map-root-user", "--net"]
    };
    // Alone first: what it says when it is refused is no word of ours.
    check(Command::new("unshare").args(flags).arg("true"))?;
    let mut again = Command::new("unshare")
        .args(flags)
        .arg(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .env(OUTER, own()?)
        .spawn()?;
    let _attached = Attached::process(again.id())?;
    again.wait()
}

/// The namespace of the speaker's host. Dropping it ends it, and the pair of devices with it.
#[derive(Debug)]
pub struct SpeakerNamespace {
    /// Keeps the namespace.
    holder: Child,
    _attached: Attached,
}

impl SpeakerNamespace {
    /// Gives the addresses `peers` to this process's namespace and `speaker` to a new one, called `host_name`, and joins
    /// them.
    ///
    /// # Errors
    /// What the tools say.
    pub fn new(host_name: &str, peers: &[IpAddr], speaker: &[IpAddr]) -> io::Result<Self> {
        let mut holder = Command::new("unshare")
            .args(["--net", "--uts", "sh", "-c", HOLD])
            .arg(host_name)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        // It prints a line once it has left this namespace.
        let said = holder.stdout.take();
        let _attached = Attached::process(holder.id())?;
        let namespace = Self { holder, _attached };
        if let Some(mut said) = said {
            said.read_exact(&mut [0])?;
        }
        let process = namespace.holder.id().to_string();
        // A link-local address is usable at once, not after the search for another host that has it (RFC 4862, section 5.4).
        let no_search = "echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad";
        check(Command::new("sh").args(["-c", no_search]))?;
        check(namespace.enter("sh".as_ref()).args(["-c", no_search]))?;
        check(Command::new("ip").args([
            "link", "add", PEERS, "type", "veth", "peer", "name", SPEAKER, "netns", &process,
        ]))?;
        let here = || Command::new("ip");
        let there = || namespace.enter("ip".as_ref());
        set_up(here, PEERS, peers)?;
        set_up(there, SPEAKER, speaker)?;
        Ok(namespace)
    }

    /// A command that runs `program` on the speaker's host.
    #[must_use]
    pub fn enter(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--net", "--uts", "--target", &self.holder.id().to_string()])
            .arg("--")
            .arg(program);
        command
    }
}

impl Drop for SpeakerNamespace {
    fn drop(&mut self) {
        // The kernel removes a namespace some time after its last process: until then the pair would stay. Whatever of it is
        // gone already needs no end.
        let _ = check(Command::new("ip").args(["link", "delete", PEERS]));
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// Gives `device` its addresses, by the tool `ip` of its host.
fn set_up(ip: impl Fn() -> Command, device: &str, addresses: &[IpAddr]) -> io::Result<()> {
    let [a, b, c, d, e, f] = hardware_address(addresses);
    let hardware = format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}");
    check(ip().args(["link", "set", "lo", "up"]))?;
    check(ip().args(["link", "set", device, "address", &hardware, "up"]))?;
    for address in addresses {
        // Without a search for duplicates an address is there at once, even before the other end is up.
        let (prefix, at_once): (_, &[&str]) = match address {
            IpAddr::V4(_) => (24, &[]),
            IpAddr::V6(_) => (64, &["nodad"]),
        };
        let address = format!("{address}/{prefix}");
        check(
            ip().args(["address", "add", &address, "dev", device])
                .args(at_once),
        )?;
    }
    Ok(())
}

/// Runs `command`; what it printed, if it failed.
fn check(command: &mut Command) -> io::Result<()> {
    let name = command.get_program().display().to_string();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{name}: {}", said.trim())))
}
