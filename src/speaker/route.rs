//! A route: its NLRI, next hop and attributes.

use std::sync::Arc;

use crate::bgp::attribute::{Attributes, NextHop};
use crate::bgp::nlri::Nlri;

/// A route as it is announced or withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Route {
    /// The destination (RFC 4271 section 4.3).
    pub nlri: Nlri,
    /// By which next hop.
    pub next_hop: NextHop,
    /// With which attributes: shared, since many routes have the same.
    pub attributes: Arc<Attributes>,
}

/// A route as a person wrote it: the next hop may be `self`, which each neighbor resolves to its own local address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredRoute {
    /// The route; its next hop is [`NextHop::None`] while `next_hop_self` stands.
    pub route: Route,
    /// `next-hop self`.
    pub next_hop_self: bool,
    /// `watchdog NAME`: announced and withdrawn with that name.
    pub watchdog: Option<String>,
    /// `withdraw`: held back until its watchdog is announced.
    pub withdrawn: bool,
}
