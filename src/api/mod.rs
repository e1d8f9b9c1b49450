//! The text API: a line to a command, an event to its JSON or text line, answers.
