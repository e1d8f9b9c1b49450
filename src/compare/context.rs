//! How the messages of a connection are to be read: what its two OPENs agreed on.

use crate::bgp::attribute::WireContext;
use crate::bgp::capability::Capability;
use crate::bgp::family::Families;
use crate::bgp::message::{Message, Open};

/// The context of what the sender of `sent` sends to that of `received`.
///
/// Where an OPEN is not in the capture, AS numbers have four octets, as nearly everywhere.
#[must_use]
pub fn agreed(sent: Option<&[u8]>, received: Option<&[u8]>) -> WireContext {
    let (Some(sent), Some(received)) = (sent.and_then(open), received.and_then(open)) else {
        return WireContext {
            four_octet_as: true,
            add_path: Families::new(),
            // RFC 8654 is no reason to refuse a long message of which it is not known whether it was agreed on.
            extended_message: true,
        };
    };
    let both = |is: fn(&Capability) -> bool| {
        sent.capabilities().any(is) && received.capabilities().any(is)
    };
    WireContext {
        four_octet_as: both(|one| matches!(one, Capability::FourOctetAs(_))),
        add_path: add_path(&sent, &received),
        extended_message: both(|one| matches!(one, Capability::ExtendedMessage(_))),
    }
}

fn open(octets: &[u8]) -> Option<Open> {
    match Message::decode(&WireContext::default(), octets) {
        Ok(Message::Open(open)) => Some(open),
        _ => None,
    }
}

/// RFC 7911 section 4: families that the one sends several paths of and the other receives.
fn add_path(sent: &Open, received: &Open) -> Families {
    let entries = |open: &Open| -> Vec<_> {
        open.capabilities()
            .filter_map(|capability| match capability {
                Capability::AddPath(add_path) => Some(add_path.entries.clone()),
                _ => None,
            })
            .flatten()
            .collect()
    };
    let receiving = entries(received);
    entries(sent)
        .into_iter()
        .filter(|(family, does)| {
            does.sends()
                && receiving
                    .iter()
                    .any(|(other, does)| other == family && does.receives())
        })
        .map(|(family, _)| family)
        .collect()
}
