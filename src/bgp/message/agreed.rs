//! What two OPENs agree on about the octets that follow.

use super::Open;
use crate::bgp::attribute::WireContext;
use crate::bgp::capability::Capability;
use crate::bgp::capability::add_path::SendReceive;
use crate::bgp::family::Family;

impl WireContext {
    /// How the sender of the one OPEN writes to the sender of the other.
    #[must_use]
    pub fn agreed(sender: &Open, receiver: &Open) -> Self {
        let both = |offered: fn(&Capability) -> bool| {
            sender.capabilities().any(offered) && receiver.capabilities().any(offered)
        };
        let taken: Vec<(Family, SendReceive)> = add_path(receiver).collect();
        let sent = add_path(sender).filter(|(family, way)| {
            let receives = |(other, way): &(Family, SendReceive)| other == family && way.receives();
            way.sends() && taken.iter().any(receives)
        });
        Self {
            four_octet_as: both(|one| matches!(one, Capability::FourOctetAs(_))),
            extended_message: both(|one| matches!(one, Capability::ExtendedMessage(_))),
            add_path: sent.map(|(family, _)| family).collect(),
            // None of our speakers offers it; what reads captures allows it.
            bgpsec: false,
        }
    }
}

fn add_path(open: &Open) -> impl Iterator<Item = (Family, SendReceive)> {
    open.capabilities()
        .filter_map(|capability| match capability {
            Capability::AddPath(add_path) => Some(&add_path.entries),
            _ => None,
        })
        .flatten()
        .copied()
}
