//! ExaBGP's text API: a line to a [`Command`], an event to its JSON or text line, answers.

pub mod command;
pub mod selector;

pub use command::{Action, Command};
pub use selector::Selector;
