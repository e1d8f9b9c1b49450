//! The networks that a scenario can run on.

use std::fmt;

/// A network to run a scenario on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum NetworkKind {
    /// Our simulated network, on a virtual clock.
    Sim,
    /// turmoil's simulated network, the second opinion.
    Turmoil,
    /// The kernel's loopback, in real time.
    Kernel,
}

impl NetworkKind {
    /// The kind of its clock: `virtual`, or `real` on the kernel.
    #[must_use]
    pub const fn clock(self) -> &'static str {
        match self {
            Self::Sim | Self::Turmoil => "virtual",
            Self::Kernel => "real",
        }
    }
}

impl fmt::Display for NetworkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sim => "sim",
            Self::Turmoil => "turmoil",
            Self::Kernel => "kernel",
        })
    }
}
