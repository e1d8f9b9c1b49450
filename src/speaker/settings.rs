//! What the environment (`exabgp_*`) sets for the whole speaker.

use std::net::IpAddr;
use std::time::Duration;

/// The encoding in which API processes receive events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ApiEncoder {
    /// One JSON object per line.
    #[default]
    Json,
    /// ExaBGP's text lines.
    Text,
}

/// Settings of the speaker as a whole; the defaults are ExaBGP's.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "independent switches, each an environment name"
)]
pub struct Settings {
    /// `exabgp_tcp_port`: the port to connect to and to listen on.
    pub port: u16,
    /// `exabgp_tcp_bind`: addresses to listen on; empty means that the speaker does not listen.
    pub bind: Vec<IpAddr>,
    /// `exabgp_tcp_attempts` (`exabgp_tcp_connections`, `exabgp_tcp_once`): connections tried per neighbor; 0 is
    /// without limit.
    pub attempts: u32,
    /// `exabgp_bgp_passive`: never connect, whatever the neighbor says.
    pub passive: bool,
    /// `exabgp_bgp_openwait`: how long a connection may stay without the peer's OPEN.
    pub open_wait: Duration,
    /// `exabgp_version`: the version shown to API processes and sent in the software version capability.
    pub version: String,
    /// `exabgp_api_ack`: whether API commands are answered from the start.
    pub api_ack: bool,
    /// `exabgp_api_encoder`: for processes that do not say.
    pub api_encoder: ApiEncoder,
    /// `exabgp_api_respawn`: whether processes that end are started again.
    pub api_respawn: bool,
    /// `exabgp_api_terminate`: whether the speaker ends when a process does.
    pub api_terminate: bool,
    /// `exabgp_api_compact`: shorter JSON for unicast NLRI.
    pub api_compact: bool,
    /// `exabgp_debug_rotate`: a reload takes the next configuration file of the command line.
    pub debug_rotate: bool,
    /// How long after a session is established its first UPDATEs wait, so that what the peer sent behind its KEEPALIVE
    /// is read, and reported to programs, before them. None in a simulation, where nothing is still on its way by
    /// chance.
    pub settle: Duration,
    /// RFC 9687: how long octets may wait for the peer to read before the session is given up.
    /// `None` takes the larger of 8 minutes and twice the hold time, as the RFC recommends.
    pub send_hold: Option<Duration>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            port: 179,
            bind: Vec::new(),
            attempts: 0,
            passive: false,
            open_wait: Duration::from_secs(60),
            version: String::from("5.0.15"),
            api_ack: true,
            api_encoder: ApiEncoder::Json,
            api_respawn: true,
            api_terminate: false,
            api_compact: false,
            debug_rotate: false,
            settle: Duration::ZERO,
            send_hold: None,
        }
    }
}
