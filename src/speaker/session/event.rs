//! Events of a session, for the reactor that drives it.

use std::fmt;
use std::io;
use std::sync::Arc;

use super::negotiated::Negotiated;
use super::state::State;
use super::timers::TimerKind;
use crate::bgp::error::EncodeError;
use crate::bgp::message::error::MessageError;
use crate::bgp::message::{Message, Notification};

/// Why a state changed or a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The connection is open.
    Connected,
    /// We sent an OPEN.
    OpenSent,
    /// The peer's OPEN was received and is acceptable.
    OpenReceived,
    /// A KEEPALIVE confirmed our OPEN.
    Confirmed,
    /// We sent this NOTIFICATION.
    NotificationSent(Notification),
    /// The peer sent this NOTIFICATION.
    NotificationReceived(Notification),
    /// We closed without a NOTIFICATION, as graceful restart asks.
    ClosedSilently {
        /// The peer announced it too.
        negotiated: bool,
    },
    /// We closed without a NOTIFICATION because the neighbor is of no more use; why, in ExaBGP's words.
    Stopped(&'static str),
    /// The peer closed the connection (FIN).
    PeerClosed,
    /// The connection broke.
    ConnectionLost(io::ErrorKind),
    /// The peer did not read for the send hold time (RFC 9687): nothing can be sent any more.
    SendHoldExpired,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected => f.write_str("connected"),
            Self::OpenSent => f.write_str("OPEN sent"),
            Self::OpenReceived => f.write_str("OPEN received"),
            Self::Confirmed => f.write_str("KEEPALIVE received"),
            Self::NotificationSent(notification) => {
                write!(
                    f,
                    "notification sent ({},{})",
                    notification.code.0, notification.subcode
                )
            }
            Self::NotificationReceived(notification) => {
                write!(
                    f,
                    "notification received ({},{})",
                    notification.code.0, notification.subcode
                )
            }
            Self::ClosedSilently { negotiated: true } => f.write_str(
                "graceful restarted negotiated, closing without sending any notification",
            ),
            Self::ClosedSilently { negotiated: false } => {
                f.write_str("closing without sending any notification")
            }
            Self::Stopped(why) => write!(f, "stop, message [{why}]"),
            Self::PeerClosed => f.write_str("the TCP connection was closed by the remote end"),
            Self::ConnectionLost(kind) => write!(f, "the TCP connection was lost: {kind}"),
            Self::SendHoldExpired => f.write_str("send hold timer expired"),
        }
    }
}

/// What happened in a session, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEvent {
    /// The state changed.
    State {
        /// Old state (RFC 4271 section 8.2.2).
        from: State,
        /// New state.
        to: State,
        /// The event that caused it.
        cause: Cause,
    },
    /// A whole message was queued for sending.
    Sent {
        /// Its octets, header included. Its type is octet 18.
        raw: Vec<u8>,
    },
    /// A whole message was received and decoded.
    Received {
        /// The decoded message.
        message: Message,
        /// Its octets, header included.
        raw: Vec<u8>,
    },
    /// Octets were received that are no message: a NOTIFICATION follows.
    Malformed {
        /// What was received of it.
        raw: Vec<u8>,
        /// What is wrong with them.
        error: MessageError,
    },
    /// Both OPENs are there and agree.
    Negotiated(Arc<Negotiated>),
    /// The session is established.
    Established(Arc<Negotiated>),
    /// A timer expired.
    Expired(TimerKind),
    /// A message could not be encoded, and was not sent.
    Refused(EncodeError),
    /// The session has ended; nothing follows. What is left of `poll_transmit` should still be sent.
    Closed {
        /// The event that caused it.
        cause: Cause,
    },
}
