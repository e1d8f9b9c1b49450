//! ExaBGP's text API: a line to a [`Command`], an event to its JSON or text line, answers.

pub mod command;
pub mod encoder;
pub mod event;
pub mod selector;

pub use command::{Action, Command};
pub use encoder::{Events, Host};
pub use event::{ApiEvent, Direction, PeerIdentity};
pub use selector::Selector;
