//! The `process` section: an API program.

/// In which form a process hears of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoder {
    /// `encoder json`.
    #[default]
    Json,
    /// `encoder text`.
    Text,
}

/// An API program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// The name by which `api` sections refer to it.
    pub name: String,
    /// The program and its arguments, as written: a relative program is looked for by whoever starts it.
    pub run: Vec<String>,
    /// The form of what it hears.
    pub encoder: Encoder,
    /// Whether it is started again when it ends.
    pub respawn: bool,
}
