//! BGP messages: a file each, and [`Message`], which is any of them.
//!
//! Start at [`header`] for framing, at [`update`] for routes; [`error`] turns every decoding error into its NOTIFICATION.

mod agreed;
pub mod error;
pub mod header;
pub mod keepalive;
pub mod notification;
pub mod open;
pub mod operational;
pub mod route_refresh;
pub mod unknown;
pub mod update;
pub mod view;

use super::attribute::WireContext;
use super::error::EncodeError;
use super::iana::MessageType;
use super::wire::{Reader, Writer};
pub use error::MessageError;
use error::UpdateError;
pub use header::Header;
pub use keepalive::Keepalive;
pub use notification::{Notification, NotificationCode};
pub use open::Open;
pub use operational::Operational;
pub use route_refresh::{RefreshSubtype, RouteRefresh};
pub use unknown::UnknownMessage;
pub use update::Update;
pub use view::UpdateView;

/// A BGP message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Message {
    /// RFC 4271 section 4.2.
    Open(Open),
    /// RFC 4271 section 4.3.
    Update(Update),
    /// RFC 4271 section 4.5.
    Notification(Notification),
    /// RFC 4271 section 4.4.
    Keepalive,
    /// RFC 2918 and 7313.
    RouteRefresh(RouteRefresh),
    /// draft-ietf-idr-operational-message, as ExaBGP has it.
    Operational(Operational),
    /// Any other type. A session answers it with NOTIFICATION 1/3 ([`MessageError::bad_type`]).
    Unknown(UnknownMessage),
}

impl Message {
    /// Decodes one whole message, its header included. `context` is that of the direction in which it travelled.
    ///
    /// # Errors
    /// Where it cannot be understood; [`MessageError::notification`] says what to send.
    /// Errors of attributes that RFC 7606 lets the session survive are kept in [`Update::malformed`].
    pub fn decode(context: &WireContext, bytes: &[u8]) -> Result<Self, MessageError> {
        Self::whole(context, bytes, Update::reset)
    }

    /// Decodes one whole message as [`Message::decode`] does, but lets pass a well-known attribute that nobody knows:
    /// for tools that show what was sent, whatever a session makes of it.
    ///
    /// # Errors
    /// Where it cannot be understood.
    pub fn read(context: &WireContext, bytes: &[u8]) -> Result<Self, MessageError> {
        Self::whole(context, bytes, |_| Ok(()))
    }

    #[inline]
    fn whole(
        context: &WireContext,
        bytes: &[u8],
        check: impl FnOnce(&Update) -> Result<(), UpdateError>,
    ) -> Result<Self, MessageError> {
        let header = Header::decode(bytes)?;
        header.check(context.extended_message)?;
        if usize::from(header.length) != bytes.len() {
            return Err(MessageError::bad_length(header.length));
        }
        let reader = Reader::at(&bytes[Header::SIZE..], Header::SIZE);
        Ok(match header.kind {
            MessageType::OPEN => Self::Open(Open::decode(reader)?),
            MessageType::UPDATE => {
                let update = Update::decode(context, reader)?;
                check(&update)?;
                Self::Update(update)
            }
            MessageType::NOTIFICATION => Self::Notification(Notification::decode(reader)?),
            MessageType::KEEPALIVE => Self::Keepalive,
            MessageType::ROUTE_REFRESH => Self::RouteRefresh(RouteRefresh::decode(reader)?),
            MessageType::OPERATIONAL => Self::Operational(Operational::decode(reader)?),
            _ => Self::Unknown(UnknownMessage::decode(header.kind, reader)),
        })
    }

    /// The message type.
    #[must_use]
    pub const fn kind(&self) -> MessageType {
        match self {
            Self::Open(_) => MessageType::OPEN,
            Self::Update(_) => MessageType::UPDATE,
            Self::Notification(_) => MessageType::NOTIFICATION,
            Self::Keepalive => MessageType::KEEPALIVE,
            Self::RouteRefresh(_) => MessageType::ROUTE_REFRESH,
            Self::Operational(_) => MessageType::OPERATIONAL,
            Self::Unknown(unknown) => unknown.kind,
        }
    }

    /// Appends the whole message, its header included.
    ///
    /// # Errors
    /// Where something does not fit its field, or the message its limit (RFC 4271: 4,096 octets; RFC 8654: 65,535).
    /// On an error `out` is left as it was.
    pub fn encode(&self, context: &WireContext, out: &mut Writer) -> Result<(), EncodeError> {
        header::framed(context, self.kind(), out, |out| match self {
            Self::Open(open) => open.encode(out),
            Self::Update(update) => update.encode(context, out),
            Self::Notification(notification) => notification.encode(out),
            Self::Keepalive => Ok(()),
            Self::RouteRefresh(refresh) => {
                refresh.encode(out);
                Ok(())
            }
            Self::Operational(operational) => operational.encode(out),
            Self::Unknown(unknown) => {
                unknown.encode(out);
                Ok(())
            }
        })
    }
}

#[cfg(test)]
mod tests;
