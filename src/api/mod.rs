//! ExaBGP's text API: a line to a [`Command`], an event to its JSON or text line, answers.
//!
//! Start at [`command`] for what programs write, at [`encoder`] for what they read.

pub mod apply;
pub mod command;
pub mod encoder;
pub mod event;
pub mod health;
pub mod subscribers;
pub mod help;
mod line;
pub mod selector;
pub mod show;
pub mod tally;

pub use command::{Action, Command, Parser, parse};
pub use encoder::{Events, Host};
pub use event::{ApiEvent, PeerIdentity};
pub use selector::Selector;
