//! The NOTIFICATIONs that a reactor sends of its own accord: Cease (RFC 4486), worded as ExaBGP words them.

use crate::bgp::attribute::WireContext;
use crate::bgp::message::{Message, Notification, NotificationCode, notification};

/// A connection of a peer that is not configured.
pub(super) const NOT_CONFIGURED: (u8, &str) = (
    notification::cease::PEER_DECONFIGURED,
    "no session configured for the peer",
);

/// A connection of a peer whose session is up.
pub(super) const ALREADY_ESTABLISHED: (u8, &str) = (
    notification::cease::CONNECTION_COLLISION,
    "could not accept the connection, already established",
);

/// A connection that lost a collision against another (RFC 4271 section 6.8).
pub(super) const COLLISION: (u8, &str) = (
    notification::cease::CONNECTION_COLLISION,
    "could not accept the connection, as another connection is already in open-confirm and will go through",
);

/// A connection that several neighbors match.
pub(super) const AMBIGUOUS: (u8, &str) = (
    notification::cease::CONNECTION_REJECTED,
    "could not accept the connection (more than one neighbor match)",
);

/// Reason given to programs when the neighbor of a session is removed.
pub(super) const REMOVED: &str = "removed";

/// Reason given to programs for every session when the speaker ends.
pub(super) const SHUTTING_DOWN: &str = "shutting down";

/// The NOTIFICATION of a `teardown SUBCODE`: its data is the subcode's name, as a shutdown communication where the
/// subcode may carry one (RFC 9003).
pub(super) fn teardown(subcode: u8) -> Notification {
    let text = notification::subcode_name(NotificationCode::CEASE, subcode)
        .unwrap_or("unknown notification type");
    worded(subcode, text)
}

/// A Cease with `text`.
pub(super) fn worded(subcode: u8, text: &str) -> Notification {
    let carries = matches!(
        subcode,
        notification::cease::ADMINISTRATIVE_SHUTDOWN | notification::cease::ADMINISTRATIVE_RESET
    );
    let plain = || Notification::new(NotificationCode::CEASE, subcode, text.as_bytes().to_vec());
    if !carries {
        return plain();
    }
    Notification::shutdown(subcode, text).unwrap_or_else(|_| plain())
}

/// The whole message of a refusal, for a connection that has no session.
pub(super) fn message((subcode, text): (u8, &str)) -> Vec<u8> {
    let mut octets = Vec::new();
    let message = Message::Notification(worded(subcode, text));
    if message
        .encode(&WireContext::default(), &mut octets)
        .is_err()
    {
        octets.clear();
    }
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_teardown_says_its_name_as_a_communication_where_it_may() {
        assert_eq!(teardown(4).data, b"\x14Administrative Reset");
        assert_eq!(teardown(3).data, b"Peer De-configured");
        assert_eq!(teardown(77).data, b"unknown notification type");
    }

    #[test]
    fn a_refusal_is_a_whole_message() {
        let octets = message(NOT_CONFIGURED);
        assert_eq!(&octets[16..21], &[0, 55, 3, 6, 3]);
        assert_eq!(octets.len(), 55);
    }
}
